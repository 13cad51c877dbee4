"""What an input must know of its column: one half of the extension point of the package.

A kind is the only place that knows how its column is encoded and described. A new kind is one class
in one new file plus one line in the table of this folder. Instances are fitted to one column; they
hold plain values only, so they travel as JSON.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
from torch import nn

from superpose.columns import Column
from superpose.nn import Augment

from ._codec_base import CodecBase


@dataclass(kw_only=True)
class InputKind(CodecBase, ABC):
    """One input column, fitted on training rows.

    Kinds with the same ``block`` are laid side by side in one array for the network; kinds without
    a block get an array of their own.
    """

    name: ClassVar[str]
    block: ClassVar[str | None]
    needs_folder: ClassVar[bool] = False  # True for columns of file paths
    takes_lists: ClassVar[bool] = False  # True for kinds with several values per row
    pictures: ClassVar[bool] = False  # True for kinds of images, which masks and boxes can be of
    wants_map: ClassVar[bool] = False  # True for kinds that are told whether a target reads a map

    column: str
    notes: list[str] = field(default_factory=list)  # what the user should know, from fitting
    conversions: list[str] = field(
        default_factory=list
    )  # what is read otherwise than it is written

    @property
    def width(self) -> int:
        """Number of columns this kind takes in its block."""
        return 1

    @property
    def places(self) -> int | None:
        """Most places of a row's map, for targets with an answer for each; None without a map."""
        return None

    @property
    def slow(self) -> bool:
        """Whether its encoder takes minutes to train, so that one validation split decides."""
        return False

    @property
    def layout(self) -> dict[str, Any]:
        """What targets of its places, and forecasts of its channels, are told when fitted."""
        return {}

    def present(self, values: Column, folder: str = "") -> np.ndarray:
        """Mark the rows (N,) whose value can be read; elsewhere no place has a label."""
        return np.ones(len(values), bool)

    @property
    def absent(self) -> int:
        """What fills a row without a value in a block of whole numbers; other blocks have NaN."""
        return 0

    def pixels(self, values: Column, folder: str = "") -> np.ndarray:
        """What the report shows of images, uint8 (N, 3, H, W)."""
        raise NotImplementedError

    def augment(self) -> Augment | None:
        """What varies the block of this kind while networks learn, or None."""
        return None

    @property
    def useless(self) -> str | None:
        """Why the column can't help any prediction ("constant"), or None."""
        return None

    @property
    def rare_share(self) -> float:
        """Share of the training rows whose value no other of them has, where that is counted."""
        return 0.0

    def outside(self, values: Column) -> np.ndarray:
        """Mark rows (N,) with a value that training rows had nothing like."""
        return np.zeros(len(values), bool)

    @classmethod
    @abstractmethod
    def fit(cls, column: str, values: Column, **options: Any) -> Self:
        """Learn the encoding from training rows.

        Raises:
            DataError: a value that does not belong to this kind, with column and row.
        """

    @abstractmethod
    def encode(self, values: Column) -> np.ndarray:
        """Values as the network reads them, (N, width, ...)."""

    @abstractmethod
    def features(self, values: Column) -> tuple[np.ndarray, list[bool], list[str]]:
        """Values as trees read them.

        Returns:
            float32 (N, F) with NaN for missing, whether each feature is categorical, and names.
        """

    @classmethod
    @abstractmethod
    def encoder(cls, kinds: Sequence[Any], width: int) -> nn.Module:
        """The module that turns the block of these kinds into tokens (B, S, d)."""

    @abstractmethod
    def describe(self) -> str:
        """One short phrase for the report."""
