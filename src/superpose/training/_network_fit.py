"""A trained network with everything that is needed to predict with it again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from superpose.data import Codec, label_block
from superpose.errors import listing
from superpose.kinds import TargetKind
from superpose.nn import (
    GIVEN,
    Architecture,
    DenseNetwork,
    FromPast,
    Grouped,
    Network,
    NumberEncoder,
    OwnHead,
    PerPlace,
)

from ._absence import Absence, hideable
from ._loop import MOST_CELLS, Blocks, Fold, OnStep, Trained, Vary, predict_rows, train
from ._objective import Varied
from ._replicas import Replicas, State
from ._reveal import reveal_columns
from ._settings import Settings
from ._stored_network import require_facts
from ._watch import Watch, average_rows


@dataclass
class FittedNetwork:
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
    snapshots: dict[int, State]
    best: list[int]
    curves: list[dict[str, list[float]]]
    held_out: list[np.ndarray]
    given_epoch: int | None = None
    balance: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    parameters: int = 0
    groups: list[list[str]] = field(default_factory=list)
    _built: Replicas | None = field(default=None, init=False, repr=False, compare=False)
    _lock: Lock = field(default_factory=Lock, init=False, repr=False, compare=False)

    def _maker(self, codec: Codec) -> Callable[[], Network | Grouped]:
        told, groups = self.given_epoch is not None, places_of(self.groups, self.targets)
        heads = heads_of(codec, self.targets)
        return build(codec, heads, self.architecture, self.embedding, told, groups)

    def fresh(self, codec: Codec) -> Network | Grouped:
        """Build one of the networks, with weights of its own."""
        return self._maker(codec)()

    @contextmanager
    def _networks(self, codec: Codec, epoch: int) -> Iterator[Replicas]:
        """Lend the networks as they were after an epoch, to one caller at a time."""
        with self._lock:
            if self._built is None:
                make = self._maker(codec)
                with torch.random.fork_rng():  # predicting leaves the caller's random stream alone
                    self._built = Replicas(make, self.count).eval()
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
                told = predict_rows(networks, tensors, [np.arange(n)] * self.count, kinds)
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
        rows = [f.held for f in folds] if folds else every
        with self._networks(codec, self.given_epoch) as networks:
            told = predict_rows(networks, tensors, rows, kinds)
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
        snapshots: dict[int, State] = {}
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


def as_tensors(blocks: Mapping[str, np.ndarray]) -> dict[str, Tensor]:
    """Turn encoded blocks into tensors, copying only those that Arrow keeps read-only."""
    return {
        name: torch.from_numpy(np.require(block, requirements=["C", "W"]))
        for name, block in blocks.items()
    }


def few_rows(blocks: Blocks) -> Iterator[Blocks]:
    """Yield the rows of some blocks, as many at a time as memory has room for."""
    rows = len(next(iter(blocks.values())))
    size = max(1, MOST_CELLS // sum(block[0].numel() for block in blocks.values()))
    for first in range(0, rows, size):
        yield {name: block[first : first + size] for name, block in blocks.items()}


Head = int | FromPast | PerPlace | OwnHead


def heads_of(codec: Codec, targets: Sequence[str]) -> list[Head]:
    """Return what the head of each target answers with, for ``build``."""

    def head(kind: TargetKind) -> Head:
        if kind.own_head:
            return OwnHead(kind.head, label_block(kind.column) if kind.reads_labels else None)
        if kind.source is None:
            return kind.start(codec.block_of) or kind.size
        return PerPlace(codec.block_of(kind.source), kind.place_size)

    return [head(codec.target_kinds[t]) for t in targets]


def alike(codec: Codec, targets: Sequence[str]) -> list[str]:
    """Return the targets that can be trained for alone in one pass: those with linear heads."""
    heads = zip(targets, heads_of(codec, targets), strict=True)
    return [target for target, head in heads if isinstance(head, int)]


def build(
    codec: Codec,
    heads: Sequence[Head],
    architecture: Architecture,
    embedding: int,
    given: bool = False,
    groups: Sequence[Sequence[int]] = (),
) -> Callable[[], Network | Grouped]:
    """Return a maker of fresh networks for the codec's inputs, with the heads of ``heads_of``.

    With ``given`` the networks also read measured values of all the codec's targets; with
    ``groups``, places of heads, those of a group share a network, and groups share nothing.
    """
    targets = list(codec.target_kinds.values())

    def make() -> Network | Grouped:
        if not groups:
            return network(heads)
        return Grouped([network([heads[t] for t in own], own) for own in groups], groups)

    def network(heads: Sequence[Head], own: Sequence[int] | None = None) -> Network:
        encoders = {
            name: type(kinds[0]).encoder(kinds, embedding) for name, kinds in codec.blocks.items()
        }
        revealed = None
        if given:
            # The trunk is told too, not only the states: on small tables that is the stronger way.
            columns = [edges for kind in targets for edges in kind.reveal_edges]
            encoders[GIVEN] = NumberEncoder(columns, embedding)
            revealed = [kind.revealed for kind in targets]
        sizes = [head for head in heads if isinstance(head, int | FromPast)]
        if len(sizes) == len(heads):
            return Network(encoders, sizes, architecture, revealed, own)
        return DenseNetwork(encoders, heads, architecture, revealed)

    return make


def places_of(groups: Sequence[Sequence[str]], targets: Sequence[str]) -> list[list[int]]:
    """Return the groups as places of their targets; one that nobody names is alone in its group.

    Where all share, there is nothing to be kept apart, and no group at all.

    Example:
        >>> places_of([["c", "a"]], ["a", "b", "c"])
        [[0, 2], [1]]
        >>> places_of([["a", "b"]], ["a", "b"])
        []
    """
    found = [sorted(targets.index(t) for t in group) for group in groups]
    named = {place for group in found for place in group}
    found += [[place] for place in range(len(targets)) if place not in named]
    return [] if not groups or len(found) == 1 else sorted(found)


@dataclass(frozen=True)
class Recipe:
    """What all networks of a run have in common.

    Args:
        codec: Fitted codec.
        blocks: Encoded inputs of all N rows.
        labels: Encoded labels by target.
        folds: Training and held-out rows of each network.
        architecture: Sizes of the network.
        settings: How to train.
        embedding: Widest token of a column.
        seed: Seed of initial weights, order and dropout.
        weights: Weight of each target in the joint loss.
        given: Whether the joint network learns to use targets that are measured.
        groups: Targets that share the joint network, if not all do.
        sources: For each row the number of its source, if there are several.
    """

    codec: Codec
    blocks: Mapping[str, np.ndarray]
    labels: Mapping[str, np.ndarray]
    folds: Sequence[Fold]
    architecture: Architecture
    settings: Settings
    embedding: int = 16
    seed: int = 0
    weights: Mapping[str, float] = field(default_factory=dict)
    given: bool = True
    groups: Sequence[Sequence[str]] = ()
    sources: np.ndarray | None = None


OnEpoch = Callable[[int, Watch], None]


def fit_joint(
    recipe: Recipe,
    checkpoint: Path | None = None,
    on_epoch: OnEpoch | None = None,
    on_step: OnStep | None = None,
) -> FittedNetwork:
    """Train one network for all targets.

    Args:
        recipe: Data, sizes and settings.
        checkpoint: File to write as training goes and to continue from.
        on_epoch: Called after each epoch.
        on_step: Called before each step.
    """
    targets = list(recipe.labels)
    heads = heads_of(recipe.codec, targets)
    trained = _train(
        recipe, targets, heads, recipe.architecture, False, checkpoint, on_epoch, on_step
    )
    return FittedNetwork(
        targets,
        recipe.architecture,
        recipe.embedding,
        len(recipe.folds),
        trained.snapshots,
        trained.best,
        trained.curves,
        trained.held_out,
        trained.given_epoch,
        trained.balance,
        trained.seconds,
        trained.parameters,
        [list(group) for group in recipe.groups],
    )


def fit_alone(
    recipe: Recipe,
    targets: Sequence[str],
    checkpoint: Path | None = None,
    on_epoch: OnEpoch | None = None,
) -> dict[str, FittedNetwork]:
    """Train the same network for each target alone, all targets in one pass.

    A single-task network learns from the rows that have its label, and from nothing else of the
    other targets.

    Args:
        recipe: Data, sizes and settings of the joint network.
        targets: The targets to train for, which are ``alike``, or a single one.
        checkpoint: File to write as training goes and to continue from.
        on_epoch: Called after each epoch.
    """
    kinds, count = [recipe.codec.target_kinds[t] for t in targets], len(recipe.folds)
    architecture = replace(recipe.architecture, fusion="none")
    heads = heads_of(recipe.codec, targets)
    sizes = [head for head in heads if isinstance(head, int)]
    if len(heads) > 1 and len(sizes) < len(heads):
        raise ValueError(f"{listing(targets)}: not all are alike, so they take a pass each")
    trained = _train(
        recipe, targets, [max(sizes)] if sizes else heads, architecture, True, checkpoint, on_epoch
    )
    found = {}
    for place, (target, kind) in enumerate(zip(targets, kinds, strict=True)):
        best = trained.best[place]
        own = slice(place * count, (place + 1) * count)
        weights = {name: w[own].clone() for name, w in trained.snapshots[best].items()}
        for name in ("heads", "offsets") if sizes else ():
            # One width for all targets in training.
            weights[name] = weights[name][..., : kind.size].clone()
        found[target] = FittedNetwork(
            [target],
            architecture,
            recipe.embedding,
            count,
            {best: weights},
            [best],
            [trained.curves[place]],
            [trained.held_out[place]],
            None,
            {},
            trained.seconds / len(targets),
            sum(w.numel() for w in weights.values()) // count,
        )
    return found


def _train(
    recipe: Recipe,
    targets: Sequence[str],
    heads: Sequence[Head],
    architecture: Architecture,
    solo: bool,
    checkpoint: Path | None,
    on_epoch: OnEpoch | None,
    on_step: OnStep | None = None,
) -> Trained:
    given = recipe.given and not solo and len(targets) > 1
    groups = [] if solo else places_of(recipe.groups, targets)
    return train(
        build(recipe.codec, heads, architecture, recipe.embedding, given, groups),
        as_tensors(recipe.blocks),
        [recipe.codec.target_kinds[t] for t in targets],
        [recipe.labels[t] for t in targets],
        recipe.folds,
        recipe.settings,
        recipe.seed,
        weights=[recipe.weights.get(t, 1.0) for t in targets],
        solo=solo,
        given=given,
        checkpoint=checkpoint,
        on_epoch=on_epoch,
        on_step=on_step,
        sources=recipe.sources,
        vary=variation(recipe.codec, recipe.settings.modality_dropout),
    )


def variation(codec: Codec, hidden: float = 0.0) -> Vary | None:
    """Return what varies the inputs of a batch while networks learn; None if no input is varied.

    Args:
        codec: The codec of the training.
        hidden: Chance of whole inputs to be hidden.
    """
    found = {}
    for name, kinds in codec.blocks.items():
        if (augment := kinds[0].augment()) is not None:
            found[name] = kinds[0].column, augment
    absence = Absence(codec, hidden) if hidden and hideable(codec) else None
    if not found and absence is None:
        return None

    def vary(batch: Blocks) -> tuple[Blocks, Varied]:
        out, moved = dict(batch), dict[str | None, Any]()
        for name, (column, augment) in found.items():
            out[name], moved[column] = augment(batch[name])
        return (absence(out) if absence else out), moved

    return vary
