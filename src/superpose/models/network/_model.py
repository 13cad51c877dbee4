"""Trained networks as a model."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from threading import Lock
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor

from superpose.data import Codec, Fold
from superpose.models._base import Model, Predictions
from superpose.models._groups import group_indices
from superpose.models._observed import Observed
from superpose.models._rows import Rows
from superpose.nn import (
    GIVEN,
    Architecture,
    Grouped,
    Network,
    StackedNetworks,
    StateDict,
)

from ._build import build, heads_of
from ._predict import MOST_CELLS, Inputs, as_tensors, average_rows, predict_rows
from ._stored import require_facts, require_weights
from ._weight_names import current_name


@dataclass(eq=False, kw_only=True)
class NetworkModel(Model):
    """The networks of all folds, at each target's best epoch.

    Args:
        name: What mixtures call it.
        targets: Names of the targets, in the order of the heads.
        architecture: Sizes of the network.
        embedding: Widest token of a column.
        count: Number of networks P (folds times repeats).
        snapshots: Weights of all networks for each epoch that is some target's best.
        best: The best epoch of each target.
        curves: Training and validation loss by epoch for each target.
        given_epoch: The epoch that predicts when targets are given; None if the networks can't read
            any.
        balance: How the targets were weighed, and their gradients in some of the epochs.
        seconds: Training time.
        parameters: Weights of one network.
        groups: Targets that share a network, if not all do.
    """

    family: ClassVar[str] = "network"

    name: str
    targets: list[str]
    architecture: Architecture
    embedding: int
    count: int
    snapshots: dict[int, StateDict]
    best: list[int]
    curves: list[dict[str, list[float]]]
    given_epoch: int | None = None
    balance: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    parameters: int = 0
    groups: list[list[str]] = field(default_factory=list)
    _built: StackedNetworks | None = field(default=None, init=False, repr=False)
    _lock: Lock = field(default_factory=Lock, init=False, repr=False)

    @property
    def reads_observed(self) -> bool:  # type: ignore[override]
        """Whether the networks were trained to read measured targets."""
        return self.given_epoch is not None

    def _maker(self, codec: Codec) -> Callable[[], Network | Grouped]:
        return build(
            codec,
            heads_of(codec, self.targets),
            self.architecture,
            embedding=self.embedding,
            given=self.reads_observed,
            groups=group_indices(self.groups, self.targets),
        )

    def fresh(self, codec: Codec) -> Network | Grouped:
        """Build one of the networks, with weights of its own."""
        return self._maker(codec)()

    @contextmanager
    def _networks(self, codec: Codec, epoch: int) -> Iterator[StackedNetworks]:
        """Lend the networks as they were after an epoch, to one caller at a time."""
        with self._lock:
            if self._built is None:
                make = self._maker(codec)
                with torch.random.fork_rng():  # predicting leaves the caller's random stream alone
                    self._built = StackedNetworks(make, self.count).eval()
            self._built.restore(self.snapshots[epoch])
            yield self._built

    def _tensors(self, rows: Rows, observed: Observed | None = None) -> dict[str, Tensor]:
        """The inputs of the networks, with what is measured if they read that."""
        tensors = as_tensors(rows.inputs)
        if not self.reads_observed:
            return tensors
        if observed is None:
            kinds = rows.codec.target_kinds
            columns = sum(kinds[t].observed.n_columns for t in self.targets)
            tensors[GIVEN] = torch.full((len(rows), columns), torch.nan)
        else:
            tensors[GIVEN] = torch.from_numpy(observed.columns[0])
        return tensors

    def predict(
        self,
        rows: Rows,
        observed: Observed | None = None,
        *,
        targets: Collection[str] | None = None,
    ) -> Predictions:
        """Predict targets of some rows; see ``Model``."""
        wanted = [t for t in self.targets if targets is None or t in targets]
        if observed is not None and self.given_epoch is not None:
            tensors = self._tensors(rows, observed)
            index = [np.arange(len(rows))] * self.count
            pred = self._predict_given(rows.codec, tensors, index)
            return {target: pred[target] for target in wanted}
        tensors = self._tensors(rows)
        preds: Predictions = {}
        for epoch in sorted({self.best[self.targets.index(t)] for t in wanted}):
            preds |= self._at(epoch, rows, tensors)
        return {target: preds[target] for target in wanted}

    def _at(self, epoch: int, rows: Rows, tensors: Inputs) -> Predictions:
        """Predict the targets whose best epoch this is."""
        kinds = [rows.codec.target_kinds[t] for t in self.targets]
        index = [np.arange(len(rows))] * self.count
        with self._networks(rows.codec, epoch) as networks:
            pred = predict_rows(networks, tensors, index, kinds=[kinds] * self.count)
        return {
            target: np.mean([one[head] for one in pred], axis=0)
            for head, target in enumerate(self.targets)
            if self.best[head] == epoch
        }

    def predict_oof(self, rows: Rows, observed: Observed, folds: Sequence[Fold]) -> Predictions:
        """Predict each fold's validation rows by its own network, while targets are measured.

        Shape:
            for each target (N, K), float64; NaN in rows that are in no fold's validation.
        """
        index = [fold.validation for fold in folds]
        return self._predict_given(rows.codec, self._tensors(rows, observed), index)

    def _predict_given(
        self, codec: Codec, tensors: Inputs, index: Sequence[np.ndarray]
    ) -> Predictions:
        """Predict all targets, each network the rows of its index."""
        if self.given_epoch is None:
            raise ValueError("these networks were trained without `given`")
        kinds = [codec.target_kinds[t] for t in self.targets]
        size = len(tensors[GIVEN])
        with self._networks(codec, self.given_epoch) as networks:
            pred = predict_rows(networks, tensors, index, kinds=[kinds] * self.count)
        return {
            target: average_rows(size, index, [one[head] for one in pred])
            for head, target in enumerate(self.targets)
        }

    def _each_network(self, codec: Codec) -> Iterator[Network | Grouped]:
        """Yield the network of every fold, at the latest epoch that is kept."""
        with torch.random.fork_rng():
            network = self._maker(codec)().eval()
        last = self.snapshots[max(self.snapshots)]
        for p in range(self.count):
            network.load_state_dict({k: v[p] for k, v in last.items()}, strict=False)
            yield network

    @torch.no_grad()
    def states(self, rows: Rows) -> np.ndarray:
        """Return the states that the heads read, of all networks and members, (P N M, T, D)."""
        tensors = self._tensors(rows)
        networks = self._each_network(rows.codec)
        every = (n.fused_states(t) for n in networks for t in few_rows(tensors))
        return np.concatenate([states.flatten(0, 1).double().numpy() for states in every])

    @torch.no_grad()
    def attention(self, rows: Rows) -> np.ndarray | None:
        """Return the mean task-to-task weights (T, T + 1), the sink last, if the fusion has any."""
        tensors = self._tensors(rows)
        total = []
        for network in self._each_network(rows.codec):
            parts = [network.attention(some) for some in few_rows(tensors)]
            if parts[0] is None:
                return None
            weights = torch.cat([part for part in parts if part is not None])
            total.append(weights.mean(0).double().numpy())
        return np.mean(total, axis=0)

    def to_state(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """Split into JSON facts and tensors."""
        facts = {
            "name": self.name,
            "targets": self.targets,
            "architecture": asdict(self.architecture),
            "embedding": self.embedding,
            "count": self.count,
            "best": self.best,
            "curves": self.curves,
            "given_epoch": self.given_epoch,
            "balance": self.balance,
            "seconds": self.seconds,
            "parameters": self.parameters,
            "groups": self.groups,
        }
        return facts, {f"{e}/{k}": v for e, s in self.snapshots.items() for k, v in s.items()}

    @classmethod
    def from_state(cls, facts: Mapping[str, Any], arrays: Mapping[str, Any]) -> Self:
        """Put back what ``to_state`` split."""
        snapshots: dict[int, StateDict] = {}
        named = facts.get("targets")
        targets = [str(t) for t in named] if isinstance(named, list) else []
        for name, value in arrays.items():
            epoch, weight = name.split("/", 1)
            weight = current_name(weight, targets)
            snapshots.setdefault(int(epoch), {})[weight] = torch.as_tensor(value)
        require_facts(facts, snapshots)
        rest = {k: v for k, v in facts.items() if k != "architecture"}
        return cls(
            **rest,
            architecture=Architecture(**facts["architecture"]),
            snapshots=snapshots,
        )

    def require_sound(self, codec: Codec) -> None:
        """Make sure that all weights are there, of the right shape, and finite."""
        require_weights(self, codec)


def networks(models: Iterable[Model]) -> list[NetworkModel]:
    """Return those of some models that are networks."""
    return [model for model in models if isinstance(model, NetworkModel)]


def few_rows(inputs: Inputs) -> Iterator[Inputs]:
    """Yield the rows of some inputs, as many at a time as memory has room for."""
    rows = len(next(iter(inputs.values())))
    size = max(1, MOST_CELLS // sum(block[0].numel() for block in inputs.values()))
    for first in range(0, rows, size):
        yield {name: block[first : first + size] for name, block in inputs.items()}
