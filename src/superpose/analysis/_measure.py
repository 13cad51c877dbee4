"""Which target to measure next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from superpose.distributions import latent_of
from superpose.errors import DataError, message
from superpose.models import AUTO, Predictor, Rows, given_labels, given_names

from ._question import Question
from ._sample import chunk_size, repeated, stretched


@dataclass(frozen=True)
class Advice:
    """What measuring one target is expected to tell.

    Args:
        target: The target to measure.
        bits: For each row the expected bits (N,) about the wanted targets, summed over them.
        cost: What the measurement costs.
    """

    target: str
    bits: np.ndarray
    cost: float

    @property
    def value(self) -> np.ndarray:
        """Bits per unit of cost, (N,)."""
        return self.bits / self.cost


def next_measurement(
    predictor: Predictor,
    rows: Rows,
    labels: Mapping[str, np.ndarray],
    *,
    question: Question,
    draws: int = 64,
    seed: int = 0,
) -> list[Advice]:
    """Estimate for each candidate how much its measurement will tell about wanted targets.

    The model draws what the measurement may show, and predicts the wanted targets once more after
    each outcome: where the outcomes lead to different predictions, the measurement tells much. It
    is the mutual information between outcome and target under the model, so it is never negative.

    Args:
        predictor: What is deployed.
        rows: The rows, N.
        labels: Encoded measured values, NaN where not given.
        question: The wanted targets, and candidates; one that is measured already tells 0 bits.
        draws: Outcomes that are drawn (at least 2).
        seed: Seed of the draws.

    Source:
        Lindley 1956, expected information of an experiment; the estimator is that of BALD (Houlsby
        et al. 2011, eq. 2) with the model's own draws.
    """
    rng = np.random.default_rng(seed)
    step = max(1, chunk_size(predictor) // draws)
    parts = [np.arange(len(rows))[first : first + step] for first in range(0, len(rows), step)]
    advice = []
    for target in question.candidates or ():
        bits = np.zeros(len(rows))
        for part in parts:
            known = {t: y[part] for t, y in labels.items()}
            outcomes = _Outcomes(predictor, rows.take(part), known, target=target, draws=draws)
            bits[part] = outcomes.bits(question.want, rng)
        advice.append(Advice(target, bits, question.cost.get(target, 1.0)))
    return advice


def measurement_plan(
    predictor: Predictor,
    table: pa.Table,
    question: Question,
    *,
    given: str | Sequence[str] | None,
    draws: int,
    seed: int,
) -> pa.Table:
    """Rank for each row of a table what to measure next, as ``Superpose.next_measurement``.

    Raises:
        DataError: A target is both given and wanted, or nothing is left to measure.
    """
    predictor.require_given()
    codec = predictor.codec
    names = given_names(codec, table, given)
    if given == AUTO:
        left = {*question.want, *(question.candidates or ())}
        names = [t for t in names if t not in left]
    # A target that some row lacks can still be measured there.
    labels = given_labels(codec, table, names, planning=True)
    whole = [t for t in names if codec.target_kinds[t].distribution.known(labels[t]).all()]
    question = question.among(codec, given=names, whole=whole)
    if draws < 2:
        raise DataError(message("draws", f"{draws} given", "2 or more"))
    rows = predictor.rows(table)
    advice = next_measurement(predictor, rows, labels, question=question, draws=draws, seed=seed)
    return pa.Table.from_pylist(ranked(advice))


class _Outcomes:
    """What a measurement of one target may show, row by row.

    Args:
        predictor: What is deployed.
        rows: The rows, N.
        labels: Encoded measured values, NaN where not given.
        target: The target that would be measured.
        draws: Outcomes of each row.
    """

    def __init__(
        self,
        predictor: Predictor,
        rows: Rows,
        labels: Mapping[str, np.ndarray],
        *,
        target: str,
        draws: int,
    ) -> None:
        self.predictor = predictor
        self.kinds = predictor.codec.target_kinds
        self.rows = rows
        self.labels = labels
        self.target = target
        self.draws = draws

    def bits(self, want: Sequence[str], rng: np.random.Generator) -> np.ndarray:
        """Expected bits (N,) about wanted targets."""
        n = len(self.rows)
        latent = latent_of(self.kinds[self.target].distribution)
        pred = stretched(self.predictor, self.rows, self.labels, target=self.target)
        # Outcomes at the middles of equal shares of the distribution: half the noise of free draws.
        middles = (np.arange(self.draws) + 0.5) / self.draws
        many, after = repeated(self.rows, self.labels, self.draws)
        scores = _spread_scores(middles, n, latent.n_latent, rng=rng)
        value = latent.from_normal(np.concatenate([pred] * self.draws), scores)
        after[self.target] = np.where(np.isnan(after[self.target]), value, after[self.target])
        bits = np.zeros(n)
        for about in want:
            if about != self.target:
                preds = stretched(self.predictor, many, after, target=about)
                distribution = self.kinds[about].distribution
                known = distribution.known(self.labels[about])
                expected = distribution.information(preds.reshape(self.draws, n, -1))
                bits += np.where(known, 0.0, expected)
        bits[self.kinds[self.target].distribution.known(self.labels[self.target])] = 0.0
        return bits


def ranked(advice: Sequence[Advice]) -> list[dict[str, int | float | str]]:
    """Turn advice into records: row by row, the candidate with most bits per cost first."""
    values = np.stack([one.value for one in advice])
    out: list[dict[str, int | float | str]] = []
    for row, order in enumerate(np.argsort(-values, axis=0, kind="stable").T):
        for rank, index in enumerate(order, start=1):
            one = advice[index]
            out.append(
                {
                    "row": row,
                    "rank": rank,
                    "measure": one.target,
                    "bits": float(one.bits[row]),
                    "cost": one.cost,
                    "bits_per_cost": float(one.value[row]),
                }
            )
    return out


def _spread_scores(
    levels: np.ndarray, rows: int, latent: int, *, rng: np.random.Generator
) -> np.ndarray:
    """Normal scores that fill the distribution evenly, (draws * N, L); labels by themselves."""
    from scipy.special import ndtri

    shape = (len(levels), rows, latent)
    scores = np.broadcast_to(ndtri(levels)[:, None, None], shape).copy()
    if latent > 1:
        scores = rng.permuted(scores, axis=0)
    return scores.reshape(-1, latent)
