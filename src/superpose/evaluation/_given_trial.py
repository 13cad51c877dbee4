"""How "given" is chosen and tested: by rows that no model has seen, as all that ships."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from superpose.kinds import TargetKind
from superpose.models import (
    ALL,
    COPULA,
    EVERY,
    HALF,
    JOINT,
    NONE,
    SOME,
    Copula,
    FittedTrees,
    Given,
    Revealed,
    Weights,
    mix,
)
from superpose.models.network import NetworkModel
from superpose.trees import Engine

from ._calibration import interval_width
from ._decide import Case, Ruling, choose, rule
from ._given_trees import fit_given_trees, hidden_once
from ._prepare import Prepared
from ._stages import Stages

Arrays = dict[str, np.ndarray]


def fit_given(
    p: Prepared,
    joint: NetworkModel,
    engine: Engine | None,
    judged: Mapping[str, Arrays],
    rulings: Mapping[str, Ruling],
    stages: Stages,
    progress: Callable[[str, float], None],
) -> tuple[Given, dict[str, dict[str, Ruling]], dict[str, dict[str, Arrays]]]:
    """Fit what answers when targets are measured, and let the proof decide at two levels.

    Args:
        p: Data and folds.
        joint: The joint network.
        engine: Fits the trees; None leaves them and the copula out.
        judged: What the models said, with nothing given, to rows that they have not seen.
        rulings: What ships with nothing given.
        stages: Keeps the trees.
        progress: Called with the name of the stage and the share done.

    Returns:
        What ships, and for each level the rulings and all judged predictions by target.
    """
    kinds = p.codec.target_kinds
    known = np.stack([k.known(p.labels[t]) for t, k in kinds.items()], axis=1)
    half = np.random.default_rng([p.config.seed, 6]).random(known.shape) < 0.5
    told: dict[str, dict[str, Arrays]] = {
        level: {t: {m: z for m, z in judged[t].items() if m != JOINT} for t in kinds}
        for level in (HALF, ALL)
    }
    for level, answers in _ask_network(p, joint, half).items():
        for t, z in answers.items():
            told[level][t][JOINT] = z
    given = Given({})
    if engine:
        stage = "given: boosted trees"
        progress(stage, 0.0)
        for place, t in enumerate(kinds):
            # Trees of each step ahead, fitted twice more on copied rows, would take most of a run.
            if kinds[t].tree in ("none", "steps"):
                continue
            given.trees[t] = {}
            for step, name in enumerate((SOME, EVERY)):
                progress(stage, (place + step / 2) / len(kinds))
                fit = partial(_fit, p, engine, t, half, name == SOME)
                trees = stages.run(f"given-{name.split()[1]}-{place}", fit, FittedTrees)
                given.trees[t][name] = trees
                for level, z in _ask_trees(p, trees, place, half, name).items():
                    told[level][t][name] = z
            progress(stage, (place + 1) / len(kinds))
        joined = joined_by_copula(kinds)
        given.base = {t: rulings[t].reference for t in joined}
        base = {t: mix(judged[t], given.base[t]) for t in joined}
        rows = _rows(p)
        given.copula = Copula.fit(joined, _pick(base, rows), _pick(p.labels, rows))
        for level, answers in _ask_copulas(p, judged, half).items():
            for t, z in answers.items():
                told[level][t][COPULA] = z
    given.weights[NONE] = {t: rulings[t].shipped for t in kinds}
    _stretch(p, given, NONE, judged)
    found: dict[str, dict[str, Ruling]] = {}
    for level, by_target in told.items():
        cases = [Case(kinds[t], p.labels[t], by_target[t]) for t in kinds]
        clusters = p.split.clusters
        ruled = rule(cases, p.halves, p.config.proof.alpha, p.crossed, clusters)
        found[level] = dict(zip(kinds, ruled, strict=True))
        given.weights[level] = {t: r.shipped for t, r in found[level].items()}
        _stretch(p, given, level, by_target)
    return given, found, told


def joined_by_copula(kinds: Mapping[str, TargetKind]) -> dict[str, TargetKind]:
    """The targets of which a copula holds: places and items have no order to correlate."""
    return {t: kind for t, kind in kinds.items() if kind.plain_head}


def _stretch(p: Prepared, given: Given, level: str, told: Mapping[str, Arrays]) -> None:
    """Learn how wide a number's distribution and its interval have to be at a level."""
    factors, spread = given.factors.setdefault(level, {}), given.spread.setdefault(level, {})
    for t, kind in p.codec.target_kinds.items():
        rows = _rows(p)[kind.known(p.labels[t][_rows(p)])]
        z, y = mix(_pick(told[t], rows), given.weights[level][t]), p.labels[t][rows]
        factors[t] = kind.calibration(y, z)
        if (width := interval_width(kind, y, z)) is not None:
            spread[t] = width


def _rows(p: Prepared) -> np.ndarray:
    """The rows that take part in the proof."""
    return np.flatnonzero(p.halves >= 0)


