"""The section "Task states" of the report: do the states of different tasks stay different?"""

from __future__ import annotations

import math
from dataclasses import dataclass

from markupsafe import Markup

from superpose.record import StatesRecord

from ._maps import signed_map
from ._wording import number


@dataclass(frozen=True)
class Figure:
    """One number of the states: its name, its value, its range, and how it may be read."""

    name: str
    value: str
    range: str
    words: str


@dataclass(frozen=True)
class Alarm:
    """What is wrong, and what to do."""

    head: str
    words: str


@dataclass(frozen=True)
class StatesView:
    """What the page shows of the states."""

    svg: Markup
    figures: list[Figure]
    alarm: Alarm | None


def states_view(states: StatesRecord | None) -> StatesView | None:
    """Returns what the template shows, None where there is nothing."""
    if states is None or not states.targets:
        return None
    svg = density_map(states)
    figures = [figure for figure in _figures(states) if figure.value != number(math.nan)]
    if not svg and not figures:
        return None
    return StatesView(Markup(svg), figures, _alarm(states))


def _figures(states: StatesRecord) -> list[Figure]:
    size = len(states.targets)
    return [
        Figure(
            "Purity",
            number(states.purity),
            f"{1 / size:.2g} to 1",
            "The mean squared overlap of the states: read it as how alike the states of "
            "the tasks are, not as how well it predicts them.",
        ),
        Figure(
            "Von Neumann entropy, bits",
            number(states.entropy),
            f"0 to {math.log2(size):.3g}",
            "How evenly the states lie in all directions: its bits count directions of states, "
            "and may not be compared with the bits of the entanglement or of a loss.",
        ),
        Figure(
            "Effective number of task states",
            number(states.effective),
            f"1 to {size}",
            "Two to the power of the entropy: so many states without overlap would be as mixed; "
            "a low number may be right for tasks that are alike, and doesn’t count useful targets.",
        ),
    ]


def _alarm(states: StatesRecord) -> Alarm | None:
    if not states.collapsed:
        return None
    known = not math.isnan(states.effective)
    count = f": {number(states.effective)} effective states for {len(states.targets)} tasks"
    return Alarm(
        f"The task states have collapsed{count if known else ''}.",
        "The network holds nearly one state for all tasks and can hardly treat them "
        "differently. Train again with fusion set to none or with other seeds, and trust what "
        "is deployed only as far as the verdicts above go.",
    )


def density_map(states: StatesRecord) -> str:
    """Returns the density matrix over tasks; positive and negative entries have two colours."""
    return signed_map(
        states.targets,
        states.density,
        title="Density matrix over tasks",
        detail=f"{len(states.targets)} tasks, trace 1; largest overlap:",
    )
