"""Paired comparison of two predictors on the same rows, and Holm's correction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special  # its t distribution loads a second faster than that of scipy.stats

# Losses are sums of float32 predictions: a mean this close to zero is a tie.
TIE = 1e-9


@dataclass(frozen=True)
class Paired:
    """The outcome of a paired comparison.

    Args:
        mean: Mean loss saved per row (above 0: the challenger is better).
        error: Its standard error.
        p: One-sided p-value of "the challenger is not better".
        n: Rows compared.
        degrees: Degrees of freedom of the t distribution.
    """

    mean: float
    error: float
    p: float
    n: int
    degrees: float

    @property
    def worse(self) -> float:
        """The one-sided p-value of "the challenger is not worse"."""
        if np.isnan(self.error):
            return 1.0
        if _steady(self.mean, self.error):
            return 0.0 if self.mean < -TIE else 1.0
        return float(special.stdtr(self.degrees, self.mean / self.error))

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return the two-sided confidence interval of the mean."""
        if self.n < 2:
            return (float("nan"), float("nan"))
        half_width = special.stdtrit(self.degrees, 0.5 + level / 2) * self.error
        return (self.mean - half_width, self.mean + half_width)


def paired_test(saved: np.ndarray, clusters: np.ndarray | None = None) -> Paired:
    """Test whether a challenger loses less per row than a reference.

    Args:
        saved: Loss of the reference minus loss of the challenger for each row; NaN is skipped.
        clusters: Group or time block of each row, where rows are not exchangeable one by one; the
            test then treats whole clusters as the units.

    Shape:
        saved (N,), clusters (N,) -> one ``Paired``.

    Example:
        >>> paired_test(np.array([0.3, 0.1, 0.2, 0.4])).p < 0.05
        True

    Source:
        Student's paired t; with clusters the linearised ratio estimator of survey sampling
        (Cochran 1977, eq. 2.39).
    """
    known = ~np.isnan(saved)
    saved = saved[known]
    n = len(saved)
    if n < 2:
        return Paired(float("nan"), float("nan"), 1.0, n, 1.0)
    mean = float(saved.mean())
    if clusters is None:
        units = n
        squares = float(saved.var(ddof=1)) * n
    else:
        _, unit = np.unique(clusters[known], return_inverse=True)
        off = np.bincount(unit, saved - mean)
        units = len(off)
        if units < 2:
            return Paired(mean, float("nan"), 1.0, n, 1.0)
        squares = float((off**2).sum()) * units / (units - 1)
    error = float(np.sqrt(squares)) / n
    if _steady(mean, error):  # equal predictors do not win
        return Paired(mean, error, 0.0 if mean > TIE else 1.0, n, units - 1)
    return Paired(mean, error, float(special.stdtr(units - 1, -mean / error)), n, units - 1)


def _steady(mean: float, error: float) -> bool:
    """Tell whether all rows agree, up to rounding."""
    return error <= 1e-12 * max(1.0, abs(mean))


def holm(p: np.ndarray, alpha: float) -> np.ndarray:
    """Reject hypotheses so that the chance of any false rejection is at most alpha.

    Args:
        p: One p-value for each hypothesis.
        alpha: Familywise level in (0, 1).

    Shape:
        p (T,) -> bool (T,).

    Example:
        >>> holm(np.array([0.01, 0.04, 0.9]), 0.05).tolist()
        [True, False, False]

    Source:
        Holm 1979.
    """
    order = np.argsort(p)
    passed = p[order] <= alpha / np.arange(len(p), 0, -1)
    rejected = np.zeros(len(p), dtype=bool)
    rejected[order[np.cumprod(passed).astype(bool)]] = True
    return rejected
