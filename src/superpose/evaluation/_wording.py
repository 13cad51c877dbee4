"""Words and figures that several findings share."""

from __future__ import annotations

import numpy as np

from superpose.models import Weights


def describe(weights: Weights) -> str:
    """Name a mixture of models, the heaviest first.

    Example:
        >>> describe({"joint": 0.3, "hist": 0.7})
        'blend of trees and joint'
    """
    names = [engine_word(n) for n, w in sorted(weights.items(), key=lambda i: -i[1]) if w > 0]
    if len(names) < 2:
        return "".join(names)
    return f"blend of {', '.join(names[:-1])} and {names[-1]}"


def engine_word(model: str) -> str:
    """Name a model as the report does."""
    return {"hist": "trees", "hist-coarse": "coarse trees"}.get(model, model)


def percent(part: float, whole: float) -> float:
    """Return a part of a whole in percent, NaN where there is no whole."""
    return 100 * part / whole if whole and np.isfinite(whole) else float("nan")
