"""A trial: prepare the table, train the models, let the proof decide, assemble what ships."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyarrow as pa

from superpose.data import (
    Codec,
    Config,
    Features,
    Schema,
    Split,
    find_leaks,
    fold_indices,
    infer_schema,
    make_split,
)
from superpose.nn import Architecture
from superpose.training import (
    FittedNetwork,
    Fold,
    Recipe,
    Settings,
    Tracking,
    Watch,
    fit_alone,
    fit_joint,
)
from superpose.trees import Engine, require_engine

from ._blend import mix
from ._predictor import COVERAGE, Predictor
from ._proof import ALONE, JOINT, Case, Ruling, rule
from ._references import FittedTrees, fit_references
from ._stages import Stages

# Below so many labels one validation split decides nothing; out-of-fold predictions are used. A
# label of a class counts as long as there are enough of the rarer ones to tell classes apart.
SMALL = 4000
ROWS_PER_RARE_LABEL = 20
# Below so many rows every row tells: ten folds leave each model nine tenths of them.
FEW = 800
# Above so many rows folds would cost more than they steady.
LARGE = 8_000

Progress = Callable[[str, float], None]


def quiet(stage: str, share: float) -> None:
    """Report no progress."""


@dataclass
class Prepared:
    """A table ready for training.

    Args:
        regime: "folds" (out-of-fold predictions) or "holdout" (one validation split).
        folds: Training and held-out rows of each network.
        halves: For each row 0 (chooses), 1 (decides) or -1 (takes no part in the proof).
        drawn: Folds of the first repeat; trees, whose folds cost more, are fitted on these only.
    """

    table: pa.Table
    config: Config
    schema: Schema
    split: Split
    codec: Codec
    blocks: dict[str, np.ndarray]
    features: Features
    labels: dict[str, np.ndarray]
    regime: str
    folds: list[Fold]
    halves: np.ndarray
    drawn: int
    warnings: list[str] = field(default_factory=list)

    @property
    def targets(self) -> list[str]:
        """Names of the targets."""
        return list(self.codec.target_kinds)


@dataclass
class Trial:
    """Everything a run has found out.

    Args:
        prepared: The table and how it was divided.
        predictor: All models, and what ships.
        rulings: One for each target.
        judged: For each target and model the canonical predictions (N, K) that the proof has read.
        cost: Seconds and weights of each stage.
    """

    prepared: Prepared
    predictor: Predictor
    rulings: dict[str, Ruling]
    judged: dict[str, dict[str, np.ndarray]]
    cost: list[dict[str, float | int | str | None]]


def prepare(table: pa.Table, config: Config) -> Prepared:
    """Find the kinds, divide the rows, fit the codec; nothing is trained.

    Raises:
        DataError: Every fault of the table, gathered.
    """
    for engine in engines_of(config, small=False):
        require_engine(engine)
    schema = infer_schema(table, config)
    split = make_split(table, config, schema)
    seen = np.sort(np.concatenate([split.train, split.validation]))
    codec = Codec.fit(table, schema, split.train)
    labels = codec.labels(table)
    small = config.proof.folds != "auto" or _is_small(codec, labels, seen)
    if small:
        codec = Codec.fit(table, schema, seen)
        labels = codec.labels(table)
    halves = np.full(table.num_rows, -1)
    judges = seen if small else split.validation
    if _count_units(judges, split.clusters) < 2:
        halves[judges] = 0
        schema.warnings.append(
            "split: the validation rows are of one group only, so they choose and nothing decides; "
            "no challenger can ship"
        )
    else:
        halves[judges] = fold_indices(judges, labels, 2, config.seed + 1, split.clusters)
    if small:
        folds, drawn = _folds(seen, labels, config, split.clusters)
    else:
        folds, drawn = [Fold(split.train, judges[halves[judges] == 0])], 1
    warnings = [
        *schema.warnings,
        *split.warnings,
        *codec.warnings,
        *find_leaks(table, schema, split),
    ]
    return Prepared(
        table,
        config,
        schema,
        split,
        codec,
        codec.inputs(table),
        codec.features(table),
        labels,
        "folds" if small else "holdout",
        folds,
        halves,
        drawn,
        list(dict.fromkeys(warnings)),
    )


def _is_small(codec: Codec, labels: Mapping[str, np.ndarray], rows: np.ndarray) -> bool:
    """Tell whether the typical target has too few labels for one validation split."""
    if len(rows) > LARGE:
        return False
    counts = []
    for target, kind in codec.target_kinds.items():
        y = labels[target][rows]
        count = int(kind.known(y).sum())
        if kind.name == "binary":
            rare = min(int((y == 0).sum()), int((y == 1).sum()))
            count = min(count, ROWS_PER_RARE_LABEL * rare)
        counts.append(count)
    return len(rows) <= SMALL or float(np.median(counts)) <= SMALL


def _count_units(rows: np.ndarray, clusters: np.ndarray | None) -> int:
    return len(rows) if clusters is None else len(np.unique(clusters[rows]))


def _folds(
    rows: np.ndarray, labels: Mapping[str, np.ndarray], config: Config, clusters: np.ndarray | None
) -> tuple[list[Fold], int]:
    things = _count_units(rows, clusters)
    auto = 10 if len(rows) < FEW else 5
    k = min(auto if config.proof.folds == "auto" else config.proof.folds, things)
    found = []
    for repeat in range(config.proof.repeats):
        fold = fold_indices(rows, labels, k, config.seed + 100 + repeat, clusters)
        found += [Fold(rows[fold != f], rows[fold == f]) for f in range(k)]
    return found, k


def run_trial(prepared: Prepared, work: Path | None = None, progress: Progress = quiet) -> Trial:
    """Train the joint network and the references, and decide what ships.

    Args:
        prepared: What ``prepare`` gave.
        work: Folder for checkpoints; a killed run continues from it. None keeps nothing.
        progress: Called with a stage's name and the share of it that is done.
    """
    p, config = prepared, prepared.config
    stages, predictor = Stages(work), Predictor(p.codec, {})
    asked = config.proof.references
    judged: dict[str, dict[str, np.ndarray]] = {t: {} for t in p.targets}
    cost: list[dict[str, float | int | str | None]] = []
    kinds = p.codec.target_kinds

    if asked in ("all", "trees"):
        progress("boosted trees", 0.0)
        engines = engines_of(config, p.regime == "folds")
        jobs = [(e, t) for e in engines for t in p.targets]
        for n, (engine, target) in enumerate(jobs):
            trees = stages.run(
                f"trees-{engine}-{p.targets.index(target)}",
                partial(_fit_trees, p, engine, target),
                FittedTrees,
            )
            predictor.trees.setdefault(target, {})[engine] = trees
            told = trees.held_out if p.regime == "folds" else _ahead(p, trees, target)
            judged[target][engine] = told
            progress("boosted trees", (n + 1) / len(jobs))
        for engine in engines:
            took = sum(by[engine].seconds for by in predictor.trees.values())
            cost.append({"stage": f"{engine} trees", "seconds": took, "parameters": None})

    recipe = Recipe(
        p.codec,
        p.blocks,
        p.labels,
        p.folds,
        architecture_of(config, p.regime, len(p.split.train) + len(p.split.validation)),
        settings_of(config),
        config.model.embedding,
        config.seed,
        {spec.name: spec.weight for spec in p.schema.targets},
    )

    def on_epoch(stage: str, done: float, share: float) -> Callable[[int, Watch], None]:
        def report(epoch: int, watch: Watch) -> None:
            settings = recipe.settings
            waited = (epoch - watch.last_gain) / settings.patience
            progress(stage, done + share * min(1.0, max((epoch + 1) / settings.epochs, waited)))

        return report

    stage = "joint network"
    progress(stage, 0.0)
    hooks = [on_epoch(stage, 0.0, 1.0)]
    tracking = None
    if recipe.settings.tracker:
        # Beside the folder of checkpoints, which goes when the run has ended.
        logs = work.parent / "tracking" if work else None
        tracking = Tracking(recipe.settings, logs, {"targets": ", ".join(p.targets)})
        hooks.append(tracking)

    def each_epoch(epoch: int, watch: Watch) -> None:
        for hook in hooks:
            hook(epoch, watch)

    joint = predictor.joint = stages.run(
        "joint", lambda path: fit_joint(recipe, path, each_epoch), FittedNetwork
    )
    if tracking:
        tracking.end()
    progress(stage, 1.0)
    cost.append({"stage": stage, "seconds": joint.seconds, "parameters": joint.parameters})
    for target, told in _told(p, joint).items():
        judged[target][JOINT] = told
    if asked in ("all", "network"):
        stage = "single-task networks"
        progress(stage, 0.0)
        # Folds of small tables go through in one pass. Large tables keep both cores busy with one
        # network, and there a pass ends as soon as its own target has stopped to gain.
        passes = [p.targets] if p.regime == "folds" else [[t] for t in p.targets]
        for n, targets in enumerate(passes):
            done, share = n / len(passes), 1 / len(passes)
            predictor.alone |= stages.run_all(
                f"alone-{n}",
                targets,
                partial(fit_alone, recipe, targets, on_epoch=on_epoch(stage, done, share)),
                FittedNetwork,
            )
        progress(stage, 1.0)
        for target, alone in predictor.alone.items():
            judged[target][ALONE] = _told(p, alone)[target]
        took = sum(m.seconds for m in predictor.alone.values())
        size = sum(m.parameters for m in predictor.alone.values())
        cost.append({"stage": stage, "seconds": took, "parameters": size})

    rulings = rule(
        [Case(kinds[t], p.labels[t], judged[t]) for t in p.targets],
        p.halves,
        config.proof.delta,
        crossed=p.regime == "folds",
        clusters=p.split.clusters,
    )
    found = dict(zip(p.targets, rulings, strict=True))
    predictor.shipped = {t: r.shipped for t, r in found.items()}
    seen = np.flatnonzero(p.halves >= 0) if p.regime == "folds" else p.split.train
    for target in p.targets:
        predictor.floors[target] = kinds[target].constant(p.labels[target][seen])
        _calibrate(predictor, target, p, judged[target])
    return Trial(p, predictor, found, judged, cost)


def _fit_trees(p: Prepared, engine: Engine, target: str, path: Path | None) -> FittedTrees:
    kind, labels = p.codec.target_kinds[target], p.labels[target]
    return fit_references(engine, p.features, kind, labels, p.folds[: p.drawn], p.config.seed)


def _told(p: Prepared, network: FittedNetwork) -> dict[str, np.ndarray]:
    """Predictions for the rows of the proof, by a network that has not seen them."""
    if p.regime == "folds":
        return dict(zip(network.targets, network.held_out, strict=True))
    rows = np.flatnonzero(p.halves >= 0)
    told = network.predict(p.codec, {name: block[rows] for name, block in p.blocks.items()})
    return {t: _spread_out(z, rows, len(p.halves)) for t, z in told.items()}


def _ahead(p: Prepared, trees: FittedTrees, target: str) -> np.ndarray:
    rows = np.flatnonzero(p.halves >= 0)
    return _spread_out(trees.predict(p.features.matrix[rows]), rows, len(p.halves))


def _spread_out(told: np.ndarray, rows: np.ndarray, n: int) -> np.ndarray:
    out = np.full((n, told.shape[1]), np.nan)
    out[rows] = told
    return out


def _calibrate(
    predictor: Predictor, target: str, p: Prepared, judged: Mapping[str, np.ndarray]
) -> None:
    """Set the interval width of a number and the decision threshold of a rare class."""
    kind, y = p.codec.target_kinds[target], p.labels[target]
    rows = np.flatnonzero((p.halves >= 0) & kind.known(y))
    weights = predictor.shipped[target]
    told, y = mix({m: judged[m][rows] for m in weights}, weights), y[rows]
    if kind.name == "number" and len(rows):
        ratio = np.abs(y - told[:, 0]) / np.maximum(told[:, 1], 1e-6)
        # The finite-sample level of split conformal prediction.
        level = min(1.0, np.ceil((len(rows) + 1) * COVERAGE) / len(rows))
        predictor.spread[target] = float(np.quantile(ratio, level))
    if kind.name == "binary" and len(rows) and 0 < y.mean() < 0.2:
        predictor.thresholds[target] = _best_threshold(y, told[:, 1])


def _best_threshold(y: np.ndarray, probability: np.ndarray) -> float:
    """Return the threshold with the best F1 where a class is too rare for one half."""
    order = np.argsort(-probability, kind="stable")
    hits = np.cumsum(y[order])
    f1 = 2 * hits / (np.arange(1, len(y) + 1) + y.sum())
    # No threshold parts rows of the same probability.
    f1[:-1][np.diff(probability[order]) == 0] = 0.0
    best = int(np.argmax(f1))
    return float(min(probability[order[best]], 0.5))


def engines_of(config: Config, small: bool) -> list[Engine]:
    """Return the tree engines from the settings; small tables try coarse trees beside fine ones."""
    asked = config.proof.trees
    if asked == "auto":
        asked = ["hist", "catboost"] if find_spec("catboost") else ["hist"]
    coarse: list[Engine] = ["hist-coarse"] if small and "hist" in asked else []
    return [*asked, *coarse]


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
    )


def settings_of(config: Config) -> Settings:
    """Return the loop's settings from the settings of the run."""
    values = config.training.model_dump()
    values["batch_size"] = None if values["batch_size"] == "auto" else values["batch_size"]
    values["tracker"] = None if values["tracker"] == "none" else values["tracker"]
    return Settings(**values)
