"""A Gaussian copula in closed form: one shrunk correlation of scores, given any of them."""

from __future__ import annotations

import numpy as np

FEWEST_ROWS = 3  # a correlation of two rows is always 1 or -1
# The smallest variance that the other scores together may leave of one: 0.001 says that no more
# than 99.9 % of a target is ever taken as known from others, whatever a few rows seem to show.
EIGENVALUE_FLOOR = 1e-3
SYSTEM_CELLS = 1_000_000  # cells of the systems that are solved at once: 8 MB for each copy


def shrunk_correlation(scores: np.ndarray) -> np.ndarray:
    """Correlate the columns of a table with gaps, as much as its rows can support.

    Each correlation r_ij is taken over the rows that know both columns and multiplied by 1 - λ with

        λ = Σ Var(r_ij) / Σ r_ij²,  Var(r_ij) = n / (n - 1)³ Σ_rows (w - mean w)²,  w = x_i x_j,

    where the sums run over the pairs, n is the rows of the pair and x_i are its standardised
    columns.

    Args:
        scores: Numbers on any scale, NaN where missing. A pair with fewer than 3 joint rows, or
            with a column that is constant there, has correlation 0.

    Shape:
        scores (N, L) -> (L, L), positive definite, the diagonal 1.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(500, 2)) @ np.array([[1.0, 0.8], [0.0, 0.6]])
        >>> bool(abs(shrunk_correlation(x)[0, 1] - 0.8) < 0.05)
        True

    Source:
        Schäfer and Strimmer 2005, the shrinkage of correlations to target D (diagonal); departs by
        n of each pair, where they have complete rows, and by the eigenvalue floor that this needs.
    """
    x = np.asarray(scores, np.float64)
    known = ~np.isnan(x)
    m = known.astype(np.float64)
    # Centred and scaled once, so that the sums of fourth powers below keep their digits.
    count = np.maximum(m.sum(axis=0), 1)
    x = np.where(known, x, 0.0)
    x = (x - x.sum(axis=0) / count) * m
    std = np.sqrt((x**2).sum(axis=0) / count)
    x = x / np.where(std > 0, std, 1.0)
    n = m.T @ m
    rows = np.maximum(n, 1)
    mean = x.T @ m / rows  # of the column i over the rows of the pair (i, j)
    square = (x**2).T @ m
    sd = np.sqrt(np.maximum(square / rows - mean**2, 0.0))
    usable = (n >= FEWEST_ROWS) & (sd > 1e-9) & (sd.T > 1e-9)
    np.fill_diagonal(usable, False)
    scale = np.where(usable, sd * sd.T, 1.0)
    r = np.where(usable, (x.T @ x / rows - mean * mean.T) / scale, 0.0)
    other = mean.T
    # Σ (x_i - mean)² (x_j - other)², multiplied out into sums that are matrix products.
    mixed = (x**2).T @ x
    fourth = (
        (x**2).T @ x**2
        - 2 * (other * mixed + mean * mixed.T)
        + other**2 * square
        + mean**2 * square.T
        + 4 * mean * other * (x.T @ x)
        - 3 * n * mean**2 * other**2
    )
    squares = np.maximum(fourth / scale**2 - n * r**2, 0.0)
    variance = np.where(usable, squares * n / np.maximum(n - 1, 1) ** 3, 0.0)
    signal = float((r**2).sum())
    shrink = min(float(variance.sum()) / signal, 1.0) if signal > 0 else 1.0
    r = np.clip(r, -1.0, 1.0) * (1 - shrink)
    np.fill_diagonal(r, 1.0)
    return _positive_definite(r)


def _positive_definite(r: np.ndarray) -> np.ndarray:
    """Lift small eigenvalues to the floor and set the diagonal to 1 again."""
    values, vectors = np.linalg.eigh(r)
    if not len(r) or values[0] >= EIGENVALUE_FLOOR:
        return r
    r = (vectors * np.maximum(values, EIGENVALUE_FLOOR)) @ vectors.T
    std = np.sqrt(np.diag(r))
    r = r / np.outer(std, std)
    np.fill_diagonal(r, 1.0)
    return np.asarray((r + r.T) / 2)


def condition_normal(correlation: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Predict each unknown score from the known ones of its row.

    With k the known and u the unknown scores of a row, the mean is ``R_uk R_kk⁻¹ z_k`` and the
    variance the diagonal of ``R_uu - R_uk R_kk⁻¹ R_ku``.

    Args:
        correlation: Positive definite, the diagonal 1.
        scores: Normal scores, NaN where unknown.

    Shape:
        correlation (L, L), scores (N, L) -> mean (N, L), sd (N, L). A known score is its own mean
        and has sd 0.

    Example:
        >>> correlation = np.array([[1.0, 0.6], [0.6, 1.0]])
        >>> mean, sd = condition_normal(correlation, np.array([[2.0, np.nan]]))
        >>> mean.tolist(), sd.round(6).tolist()
        ([[2.0, 1.2]], [[0.0, 0.8]])
    """
    z = np.asarray(scores, np.float64)
    known = ~np.isnan(z)
    mean = np.where(known, z, 0.0)
    sd = np.where(known, 0.0, 1.0)
    columns = z.shape[1]
    # Rows that know the same scores stand together and share one small system.
    packed = np.packbits(known, axis=1)
    order = np.lexsort(packed.T)
    step = max(1, SYSTEM_CELLS // max(1, columns**2))
    for rows in np.split(order, range(step, len(order), step)):
        new = (np.diff(packed[rows], axis=0, prepend=0) != 0).any(axis=1)
        new[:1] = True
        pattern = np.cumsum(new) - 1
        patterns = known[rows[new]]
        both = patterns[:, :, None] & patterns[:, None, :]
        # The unknown scores stand in the system for themselves, so that all have one size.
        systems = np.where(both, correlation, np.eye(columns))
        weights = correlation @ (np.linalg.inv(systems) * both)
        variance = 1 - (weights * correlation).sum(axis=-1)
        expected = (weights[pattern] @ np.where(known[rows], z[rows], 0.0)[..., None])[..., 0]
        mean[rows] = np.where(known[rows], z[rows], expected)
        sd[rows] = np.where(known[rows], 0.0, np.sqrt(np.maximum(variance, 0.0))[pattern])
    return mean, sd
