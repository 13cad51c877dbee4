"""The training loop."""

import math
from typing import Annotated, Literal

from pydantic import Field

from ._section import Auto, Section, Whole


class TrainingConfig(Section):
    """The training loop.

    Args:
        epochs: most passes over the training rows.
        patience: passes without a better validation loss of any target before training stops.
        batch_size: rows per step; auto takes a sixteenth of the training rows, from 16 to 512.
        learning_rate: step size of AdamW.
        weight_decay: decoupled weight decay of AdamW.
        average: epochs over which the weights that predict are averaged; more suit long
            trainings with small batches.
        clip: largest norm of the gradient.
        accumulate: batches per step of the optimiser.
        precision: number format of the forward pass.
        device: where the network is trained.
        tracker: where the curves are also sent.
        max_minutes: minutes after which a network stops with what it has, or no limit.
        sampling: how often rows of each of several sources are drawn: in proportion to its rows n,
            to n ** (1 / temperature), or all alike.
        temperature: 1 is proportional, infinity would be uniform.
        modality_dropout: chance that an image, a sound, a text, a series or another input that is
            no plain column is hidden in a training row: later rows may lack it.
    """

    epochs: Whole = 100
    patience: Whole = 8
    batch_size: Auto | Whole = "auto"
    learning_rate: float = Field(default=0.003, gt=0, le=1)
    # Weights shrink by rate times decay in a step: beyond 1 / rate they change their signs.
    weight_decay: float = Field(default=0.01, ge=0, le=100)
    average: float = Field(default=1.0, ge=0, le=1000)
    clip: float = Field(default=1.0, gt=0, le=1e6)
    accumulate: Whole = 1
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    tracker: Literal["none", "tensorboard", "wandb", "mlflow"] = "none"
    max_minutes: Annotated[float, Field(gt=0, le=1e6)] | None = None
    sampling: Literal["proportional", "temperature", "uniform"] = "proportional"
    temperature: float = Field(default=2.0, ge=1, le=1000)
    modality_dropout: float = Field(default=0.0, ge=0, lt=1)

    @property
    def source_exponent(self) -> float:
        """The power of its rows by which a source has a share of the steps."""
        exponents = {"proportional": 1.0, "temperature": 1 / self.temperature, "uniform": 0.0}
        return exponents[self.sampling]

    def rows_per_step(self, rows: int) -> int:
        """The batch size, with "auto" filled in, and no more than there are rows.

        Args:
            rows: training rows of the largest fold.

        Example:
            >>> TrainingConfig().rows_per_step(4000)
            256
            >>> TrainingConfig(batch_size=64).rows_per_step(40)
            40
        """
        wanted = self.batch_size
        if wanted == "auto":
            wanted = 2 ** round(math.log2(min(max(rows / 16, 16), 512)))
        return min(wanted, rows)
