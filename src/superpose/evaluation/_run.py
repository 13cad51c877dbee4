"""A trial: train the models, let the proof decide, assemble what ships."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from superpose.config import Config
from superpose.models import ALONE, JOINT, FittedTrees, Predictor, mix
from superpose.models.network import NetworkModel, alike
from superpose.nn import Architecture
from superpose.training import (
    Callback,
    EpochProgress,
    Tracker,
    TrainingSpec,
    fit_multi_task,
    fit_single_task,
)
from superpose.trees import Engine

from ._calibration import interval_width, rare_threshold
from ._decide import Case, Ruling, rule
from ._given_trial import fit_given, spread_out
from ._prepare import Prepared, engines_of
from ._references import fit_references
from ._stages import Stages

Progress = Callable[[str, float], None]
Judged = dict[str, dict[str, np.ndarray]]
Cost = dict[str, float | int | str | None]


def quiet(stage: str, share: float) -> None:
    """Report no progress."""


@dataclass
class Trial:
    """Everything a run has found out.

    Args:
        prepared: The table and how it was divided.
        predictor: All models, and what ships.
        rulings: One for each target.
        judged: For each target and model the canonical predictions (N, K) that the proof has read.
        cost: Seconds and weights of each stage.
        given_rulings: For each level of given targets one ruling for each target.
        given_judged: For each level what ``judged`` holds for nothing given.
    """

    prepared: Prepared
    predictor: Predictor
    rulings: dict[str, Ruling]
    judged: Judged
    cost: list[Cost]
    given_rulings: dict[str, dict[str, Ruling]] = field(default_factory=dict)
    given_judged: dict[str, Judged] = field(default_factory=dict)


def run_trial(prepared: Prepared, work: Path | None = None, progress: Progress = quiet) -> Trial:
    """Train the joint network and the references, and decide what ships.

    Args:
        prepared: What ``prepare`` gave.
        work: Folder for checkpoints; a killed run continues from it. None keeps nothing.
        progress: Called with a stage's name and the share of it that is done.
    """
    return _Run(prepared, work, progress).trial()


class _Run:
    """The stages of a trial, in the order in which they are called."""

    def __init__(self, prepared: Prepared, work: Path | None, progress: Progress) -> None:
        self.p, self.work, self.progress = prepared, work, progress
        self.stages, self.predictor = Stages(work), Predictor(prepared.codec, {})
        self.judged: Judged = {t: {} for t in prepared.targets}
        self.cost: list[Cost] = []
        self.recipe = recipe_of(prepared)

    def trial(self) -> Trial:
        """Run all stages."""
        asked = self.p.config.proof.references
        if asked in ("all", "trees"):
            self.fit_trees()
        self.fit_joint()
        if asked in ("all", "network"):
            self.fit_alone()
        trial = self.decide()
        if self.p.config.model.given and len(self.p.targets) > 1:
            self.fit_given(trial)
        return trial

    def fit_trees(self) -> None:
        """Boosted trees of every engine for every target."""
        p, stage = self.p, "boosted trees"
        self.progress(stage, 0.0)
        engines = engines_of(p.config, p.crossed)
        # A forecast has trees of its own for each step ahead: the first engine alone grows them.
        served = {
            t: engines[:1] if kind.tree == "steps" else engines
            for t, kind in p.codec.target_kinds.items()
            if kind.tree != "none"
        }
        jobs = [(e, t) for e in engines for t in served if e in served[t]]
        for n, (engine, target) in enumerate(jobs):
            trees = self.stages.run(
                f"trees-{engine}-{p.targets.index(target)}",
                partial(_fit_trees, p, engine, target),
                FittedTrees,
            )
            self.predictor.trees.setdefault(target, {})[engine] = trees
            told = trees.held_out if p.crossed else _ahead(p, trees)
            self.judged[target][engine] = told
            self.progress(stage, (n + 1) / len(jobs))
        for engine in engines:
            took = sum(by[engine].seconds for by in self.predictor.trees.values() if engine in by)
            self.cost.append({"stage": f"{engine} trees", "seconds": took, "parameters": None})

    def fit_joint(self) -> None:
        """The network of all targets."""
        stage, recipe = "joint network", self.recipe
        self.progress(stage, 0.0)
        callbacks: list[Callback] = [self._epochs(stage, 0.0, 1.0)]
        tracker = None
        if recipe.settings.tracker != "none":
            # Beside the folder of checkpoints, which goes when the run has ended.
            logs = self.work.parent / "tracking" if self.work else None
            tracker = Tracker(recipe.settings, logs, {"targets": ", ".join(self.p.targets)})
            callbacks.append(tracker)

        def fit(checkpoint: Path | None) -> NetworkModel:
            return fit_multi_task(recipe, checkpoint=checkpoint, callbacks=callbacks)

        joint = self.predictor.joint = self.stages.run("joint", fit, NetworkModel)
        if tracker:
            tracker.end()
        self.progress(stage, 1.0)
        self.cost.append({"stage": stage, "seconds": joint.seconds, "parameters": joint.parameters})
        for target, told in _told(self.p, joint).items():
            self.judged[target][JOINT] = told

    def fit_alone(self) -> None:
        """The same network for each target alone."""
        p, stage = self.p, "single-task networks"
        self.progress(stage, 0.0)
        # Folds of small tables go through in one pass. Large tables keep both cores busy with one
        # network, and there a pass ends as soon as its own target has stopped to gain. A target
        # with a head of its own form, or that starts from a series, has a pass of its own.
        others = alike(p.codec, p.targets)
        together = [others] if p.crossed else [[t] for t in others]
        own = [[t] for t in p.targets if t not in others]
        passes = [targets for targets in [*together, *own] if targets]
        for n, targets in enumerate(passes):
            progress = self._epochs(stage, n / len(passes), 1 / len(passes))
            self.predictor.alone |= self.stages.run_all(
                f"alone-{n}", targets, partial(self._fit_pass, targets, progress), NetworkModel
            )
        self.progress(stage, 1.0)
        for target, alone in self.predictor.alone.items():
            self.judged[target][ALONE] = _told(p, alone)[target]
        took = sum(m.seconds for m in self.predictor.alone.values())
        size = sum(m.parameters for m in self.predictor.alone.values())
        self.cost.append({"stage": stage, "seconds": took, "parameters": size})

    def decide(self) -> Trial:
        """The proof, with nothing given."""
        p, predictor, kinds = self.p, self.predictor, self.p.codec.target_kinds
        rulings = rule(
            [Case(kinds[t], p.labels[t], self.judged[t]) for t in p.targets],
            p.halves,
            p.config.proof.alpha,
            p.crossed,
            p.split.clusters,
        )
        found = dict(zip(p.targets, rulings, strict=True))
        predictor.shipped = {t: r.shipped for t, r in found.items()}
        seen = np.flatnonzero(p.halves >= 0) if p.crossed else p.split.train
        for target, kind in kinds.items():
            predictor.floors[target] = kind.constant(p.labels[target][seen])
            rows = np.flatnonzero((p.halves >= 0) & kind.known(p.labels[target]))
            weights = predictor.shipped[target]
            told = mix({m: self.judged[target][m][rows] for m in weights}, weights)
            y = p.labels[target][rows]
            if (width := interval_width(kind, y, told)) is not None:
                predictor.spread[target] = width
            if (threshold := rare_threshold(kind, y, told)) is not None:
                predictor.thresholds[target] = threshold
        return Trial(p, predictor, found, self.judged, self.cost)

    def fit_given(self, trial: Trial) -> None:
        """What answers when some targets are measured."""
        engine = None
        served = any(
            kind.tree not in ("none", "steps") for kind in self.p.codec.target_kinds.values()
        )
        if served and self.p.config.proof.references in ("all", "trees"):
            # One engine: it is fitted twice more for each target. CatBoost takes half the time.
            engines = engines_of(self.p.config, small=False)
            engine = "catboost" if "catboost" in engines else engines[0]
        assert self.predictor.joint is not None
        given, trial.given_rulings, trial.given_judged = fit_given(
            self.p,
            self.predictor.joint,
            engine,
            self.judged,
            trial.rulings,
            self.stages,
            self.progress,
        )
        self.predictor.given = given
        if engine:
            took = sum(m.seconds for by in given.trees.values() for m in by.values())
            stage = f"{engine} trees told other targets"
            self.cost.append({"stage": stage, "seconds": took, "parameters": None})

    def _fit_pass(
        self, targets: list[str], progress: Callback, checkpoint: Path | None
    ) -> dict[str, NetworkModel]:
        return fit_single_task(self.recipe, targets, checkpoint=checkpoint, callbacks=[progress])

    def _epochs(self, stage: str, done: float, share: float) -> EpochProgress:
        """Turn epochs into progress; early stopping may end a stage at any time."""
        return EpochProgress(lambda passed: self.progress(stage, done + share * passed))


def _fit_trees(p: Prepared, engine: Engine, target: str, path: Path | None) -> FittedTrees:
    kind, labels = p.codec.target_kinds[target], p.labels[target]
    return fit_references(engine, p.features, kind, labels, p.folds[: p.drawn], p.config.seed)


def _told(p: Prepared, network: NetworkModel) -> dict[str, np.ndarray]:
    """Predictions for the rows of the proof, by a network that has not seen them."""
    if p.crossed:
        return dict(zip(network.targets, network.held_out, strict=True))
    rows = np.flatnonzero(p.halves >= 0)
    told = network.predict(p.codec, {name: block[rows] for name, block in p.blocks.items()})
    return {t: spread_out(z, rows, len(p.halves)) for t, z in told.items()}


def _ahead(p: Prepared, trees: FittedTrees) -> np.ndarray:
    rows = np.flatnonzero(p.halves >= 0)
    return spread_out(trees.predict(p.features.matrix[rows]), rows, len(p.halves))


def recipe_of(prepared: Prepared) -> TrainingSpec:
    """Return what all networks of a run have in common, from its settings and its table."""
    config = prepared.config
    rows = len(prepared.split.train) + len(prepared.split.validation)
    return TrainingSpec(
        codec=prepared.codec,
        inputs=prepared.blocks,
        labels=prepared.labels,
        folds=prepared.folds,
        architecture=architecture_of(config, prepared.regime, rows),
        settings=config.training,
        balance=config.balance,
        embedding=config.model.embedding,
        seed=config.seed,
        weights={spec.name: spec.weight for spec in prepared.schema.targets},
        given=config.model.given,
        groups=config.groups,
        dataset_ids=prepared.sources,
    )


def architecture_of(config: Config, regime: str, rows: int) -> Architecture:
    """Return the network's sizes from the settings; smaller tables have smaller networks.

    Args:
        config: Its ``model`` is read; "auto" is filled in here.
        regime: "folds" has fewer members, because folds are an ensemble already.
        rows: Training and validation rows.
    """
    m = config.model
    width = 64 if rows < 300 else 128 if regime == "folds" else 192
    members = 4 if regime == "folds" else 8
    return Architecture(
        "none" if m.blocks == 0 else m.fusion,
        width if m.width == "auto" else m.width,
        members if m.members == "auto" else m.members,
        m.depth,
        m.state,
        m.rank,
        max(m.blocks, 1),
        m.dropout,
        m.donor_gradient,
    )
