"""What the report shows of labels of words: spans of each type, and sentences with their labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from superpose.columns import as_words

from ._spans import as_tags

SENTENCES = 12  # half of them with a mistake, if there are so many
MOST_SHOWN = 40  # words of a sentence


def token_facts(
    kind: Any, words: pa.ChunkedArray, *, y: np.ndarray, pred: np.ndarray
) -> dict[str, Any]:
    """Count spans by type, and pick sentences that show what is right and what is not.

    Args:
        kind: The fitted target, of kind tokens.
        words: The input that the labels are of.
        y: Encoded labels (N, S).
        pred: Canonical predictions (N, S C).
    """
    known = ~np.isnan(y)
    true = as_tags(y)
    chosen = kind.choose(pred)
    wrong = known & (true != chosen)
    rows = np.flatnonzero(known.any(axis=1))
    failed = rows[wrong[rows].any(axis=1)][: SENTENCES // 2]
    passed = np.setdiff1d(rows[~wrong[rows].any(axis=1)], failed)[: SENTENCES - len(failed)]
    shown = np.sort(np.concatenate([failed, passed]))
    texts, owners = as_words(words.take(pa.array(shown)))
    spelled = texts.to_pylist()

    def name(tag: int) -> str | None:
        return kind.labels[tag] if tag >= 0 else None

    sentences = []
    for position, row in enumerate(shown):
        mine = np.flatnonzero(owners == position)[: min(MOST_SHOWN, kind.places)]
        sentences.append(
            [
                {"word": spelled[w], "true": name(true[row, s]), "told": name(chosen[row, s])}
                for s, w in enumerate(mine)
            ]
        )
    return {
        "chart": "words",
        "labels": kind.marks.types,
        "spans": kind.marks.spans,
        "counts": kind.marks.counts(true, np.where(known, chosen, -1)),
        "sentences": sentences,
        "wrong_rows": int(wrong.any(axis=1).sum()),
        "rows": len(rows),
    }
