"""One label for each word of a text: slots, entities, parts of speech."""

from __future__ import annotations

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
    index_in_row,
    is_list,
    is_text,
    lists_words,
    plain,
    read_span_labels,
    require_aligned,
)
from superpose.distributions import LocationCategorical
from superpose.errors import DataError, location, message
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
from ._spans import Marks, as_tags
from ._text import MOST_WORDS_READ
from ._word_labels import (
    NO_LABEL,
    WordLabels,
    below_zero,
    span_conversions,
    unsure_labels,
    word_lists,
)

MOST_LABELS = 1000


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
        fits = partial(_labels_fit, self.column, of=self.of)
        return Locations(self.of, self.places, fits=fits)

    @cached_property
    def marks(self) -> Marks:
        """What the labels say about spans."""
        return Marks.of(self.levels, self.loose, self.spelled or self.levels)

    @property
    def _word_labels(self) -> WordLabels:
        return WordLabels(self.levels, self.spelled, self.meant)

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
        unlabelled = 0 if below_zero(counts) - {NO_LABEL, "-1"} else counts.pop(NO_LABEL, 0)
        labelled = len(np.unique(rows[find(text, list(counts)) >= 0]))
        if labelled < 2:
            raise too_few_labels(column, labelled)
        if len(counts) > MOST_LABELS:
            raise DataError(
                f"target {column!r}: {len(counts)} different labels; at most {MOST_LABELS} can be "
                f"told apart; check that the column holds labels, not words"
            )
        longest = int(min(np.bincount(rows).max(), MOST_WORDS_READ))
        plain_labels = WordLabels(ordered(list(counts), kind))
        fitted = cls(
            column=column,
            notes=unsure_labels(column, counts),
            of=options.get("of", "words"),
            places=options.get("places") or longest,
            levels=plain_labels.levels,
            type=kind,
            counts=plain_labels.total(counts),
            lists=is_list(plain(values).type),
        )
        if unlabelled:
            given = f"-100 is the label of {unlabelled} words, which are read as words without one"
            fitted.conversions.append(message(location(column=column), given))
        if spans := read_span_labels(counts):
            labels = WordLabels.of_spans(plain_labels.levels, counts, spans)
            marked = replace(
                fitted,
                levels=labels.levels,
                spelled=labels.spelled,
                meant=dict(labels.meant),
                counts=labels.total(counts),
                notes=[*fitted.notes, *labels.notes(column, counts, spans=spans, text=text)],
                conversions=[*fitted.conversions, *span_conversions(column, counts, spans)],
            )
            if not labels.are_signs or marked.marks.in_order(as_tags(marked.encode(values))):
                fitted = marked
        fitted.loose = fitted.marks.loose(as_tags(fitted.encode(values)), fitted.levels)
        vars(fitted).pop("marks")  # they were read before it was known which labels are loose
        return fitted

    def _indices(self, values: Column) -> tuple[pa.Array, np.ndarray, np.ndarray]:
        """The label of each word, its index (-1 where unknown, -2 where it has none), its row."""
        words, rows = as_words(values)
        text = class_names(pa.chunked_array([words]), self.type)
        return text, self._word_labels.indices(text), rows

    def encode(self, values: Column) -> np.ndarray:
        text, index, rows = self._indices(values)
        self.warn_of(Unknown.of(text, index, rows), "label", "word(s) count as unlabelled")
        at = index_in_row(rows, len(values))
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
        return ObservedColumns.shares(len(self.marks.types), self.marks.types_in)

    def strata(self, y: np.ndarray) -> np.ndarray:
        return self.marks.types_in(y)

    def choose(self, pred: np.ndarray, threshold: Any = None) -> np.ndarray:
        """Labels (N, S) that form whole spans, -1 where a row has no word."""
        return self.marks.best(self.distribution.by_location(pred))

    def _metrics(self, y: np.ndarray, pred: np.ndarray, **options: Any) -> dict[str, float]:
        names = ("f1", "precision", "recall", "accuracy", "whole_rows", "log_loss", "brier")
        if not len(y):
            return dict.fromkeys(names, np.nan)
        known = ~np.isnan(y)
        true = as_tags(y)
        chosen = np.where(known, self.choose(pred), -1)
        right, n_pred, n_true = map(float, self.marks.counts(true, chosen).sum(axis=0))
        same = true == chosen
        distribution = self.distribution
        values = (
            2 * right / (n_pred + n_true) if n_pred + n_true else np.nan,
            right / n_pred if n_pred else np.nan,
            right / n_true if n_true else np.nan,
            float(same[known].mean()),
            float(same.all(axis=1).mean()),
            nan_mean(-distribution.log_prob(y, pred) / known.sum(axis=1)),
            nan_mean(distribution.row_loss(y, pred)),
        )
        return dict(zip(names, values, strict=True))

    def plot(self, y: np.ndarray, pred: np.ndarray, beside: Beside) -> dict[str, Any]:
        return token_facts(self, beside.table.column(self.of), y=y, pred=pred)

    def decode(
        self,
        pred: np.ndarray,
        threshold: float | Sequence[float] | None = None,
        quantile: np.ndarray | None = None,
    ) -> dict[str, pa.Array]:
        tags = self.choose(pred)
        names = class_values(tags.ravel(), self.levels, self.type)
        lists = word_lists(names, tags >= 0)
        if self.lists:
            return {self.column: lists}
        text = lists.cast(pa.list_(pa.string()))
        return {self.column: pa.compute.binary_join(text, " ")}

    def decode_proba(self, pred: np.ndarray) -> dict[str, pa.Array]:
        p = self.distribution.by_location(pred)
        there = ~np.isnan(p[..., 0])
        return {
            f"{self.column}={c}": word_lists(pa.array(p[..., k].ravel()), there)
            for k, c in enumerate(self.levels)
        }

    def describe(self) -> str:
        marks = self.marks
        if not marks.spans:
            return f"one of {len(self.levels)} labels for each word of {self.of!r}"
        kinds = f"{len(marks.types)} type{'s' * (len(marks.types) != 1)}"
        return f"spans of {kinds} ({len(self.levels)} labels) over the words of {self.of!r}"


def _labels_fit(
    column: str, values: Column, words: Column, *, of: str, **options: Any
) -> np.ndarray:
    require_aligned(column, values, of=of, words=words)
    return np.ones(len(values), bool)
