"""A label as a point of a standard normal: how discrete labels join a Gaussian copula.

A discrete label owns an interval of the cumulative distribution that was predicted for it, and so
one of a standard normal. Where the latent normal is known to be elsewhere, the edges of the
intervals stay where they are and the probabilities between them change.

Source:
    Randomised quantile residuals, Dunn and Smyth 1996; the latent normal of the Gaussian copula for
    mixed margins, Hoff 2007.
"""

from __future__ import annotations

import numpy as np
from scipy import special

PROBABILITY_FLOOR = 1e-6  # a certain but wrong class costs 13.8 nats, not infinity
SCORE_LIMIT = 6.0  # one label in 1e9 lies further out: beyond, the margin is wrong
TINIEST = 1e-300  # above 0, so that a class without probability has edges, and none to speak of
# A point on the edge of two labels belongs to the lower one, so points stay clear of both edges.
SHARE_EDGE = 1e-4
DEVIATION_FLOOR = 1e-9  # a latent score that is known has no deviation to divide by


def normal_quantile(below: np.ndarray, above: np.ndarray) -> np.ndarray:
    """The point of a standard normal with these probabilities on its two sides.

    Args:
        below: probability under the point, 0 to 1.
        above: probability over it; the smaller of the two keeps its digits in a far tail.

    Example:
        >>> normal_quantile(np.array([0.25, 1.0]), np.array([0.75, 1e-20])).round(3).tolist()
        [-0.674, 9.262]
    """
    point = special.ndtri(np.minimum(below, above))
    return np.asarray(np.where(below < above, point, -point))


def normal_mass(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Probability of a standard normal between two points, exact in both tails."""
    upper = low > 0
    return np.asarray(
        special.ndtr(np.where(upper, -low, high)) - special.ndtr(np.where(upper, -high, low))
    )


def score_within(
    below: np.ndarray, mass: np.ndarray, *, above: np.ndarray, share: np.ndarray | None
) -> np.ndarray:
    """The normal score of labels that own an interval of the cumulative distribution.

    Args:
        below, mass, above: probabilities under, of and over each label; they sum to 1.
        share: which point of the interval, 0 to 1; None: the mean of the normal within it.

    Example:
        >>> half, none = np.array([0.5]), np.array([0.0])
        >>> score_within(none, half, above=half, share=None).round(4).tolist()
        [-0.7979]
    """
    if share is None:
        low = normal_quantile(below, mass + above)
        high = normal_quantile(below + mass, above)
        heights = np.exp(-0.5 * low**2) - np.exp(-0.5 * high**2)
        middle = heights / np.sqrt(2 * np.pi) / np.maximum(mass, TINIEST)
        score = np.clip(middle, low, high)  # far out the heights are lost to rounding
    else:
        share = np.clip(share, SHARE_EDGE, 1 - SHARE_EDGE)
        score = normal_quantile(below + share * mass, above + (1 - share) * mass)
    return np.asarray(np.clip(score, -SCORE_LIMIT, SCORE_LIMIT))
