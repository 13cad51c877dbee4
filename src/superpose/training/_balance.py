"""Balancing in the loop: which weight each target has in a step, and what is known of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from superpose.balance import BALANCERS, Balancer, weights_of
from superpose.config import BalanceConfig
from superpose.errors import MissingExtraError
from superpose.functional import probe_gramian, weight_gramian
from superpose.methods import BALANCE_METHODS
from superpose.nn import StackedNetworks

from ._workers import Workers

# In one batch of these epochs the gradients on the shared weights are looked at, whatever the
# method: a backward pass for each target, which costs little as long as targets are few.
LOOKS = (0, 1, 4, 16, 64)
MOST_WATCHED = 20

# What a method learns of.
WEIGH, AFTER_STEP, END_OF_EPOCH = range(3)

Observe = Callable[[], tuple[Tensor, Tensor]]


def require_balance(method: str) -> None:
    """Make sure that what a method is computed with is installed.

    Raises:
        MissingExtraError: Names the package and the extra that brings it.
    """
    for package in BALANCE_METHODS[method].packages:
        if find_spec(package) is None:
            raise MissingExtraError(package, "balance", f"balance.method: {method}")


class Event(NamedTuple):
    """Something that a method is notified of; after the same events in order, it knows the same."""

    what: int  # WEIGH a batch, the losses AFTER_STEP, or END_OF_EPOCH
    losses: Tensor  # (P, T)
    present: Tensor  # (P, T)
    gramian: Tensor  # (P, T, T), or (P, 0, 0)


class Balance:
    """Weigh the targets of P networks in every step, each network by itself.

    Args:
        settings: Method and its options.
        networks: The P networks.
        targets: Targets T of each network; one has nothing to be balanced against.
        rate: Learning rate of the networks.
        seed: Seed of methods that draw.
        workers: The processes that hold the rows of a batch.
    """

    def __init__(
        self,
        settings: BalanceConfig,
        networks: StackedNetworks,
        targets: int,
        *,
        rate: float,
        seed: int = 0,
        workers: Workers | None = None,
    ) -> None:
        self.settings = settings
        self.networks = networks
        self.seed = seed
        self.workers = workers or Workers()
        method = BALANCERS[settings.method]
        plain = settings.method == "sum" or targets < 2
        self.methods: list[Balancer] = [
            method(targets, rate, **settings.options) for _ in range(0 if plain else networks.count)
        ]
        self.watched = 2 <= targets <= MOST_WATCHED
        self.weights = torch.ones(networks.count, targets)
        self.losses = torch.ones(networks.count, targets)  # the last known ones
        self.events: list[Event] = []
        self.looks: list[dict[str, Any]] = []
        self.curve: list[list[float]] = []  # by epoch, the mean weight of each target
        self._sums: list[Tensor] = []
        self._look: int | None = None
        self._waited = 0

    def begin(self, epoch: int) -> None:
        """Start an epoch; in its first step gradients are read if they ever are."""
        self._look = epoch if self.watched and epoch in LOOKS else None
        self._waited = self.settings.every
        self._sums = []

    def end(self) -> None:
        """End an epoch."""
        if self.methods:
            self.curve.append(torch.stack(self._sums).mean((0, 1)).tolist())
            self._notify(Event(END_OF_EPOCH, self.losses, self.losses > 0, self._no_gramian()))

    @property
    def reads(self) -> bool:
        """Whether a method reads the gradients of the next batch."""
        needs_gradients = bool(self.methods) and self.methods[0].gradients
        return needs_gradients and self._waited >= self.settings.every

    def gradient_probe(self, rows: int) -> Tensor | None:
        """Return what has to go through the networks along with a batch of ``rows`` rows."""
        at_trunk = self.reads and self.settings.at == "trunk"
        return self.networks.gradient_probe(rows) if at_trunk else None

    def combine(self, losses: Tensor, probe: Tensor | None, observe: Observe) -> Tensor:
        """Return the loss (P,) that is to be lowered.

        Args:
            losses: Losses (P, T) of a batch.
            probe: What ``gradient_probe`` gave, and went through the networks.
            observe: Gives positive losses and which targets are in the batch, (P, T) each.
        """
        if self._look is not None:
            gramian = self._weight_gramian(losses)
            self.looks.append({"epoch": self._look, **_norms_and_cosines(gramian)})
            self._look = None
        if self.reads:
            self._weigh(observe, self._gramian(losses, probe))
            self._waited = 0
        elif self.methods and not self.methods[0].gradients:
            self._weigh(observe, self._no_gramian())
        self._waited += 1
        if not self.methods:
            return losses.sum(-1)
        self._sums.append(self.weights)
        return (losses * self.weights.to(losses.device)).sum(-1)

    def _gramian(self, losses: Tensor, probe: Tensor | None) -> Tensor:
        if probe is None:
            return self._weight_gramian(losses)
        # Rows of a batch have gradients of their own there: Gramians of parts add up.
        gramian = probe_gramian(losses, probe, self.networks.probe_to_trunk)
        return self.workers.mean(gramian).detach().cpu()

    def _weight_gramian(self, losses: Tensor) -> Tensor:
        return weight_gramian(losses, self.networks.shared(), self.workers.mean).detach().cpu()

    def _no_gramian(self) -> Tensor:
        return torch.zeros(len(self.losses), 0, 0)

    def stepped(self, observe: Observe) -> None:
        """Let a method see what a step has done to the losses of its batch, if it wants to."""
        if self.methods and self.methods[0].after:
            losses, present = self._observed(observe)
            losses = torch.where(present, losses, self.losses)
            self._notify(Event(AFTER_STEP, losses, present, self._no_gramian()))

    def _weigh(self, observe: Observe, gramian: Tensor) -> None:
        losses, present = self._observed(observe)
        # A target that is not in the batch stands in with what is known of it.
        self._notify(Event(WEIGH, torch.where(present, losses, self.losses), present, gramian))

    def _observed(self, observe: Observe) -> tuple[Tensor, Tensor]:
        losses, present = observe()
        share = self.workers.mean(present.to(losses.dtype))
        whole = self.workers.mean(losses * present) / share.clamp(min=1e-9)
        return whole.cpu(), (share > 0).cpu()

    def _notify(self, event: Event) -> None:
        """Let every network's method know; its draws depend on nothing but the event's number."""
        self.events.append(event)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed * 1_000_003 + len(self.events))
            weights = self.weights.clone()
            for p, method in enumerate(self.methods):
                if event.what == WEIGH:
                    gramian = event.gramian[p] if event.gramian.numel() else None
                    weights[p] = weights_of(
                        method, event.losses[p], gramian, present=event.present[p]
                    )
                elif event.what == AFTER_STEP:
                    method.stepped(event.losses[p])
                else:
                    method.end_epoch()
        self.weights = weights
        self.losses = event.losses

    def facts(self) -> dict[str, Any]:
        """Return what the report shows."""
        method = {"method": self.settings.method, "every": self.settings.every}
        return {**method, "at": self.settings.at, "weights": self.curve, "looks": self.looks}

    def pack(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """Split into JSON facts and tensors for a checkpoint."""
        facts = {"looks": self.looks, "curve": self.curve, "events": [e.what for e in self.events]}
        tensors = {
            name: torch.stack([getattr(e, name) for e in self.events if getattr(e, name).numel()])
            for name in ("losses", "present", "gramian")
            if any(getattr(e, name).numel() for e in self.events)
        }
        return facts, tensors

    def unpack(self, facts: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        """Let the methods know again of all that they knew of when ``pack`` was called."""
        self.looks = list(facts["looks"])
        self.curve = list(facts["curve"])
        gramians = iter(tensors.get("gramian", ()))
        reads = bool(self.methods) and self.methods[0].gradients
        for number, what in enumerate(facts["events"]):
            gramian = next(gramians) if reads and what == WEIGH else self._no_gramian()
            losses, present = (tensors[name][number] for name in ("losses", "present"))
            self._notify(Event(what, losses, present, gramian))


def _norms_and_cosines(gramian: Tensor) -> dict[str, Any]:
    """Average over networks; a target without a gradient in the batch tells nothing."""
    norms = gramian.diagonal(dim1=1, dim2=2).clamp(min=0).sqrt().double().numpy()
    norms = np.where(norms > 0, norms, np.nan)
    cosines = gramian.double().numpy() / (norms[:, :, None] * norms[:, None, :])
    return {"norms": _mean(norms), "cosines": _mean(cosines)}


def _mean(values: np.ndarray) -> Sequence[Any]:
    known = ~np.isnan(values)
    mean = np.where(known, values, 0).sum(0) / np.maximum(known.sum(0), 1)
    return np.where(known.any(0), mean, np.nan).round(6).tolist()
