"""What an input must know of its column: one half of the extension point of the package.

A kind is the only place that knows how its column is encoded and described. A new kind is one class
in one new file plus one line in the table of this folder; `superpose.nn` has the module that reads
its encoding. Instances are fitted to one column; they hold plain values only, so they travel as
JSON, and nothing here needs torch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np

from superpose.columns import Column

from ._codec_base import CodecBase

LoadBackbone = Callable[[], Any]
"""Loads what runs the pretrained model of a kind, see `superpose.nn.BACKBONES`."""


def no_backbone() -> Any:
    """Stands where nobody handed a kind what runs its pretrained model."""
    raise TypeError(
        "this kind runs a pretrained model: hand it load_backbone=, as `superpose.data.Codec` does"
    )


@dataclass(frozen=True, kw_only=True)
class InputHints:
    """What is fixed for all columns of a kind.

    Args:
        takes_lists: whether a value may be a list or a structure.
        fit_needs: what `fit` is handed beside the options of the column: "folder", where relative
            paths start; "mapped", whether a target reads the map of this input; "load_backbone",
            what runs a pretrained model.
        encode_needs: which of these `encode` and `features` are handed.
        encoder: key in the table of encoders, where that is neither the group nor the name.
    """

    takes_lists: bool = False
    fit_needs: frozenset[str] = frozenset()
    encode_needs: frozenset[str] = frozenset()
    encoder: str | None = None


class Outside(NamedTuple):
    """Values that training rows had nothing like.

    Args:
        rows: which values these are, bool (N,).
        usual_share: share of the training rows whose value no other of them has: so many strangers
            are to be expected.
    """

    rows: np.ndarray
    usual_share: float = 0.0


@dataclass(kw_only=True)
class InputKind(CodecBase, ABC):
    """One input column, fitted on training rows.

    Kinds with the same ``group`` are laid side by side in one array for the network; kinds without
    a group get an array of their own.
    """

    name: ClassVar[str]
    group: ClassVar[str | None] = None
    hints: ClassVar[InputHints] = InputHints()

    @property
    def drop_reason(self) -> str | None:
        """Why the column can't help any prediction ("constant"), or None."""
        return None

    @property
    def skip_cross_fitting(self) -> bool:
        """Whether its encoder takes minutes to train, so that one validation split decides."""
        return False

    @property
    def target_options(self) -> dict[str, Any]:
        """What targets that belong to this input are fitted with.

        Those with a label for each location of a row (a pixel, a word) need ``places``, the most
        locations of a row; forecasts need the channels of a series.
        """
        return {}

    @property
    def padding(self) -> int:
        """What fills a row without a value in an array of whole numbers; others have NaN."""
        return 0

    @classmethod
    @abstractmethod
    def fit(cls, column: str, values: Column, **options: Any) -> Self:
        """Learn the encoding from training rows.

        Raises:
            DataError: a value that does not belong to this kind, with column and row.
        """

    @abstractmethod
    def encode(self, values: Column) -> np.ndarray:
        """Values as the network reads them, (N, C, ...); a group's arrays are joined along C."""

    @abstractmethod
    def features(self, values: Column) -> tuple[np.ndarray, list[bool], list[str]]:
        """Values as trees read them.

        Returns:
            float32 (N, F) with NaN for missing, whether each feature is categorical, and names.
        """

    @abstractmethod
    def describe(self) -> str:
        """One short phrase for the report."""

    def outside(self, values: Column) -> Outside:
        """Mark values that training rows had nothing like."""
        return Outside(np.zeros(len(values), bool))


class Pictures(ABC):
    """What an input of images can do beside: masks and boxes are drawn on it."""

    @abstractmethod
    def pixels(self, values: Column, folder: str = "") -> np.ndarray:
        """Images as the report shows them, uint8 (N, 3, H, W)."""

    @abstractmethod
    def readable(self, values: Column, folder: str = "") -> np.ndarray:
        """Mark the rows (N,) whose image can be read; elsewhere no location has a label."""
