"""How many different states a set of task states amounts to."""

from __future__ import annotations

import numpy as np


def density_matrix(states: np.ndarray) -> np.ndarray:
    """Average how much the task states of a row point the same way.

    ρ is the mean over rows of M Mᴴ / T, where the rows of M are the T states, each scaled to
    length 1 so that it counts for its direction alone. Entry (i, j) times T is the mean cosine of
    states i and j.

    Args:
        states: Real or complex states; a state of length 0 takes no part.

    Shape:
        states (N, T, D) -> (T, T), Hermitian, positive semidefinite, trace 1. It is NaN where no
        state has any length.

    Example:
        >>> density_matrix(np.array([[[2.0, 0.0], [0.0, 1.0]]])).tolist()
        [[0.5, 0.0], [0.0, 0.5]]

    Source:
        The Gram matrix of an ensemble of T pure states with equal weights, which has the spectrum
        of the ensemble's density operator (Nielsen and Chuang 2000, section 2.4). The mean over
        rows is of Gram matrices: states that agree in half of the rows and are opposed in the
        other half count as different.
    """
    states = np.asarray(states)
    states = states.astype(np.result_type(states.dtype, np.float64))
    length = np.linalg.norm(states, axis=-1, keepdims=True)
    unit = states / np.where(length > 0, length, 1.0)
    wide = np.moveaxis(unit, 1, 0).reshape(unit.shape[1], -1)  # (T, N D): one product for all rows
    total = wide @ wide.conj().T
    trace = float(np.trace(total).real)
    return np.asarray(total / trace if trace > 0 else np.full_like(total, np.nan))


def purity(rho: np.ndarray) -> float:
    """Return the trace of ρ²: 1 for a single state, 1/T for T states without overlap.

    Shape:
        rho (T, T) -> a float.

    Example:
        >>> purity(np.eye(4) / 4)
        0.25
    """
    return float((np.abs(rho) ** 2).sum())


def von_neumann_entropy(rho: np.ndarray) -> float:
    """Return -Σ λ log2 λ over the eigenvalues of ρ, in bits, from 0 to log2 T.

    Shape:
        rho (T, T) -> a float.

    Example:
        >>> von_neumann_entropy(np.eye(4) / 4)
        2.0
    """
    if not np.isfinite(rho).all():
        return float("nan")
    values = np.linalg.eigvalsh(rho)
    values = values[values > 0]  # rounding leaves eigenvalues just below 0
    return max(0.0, float(-(values * np.log2(values)).sum()))


def effective_states(rho: np.ndarray) -> float:
    """Return two to the power of the entropy: how many states without overlap are as mixed as ρ.

    Shape:
        rho (T, T) -> a float from 1 to T.

    Example:
        >>> effective_states(np.eye(4) / 4)
        4.0
    """
    return float(2.0 ** von_neumann_entropy(rho))
