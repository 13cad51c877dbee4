"""Whole inputs that are hidden in some rows while networks learn, so that rows may lack them."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from superpose.data import Codec

from ._batches import Batch


class ModalityDropout:
    """Hide inputs of rows at random, but never all that a row has.

    Args:
        codec: The codec of the training.
        share: Chance of each input to be hidden in a row that has it, from 0 to below 1.

    Shape:
        inputs of a batch: (P, B, ...) each -> the same, NaN or padding where hidden.

    Source:
        ModDrop, Neverova et al. 2016; departs by never hiding everything.
    """

    def __init__(self, codec: Codec, share: float) -> None:
        self.padding = codec.hideable_groups
        self.share = share
        # What is never hidden is left in any case.
        self.left = len(codec.input_groups) > len(self.padding)

    def __call__(self, batch: Batch) -> Batch:
        inputs = dict(batch.inputs)
        there = torch.stack([_there(inputs[name], pad) for name, pad in self.padding.items()])
        drawn = torch.rand(2, *there.shape, device=there.device)
        gone = there & (drawn[0] < self.share)
        if not self.left:
            spared = (drawn[1] * there).argmax(0)  # one of those that the row has
            each = torch.arange(len(there), device=there.device)[:, None, None]
            gone &= ~((spared == each) & (gone == there).all(0))
        for (name, pad), rows in zip(self.padding.items(), gone, strict=True):
            block = inputs[name]
            nothing = torch.nan if block.is_floating_point() else pad
            shape = (*rows.shape, *[1] * (block.ndim - 2))
            inputs[name] = block.masked_fill(rows.view(shape), nothing)
        return replace(batch, inputs=inputs)


def _there(block: Tensor, pad: int) -> Tensor:
    """Mark the rows that have an input, (P, B)."""
    known = ~block.isnan() if block.is_floating_point() else block != pad
    return known.flatten(2).any(-1)
