"""What the report shows of labels of words: spans of each type, and sentences with their labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

SENTENCES = 12  # half of them with a mistake, if there are so many
MOST_SHOWN = 40  # words of a sentence


def token_facts(
    kind: Any, words: pa.ChunkedArray, y: np.ndarray, told: np.ndarray
) -> dict[str, Any]:
    """Count spans by type, and pick sentences that show what is right and what is not.

    Args:
        kind: The fitted target, of kind tokens.
        words: The input that the labels are of.
        y: Encoded labels (N, S).
        told: Canonical predictions (N, S C).
    """
    known = ~np.isnan(y)
    true, said = np.where(known, y, -1).astype(int), kind.choose(told)
    wrong = known & (true != said)
    rows = np.flatnonzero(known.any(axis=1))
    failed = rows[wrong[rows].any(axis=1)][: SENTENCES // 2]
    passed = np.setdiff1d(rows[~wrong[rows].any(axis=1)], failed)[: SENTENCES - len(failed)]
    chosen = np.sort(np.concatenate([failed, passed]))
    texts, owners = kind.words(words.take(pa.array(chosen)))
    spelled = texts.to_pylist()

    def name(tag: int) -> str | None:
        return kind.labels[tag] if tag >= 0 else None

    sentences = []
    for place, row in enumerate(chosen):
        mine = np.flatnonzero(owners == place)[: min(MOST_SHOWN, kind.places)]
        sentences.append(
            [
                {"word": spelled[w], "true": name(true[row, s]), "told": name(said[row, s])}
                for s, w in enumerate(mine)
            ]
        )
    return {
        "kind": kind.name,
        "labels": kind.marks.types,
        "spans": kind.marks.spans,
        "counts": kind.span_counts(y, told),
        "sentences": sentences,
        "wrong_rows": int(wrong.any(axis=1).sum()),
        "rows": len(rows),
    }
