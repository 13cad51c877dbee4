"""Spans of words that labels mark (B-city I-city O), their scores, and labels that form spans.

Labels are indices (N, S), -1 where a row has no word or the word no label. Where labels mark no
spans (parts of speech) every word is a span of its own; then precision, recall and F1 over spans
are all the share of words that are right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from superpose.columns import OUTSIDE, read_span_labels, standard

# A label that continues a span stands first in so large a share of its words at most: beyond, the
# labels are of a scheme in which it may (IOB1), below it is a slip.
SLIPS = 0.05
CHUNK = 4_000_000  # probabilities whose best paths are sought at once


def as_tags(y: np.ndarray) -> np.ndarray:
    """Encoded labels as indices, -1 where there is none.

    Example:
        >>> as_tags(np.array([[2.0, np.nan]])).tolist()
        [[2, -1]]
    """
    return np.where(np.isnan(y), -1, y).astype(int)


@dataclass(frozen=True)
class Marks:
    """What each label says about spans.

    Args:
        types: the types of spans, in alphabetical order.
        type_of: for each label the index of its type (K,), -1 where it is outside of spans.
        opens: whether each label begins a span wherever it stands, (K,).
        closes: whether it ends one, (K,).
        before: for each label (K, 2) those that may stand before it, -1 for none; rows of -2 for
            labels that may stand anywhere.
        spans: whether labels mark spans; if not, each is a type and every word a span.
    """

    types: list[str]
    type_of: np.ndarray
    opens: np.ndarray
    closes: np.ndarray
    before: np.ndarray
    spans: bool

    @classmethod
    def of(
        cls,
        labels: Sequence[str],
        loose: Sequence[str] = (),
        spelled: Sequence[str] | None = None,
    ) -> Self:
        """Read the labels of a target.

        Args:
            labels: all labels.
            loose: labels that continue a span but may begin one too.
            spelled: the labels in the standard spelling; read from the labels if None.

        Example:
            >>> Marks.of(["B-city", "I-city", "O"]).types
            ['city']
        """
        if spelled is None:
            read = read_span_labels(dict.fromkeys(labels, 1))
            spelled = labels if read is None else [read.standard[label] for label in labels]
        free = np.full((len(labels), 2), -2)
        if set(spelled) <= {OUTSIDE} or not all(map(standard, spelled)):
            every = np.ones(len(labels), bool)
            return cls(
                types=list(labels),
                type_of=np.arange(len(labels)),
                opens=every,
                closes=every,
                before=free,
                spans=False,
            )
        signs = ["" if name == OUTSIDE else name[0] for name in spelled]
        names = ["" if name == OUTSIDE else name[2:] for name in spelled]
        types = sorted(set(names) - {""})
        index = {name: k for k, name in enumerate(spelled)}
        for k, (sign, name) in enumerate(zip(signs, names, strict=True)):
            if sign in ("I", "E", "L") and labels[k] not in loose:
                free[k] = [index.get(f"{s}-{name}", -1) for s in ("B", "I")]
        return cls(
            types=types,
            type_of=np.array([types.index(n) if n else -1 for n in names]),
            opens=np.isin(signs, ["B", "S", "U"]),
            closes=np.isin(signs, ["E", "S", "L", "U"]),
            before=free,
            spans=True,
        )

    def keys(self, tags: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Find the spans of labels (N, S): a number for each that tells it apart, and its type.

        A span begins where the type changes and where a label opens or the one before closes, as
        in the script that scores CoNLL's shared tasks.
        """
        n, s = tags.shape
        # A column outside of all spans keeps them from running into the next row.
        tags = np.concatenate([tags, np.full((n, 1), -1)], axis=1).ravel()
        kind = np.where(tags < 0, -1, self.type_of[tags])
        opens, closes = self.opens[tags], self.closes[tags]
        inside = kind >= 0
        before = np.concatenate([[-1], kind[:-1]])
        broken = np.concatenate([[True], closes[:-1]])
        start = inside & ((kind != before) | opens | broken)
        ends = inside & np.concatenate([~inside[1:] | start[1:], [True]])
        first, last = np.flatnonzero(start), np.flatnonzero(ends)
        types = kind[first]
        keys = (first * (s + 1) + (last - first)) * (len(self.types) + 1) + types
        return keys, types

    def types_in(self, y: np.ndarray) -> np.ndarray:
        """Which types of spans (or labels) occur in a row.

        Shape:
            y: encoded labels (N, S), NaN where there is none -> float32 (N, types) of 0 and 1, NaN
            where a row has no label.
        """
        known = ~np.isnan(y)
        types = np.where(known, self.type_of[np.where(known, y, 0).astype(int)], -1)
        occurs = np.zeros((len(y), len(self.types)), np.float32)
        rows, words = np.nonzero(types >= 0)
        occurs[rows, types[rows, words]] = 1
        occurs[~known.any(axis=1)] = np.nan
        return occurs

    def counts(self, true: np.ndarray, pred: np.ndarray) -> np.ndarray:
        """Count for each type (types, 3): right spans, predicted spans, true spans.

        Args:
            true, pred: labels (N, S), -1 where there is none.

        Source:
            conlleval (Tjong Kim Sang and Buchholz 2000): a span is right if its first word, last
            word and type are.
        """
        true_keys, true_types = self.keys(true)
        pred_keys, pred_types = self.keys(pred)
        right = true_types[np.isin(true_keys, pred_keys)]
        parts = (right, pred_types, true_types)
        columns = (np.bincount(x, minlength=len(self.types)) for x in parts)
        return np.stack(list(columns), axis=1)

    def loose(self, tags: np.ndarray, labels: Sequence[str]) -> list[str]:
        """Name the labels that continue spans but often begin them in labels (N, S)."""
        previous = np.concatenate([np.full((len(tags), 1), -1), tags[:, :-1]], axis=1)
        names = []
        for k in np.flatnonzero(self.before[:, 0] > -2).tolist():
            here = tags == k
            slips = (here & ~np.isin(previous, self.before[k][self.before[k] >= 0])).sum()
            if slips > SLIPS * here.sum():
                names.append(labels[k])
        return names

    def in_order(self, tags: np.ndarray) -> bool:
        """Whether labels that are signs alone stand as signs do in labels (N, S).

        An inside follows a span, or in IOB1 a begin does: letters such as blood groups do neither.
        """
        previous = np.concatenate([np.full((len(tags), 1), -1), tags[:, :-1]], axis=1)
        follows = (previous >= 0) & (self.type_of[previous] >= 0)
        goes_on = np.flatnonzero(self.before[:, 0] > -2)
        shares = [
            follows[here].mean()
            for here in (np.isin(tags, goes_on), (tags >= 0) & self.opens[tags])
            if here.any()
        ]
        return max(shares, default=0.0) >= 1 - SLIPS

    def best(self, p: np.ndarray) -> np.ndarray:
        """Choose the likeliest labels (N, S) that form whole spans, -1 where nothing is predicted.

        Each word's probabilities are taken as they are; a label that continues a span may only
        follow one that the span has.

        Args:
            p: probabilities (N, S, K), NaN where a row has no word.

        Source:
            Viterbi 1967, with transitions that are allowed or not.
        """
        if not (self.before > -2).any():
            there = ~np.isnan(p[..., 0])
            return np.where(there, np.where(there[..., None], p, 0.0).argmax(-1), -1)
        step = max(1, CHUNK // max(p.shape[1] * p.shape[2], 1))
        parts = [self._best(p[first : first + step]) for first in range(0, len(p), step)]
        return np.concatenate(parts) if parts else np.zeros(p.shape[:2], np.int64)

    def _best(self, p: np.ndarray) -> np.ndarray:
        there = ~np.isnan(p[..., 0])
        logs = np.log(np.maximum(np.where(there[..., None], p, 1.0), 1e-30))
        n, s, k = p.shape
        bound = np.flatnonzero(self.before[:, 0] > -2)
        # A label that no other may stand before leads to the last column, which is never reached.
        allowed = np.where(self.before[bound] < 0, k, self.before[bound])
        score = np.concatenate([np.zeros((n, k)), np.full((n, 1), -np.inf)], axis=1)
        back = np.zeros((s, n, k), np.int32)
        stay = np.arange(k, dtype=np.int32)
        for position in range(s):
            old = score[:, :k]
            top = old.argmax(1)
            best = np.repeat(np.take_along_axis(old, top[:, None], 1), k, axis=1)
            way = np.repeat(top[:, None].astype(np.int32), k, axis=1)
            # Before the first word there is no span to continue.
            inside = score[:, allowed] if position else np.full((n, *allowed.shape), -np.inf)
            pick = inside.argmax(-1)
            best[:, bound] = np.take_along_axis(inside, pick[..., None], -1)[..., 0]
            way[:, bound] = np.minimum(allowed[np.arange(len(bound)), pick], k - 1)
            here = there[:, position, None]
            back[position] = np.where(here, way, stay)
            score[:, :k] = np.where(here, best + logs[:, position], old)
        tags = np.full((n, s), -1)
        last = score[:, :k].argmax(1)
        for position in range(s - 1, -1, -1):
            tags[:, position] = np.where(there[:, position], last, -1)
            last = back[position][np.arange(n), last]
        return tags
