"""A trained network with everything that is needed to predict with it again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from threading import Lock
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from superpose.data import Codec, Fold
from superpose.models._groups import places_of
from superpose.models._revealed import reveal_columns
from superpose.nn import (
    GIVEN,
    Architecture,
    Grouped,
    Network,
    StackedNetworks,
    StateDict,
)

from ._build import build, heads_of
from ._predict import MOST_CELLS, Blocks, as_tensors, average_rows, predict_rows
from ._stored import require_facts


@dataclass
class NetworkModel:
    """The networks of all folds, at each target's best epoch.

    Args:
        targets: Names of the targets, in the order of the heads.
        architecture: Sizes of the network.
        embedding: Widest token of a column.
        count: Number of networks P (folds times repeats).
        snapshots: Weights of all networks for each epoch that is some target's best.
        best: The best epoch of each target.
        curves: Training and held-out loss by epoch for each target.
        held_out: Predictions for rows a network has not seen, NaN elsewhere; not part of a bundle.
        given_epoch: The epoch that answers when targets are given; None if the networks can't be
            told any.
        balance: How the targets were weighed, and their gradients in some of the epochs.
        seconds: Training time.
        parameters: Weights of one network.
        groups: Targets that share a network, if not all do.
    """

    targets: list[str]
    architecture: Architecture
    embedding: int
    count: int
    snapshots: dict[int, StateDict]
    best: list[int]
    curves: list[dict[str, list[float]]]
    held_out: list[np.ndarray]
    given_epoch: int | None = None
    balance: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    parameters: int = 0
    groups: list[list[str]] = field(default_factory=list)
    _built: StackedNetworks | None = field(default=None, init=False, repr=False, compare=False)
    _lock: Lock = field(default_factory=Lock, init=False, repr=False, compare=False)

    def _maker(self, codec: Codec) -> Callable[[], Network | Grouped]:
        told, groups = self.given_epoch is not None, places_of(self.groups, self.targets)
        heads = heads_of(codec, self.targets)
        return build(codec, heads, self.architecture, self.embedding, told, groups)

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

    def _tensors(self, codec: Codec, blocks: Mapping[str, np.ndarray]) -> dict[str, Tensor]:
        """The inputs of a network that is told nothing."""
        tensors = as_tensors(blocks)
        if self.given_epoch is not None:
            rows = len(next(iter(tensors.values())))
            columns = sum(codec.target_kinds[t].revealed for t in self.targets)
            tensors[GIVEN] = torch.full((rows, columns), torch.nan)
        return tensors

    def predict(
        self, codec: Codec, blocks: Mapping[str, np.ndarray], only: Sequence[str] | None = None
    ) -> dict[str, np.ndarray]:
        """Predict every row of some blocks; no target is given.

        Args:
            codec: The codec of the training.
            blocks: What ``codec.inputs`` gave, N rows.
            only: Targets to predict (default all).

        Shape:
            blocks (N, ...) -> for each target its canonical prediction (N, K), float64.
        """
        wanted = [t for t in self.targets if only is None or t in only]
        tensors = self._tensors(codec, blocks)
        n = len(next(iter(tensors.values())))
        kinds = [codec.target_kinds[t] for t in self.targets]
        out: dict[str, np.ndarray] = {}
        for epoch in sorted({self.best[self.targets.index(t)] for t in wanted}):
            with self._networks(codec, epoch) as networks:
                told = predict_rows(
                    networks, tensors, [np.arange(n)] * self.count, kinds=[kinds] * self.count
                )
            for place, target in enumerate(self.targets):
                if target in wanted and self.best[place] == epoch:
                    out[target] = np.mean([one[place] for one in told], axis=0)
        return out

    def predict_given(
        self,
        codec: Codec,
        blocks: Mapping[str, np.ndarray],
        labels: Mapping[str, np.ndarray],
        folds: Sequence[Fold] | None = None,
    ) -> dict[str, np.ndarray]:
        """Predict every target of rows for which some are measured.

        Args:
            codec: The codec of the training.
            blocks: What ``codec.inputs`` gave, N rows.
            labels: Encoded values of the measured targets, NaN where a value is not given.
            folds: Predict each fold's held-out rows by its own network, and no other row.

        Shape:
            blocks (N, ...), labels (N,) or (N, L) -> for each target (N, K), float64; NaN in rows
            that no fold holds out.
        """
        if self.given_epoch is None:
            raise ValueError("these networks were trained without `given`")
        kinds = [codec.target_kinds[t] for t in self.targets]
        values, _ = reveal_columns(kinds, [labels[t] for t in self.targets])
        tensors = {**as_tensors(blocks), GIVEN: torch.from_numpy(values)}
        every = [np.arange(len(values))] * self.count
        rows = [f.validation for f in folds] if folds else every
        with self._networks(codec, self.given_epoch) as networks:
            told = predict_rows(networks, tensors, rows, kinds=[kinds] * self.count)
        return {
            target: average_rows(len(values), rows, [said[place] for said in told])
            for place, target in enumerate(self.targets)
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
    def states(self, codec: Codec, blocks: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the states that the heads read, of all networks and members, (P N M, T, D)."""
        tensors = self._tensors(codec, blocks)
        every = (n.fused_states(t) for n in self._each_network(codec) for t in few_rows(tensors))
        return np.concatenate([states.flatten(0, 1).double().numpy() for states in every])

    @torch.no_grad()
    def attention(self, codec: Codec, blocks: Mapping[str, np.ndarray]) -> np.ndarray | None:
        """Return the mean task-to-task weights (T, T + 1), the sink last, if the fusion has any."""
        tensors, total = self._tensors(codec, blocks), []
        for network in self._each_network(codec):
            found = [network.attention(some) for some in few_rows(tensors)]
            if found[0] is None:
                return None
            weights = torch.cat([w for w in found if w is not None])
            total.append(weights.mean(0).double().numpy())
        return np.mean(total, axis=0)

    def state(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """Split into JSON facts and tensors."""
        facts = {
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
    def from_state(cls, facts: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Self:
        """Put back what ``state`` split."""
        snapshots: dict[int, StateDict] = {}
        for name, value in tensors.items():
            epoch, weight = name.split("/", 1)
            snapshots.setdefault(int(epoch), {})[weight] = torch.as_tensor(value)
        require_facts(facts, snapshots)
        rest = {k: v for k, v in facts.items() if k != "architecture"}
        return cls(
            **rest,
            architecture=Architecture(**facts["architecture"]),
            snapshots=snapshots,
            held_out=[],
        )


def few_rows(blocks: Blocks) -> Iterator[Blocks]:
    """Yield the rows of some blocks, as many at a time as memory has room for."""
    rows = len(next(iter(blocks.values())))
    size = max(1, MOST_CELLS // sum(block[0].numel() for block in blocks.values()))
    for first in range(0, rows, size):
        yield {name: block[first : first + size] for name, block in blocks.items()}
