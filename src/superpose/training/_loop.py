"""The training loop: P networks, any number of targets, one epoch chosen per target."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from superpose.data import Fold
from superpose.errors import TrainingError
from superpose.kinds import TargetKind
from superpose.models.network import Blocks, predict_rows
from superpose.nn import GIVEN, StackedNetworks, StateDict

from ._balance import Balance
from ._early_stopping import EarlyStopping
from ._host import host_for
from ._objective import Objective, Varied, mixed_rows
from ._reveal import Reveal
from ._settings import Settings
from ._state import TrainState
from ._workers import Workers

# Tables of a few dozen rows have epochs of two or three steps; below this many steps an epoch
# repeats the rows, so that patience means about the same on every table.
SHORTEST_EPOCH = 16


class Step(NamedTuple):
    """A step of the loop before it is taken.

    Args:
        network: The networks.
        losses: Losses (P, T) of the batch, with the graph behind them.
        objective: What makes losses of outputs.
        blocks: Inputs of all rows; measured values are hidden.
        optimizer: It will take the step.
    """

    network: StackedNetworks
    losses: Tensor
    objective: Objective
    blocks: Blocks
    optimizer: torch.optim.Optimizer


OnStep = Callable[[Step], None]
Vary = Callable[[Blocks], tuple[Blocks, Varied]]


@dataclass
class TrainResult:
    """What the loop leaves behind.

    Args:
        snapshots: Weights of all P networks at each epoch that is some target's best.
        best: The best epoch of each target.
        held_out: For each target the canonical predictions (N, K) of the held-out rows, each made
            by networks that have not seen the row, at an epoch the row's fold had no part in
            choosing where there is more than one fold; NaN for other rows.
        curves: For each target the training and held-out loss of each epoch.
        given_epoch: The epoch whose networks answer when targets are given; None if they can't.
        balance: How the targets were weighed, and their gradients in some of the epochs.
    """

    snapshots: dict[int, StateDict]
    best: list[int]
    held_out: list[np.ndarray]
    curves: list[dict[str, list[float]]]
    given_epoch: int | None = None
    balance: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    parameters: int = 0


def batch_size(settings: Settings, folds: Sequence[Fold]) -> int:
    """Return the rows per step and network: as set, or a sixteenth of the rows within 16 to 512."""
    longest = max(len(f.train) for f in folds)
    wanted = settings.batch_size or 2 ** round(math.log2(min(max(longest / 16, 16), 512)))
    return min(wanted, longest)


def steps_of_epoch(folds: Sequence[Fold], size: int) -> int:
    """Return the steps in which every fold's training rows are visited, at least once each."""
    return max(math.ceil(max(len(f.train) for f in folds) / size), SHORTEST_EPOCH)


def batches(
    folds: Sequence[Fold],
    size: int,
    generator: torch.Generator,
    sources: np.ndarray | None = None,
    exponent: float = 1.0,
) -> Iterator[Tensor]:
    """Yield row indices (P, B) that visit every fold's training rows in a random order.

    Args:
        folds: The rows of each network.
        size: Rows per step.
        generator: What is random.
        sources: For each row of the table the number of its source, if there are several.
        exponent: A source of n training rows has a share of n ** exponent in every epoch: 1 visits
            all rows alike, 0 all sources alike.
    """
    needed = steps_of_epoch(folds, size) * size
    orders = []
    for fold in folds:
        if sources is None or exponent == 1:
            orders.append(_visits(fold.train, needed, generator))
            continue
        parts = [fold.train[sources[fold.train] == s] for s in np.unique(sources[fold.train])]
        weights = np.array([len(part) for part in parts], float) ** exponent
        ends = np.round(np.cumsum(weights) / weights.sum() * needed).astype(int)
        visits = [
            _visits(part, many, generator)
            for part, many in zip(parts, np.diff(ends, prepend=0), strict=True)
        ]
        orders.append(torch.cat(visits)[torch.randperm(needed, generator=generator)])
    yield from torch.stack(orders).split(size, dim=1)


def _visits(train: np.ndarray, needed: int, generator: torch.Generator) -> Tensor:
    """Rows in a random order, again and again until there are as many as needed."""
    rows, passes = torch.from_numpy(train), max(1, math.ceil(needed / len(train)))
    order = [rows[torch.randperm(len(rows), generator=generator)] for _ in range(passes)]
    return torch.cat(order)[:needed]


def take(blocks: Blocks, rows: Tensor) -> Blocks:
    """Gather rows (P, B) from every block."""
    return {name: block[rows] for name, block in blocks.items()}


