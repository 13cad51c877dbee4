"""The facts of a run as JSON and arrays: arrays are kept as they are, all else as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

Facts = dict[str, Any]


def plain(value: Any) -> Any:
    """Turn facts into what JSON can hold; what is not a number becomes null.

    Example:
        >>> plain({"loss": np.float64("nan"), "best": (1, np.int64(2))})
        {'loss': None, 'best': [1, 2]}
    """
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    return None if isinstance(value, float) and not np.isfinite(value) else value


def split_facts(facts: Mapping[str, Any]) -> tuple[Facts, dict[str, np.ndarray]]:
    """Split facts into what JSON can hold and the arrays of the plots, by target and name."""
    words, arrays = dict(facts), dict[str, np.ndarray]()
    words["plots"] = {}
    for target, plot in facts.get("plots", {}).items():
        held = {key: value for key, value in plot.items() if isinstance(value, np.ndarray)}
        arrays |= {f"{target}/{key}": value for key, value in held.items()}
        words["plots"][target] = {key: v for key, v in plot.items() if key not in held}
    return plain(words), arrays


def join_facts(words: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Facts:
    """Put back what ``split_facts`` split."""
    facts = dict(words)
    for name, value in arrays.items():
        target, key = name.rsplit("/", 1)
        facts["plots"][target][key] = value
    return facts
