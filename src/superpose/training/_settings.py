"""The settings of the training loop."""

from __future__ import annotations

from dataclasses import dataclass, field

from ._balance import Balancing


@dataclass(frozen=True)
class Settings:
    """How to train.

    Args:
        epochs: Largest number of epochs (at least 1).
        patience: Epochs without improvement of any target before training ends.
        batch_size: Rows per step; None takes a sixteenth of the rows, between 16 and 512.
        learning_rate: Of AdamW, above 0.
        weight_decay: Of AdamW, at least 0; biases and embeddings of columns are exempt.
        average: Epochs over which weights are averaged for predictions; 0 takes them as they are.
        clip: Largest gradient norm of a network.
        accumulate: Batches whose gradients are added up for one step.
        precision: "fp32", "bf16", or "auto" for bf16 on a GPU that has it.
        device: "auto", "cpu" or "cuda".
        tracker: None, "tensorboard", "wandb" or "mlflow".
        max_minutes: Ends training after so many minutes, keeping the best epochs.
        sampling: "proportional", "temperature" or "uniform": how often each of several sources.
        temperature: At least 1; 1 is proportional.
        modality_dropout: Chance of an image, a text and so on to be hidden in a training row.
        balance: How targets are weighed against each other.
    """

    epochs: int = 100
    patience: int = 8
    batch_size: int | None = None
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    average: float = 1.0
    clip: float = 1.0
    accumulate: int = 1
    precision: str = "auto"
    device: str = "auto"
    tracker: str | None = None
    max_minutes: float | None = None
    sampling: str = "proportional"
    temperature: float = 2.0
    modality_dropout: float = 0.0
    balance: Balancing = field(default_factory=Balancing)

    @property
    def source_exponent(self) -> float:
        """The power of its rows by which a source has a share of the steps."""
        found = {"proportional": 1.0, "temperature": 1 / self.temperature, "uniform": 0.0}
        return found[self.sampling]
