"""Random variations of inputs in training, as the kinds of the inputs set them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from superpose.data import Codec
from superpose.nn import augment_of

from ._batches import Batch


class Augmentation:
    """Augment the inputs of a batch at random, and keep a record by which labels are transformed.

    Args:
        codec: The codec of the training; its inputs say how.
    """

    def __init__(self, codec: Codec) -> None:
        augments = {
            name: (kinds[0].column, augment_of(kinds[0]))
            for name, kinds in codec.input_groups.items()
        }
        self.augments = {n: (column, by) for n, (column, by) in augments.items() if by is not None}

    def __bool__(self) -> bool:
        """Whether any input is augmented."""
        return bool(self.augments)

    def __call__(self, batch: Batch) -> Batch:
        inputs = dict(batch.inputs)
        records: dict[str | None, Any] = dict(batch.augmented)
        for name, (column, augment) in self.augments.items():
            inputs[name], records[column] = augment(inputs[name])
        return replace(batch, inputs=inputs, augmented=records)
