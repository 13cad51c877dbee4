"""Labels of words as they are read: which are classes, and which are other spellings of one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import pyarrow as pa

from superpose.columns import SpanLabels, find, mixed_labels, read_span_labels
from superpose.errors import listing, location, message

NO_LABEL = "-100"  # what the losses of PyTorch pass over


@dataclass(frozen=True)
class WordLabels:
    """The classes of a target of words, and what its other labels stand for.

    Args:
        levels: the classes.
        spelled: the classes in the standard spelling of spans; empty where they mark none.
        meant: rare spellings, and the class that each is read as; None where it fits to no other.

    Example:
        >>> labels = WordLabels(["B-city", "O"], ["B-city", "O"], {"b-city": "B-city"})
        >>> labels.indices(pa.array(["O", "b-city", "-100", "x"])).tolist()
        [1, 0, -2, -1]
    """

    levels: list[str]
    spelled: list[str] = field(default_factory=list)
    meant: Mapping[str, str | None] = field(default_factory=dict)

    @classmethod
    def of_spans(cls, levels: Sequence[str], counts: Mapping[str, int], spans: SpanLabels) -> Self:
        """Read labels as marks of spans.

        Args:
            levels: all labels, in their order.
            counts: how many words have each, the most frequent first.
            spans: how they are spelled.
        """
        most: dict[str, str] = {}
        for label in counts:
            if label in spans.standard:
                most.setdefault(spans.standard[label], label)
        read_as = {x: most[spans.standard[x]] if x in spans.standard else None for x in counts}
        meant = {label: level for label, level in read_as.items() if level != label}
        kept = [level for level in levels if level not in meant]
        return cls(kept, [spans.standard[level] for level in kept], meant)

    @property
    def are_signs(self) -> bool:
        """Whether they are signs of spans alone, or mere letters."""
        return bool(self.spelled) and all(len(level) == 1 for level in self.levels)

    def indices(self, text: pa.Array) -> np.ndarray:
        """The index of each label: -1 where it is unknown, -2 where a word has none."""
        index = find(text, self.levels)
        # Neither has a label: a word of -100, and one whose label fits to no other.
        for label, meant in ({NO_LABEL: None} | dict(self.meant)).items():
            if label not in self.levels:
                here = find(text, [label]) == 0
                index[here] = -2 if meant is None else self.levels.index(meant)
        return index

    def total(self, counts: Mapping[str, int]) -> list[int]:
        """Words of each class, those of its other spellings included."""
        totals = dict(counts)
        for label, meant in self.meant.items():
            if meant is not None:
                totals[meant] += totals[label]
        return [totals[level] for level in self.levels]

    def notes(
        self, column: str, counts: Mapping[str, int], *, spans: SpanLabels, text: pa.Array
    ) -> list[str]:
        """One sentence on each slip, and on types that differ in case only.

        Args:
            column: the target.
            counts: how many words have each label.
            spans: how they are spelled.
            text: the label of each word.
        """
        notes = [self._slip(column, label, count=counts[label], text=text) for label in spans.slips]
        for first, second in spans.apart:
            notes.append(
                f"target {column!r}: the types {first!r} and {second!r} of spans differ in "
                f"case only and are taken as two; write them alike if they are one"
            )
        return notes

    def _slip(self, column: str, label: str, *, count: int, text: pa.Array) -> str:
        """One sentence on a label that is a rare spelling of another."""
        first = int(np.argmax(find(text, [label]) == 0))
        beside = [x for x in text[max(first - 2, 0) : first + 3].to_pylist() if x is not None]
        words = f"{count} word" + "s" * (count > 1)
        meant = self.meant.get(label, label)
        read_as = "no label" if meant is None else repr(self.spelled[self.levels.index(meant)])
        return (
            f"target {column!r}: label {label!r} ({words}, first beside {beside}) does not "
            f"mark spans as the others do and is read as {read_as}; mend it if it means another"
        )


def span_conversions(column: str, counts: Mapping[str, int], spans: SpanLabels) -> list[str]:
    """One sentence on labels that are marks of spans in another spelling, if there are any."""
    odd = [x for x in counts if x not in spans.slips and spans.standard[x] != x]
    if not odd:
        return []
    words = sum(counts[x] for x in odd)
    given = f"{len(odd)} labels ({words} words) are read as marks of spans: "
    given += listing((f"{x!r} as {spans.standard[x]!r}" for x in odd), 4)
    return [message(location(column=column), given)]


def below_zero(counts: Mapping[str, int]) -> set[str]:
    """The labels that are whole numbers below 0."""
    return {name for name in counts if re.fullmatch(r"-\d+", name)}


def unsure_labels(column: str, counts: Mapping[str, int]) -> list[str]:
    """One sentence on each sort of labels that may not mean what they are taken for."""
    notes = []
    if below_zero(counts) == {"-1"}:
        notes.append(
            f"target {column!r}: label -1 ({counts['-1']} words) is taken as a class; write null "
            f"or -100 where it stands for no label"
        )
    if mixed := mixed_labels(counts) if read_span_labels(counts) is None else []:
        shown = listing((f"{x!r} ({counts[x]} words)" for x in mixed), 4)
        notes.append(
            f"target {column!r}: {shown} mark no span as the other labels do, so that every word "
            f"is scored alone, those outside of spans too; write O for what is outside of spans, "
            f"and null for words without a label"
        )
    return notes


def word_lists(values: pa.Array, there: np.ndarray) -> pa.Array:
    """Put values of words, row by row, into lists that end with the last word of a row.

    Args:
        values: S for each row.
        there: which are of a word, bool (N, S).

    Example:
        >>> there = np.array([[True, False], [False, False]])
        >>> word_lists(pa.array(["a", "b", "c", "d"]), there).to_pylist()
        [['a'], None]
    """
    lengths = np.where(there, np.arange(1, there.shape[1] + 1), 0).max(axis=1, initial=0)
    keep = np.arange(there.shape[1]) < lengths[:, None]
    ends = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    kept = values.filter(pa.array(keep.ravel()))
    return pa.ListArray.from_arrays(pa.array(ends), kept, mask=pa.array(lengths == 0))
