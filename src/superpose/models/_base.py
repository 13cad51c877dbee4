"""What every model is: a name, the targets that it predicts, and how it is stored.

A new sort of model is one class in one file and one entry in `MODELS`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from superpose.data import Codec

from ._mixture import Weights
from ._observed import Observed

if TYPE_CHECKING:
    from ._rows import Rows

Facts = dict[str, Any]
Arrays = dict[str, Any]
Predictions = dict[str, np.ndarray]


class Model(ABC):
    """Anything that predicts targets: a network, trees, a copula.

    Attributes:
        family: Its key in ``MODELS``.
        name: What mixtures call it; of the models of one target each has a name of its own.
        targets: The targets that it predicts.
        reads_observed: Whether its predictions change with what is measured of other targets.
        needs_observed: Whether it can't predict where nothing can be measured.
    """

    family: ClassVar[str]
    name: str
    targets: list[str]
    reads_observed: bool = False
    needs_observed: bool = False

    @abstractmethod
    def predict(
        self,
        rows: Rows,
        observed: Observed | None = None,
        *,
        targets: Collection[str] | None = None,
    ) -> Predictions:
        """Predict targets of some rows.

        Args:
            rows: The rows, N.
            observed: What is measured of all targets; None for nothing. A model that does not read
                it predicts the same with it.
            targets: Which of its targets to predict (default all).

        Shape:
            for each target its canonical prediction (N, K).
        """

    @abstractmethod
    def to_state(self) -> tuple[Facts, Arrays]:
        """Split into facts that JSON can hold, its name and targets among them, and arrays."""

    @classmethod
    @abstractmethod
    def from_state(cls, facts: Mapping[str, Any], arrays: Mapping[str, Any]) -> Self:
        """Put back what ``to_state`` split.

        Raises:
            BundleError: Facts or arrays that are not what was stored.
        """

    def margins(self) -> Mapping[str, Weights]:
        """For each target the mixture of other models that it stands on, if it needs any."""
        return {}

    def require_sound(self, codec: Codec) -> None:  # noqa: B027 (most models have no more to check)
        """Make sure that what was read from a bundle fits the codec.

        Raises:
            BundleError: It does not.
        """
