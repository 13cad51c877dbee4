"""Charts of targets over time: survival by risk, and the error of each step ahead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ._curves import as_floats
from ._svg import Frame, drawing, key_height, polyline
from ._wording import plural

RISKS = ("lowest risk", "lower", "higher", "highest risk")


def survival_curves(plot: Mapping[str, Any], target: str = "") -> str:
    """Returns the told share alive of quarters by risk, and that of Kaplan and Meier dashed.

    Args:
        plot: ``{"at": times, "groups": [{"rows", "told", "seen"}, ...]}``, lowest risk first.
        target: The chart's title.
    """
    groups, at = plot.get("groups") or [], as_floats(plot.get("at"))
    if not groups or at.size < 2:
        return ""
    keys = [(f"ln s{n}", name) for n, name in zip(range(len(groups)), RISKS, strict=False)]
    frame = Frame(
        (0.0, float(at[-1])),
        (0.0, 1.0),
        (target or "time", "share alive"),
        top=key_height(len(keys)),
    )
    body = [frame.axes(), frame.key(keys)]
    x = frame.x(at)
    for n, group in enumerate(groups):
        told, seen = as_floats(group.get("told")), as_floats(group.get("seen"))
        body.append(f'<path class="ln s{n}" d="{polyline(x, frame.y(told))}"/>')
        body.append(f'<path class="ln thin s{n}" d="{polyline(x, frame.y(seen))}"/>')
    rows = sum(int(group.get("rows") or 0) for group in groups)
    detail = f"{plural(rows, 'row')} in quarters by risk; dashed as Kaplan and Meier estimate it"
    return drawing(frame.width, frame.height, f"Survival by risk: {target}", detail, body)


def errors_ahead(plot: Mapping[str, Any], target: str = "") -> str:
    """Returns the mean absolute error of each step ahead, for every answer that is compared.

    Args:
        plot: ``{"ahead": steps, "errors": {name: [...]}}``.
        target: The chart's title.
    """
    ahead, errors = as_floats(plot.get("ahead")), plot.get("errors") or {}
    lines = {name: as_floats(values) for name, values in errors.items()}
    values = np.concatenate([*lines.values(), np.zeros(1)])
    values = values[np.isfinite(values)]
    if not ahead.size or not values.max() > 0:
        return ""
    keys = [(f"ln s{n}", name) for n, name in enumerate(lines)]
    across = (float(ahead[0]), float(max(ahead[-1], ahead[0] + 1)))
    frame = Frame(
        across,
        (0.0, 1.05 * float(values.max())),
        ("steps ahead", "mean absolute error"),
        top=key_height(len(keys)),
    )
    body = [frame.axes(), frame.key(keys)]
    for n, line in enumerate(lines.values()):
        body.append(f'<path class="ln s{n}" d="{polyline(frame.x(ahead), frame.y(line))}"/>')
    title = f"Error of {target} by steps ahead".strip()
    return drawing(frame.width, frame.height, title, ", ".join(lines), body)
