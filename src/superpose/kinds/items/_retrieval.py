"""The item that belongs to a row, out of many: retrieval with two towers."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
from pydantic import Field, model_validator

from superpose.columns import Column, class_names, class_values, find
from superpose.distributions import Items as ItemDistribution
from superpose.errors import DataError, did_you_mean, location, message
from superpose.kinds._beside import Beside
from superpose.kinds._hints import TargetHints
from superpose.kinds._input import InputKind
from superpose.kinds._observed import ObservedColumns
from superpose.kinds._options import Options
from superpose.kinds._plot_rows import LISTED, few_rows, shown
from superpose.kinds.tabular._classes import CountedClasses, OneClass, ordered
from superpose.kinds.tabular._number import quantile_edges

from ._items import Items, codes, described, inputs_of

MOST_ITEMS = 10_000  # a probability of each is held for each row
TREE_ITEMS = 50  # trees grow one for each class in every round
ONE_HOT = 32  # with more items a measured one is read as a code
CODE = 16  # numbers of a code, and as many again of what is known of the item
VECTOR = 32  # numbers of a vector, unless set
TOP = 10  # items that are listed for a row, unless set
RECALLS = (1, 10, 100)


class RetrievalOptions(Options):
    """Options of an item that is looked for.

    Args:
        items: path of a table with a row for each item, from the folder of the table; what stands
            beside their names describes them, and items that no row names can be predicted too.
        id: the column of that table with the names of the items; that of the target unless set.
        columns: columns of the table that describe the item of each row; they are no inputs.
        size: numbers of the vectors of rows and items.
        top: items that `predict_proba` lists for a row.
    """

    items: str | None = Field(default=None, min_length=1)
    id: str | None = Field(default=None, min_length=1)
    columns: list[str] | None = Field(default=None, min_length=1)
    size: int = Field(default=VECTOR, ge=2, le=512)
    top: int = Field(default=TOP, ge=1, le=1000)

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if self.items and self.columns:
            raise ValueError("items and columns both given; remove one of the two")
        if self.id and not self.items:
            raise ValueError("id given without items; add the path of the table of items")
        return self


@dataclass(kw_only=True)
class RetrievalTarget(OneClass):
    """One item out of many: the row and each item have a vector, and the nearest item is predicted.

    Networks give a row a vector and compare it with those of all items. An item's vector is
    learned, or read from what describes the item, or both.

    Example:
        >>> rows = pa.chunked_array([["tea", "milk", "tea", None]])
        >>> kind = RetrievalTarget.fit("next", rows)
        >>> kind.encode(rows).tolist()
        [1.0, 0.0, 1.0, nan]
        >>> kind.decode_proba(np.array([[0.3, 0.7]]))["next"].to_pylist()
        [['tea', 'milk']]
    """

    name: ClassVar[str] = "retrieval"
    options: ClassVar[type[Options]] = RetrievalOptions
    metric: ClassVar[str] = "mrr"
    higher_is_better: ClassVar[bool] = True
    hints: ClassVar[TargetHints] = TargetHints(
        tree_task="classification", has_items=True, custom_head=True, reads_labels=True
    )
    vector: int = VECTOR
    top: int = TOP
    columns: list[dict[str, Any]] = field(default_factory=list)  # what describes the items
    code: list[list[float]] = field(default_factory=list)  # of each item; empty where one-hot

    @property
    def distribution(self) -> ItemDistribution:
        return ItemDistribution(len(self.levels))

    @property
    def tree_task(self) -> str | None:
        return self.hints.tree_task if len(self.levels) <= TREE_ITEMS else None

    @classmethod
    def fit(cls, column: str, values: Column, items: Items | None = None, **options: Any) -> Self:
        classes = CountedClasses.of(column, values)
        names = ordered(classes.names, classes.type)
        if items is not None and len(items.names):
            names = _item_names(column, classes, items)
        if len(names) > MOST_ITEMS:
            given = f"{len(names)} different items"
            fix = "leave out the rarest, or group them"
            raise DataError(
                message(location(column=column), given, f"at most {MOST_ITEMS}", fix=fix)
            )
        code = np.zeros((0, 0))
        if len(names) > ONE_HOT:
            code = np.random.default_rng(0).normal(size=(len(names), CODE))
            if items is not None and items.inputs:
                code = np.concatenate([codes(items, CODE), code], 1)
        return cls(
            column=column,
            levels=names,
            type=classes.type,
            counts=[classes.counts.get(name, 0) for name in names],
            vector=options.get("size", VECTOR),
            top=options.get("top", TOP),
            columns=described(items) if items is not None else [],
            code=[[float(f"{x:.5g}") for x in row] for row in code],
        )

    @property
    def inputs(self) -> list[tuple[InputKind, np.ndarray]]:
        """What describes the items: fitted inputs, and their encoding for all items, (K, ...)."""
        return inputs_of(self.columns)

    @cached_property
    def _codes(self) -> np.ndarray:
        return (
            np.asarray(self.code, np.float32) if self.code else np.eye(len(self.levels), dtype="f4")
        )

    @property
    def observed(self) -> ObservedColumns:
        """The code of the item; with few items which of them it is."""
        if not self.code:
            return ObservedColumns.shares(len(self.levels), self._observed)
        return ObservedColumns([quantile_edges(column) for column in self._codes.T], self._observed)

    def _observed(self, y: np.ndarray) -> np.ndarray:
        known = ~np.isnan(y)
        code = self._codes[np.where(known, y, 0).astype(int)]
        return np.where(known[:, None], code, np.nan).astype(np.float32)

    def ranks(self, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        """Where in the list of items each label stands, 1 for the first; ties share their ranks.

        Shape:
            y (N,) without gaps, pred (N, K) -> (N,).
        """
        own = np.take_along_axis(pred, y.astype(int)[:, None], 1)
        return np.asarray((pred > own).sum(axis=1) + ((pred == own).sum(axis=1) + 1) / 2)

    def _metrics(self, y: np.ndarray, pred: np.ndarray, **options: Any) -> dict[str, float]:
        recalls = [f"recall_at_{k}" for k in RECALLS if k < len(self.levels)]
        names = ["mrr", *recalls, "ndcg_at_10", "log_loss"]
        if not len(y):
            return dict.fromkeys(names, np.nan)
        rank = self.ranks(y, pred)
        # One item is right: the ideal gain is 1.
        gain = np.where(rank <= 10, 1 / np.log2(1 + rank), 0.0)
        shares = [(rank <= k).mean() for k in RECALLS if k < len(self.levels)]
        values = [
            (1 / rank).mean(),
            *shares,
            gain.mean(),
            self.distribution.row_loss(y, pred).mean(),
        ]
        return dict(zip(names, map(float, values), strict=True))

    def best(self, pred: np.ndarray, most: int) -> np.ndarray:
        """The items (N, k) with the highest probabilities, the highest first."""
        most = min(most, len(self.levels))
        return np.argsort(-np.asarray(pred, np.float64), axis=1, kind="stable")[:, :most]

    def decode_proba(self, pred: np.ndarray) -> dict[str, pa.Array]:
        """The likeliest items of each row, and the probability of each, as lists."""
        pred = np.asarray(pred, np.float64)
        top = self.best(pred, self.top)
        gone = pa.array(np.isnan(pred).any(axis=1))
        ends = pa.array(np.arange(len(top) + 1, dtype=np.int32) * top.shape[1])
        shares = pa.array(np.take_along_axis(pred, top, 1).ravel())
        names = class_values(top.ravel(), self.levels, self.type)
        return {
            self.column: pa.ListArray.from_arrays(ends, names, mask=gone),
            f"{self.column}_probability": pa.ListArray.from_arrays(ends, shares, mask=gone),
        }

    def plot(self, y: np.ndarray, pred: np.ndarray, beside: Beside) -> dict[str, Any]:
        rows = np.flatnonzero(self.distribution.known(y))
        rank = np.full(len(y), np.nan)
        rank[rows] = self.ranks(y[rows], pred[rows])
        few = few_rows(rank)
        top = self.best(pred[few], LISTED)
        return {
            "chart": "ranks",
            "y": y[rows],
            "ranks": rank[rows],
            "items": len(self.levels),
            "examples": [
                {
                    "row": inputs,
                    "true": self.levels[int(y[row])],
                    "told": [[self.levels[k], float(pred[row, k])] for k in best],
                }
                for row, inputs, best in zip(few, shown(beside.table, few), top, strict=True)
            ],
        }

    def describe(self) -> str:
        cold = sum(not count for count in self.counts)
        new = f", {cold} of them in no training row" if cold else ""
        names = [column["state"]["column"] for column in self.columns]
        by = f"; described by {', '.join(names)}" if names else ""
        return f"{len(self.levels)} items{new}{by}"


def _item_names(column: str, classes: CountedClasses, items: Items) -> list[str]:
    """The names of the items of a table, which are more than those that training rows name.

    Raises:
        DataError: the first row whose item the table lacks.
    """
    names: list[str] = class_names(items.names, classes.type).to_pylist()
    strangers = find(classes.text, names) == -1
    if strangers.any():
        row = int(np.argmax(strangers))
        name = classes.text[row].as_py()
        given = f"{name!r} is not among the {len(names)} items"
        fix = did_you_mean(name, names) or "add it to the table of items"
        raise DataError(message(location(column=column, row=row), given, fix=fix))
    return names
