"""Look-ahead: what a step of one target does to the held-out losses of the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.func import functional_call

from ._fit import TrainingSpec, fit_multi_task
from ._loop import Step, batch_size, steps_of_epoch

# A look asks once for each target for the losses of all of these held-out rows.
MOST_HELD = 512
# Looks are spread evenly over the training. Each costs a step and a half for each target: with few
# targets a hundred are cheap, with many fewer have to do.
MOST_LOOKS, FEWEST_LOOKS, MOST_STEPS = 100, 20, 500


@dataclass(frozen=True)
class Affinities:
    """What a training has shown of who helps whom, look by look.

    Args:
        lookahead: Share of a target's held-out loss (column) that a step of another (row) saves;
            NaN where one of the two had no label in the batch.
        cosine: Cosine of the targets' gradients on the weights that they share.

    Shape:
        looks N, networks P: (N, P, T, T) each.
    """

    lookahead: np.ndarray
    cosine: np.ndarray


def look_ahead(
    recipe: TrainingSpec, epochs: int, progress: Callable[[float], None] | None = None
) -> Affinities:
    """Train one network for all targets for a while, and measure how targets affect each other.

    Args:
        recipe: Data, sizes and settings; the networks of its folds are trained in one pass.
        epochs: Epochs of the training (at least 1); its settings may allow fewer.
        progress: Called after each epoch with the share that is done.
    """
    epochs = min(epochs, recipe.settings.epochs)
    settings = replace(recipe.settings, epochs=epochs, patience=epochs, tracker=None)
    steps = epochs * steps_of_epoch(recipe.folds, batch_size(settings, recipe.folds))
    looks = min(max(MOST_STEPS // len(recipe.labels), FEWEST_LOOKS), MOST_LOOKS)
    held = [fold.validation for fold in recipe.folds]
    hook = _Looks(held, -(-steps // looks), recipe.seed)
    fit_multi_task(
        replace(recipe, settings=settings, groups=()),
        on_epoch=lambda epoch, _: progress((epoch + 1) / epochs) if progress else None,
        on_step=hook,
    )
    found = zip(*hook.found, strict=True)
    return Affinities(*(np.stack(values) for values in found))


class _Looks:
    """A hook of the loop that measures affinities every few steps, and leaves the training alone.

    Source:
        Fifty et al., "Efficiently Identifying Task Groupings for Multi-Task Learning", NeurIPS
        2021, eq. 1: the affinity of i onto j is 1 - L_j(shared weights after a step of i) /
        L_j(shared weights). Departs by reading L_j on rows that the step has not seen.
    """

    def __init__(self, held: Sequence[np.ndarray], every: int, seed: int) -> None:
        self.validation, self.every = held, every
        self.rng = np.random.default_rng([seed, 11])
        self.size = min(MOST_HELD, max(map(len, held)))
        self.steps = 0
        self.found: list[tuple[np.ndarray, np.ndarray]] = []

    def __call__(self, step: Step) -> None:
        self.steps += 1
        if self.steps % self.every == 0:
            training = step.network.training
            self.found.append(self._look(step))
            step.network.train(training)

    def _look(self, step: Step) -> tuple[np.ndarray, np.ndarray]:
        shared = step.network.shared()
        names = {id(weight): name for name, weight in step.network.named_parameters()}
        steps = [
            torch.autograd.grad(column.sum(), shared, retain_graph=True)
            for column in step.losses.unbind(1)
        ]
        norms, cosine = _cosines(steps, len(step.losses))
        rate = step.optimizer.param_groups[0]["lr"]
        # Without dropout: what is compared differs by the step and by nothing else.
        step.network.eval()
        drawn = np.stack(
            [np.resize(self.rng.permutation(rows), self.size) for rows in self.validation]
        )
        rows = torch.from_numpy(drawn).to(norms.device)
        batch = {name: block[rows] for name, block in step.blocks.items()}
        with torch.no_grad():
            before, present = step.objective.observe(step.network(batch), rows)
            saved = []
            for i, gradients in enumerate(steps):
                moved = {
                    names[id(weight)]: weight - rate * gradient
                    for weight, gradient in zip(shared, gradients, strict=True)
                }
                out = functional_call(step.network, moved, (batch,))
                after, _ = step.objective.observe(out, rows)
                told = present & (norms[:, i, None] > 0)
                saved.append(torch.where(told, 1 - after / before, torch.nan))
        return torch.stack(saved, 1).cpu().numpy(), cosine.cpu().numpy()


def _cosines(steps: Sequence[Sequence[Tensor]], networks: int) -> tuple[Tensor, Tensor]:
    """Norms (P, T) of the targets' gradients, and their cosines (P, T, T), NaN without gradient."""
    rows = torch.stack(
        [torch.cat([g.reshape(networks, -1) for g in gradients], 1) for gradients in steps], 1
    )
    norms = rows.norm(dim=2)
    scaled = rows / torch.where(norms > 0, norms, torch.nan)[..., None]
    return norms, scaled @ scaled.mT