def labelled(fold: Fold, kind: TargetKind, labels: np.ndarray) -> Fold:
    """Keep a fold's training rows that have a label; all of them if none has."""
    known = kind.known(labels[fold.train])
    return Fold(fold.train[known] if known.any() else fold.train, fold.validation)


def predict_half(
    network: StackedNetworks,
    blocks: Blocks,
    rows: Sequence[np.ndarray],
    kinds: Sequence[TargetKind],
    reveal: Reveal,
) -> list[list[np.ndarray]]:
    """Predict every target of some rows while about half of the others are given."""
    first, second = (
        predict_rows(network, {**blocks, GIVEN: block}, rows, [kinds] * len(rows))
        for block in reveal.halves()
    )
    shown = reveal.half.cpu().numpy()
    return [
        [
            np.where(shown[r, t, None], b, a)  # as told by the pass in which the target is hidden
            for t, (a, b) in enumerate(zip(first[f], second[f], strict=True))
        ]
        for f, r in enumerate(rows)
    ]


def train(
    make: Callable[[], nn.Module],
    blocks: Blocks,
    kinds: Sequence[TargetKind],
    labels: Sequence[np.ndarray],
    folds: Sequence[Fold],
    settings: Settings,
    seed: int = 0,
    weights: Sequence[float] | None = None,
    solo: bool = False,
    given: bool = False,
    checkpoint: Path | None = None,
    on_epoch: Callable[[int, EarlyStopping], None] | None = None,
    on_step: OnStep | None = None,
    sources: np.ndarray | None = None,
    vary: Vary | None = None,
) -> TrainResult:
    """Train one network per fold, all in one pass, and keep each target's best epoch.

    With ``solo`` every target has networks of its own, one per fold, and still all are trained in
    one pass: single-task networks then cost little more than their arithmetic.

    Where ``torch.distributed`` is initialised, each process takes its share of every batch; all
    end with the same weights, and the first one writes the checkpoints.

    Args:
        make: Builds a freshly initialised network whose heads follow ``kinds``.
        blocks: Encoded inputs of all N rows.
        kinds: Fitted targets.
        labels: Encoded labels (N,) or (N, L) of each target, NaN where missing.
        folds: Training and held-out rows of each network.
        settings: How to train.
        seed: Same seed, same CPU: same numbers, bit for bit.
        weights: Weight of each target in the joint loss.
        solo: Train networks of one target each; they learn from rows with its label only.
        given: Reveal random labels, so that the networks learn to use targets that are measured.
        checkpoint: File that is written after each epoch, and continued from where it exists.
        on_epoch: Called after each epoch, for progress and trackers.
        on_step: Called before each step is taken; it changes nothing.
        sources: For each row the number of its source, if there are several.
        vary: Makes a random variation of the inputs of a training batch, and tells what was done.

    Raises:
        TrainingError: If a loss is not finite; names the target and the batch.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        rows = np.unique(np.concatenate([f.train for f in folds]))
        teams = [labelled(f, k, y) for k, y in zip(kinds, labels, strict=True) for f in folds]
        teams = teams if solo else list(folds)
        host, size, workers = host_for(settings), batch_size(settings, teams), Workers()
        network = StackedNetworks(make, len(teams)).to(host.device)
        blocks = {name: block.to(host.device) for name, block in blocks.items()}
        objective = Objective(kinds, labels, rows, weights, solo, host.device)
        reveal = Reveal(kinds, labels, seed, host.device) if given else None
        if reveal:
            blocks[GIVEN] = torch.full_like(reveal.values, torch.nan)
        optimizer = torch.optim.AdamW(
            _by_rate(network, settings.learning_rate),
            settings.learning_rate,
            weight_decay=settings.weight_decay,
            fused=True,
        )
        watch = EarlyStopping(
            kinds, labels, [f.validation for f in folds], settings.patience, given
        )
        averaged = copy.deepcopy(network)
        targets = 1 if solo else len(kinds)
        rate = settings.learning_rate
        balance = Balance(settings.balance, len(teams), targets, rate, seed, workers)
        session = TrainState(
            network, averaged, optimizer, watch, balance, checkpoint, workers.rank == 0
        )
        for epoch in range(session.resume(), settings.epochs):
            late = workers.any(_late(settings, session.seconds))
            if epoch and (watch.done(epoch - 1) or late):  # one epoch at least
                break
            # An epoch's randomness depends on nothing before it: that makes resuming exact.
            generator = torch.Generator().manual_seed(_epoch_seed(seed, epoch))
            torch.manual_seed(_epoch_seed(seed, epoch))
            network.train()
            balance.begin(epoch)
            seen = []
            plan = list(batches(teams, size, generator, sources, settings.source_exponent))
            for step, chosen in enumerate(plan, start=1):
                chosen = workers.share(chosen).to(host.device)
                batch, shown, moved = take(blocks, chosen), None, None
                if vary:
                    batch, moved = vary(batch)
                if reveal:
                    shown = reveal.draw(chosen)
                    if (mixed := mixed_rows(moved)) is not None:  # what was measured is of another
                        shown = shown & ~mixed[..., None]
                    batch[GIVEN] = reveal.block(chosen, shown)
                probe = balance.gradient_probe(network, chosen.shape[1])
                with host.autocast():
                    out = network(batch, probe)
                losses = objective.losses(out, chosen, shown, moved)
                _require_finite(losses, kinds, epoch, step)
                if on_step:
                    on_step(Step(network, losses, objective, blocks, optimizer))
                observe = partial(objective.observe, out, chosen, shown, moved)
                loss = balance.combine(network, losses, probe, observe)
                (loss.sum() / settings.accumulate).backward()
                # The last batch steps too: what is left over would be lost on resuming.
                if step % settings.accumulate == 0 or step == len(plan):
                    workers.average(network.parameters())
                    network.clip(settings.clip)
                    optimizer.step()
                    optimizer.zero_grad()
                    averaged.ema_update(network, averaging(settings, len(plan), epoch, step))
                    balance.stepped(
                        partial(_again, objective, network, batch, chosen, shown, moved)
                    )
                seen.append(losses.detach().mean(0))
            balance.end()
            held = [f.validation for f in teams]
            own = [[kind] for kind in kinds for _ in folds] if solo else [kinds] * len(folds)
            said = predict_rows(averaged, blocks, held, own)
            told = said
            if solo:
                told = [
                    [said[t * len(folds) + f][0] for t in range(len(kinds))]
                    for f in range(len(folds))
                ]
            half = predict_half(averaged, blocks, held, kinds, reveal) if reveal else None
            train_loss = workers.mean(torch.stack(seen).mean(0)).cpu().numpy()
            watch.update(epoch, told, train_loss, averaged.snapshot, half)
            # The last step may have gone too far; what is kept has to be good.
            _require_finite(torch.tensor([watch.last_losses()]), kinds, epoch, len(plan))
            session.keep(epoch)
            if on_epoch:
                on_epoch(epoch, watch)
    return TrainResult(
        watch.snapshots,
        watch.best_epoch,
        watch.held_out(),
        watch.curves,
        watch.given_epoch,
        balance.facts(),
        session.seconds,
        sum(p.numel() for p in network.parameters()) // network.count,
    )


@torch.no_grad()
def _again(
    objective: Objective,
    network: StackedNetworks,
    batch: Blocks,
    rows: Tensor,
    shown: Tensor | None,
    moved: Varied | None,
) -> tuple[Tensor, Tensor]:
    return objective.observe(network(batch), rows, shown, moved)


def averaging(settings: Settings, steps: int, epoch: int, step: int) -> float:
    """Return the share by which averaged weights follow a step: the newest at first, then less."""
    horizon = max(1.0, settings.average * steps)
    return max(1 / horizon, 1 / (1 + (epoch * steps + step) / 4))


def _by_rate(network: nn.Module, rate: float) -> list[dict[str, Any]]:
    """Group weights by the share of the learning rate that their module asks for."""
    groups: dict[float, list[nn.Parameter]] = {}
    for weight in network.parameters():
        groups.setdefault(getattr(weight, "rate", 1.0), []).append(weight)
    return [{"params": weights, "lr": rate * share} for share, weights in groups.items()]


def _epoch_seed(seed: int, epoch: int) -> int:
    return seed * 100_003 + epoch + 1


def _late(settings: Settings, seconds: float) -> bool:
    return settings.max_minutes is not None and seconds > 60 * settings.max_minutes


def _require_finite(losses: Tensor, kinds: Sequence[TargetKind], epoch: int, step: int) -> None:
    if torch.isfinite(losses).all():
        return
    place = int((~torch.isfinite(losses)).any(0).nonzero()[0])
    raise TrainingError(
        f"target {kinds[place].column!r}: the loss is not finite in epoch {epoch + 1}, batch {step}"
        f"; the last good checkpoint is kept; lower training.learning_rate or training.clip, or "
        f"look for extreme values in this target"
    )