def _pick(arrays: Mapping[str, np.ndarray], rows: np.ndarray) -> Arrays:
    return {name: values[rows] for name, values in arrays.items()}


def _hide(p: Prepared, shown: np.ndarray) -> Arrays:
    """The labels of all rows, NaN where they are not shown (N, T)."""
    out = {}
    for place, (t, y) in enumerate(p.labels.items()):
        here = shown[:, place] if y.ndim == 1 else shown[:, place, None]
        out[t] = np.where(here, y, np.nan)
    return out


def _subsets(p: Prepared, half: np.ndarray) -> list[tuple[str, np.ndarray, list[str]]]:
    """What is shown in each pass over the rows, and which targets the pass answers for.

    One half of the labels and then the other, so that each label is once hidden; and each target
    hidden alone.
    """
    targets = list(p.codec.target_kinds)
    passes = [(HALF, half, targets), (HALF, ~half, targets)]
    for place, t in enumerate(targets):
        shown = np.ones_like(half)
        shown[:, place] = False
        passes.append((ALL, shown, [t]))
    return passes


def _gather(
    p: Prepared, half: np.ndarray, answer: Callable[[Arrays], Mapping[str, np.ndarray]]
) -> dict[str, Arrays]:
    """Ask a model in all passes; each row's answer comes from a pass in which it was hidden."""
    found: dict[str, Arrays] = {HALF: {}, ALL: {}}
    targets = list(p.codec.target_kinds)
    for level, shown, asked in _subsets(p, half):
        said = answer(_hide(p, shown))
        for t in [t for t in asked if t in said]:  # a copula has no word on some
            hidden = ~shown[:, targets.index(t), None]
            before = found[level].get(t, np.full_like(said[t], np.nan))
            found[level][t] = np.where(hidden, said[t], before)
    return found


def _ask_network(p: Prepared, joint: NetworkModel, half: np.ndarray) -> dict[str, Arrays]:
    if p.crossed:
        return _gather(
            p,
            half,
            lambda labels: joint.predict_given(p.codec, p.blocks, labels, p.folds),
        )
    rows = _rows(p)
    blocks = _pick(p.blocks, rows)

    def answer(labels: Arrays) -> Arrays:
        told = joint.predict_given(p.codec, blocks, _pick(labels, rows))
        return {t: spread_out(z, rows, len(p.halves)) for t, z in told.items()}

    return _gather(p, half, answer)


def _ask_copulas(p: Prepared, judged: Mapping[str, Arrays], half: np.ndarray) -> dict[str, Arrays]:
    """What a copula says that was learned from the other half of the rows."""
    kinds, n = joined_by_copula(p.codec.target_kinds), len(p.halves)
    sides = []
    for side in (0, 1):
        learn, tell = np.flatnonzero(p.halves == side), np.flatnonzero(p.halves == 1 - side)
        if not len(learn) or not len(tell):
            tell = learn = _rows(p)  # one group of rows: it judges itself, and nothing ships
        base = {}
        for t in kinds:
            reference, _ = choose(Case(kinds[t], p.labels[t], dict(judged[t])), learn)
            weights: Weights = reference or {next(m for m in judged[t] if m != JOINT): 1.0}
            base[t] = mix(judged[t], weights)
        copula = Copula.fit(kinds, _pick(base, learn), _pick(p.labels, learn))
        sides.append((copula, _pick(base, tell), tell))

    def answer(labels: Arrays) -> Arrays:
        out = {t: np.full((n, kind.width), np.nan) for t, kind in kinds.items()}
        for copula, base, tell in sides:
            for t, z in copula.predict(kinds, base, _pick(labels, tell)).items():
                out[t][tell] = z
        return out

    return _gather(p, half, answer)


def _fit(
    p: Prepared, engine: Engine, target: str, half: np.ndarray, some: bool, _: object
) -> FittedTrees:
    return fit_given_trees(
        engine,
        p.features,
        p.codec.target_kinds,
        p.labels,
        target,
        p.folds[: p.drawn],
        half,
        p.config.seed,
        some,
    )


def _ask_trees(
    p: Prepared, trees: FittedTrees, place: int, half: np.ndarray, name: str
) -> dict[str, np.ndarray]:
    levels = (HALF, ALL) if name == SOME else (ALL,)
    if p.crossed:
        return dict(zip(levels, trees.held_out, strict=True))
    kinds, rows = p.codec.target_kinds, _rows(p)
    revealed = Revealed.of(kinds, _pick(p.labels, rows))
    out = {}
    for level in levels:
        shown = hidden_once(half[rows], place) if level == HALF else None
        matrix = revealed.beside(p.features.matrix[rows], place, shown)
        out[level] = spread_out(trees.predict(matrix), rows, len(p.halves))
    return out


def spread_out(told: np.ndarray, rows: np.ndarray, n: int) -> np.ndarray:
    """Put predictions of some rows into an array of all rows, NaN elsewhere."""
    out = np.full((n, told.shape[1]), np.nan, told.dtype)
    out[rows] = told
    return out
