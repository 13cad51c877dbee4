"""Entanglement: how many bits one target tells about another, given the inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from superpose.distributions import latent_of, paired_test
from superpose.errors import DataError, message
from superpose.kinds import TargetKind
from superpose.models import AUTO, HALF, Observed, Predictor, Rows, given_labels, given_names
from superpose.record import EntanglementRecord

# Each pair of targets is predicted for all rows at once; this bounds rows times pairs.
MOST_ANSWERS = 60_000
FEWEST_ROWS, MOST_ROWS = 100, 1000
MOST_CELLS = 3_000_000  # rows times numbers of a prediction; the null takes ten times as many


def rows_for(targets: int, width: int = 1) -> int:
    """Return how many rows a measurement of all pairs should read.

    Args:
        targets: Number of targets T.
        width: Numbers of the widest canonical prediction.
    """
    most = max(min(MOST_ROWS, MOST_CELLS // width), FEWEST_ROWS)
    return int(np.clip(MOST_ANSWERS // max(targets * (targets - 1), 1), FEWEST_ROWS, most))


def entanglement_of(
    predictor: Predictor, table: pa.Table, *, permutations: int, seed: int
) -> EntanglementRecord:
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
    rows = predictor.rows(table)
    return entanglement(predictor, rows, labels, permutations=permutations, seed=seed)


def entanglement(
    predictor: Predictor,
    rows: Rows,
    labels: Mapping[str, np.ndarray],
    *,
    clusters: np.ndarray | None = None,
    permutations: int = 10,
    seed: int = 0,
) -> EntanglementRecord:
    """Measure for each pair of targets the bits that observing one saves on the other.

    For targets A and B it is the mean of log2 p(B | inputs, A) - log2 p(B | inputs) over rows with
    both labels. The same mixture of models predicts both, so it is zero where A is not
    listened to. In the null a value is observed instead of A that has nothing to do with B but fits
    the inputs as A does: A's quantile in its own predicted distribution, permuted among rows.

    Args:
        predictor: What is deployed.
        rows: Rows that no model has seen.
        labels: Their encoded labels, NaN where missing.
        clusters: Group or time block of each row.
        permutations: Draws of the null (at least 1).
        seed: Seed of the permutations.

    Source:
        Conditional mutual information as a difference of held-out log-losses (Cover and Thomas
        2006, eq. 2.60); the null is a conditional randomisation test (Candès et al. 2018) whose
        draws permute residual ranks.
    """
    rng = np.random.default_rng(seed)
    fold = rng.permutation(len(rows)) % 2
    data = _Pairs(predictor, rows, labels, clusters, fold)
    names = list(data.kinds)
    nothing_given = data.predict(rows, data.hidden(), names)
    before = {t: data.bits(t, nothing_given[t]) for t in names}
    shape = (len(names), len(names))
    pairs = {key: np.full(shape, np.nan) for key in ("bits", "low", "high", "null", "p", "both")}
    for a, given in enumerate(names):
        if data.kinds[given].distribution.latent is None:  # nothing could be observed instead of it
            continue
        known = data.kinds[given].distribution.known(labels[given])
        after, null = data.given(given, permutations, rng)
        for b, about in enumerate(names):
            if about == given:
                continue
            gain = data.bits(about, after[about]) - before[about]
            gain[~known] = np.nan
            draws = null[about].reshape(permutations, len(rows), -1)
            by_chance = np.mean([data.bits(about, z) for z in draws], axis=0)
            by_chance = np.where(known, by_chance - before[about], np.nan)
            test = paired_test(gain, clusters)
            pairs["bits"][a, b] = test.mean
            pairs["low"][a, b], pairs["high"][a, b] = test.interval()
            pairs["null"][a, b] = _mean(by_chance)
            pairs["p"][a, b] = paired_test(gain - by_chance, clusters).p
            pairs["both"][a, b] = np.isfinite(gain).sum()
    # With two targets all others are the other one, and what it tells has been measured.
    totals = _of_pair(pairs) if len(names) == 2 else data.totals()
    return EntanglementRecord(targets=names, **pairs, **totals, rows=len(rows))


@dataclass(frozen=True)
class _Pairs:
    """Rows whose targets are predicted with nothing given, one given, or all others.

    Args:
        predictor: What is deployed.
        rows: The rows.
        labels: Their encoded labels, NaN where missing.
        clusters: Group or time block of each row.
        fold: 0 or 1 for each row: scales of predictions are set on the other half.
    """

    predictor: Predictor
    rows: Rows
    labels: Mapping[str, np.ndarray]
    clusters: np.ndarray | None
    fold: np.ndarray

    @property
    def kinds(self) -> dict[str, TargetKind]:
        """The fitted targets."""
        return self.predictor.codec.target_kinds

    @cached_property
    def deployed(self) -> dict[str, np.ndarray]:
        """What is predicted with nothing given."""
        return dict(self.predictor.deployed(self.rows))

    def hidden(self) -> dict[str, np.ndarray]:
        """The labels with nothing given."""
        return {t: np.full_like(np.asarray(self.labels[t], float), np.nan) for t in self.kinds}

    def given(
        self, target: str, permutations: int, rng: np.random.Generator
    ) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Predict the other targets with one given, and with values that the inputs explain alone.

        Returns:
            Predictions (N, K) by target, and those of all permutations, one below the other.
        """
        kind = self.kinds[target]
        pred = self.deployed[target]
        latent = latent_of(kind.distribution)
        share = rng.random((len(self.rows), latent.n_latent))
        scores = latent.to_normal(self.labels[target], pred, share)
        known = kind.distribution.known(self.labels[target])
        shuffled = [
            latent.from_normal(pred, _permuted(scores, known, rng)) for _ in range(permutations)
        ]
        hidden = self.hidden()
        null_labels = {t: np.concatenate([y] * permutations) for t, y in hidden.items()}
        null_labels[target] = np.concatenate(shuffled)
        copies = self.rows.take(np.tile(np.arange(len(self.rows)), permutations))
        others = [t for t in self.kinds if t != target]
        observed = {**hidden, target: self.labels[target]}
        return self.predict(self.rows, observed, others), self.predict(copies, null_labels, others)

    def predict(
        self, rows: Rows, labels: Mapping[str, np.ndarray], targets: list[str]
    ) -> dict[str, np.ndarray]:
        """Predict targets from labels that are given, by what is deployed with half given."""
        observed = Observed(self.kinds, labels)
        return self.predictor.conditional(rows, observed, targets=targets, level=HALF)

    def totals(self) -> dict[str, np.ndarray]:
        """What all others together tell about each target, by what is deployed at both ends."""
        totals: dict[str, list[float]] = {"total": [], "total_low": [], "total_high": [], "n": []}
        for about in self.kinds:
            hidden = self.hidden()[about]
            others = Observed(self.kinds, {**self.labels, about: hidden})
            pred = self.predictor.conditional(self.rows, others, targets=[about])[about]
            gain = self.bits(about, pred) - self.bits(about, self.deployed[about])
            test = paired_test(gain, self.clusters)
            low, high = test.interval()
            totals["total"].append(test.mean)
            totals["total_low"].append(low)
            totals["total_high"].append(high)
            totals["n"].append(int((~np.isnan(gain)).sum()))
        return {key: np.array(values) for key, values in totals.items()}

    def bits(self, target: str, pred: np.ndarray) -> np.ndarray:
        """Log-likelihood of each row in bits, (N,); scales are set on the other half of the rows.

        Fitted scales differ between models by more than what a pair has to tell.
        """
        kind, y = self.kinds[target], self.labels[target]
        out = np.full(len(y), np.nan)
        for side in (0, 1):
            here = self.fold == side
            factor = kind.distribution.scale_factor(y[~here], pred[~here])
            calibrated = kind.distribution.rescaled(pred[here], factor)
            out[here] = kind.distribution.log_prob(y[here], calibrated)
        return out / np.log(2)


def _of_pair(pairs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What all others tell about each of two targets: what the other one does."""
    names = {"total": "bits", "total_low": "low", "total_high": "high", "n": "both"}
    return {total: np.array([pairs[key][1, 0], pairs[key][0, 1]]) for total, key in names.items()}


def _permuted(scores: np.ndarray, known: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    out = scores.copy()
    positions = np.flatnonzero(known)
    out[positions] = scores[rng.permutation(positions)]
    return out


def _mean(x: np.ndarray) -> float:
    return float(np.nanmean(x)) if (~np.isnan(x)).any() else float("nan")
