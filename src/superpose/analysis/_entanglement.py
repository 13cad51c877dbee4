"""Entanglement: how many bits one target tells about another, given the inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from superpose.distributions import paired_test
from superpose.errors import DataError, message
from superpose.kinds import TargetKind
from superpose.models import AUTO, HALF, Observed, Predictor, Rows, given_labels, given_names

# Each pair of targets is asked about all rows at once; this bounds rows times pairs.
MOST_ANSWERS = 60_000
FEWEST_ROWS, MOST_ROWS = 100, 1000
MOST_CELLS = 3_000_000  # rows times numbers of a prediction; the null asks ten times as many

MEASURED = ("bits", "low", "high", "null", "p")


def rows_for(targets: int, width: int = 1) -> int:
    """Return how many rows a measurement of all pairs should read.

    Args:
        targets: Number of targets T.
        width: Numbers of the widest canonical prediction.
    """
    most = max(min(MOST_ROWS, MOST_CELLS // width), FEWEST_ROWS)
    return int(np.clip(MOST_ANSWERS // max(targets * (targets - 1), 1), FEWEST_ROWS, most))


def entanglement_of(
    predictor: Predictor, table: pa.Table, permutations: int, seed: int
) -> dict[str, Any]:
    """Measure what the targets that a table has tell about each other; see `entanglement`.

    Raises:
        DataError: Fewer than two targets in the table, or no permutation.
    """
    if permutations < 1:
        raise DataError(message("permutations", f"{permutations} given", "1 or more"))
    present = given_names(predictor.codec, table, AUTO)
    if len(present) < 2:
        given = f"the table has {len(present)} of the targets"
        raise DataError(message("entanglement", given, "two or more", fix="add their columns"))
    predictor.require_given()
    labels = given_labels(predictor.codec, table, present)
    return entanglement(predictor, predictor.rows(table), labels, None, permutations, seed)


def entanglement(
    predictor: Predictor,
    rows: Rows,
    labels: Mapping[str, np.ndarray],
    clusters: np.ndarray | None = None,
    permutations: int = 10,
    seed: int = 0,
) -> dict[str, Any]:
    """Measure for each pair of targets the bits that revealing one saves on the other.

    For targets A and B it is the mean of log2 p(B | inputs, A) - log2 p(B | inputs) over rows with
    both labels. The same mixture of models says both, so it is zero where A is not listened to.
    The null reveals, in place of A, a value that has nothing to do with B but fits the inputs as A
    does: A's place in its own predicted distribution, permuted among rows.

    Args:
        predictor: What ships.
        rows: Rows that no model has seen.
        labels: Their encoded labels, NaN where missing.
        clusters: Group or time block of each row.
        permutations: Draws of the null (at least 1).
        seed: Seed of the permutations.

    Returns:
        ``bits``, ``low``, ``high``, ``null`` and ``p`` as (T, T) lists, row A told, column B about,
        and ``both``, the rows with both labels; ``total``, ``total_low`` and ``total_high`` for all
        others told; ``n`` labelled rows. Of two targets these are the figures of the pair.

    Source:
        Conditional mutual information as a difference of held-out log-losses (Cover and Thomas
        2006, eq. 2.60); the null is a conditional randomisation test (Candès et al. 2018) whose
        draws permute residual ranks.
    """
    kinds, rng = predictor.codec.target_kinds, np.random.default_rng(seed)
    names, n = list(kinds), len(rows)
    hidden = {t: np.full_like(np.asarray(labels[t], float), np.nan) for t in kinds}
    fold = rng.permutation(n) % 2
    deployed = predictor.deployed(rows)
    silent = predictor.conditional(rows, Observed(kinds, hidden), level=HALF)
    before = {t: _bits(kinds[t], labels[t], silent[t], fold) for t in kinds}
    shape = (len(names), len(names))
    found = {key: np.full(shape, np.nan) for key in (*MEASURED, "both")}
    copies = rows.take(np.tile(np.arange(n), permutations))
    for a, told in enumerate(names):
        share = rng.random((n, kinds[told].latent))
        scores = kinds[told].scores(labels[told], deployed[told], share)
        revealed = {**hidden, told: labels[told]}
        known = kinds[told].known(labels[told])
        shuffled = [
            kinds[told].at_scores(deployed[told], _permuted(scores, known, rng))
            for _ in range(permutations)
        ]
        null_labels = {
            **{t: np.concatenate([y] * permutations) for t, y in hidden.items()},
            told: np.concatenate(shuffled),
        }
        others = [t for t in names if t != told]
        after = predictor.conditional(rows, Observed(kinds, revealed), targets=others, level=HALF)
        null = predictor.conditional(
            copies, Observed(kinds, null_labels), targets=others, level=HALF
        )
        for about in others:
            b, kind = names.index(about), kinds[about]
            gain = _bits(kind, labels[about], after[about], fold) - before[about]
            gain[~known] = np.nan
            parts = null[about].reshape(permutations, n, -1)
            by_chance = np.mean([_bits(kind, labels[about], z, fold) for z in parts], axis=0)
            by_chance = np.where(known, by_chance - before[about], np.nan)
            test = paired_test(gain, clusters)
            against = paired_test(gain - by_chance, clusters)
            found["bits"][a, b] = test.mean
            found["low"][a, b], found["high"][a, b] = test.interval()
            found["null"][a, b], found["p"][a, b] = _mean(by_chance), against.p
            found["both"][a, b] = np.isfinite(gain).sum()
    # With two targets all others are the other one, and what it tells has been measured.
    two = len(names) == 2
    totals = _of_pair(found) if two else _totals(predictor, rows, labels, clusters, fold)
    return {
        "targets": names,
        **{key: value.tolist() for key, value in found.items()},
        **totals,
        "rows": n,
    }


def pairs(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Turn what ``entanglement`` found into one record for each pair, the strongest first."""
    names, out = found["targets"], []
    for a, told in enumerate(names):
        for b, about in enumerate(names):
            if a != b:
                pair = {"told": told, "about": about} | {k: found[k][a][b] for k in MEASURED}
                out.append(pair | {"n": int(found["both"][a][b])})
    out.sort(key=lambda pair: -_or_least(pair["bits"]))
    for b, about in enumerate(names):
        everyone = {"told": "all others", "about": about, "bits": found["total"][b]}
        if len(names) == 2:
            out.append({**next(x for x in out if x["about"] == about), **everyone})
            continue
        everyone |= {"low": found["total_low"][b], "high": found["total_high"][b]}
        out.append({**everyone, "null": None, "p": None, "n": found["n"][b]})
    return out


