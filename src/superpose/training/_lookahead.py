"""Look-ahead: what a step of one target does to the validation losses of the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.func import functional_call

from ._batches import Batch, BatchSampler, batch_size
from ._callbacks import Callback
from ._networks import fit_multi_task
from ._spec import TrainingSpec
from ._state import TrainState

# A look computes, once for each target, the losses of all of these validation rows.
MOST_ROWS = 512
# Looks come at even steps of the training. Each costs a step and a half for each target: with few
# targets a hundred are cheap, with many fewer have to do.
MOST_LOOKS = 100
FEWEST_LOOKS = 20
MOST_STEPS = 500


@dataclass(frozen=True)
class Affinities:
    """What a training has shown of who helps whom, look by look.

    Args:
        lookahead: Share of a target's validation loss (column) that a step of another (row) saves;
            NaN where one of the two had no label in the batch.
        cosine: Cosine of the targets' gradients on the weights that they share.

    Shape:
        looks N, networks P: (N, P, T, T) each.
    """

    lookahead: np.ndarray
    cosine: np.ndarray


def look_ahead(
    spec: TrainingSpec, epochs: int, progress: Callable[[float], None] | None = None
) -> Affinities:
    """Train one network for all targets for a while, and measure how targets affect each other.

    Args:
        spec: Data, sizes and settings; the networks of its folds are trained in one pass.
        epochs: Epochs of the training (at least 1); its settings may allow fewer.
        progress: Called after each epoch with the share that is done.
    """
    epochs = min(epochs, spec.settings.epochs)
    settings = spec.settings.model_copy(
        update={"epochs": epochs, "patience": epochs, "tracker": "none"}
    )
    train = [fold.train for fold in spec.folds]
    steps = epochs * len(BatchSampler(train, batch_size(settings, train)))
    looks = min(max(MOST_STEPS // len(spec.labels), FEWEST_LOOKS), MOST_LOOKS)
    hook = LookAhead(
        [fold.validation for fold in spec.folds], every=-(-steps // looks), seed=spec.seed
    )
    callbacks: list[Callback] = [hook]
    if progress:
        callbacks.append(_EpochCount(epochs, progress))
    fit_multi_task(replace(spec, settings=settings, groups=()), callbacks=callbacks)
    lookahead, cosine = zip(*hook.looks, strict=True)
    return Affinities(np.stack(lookahead), np.stack(cosine))


class _EpochCount(Callback):
    """Report the share of the epochs that are done; nothing stops this training early."""

    def __init__(self, epochs: int, report: Callable[[float], None]) -> None:
        self.epochs = epochs
        self.report = report

    def on_epoch(self, state: TrainState) -> None:
        self.report((state.epoch + 1) / self.epochs)


class LookAhead(Callback):
    """Measure affinities every few steps, and leave the training alone.

    Args:
        validation: The validation rows of each network.
        every: Steps from one look to the next.
        seed: Seed of the rows that are drawn.

    Source:
        Fifty et al., "Efficiently Identifying Task Groupings for Multi-Task Learning", NeurIPS
        2021, eq. 1: the affinity of i onto j is 1 - L_j(shared weights after a step of i) /
        L_j(shared weights). Departs by reading L_j on rows that the step has not seen.
    """

    def __init__(self, validation: Sequence[np.ndarray], *, every: int, seed: int) -> None:
        self.validation = validation
        self.every = every
        self.rng = np.random.default_rng([seed, 11])
        self.size = min(MOST_ROWS, max(map(len, validation)))
        self.steps = 0
        self.looks: list[tuple[np.ndarray, np.ndarray]] = []

    def on_step(self, state: TrainState) -> None:
        self.steps += 1
        if self.steps % self.every == 0:
            training = state.networks.training
            self.looks.append(self._look(state))
            state.networks.train(training)

    def _look(self, state: TrainState) -> tuple[np.ndarray, np.ndarray]:
        assert state.losses is not None
        networks = state.networks
        shared = networks.shared()
        names = {id(weight): name for name, weight in networks.named_parameters()}
        steps = [
            torch.autograd.grad(column.sum(), shared, retain_graph=True)
            for column in state.losses.unbind(1)
        ]
        norms, cosine = _cosines(steps, len(state.losses))
        rate = state.optimizer.param_groups[0]["lr"]
        # Without dropout: what is compared differs by the step and by nothing else.
        networks.eval()
        batch = self._draw(state)
        with torch.no_grad():
            before, present = state.objective.observe(networks(batch.inputs), batch)
            saved = []
            for i, gradients in enumerate(steps):
                stepped = {
                    names[id(weight)]: weight - rate * gradient
                    for weight, gradient in zip(shared, gradients, strict=True)
                }
                out = functional_call(networks, stepped, (batch.inputs,))
                after, _ = state.objective.observe(out, batch)
                known = present & (norms[:, i, None] > 0)
                saved.append(torch.where(known, 1 - after / before, torch.nan))
        return torch.stack(saved, 1).cpu().numpy(), cosine.cpu().numpy()

    def _draw(self, state: TrainState) -> Batch:
        """Validation rows of each network, with no target shown."""
        permuted = [self.rng.permutation(rows) for rows in self.validation]
        drawn = np.stack([np.resize(rows, self.size) for rows in permuted])
        rows = torch.from_numpy(drawn).to(next(state.networks.parameters()).device)
        return Batch(rows, {name: block[rows] for name, block in state.loader.inputs.items()})


def _cosines(steps: Sequence[Sequence[Tensor]], networks: int) -> tuple[Tensor, Tensor]:
    """Norms (P, T) of the targets' gradients, and their cosines (P, T, T), NaN without gradient."""
    rows = torch.stack(
        [torch.cat([g.reshape(networks, -1) for g in gradients], 1) for gradients in steps], 1
    )
    norms = rows.norm(dim=2)
    scaled = rows / torch.where(norms > 0, norms, torch.nan)[..., None]
    return norms, scaled @ scaled.mT
