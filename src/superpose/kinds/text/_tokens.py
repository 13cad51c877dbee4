"""One label for each word of a text: slots, entities, parts of speech."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
from pydantic import Field

from superpose.columns import (
    Column,
    as_words,
    class_names,
    class_type,
    class_values,
    counted,
    find,
    holds_maps,
    holds_masks,
    is_list,
    is_text,
    lists_words,
    mixed_labels,
    plain,
    read_span_labels,
    require_aligned,
    spread,
)
from superpose.distributions import LocationCategorical
from superpose.errors import DataError, listing, message, place
from superpose.kinds._beside import Beside
from superpose.kinds._hints import TargetHints
from superpose.kinds._locations import Locations
from superpose.kinds._metrics import nan_mean
from superpose.kinds._observed import ObservedColumns
from superpose.kinds._options import Options
from superpose.kinds._raw_labels import label_sets
from superpose.kinds._target import too_few_labels
from superpose.kinds._unknown import NamedClasses, Unknown
from superpose.kinds.tabular._classes import ordered

from ._plot_words import token_facts
from ._spans import Marks
from ._text import MOST_PLACES

MOST_LABELS = 1000
NO_LABEL = "-100"  # what the losses of PyTorch pass over


class TokensOptions(Options):
    """Options of labels of words.

    Args:
        of: the input whose words get a label each; may be left out where one text is the only input
            of words.
    """

    of: str | None = Field(default=None, min_length=1)


@dataclass(kw_only=True)
class TokensTarget(NamedClasses):
    """A label for each word of an input, as a list or as text with blanks between the labels.

    Labels such as B-city, I-city and O mark spans, and those that are so in another spelling
    (city-B, b_city, B alone); any others are taken as they are. A row without labels is null; a
    word without one is null in its list, or -100 as the library transformers writes it.

    ``of`` in the options names the input (default "words"), ``places`` its most words in a row.

    Example:
        >>> values = pa.chunked_array([[["O", "B-city", "I-city"], ["O"], None]])
        >>> kind = TokensTarget.fit("slots", values, of="words")
        >>> kind.encode(values).tolist()
        [[2.0, 0.0, 1.0], [2.0, nan, nan], [nan, nan, nan]]
    """

    name: ClassVar[str] = "tokens"
    options: ClassVar[type[Options]] = TokensOptions
    metric: ClassVar[str] = "f1"
    higher_is_better: ClassVar[bool] = True
    hints: ClassVar[TargetHints] = TargetHints(
        takes_lists=True,
        raw_labels=partial(label_sets, separator=" "),  # which labels a row has
        labels_of="words",
        guess_from="word lists",
        guess_reason="a list as long as that of words in every row",
    )
    of: str
    places: int  # words of a row, at most
    type: str
    counts: list[int]
    lists: bool
    loose: list[str] = field(default_factory=list)  # labels of insides that may begin a span
    spelled: list[str] = field(default_factory=list)  # the levels as the standard spells them
    # Rare spellings, and the level that each is read as; None where it fits to no other.
    meant: dict[str, str | None] = field(default_factory=dict)

    @property
    def labels(self) -> list[str]:
        return self.levels

    @property
    def distribution(self) -> LocationCategorical:
        return LocationCategorical(self.places, len(self.levels))

    @property
    def locations(self) -> Locations:
        return Locations(self.of, self.places, fits=self._fits)

    def _fits(self, values: Column, source: Column, **options: Any) -> np.ndarray:
        require_aligned(self.column, values, source=self.of, words=source)
        return np.ones(len(values), bool)

    @cached_property
    def marks(self) -> Marks:
        """What the labels say about spans."""
        return Marks.of(self.levels, self.loose, self.spelled or self.levels)

    @property
    def constant_reason(self) -> str | None:
        seen = [level for level, count in zip(self.levels, self.counts, strict=True) if count]
        return f"every labelled word is {seen[0]!r}" if len(seen) == 1 else None

    @classmethod
    def accepts(cls, values: Column) -> bool:
        kind = values.type
        return lists_words(kind) or (
            is_text(kind) and not (holds_masks(values) or holds_maps(values))
        )

    @classmethod
    def fit(cls, column: str, values: Column, **options: Any) -> Self:
        words, rows = as_words(values)
        kind = class_type(pa.chunked_array([words]))
        text = class_names(pa.chunked_array([words]), kind)
        counts = {name: int(count) for name, count in zip(*counted(text), strict=True)}
        # Where other labels are below 0 too, they are numbers like any other.
        gone = 0 if _below(counts) - {NO_LABEL, "-1"} else counts.pop(NO_LABEL, 0)
        labelled = len(np.unique(rows[find(text, list(counts)) >= 0]))
        if labelled < 2:
            raise too_few_labels(column, labelled)
        if len(counts) > MOST_LABELS:
            raise DataError(
                f"target {column!r}: {len(counts)} different labels; at most {MOST_LABELS} can be "
                f"told apart; check that the column holds labels, not words"
            )
        longest = int(min(np.bincount(rows).max(), MOST_PLACES))
        fitted = cls(
            column=column,
            of=options.get("of", "words"),
            places=options.get("places") or longest,
            levels=ordered(list(counts), kind),
            type=kind,
            counts=[],
            lists=is_list(plain(values).type),
        )
        if gone:
            where = place(column=column)
            fitted.conversions.append(
                message(
                    where, f"-100 is the label of {gone} words, which are read as words without one"
                )
            )
        fitted.notes += _unsure(column, counts)
        fitted._read_spans(values, counts, text)
        fitted.counts = [counts[name] for name in fitted.levels]
        tags = fitted._tags(values)
        fitted.loose = fitted.marks.loose(tags, fitted.levels)
        vars(fitted).pop("marks")  # they were read before it was known which labels are loose
        return fitted

    def _read_spans(self, values: Column, counts: dict[str, int], text: pa.Array) -> None:
        """Learn which labels mark spans, and which are slips; their words are counted as meant."""
        read = read_span_labels(counts)
        if read is None:
            return
        most: dict[str, str] = {}
        for label in counts:  # the most frequent first
            if label in read.standard:
                most.setdefault(read.standard[label], label)
        for label in counts:
            level = most[read.standard[label]] if label in read.standard else None
            if level != label:
                self.meant[label] = level
        every, self.levels = self.levels, [x for x in self.levels if x not in self.meant]
        self.spelled = [read.standard[level] for level in self.levels]
        alone = all(len(level) == 1 for level in self.levels)  # signs, or mere letters
        if alone and not self.marks.in_order(self._tags(values)):
            vars(self).pop("marks")
            self.levels, self.spelled, self.meant = every, [], {}
            return
        vars(self).pop("marks", None)
        self.notes += [self._slip(label, counts[label], text) for label in read.slips]
        for first, second in read.apart:
            self.notes.append(
                f"target {self.column!r}: the types {first!r} and {second!r} of spans differ in "
                f"case only and are taken as two; write them alike if they are one"
            )
        odd = [x for x in counts if x not in read.slips and read.standard[x] != x]
        if odd:
            words = sum(counts[x] for x in odd)
            given = f"{len(odd)} labels ({words} words) are read as marks of spans: "
            given += listing((f"{x!r} as {read.standard[x]!r}" for x in odd), 4)
            self.conversions.append(message(place(column=self.column), given))
        for label, meant in self.meant.items():
            if meant is not None:
                counts[meant] += counts[label]

    def _slip(self, label: str, count: int, text: pa.Array) -> str:
        """One sentence on a label that is a rare spelling of another."""
        first = int(np.argmax(find(text, [label]) == 0))
        beside = [x for x in text[max(first - 2, 0) : first + 3].to_pylist() if x is not None]
        words = f"{count} word" + "s" * (count > 1)
        meant = self.meant.get(label, label)
        told = "no label" if meant is None else repr(self.spelled[self.levels.index(meant)])
        return (
            f"target {self.column!r}: label {label!r} ({words}, first beside {beside}) does not "
            f"mark spans as the others do and is read as {told}; mend it if it means another"
        )

    def _tags(self, values: Column) -> np.ndarray:
        tags = self.encode(values)
        return np.where(np.isnan(tags), -1, tags).astype(int)

    def _indices(self, values: Column) -> tuple[pa.Array, np.ndarray, np.ndarray]:
        """The label of each word, its index (-1 where unknown, -2 where it has none), its row."""
        words, rows = as_words(values)
        text = class_names(pa.chunked_array([words]), self.type)
        index = find(text, self.levels)
        # Neither has a label: a word of -100, and one whose label fits to no other.
        for label, meant in ({NO_LABEL: None} | self.meant).items():
            if label not in self.levels:
                here = find(text, [label]) == 0
                index[here] = -2 if meant is None else self.levels.index(meant)
        return text, index, rows

    def encode(self, values: Column) -> np.ndarray:
        text, index, rows = self._indices(values)
        self.warn_of(Unknown.of(text, index, rows), "label", "word(s) count as unlabelled")
        at = spread(rows, len(values))
        known = (index >= 0) & (at < self.places)
        block = self.distribution.missing(len(values))
        block[rows[known], at[known]] = index[known]
        return block

    def unknown(self, values: Column) -> Unknown:
        return Unknown.of(*self._indices(values))

    def with_levels(self, more: list[str]) -> Self:
        spelled = [*self.spelled, *more] if self.spelled else []
        return replace(self, levels=[*self.levels, *more], spelled=spelled)

    @property
    def observed(self) -> ObservedColumns:
        """Which types of spans (or labels) occur in a row."""
        return ObservedColumns.shares(len(self.marks.types), self._types_of)

    def _types_of(self, y: np.ndarray) -> np.ndarray:
        known = ~np.isnan(y)
        types = np.where(known, self.marks.type_of[np.where(known, y, 0).astype(int)], -1)
        found = np.zeros((len(y), len(self.marks.types)), np.float32)
        rows, words = np.nonzero(types >= 0)
        found[rows, types[rows, words]] = 1
        found[~known.any(axis=1)] = np.nan
        return found

    def strata(self, y: np.ndarray) -> np.ndarray:
        return self._types_of(y)

    def choose(self, pred: np.ndarray, threshold: Any = None) -> np.ndarray:
        """Labels (N, S) that form whole spans, -1 where a row has no word."""
        return self.marks.best(self.distribution.by_location(pred))

    def words(self, values: Column) -> tuple[pa.Array, np.ndarray]:
        """The words of the input that the labels are of, and the row of each."""
        return as_words(values)

    def span_counts(self, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        """Right, told and true spans of each type, (types, 3), over the words that have a label."""
        known = ~np.isnan(y)
        told = np.where(known, self.choose(pred), -1)
        return self.marks.counts(np.where(known, y, -1).astype(int), told)

    def _metrics(self, y: np.ndarray, pred: np.ndarray, **options: Any) -> dict[str, float]:
        names = ("f1", "precision", "recall", "accuracy", "whole_rows", "log_loss", "brier")
        if not len(y):
            return dict.fromkeys(names, np.nan)
        known = ~np.isnan(y)
        true = np.where(known, y, -1).astype(int)
        told = np.where(known, self.choose(pred), -1)
        right, said, there = map(float, self.marks.counts(true, told).sum(axis=0))
        same = true == told
        distribution = self.distribution
        values = (
            2 * right / (said + there) if said + there else np.nan,
            right / said if said else np.nan,
            right / there if there else np.nan,
            float(same[known].mean()),
            float(same.all(axis=1).mean()),
            nan_mean(-distribution.log_prob(y, pred) / known.sum(axis=1)),
            nan_mean(distribution.row_loss(y, pred)),
        )
        return dict(zip(names, values, strict=True))

    def _lists(self, values: pa.Array, there: np.ndarray) -> pa.Array:
        """Put values of words (N, S), row by row, into lists that end with the last of a row."""
        lengths = np.where(there, np.arange(1, there.shape[1] + 1), 0).max(axis=1, initial=0)
        keep = np.arange(there.shape[1]) < lengths[:, None]
        ends = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
        kept = values.filter(pa.array(keep.ravel()))
        return pa.ListArray.from_arrays(pa.array(ends), kept, mask=pa.array(lengths == 0))

    def plot(self, y: np.ndarray, pred: np.ndarray, beside: Beside) -> dict[str, Any]:
        return token_facts(self, beside.table.column(self.of), y, pred)

    def decode(
        self,
        pred: np.ndarray,
        threshold: float | Sequence[float] | None = None,
        interval: np.ndarray | None = None,
    ) -> dict[str, pa.Array]:
        tags = self.choose(pred)
        names = class_values(tags.ravel(), self.levels, self.type)
        lists = self._lists(names, tags >= 0)
        if self.lists:
            return {self.column: lists}
        text = lists.cast(pa.list_(pa.string()))
        return {self.column: pa.compute.binary_join(text, " ")}

    def decode_proba(self, pred: np.ndarray) -> dict[str, pa.Array]:
        p = self.distribution.by_location(pred)
        there = ~np.isnan(p[..., 0])
        return {
            f"{self.column}={c}": self._lists(pa.array(p[..., k].ravel()), there)
            for k, c in enumerate(self.levels)
        }

    def describe(self) -> str:
        found = self.marks
        if not found.spans:
            return f"one of {len(self.levels)} labels for each word of {self.of!r}"
        kinds = f"{len(found.types)} type{'s' * (len(found.types) != 1)}"
        return f"spans of {kinds} ({len(self.levels)} labels) over the words of {self.of!r}"


def _below(counts: dict[str, int]) -> set[str]:
    """The labels that are whole numbers below 0."""
    return {name for name in counts if re.fullmatch(r"-\d+", name)}


def _unsure(column: str, counts: dict[str, int]) -> list[str]:
    """Warns of labels that may not mean what they are taken for."""
    found = []
    if _below(counts) == {"-1"}:
        found.append(
            f"target {column!r}: label -1 ({counts['-1']} words) is taken as a class; write null "
            f"or -100 where it stands for no label"
        )
    if mixed := mixed_labels(counts) if read_span_labels(counts) is None else []:
        shown = listing((f"{x!r} ({counts[x]} words)" for x in mixed), 4)
        found.append(
            f"target {column!r}: {shown} mark no span as the other labels do, so that every word "
            f"is scored alone, those outside of spans too; write O for what is outside of spans, "
            f"and null for words without a label"
        )
    return found