def _or_least(bits: float | None) -> float:
    return -np.inf if bits is None or np.isnan(bits) else bits


def _of_pair(found: Mapping[str, np.ndarray]) -> dict[str, list[float]]:
    """What all others tell about each of two targets: what the other one does."""
    keys = {"total": "bits", "total_low": "low", "total_high": "high", "n": "both"}
    out = {total: [found[key][1, 0], found[key][0, 1]] for total, key in keys.items()}
    return {**out, "n": [int(n) for n in out["n"]]}


def _totals(
    predictor: Predictor,
    rows: Rows,
    labels: Mapping[str, np.ndarray],
    clusters: np.ndarray | None,
    fold: np.ndarray,
) -> dict[str, list[float]]:
    """What all others together tell about each target, by what ships at both ends."""
    kinds = predictor.codec.target_kinds
    out: dict[str, list[float]] = {"total": [], "total_low": [], "total_high": [], "n": []}
    deployed = predictor.deployed(rows)
    for about, kind in kinds.items():
        hidden = np.full_like(np.asarray(labels[about], float), np.nan)
        others = Observed(kinds, {**labels, about: hidden})
        told = predictor.conditional(rows, others, targets=[about])[about]
        gain = _bits(kind, labels[about], told, fold)
        gain = gain - _bits(kind, labels[about], deployed[about], fold)
        test = paired_test(gain, clusters)
        low, high = test.interval()
        out["total"].append(test.mean)
        out["total_low"].append(low)
        out["total_high"].append(high)
        out["n"].append(int((~np.isnan(gain)).sum()))
    return out


def _bits(kind: TargetKind, y: np.ndarray, told: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Log-likelihood of each row in bits, (N,); scales are set on the other half of the rows."""
    out = np.full(len(y), np.nan)
    for side in (0, 1):
        here = fold == side
        # Fitted scales differ between models by more than what a pair has to tell.
        factor = kind.calibration(y[~here], told[~here])
        out[here] = kind.log_likelihood(y[here], kind.rescaled(told[here], factor))
    return out / np.log(2)


def _permuted(scores: np.ndarray, known: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    out = scores.copy()
    places = np.flatnonzero(known)
    out[places] = scores[rng.permutation(places)]
    return out


def _mean(x: np.ndarray) -> float:
    return float(np.nanmean(x)) if (~np.isnan(x)).any() else float("nan")
