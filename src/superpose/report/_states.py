"""The section "Task states" of the report: do the states of different tasks stay different?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from ._maps import signed_map
from ._wording import number, real


def states_view(states: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Returns what the template shows of ``facts["states"]``, None where there is nothing.

    Args:
        states: ``{"targets", "density", "purity", "entropy", "effective", "collapsed"}``.
    """
    if not states or not states.get("targets"):
        return None
    names = [str(name) for name in states["targets"]]
    size = len(names)
    svg = density_map(names, states.get("density"))
    figures = [
        {"name": name, "value": number(states.get(key)), "range": f"{least} to {most}", "words": w}
        for key, name, least, most, w in _figures(size)
        if not math.isnan(real(states.get(key)))
    ]
    if not svg and not figures:
        return None
    return {"svg": Markup(svg), "figures": figures, "alarm": _alarm(states, size)}


def _figures(size: int) -> tuple[tuple[str, str, str, str, str], ...]:
    """For each figure its key, its name, its least and largest value, and how it may be read."""
    return (
        (
            "purity",
            "Purity",
            f"{1 / size:.2g}",
            "1",
            "The mean squared overlap of the states: read it as how alike the network holds the "
            "tasks, not as how well it predicts them.",
        ),
        (
            "entropy",
            "Von Neumann entropy, bits",
            "0",
            f"{math.log2(size):.3g}",
            "How evenly the states spread over directions: its bits count directions of states, "
            "and may not be compared with the bits of the entanglement or of a loss.",
        ),
        (
            "effective",
            "Effective number of task states",
            "1",
            str(size),
            "Two to the power of the entropy: so many states without overlap would be as mixed; "
            "a low number may be right for tasks that are alike, and doesn’t count useful targets.",
        ),
    )


def _alarm(states: Mapping[str, Any], size: int) -> dict[str, str] | None:
    if not states.get("collapsed"):
        return None
    held = real(states.get("effective"))
    amount = "" if math.isnan(held) else f": {number(held)} effective states for {size} tasks"
    return {
        "head": f"The task states have collapsed{amount}.",
        "words": "The network holds nearly one state for all tasks and can hardly treat them "
        "differently. Train again with fusion set to none or with other seeds, and trust what "
        "ships only as far as the verdicts above go.",
    }


def density_map(targets: Sequence[str], density: Any) -> str:
    """Returns the density matrix over tasks; positive and negative entries have two colours.

    Shape:
        density: (T, T), symmetric, trace 1.
    """
    detail = f"{len(targets)} tasks, trace 1; largest overlap:"
    return signed_map(targets, density, "Density matrix over tasks", detail)
