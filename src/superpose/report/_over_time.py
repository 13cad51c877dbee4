"""Charts of targets over time: survival by risk, and the error of each step ahead."""

from __future__ import annotations

import numpy as np

from superpose.record import ForecastChart, SurvivalChart, model_name

from ._svg import Frame, drawing, key_height, polyline
from ._wording import plural

RISKS = ("lowest risk", "lower", "higher", "highest risk")


def survival_curves(chart: SurvivalChart, target: str = "") -> str:
    """Returns the predicted share alive of quarters by risk, that of Kaplan and Meier dashed.

    Args:
        chart: The quarters.
        target: The chart's title.
    """
    if not chart.groups or chart.times.size < 2:
        return ""
    keys = [(f"ln s{n}", name) for n, name in zip(range(len(chart.groups)), RISKS, strict=False)]
    frame = Frame(
        (0.0, float(chart.times[-1])),
        (0.0, 1.0),
        (target or "time", "share alive"),
        top=key_height(len(keys)),
    )
    body = [frame.axes(), frame.key(keys)]
    x = frame.x(chart.times)
    for n, group in enumerate(chart.groups):
        body.append(f'<path class="ln s{n}" d="{polyline(x, frame.y(group.pred))}"/>')
        body.append(f'<path class="ln thin s{n}" d="{polyline(x, frame.y(group.observed))}"/>')
    rows = plural(sum(group.n_rows for group in chart.groups), "row")
    return drawing(
        frame.width,
        frame.height,
        title=f"Survival by risk: {target}",
        detail=f"{rows} in quarters by risk; dashed as Kaplan and Meier estimate it",
        body=body,
    )


def errors_ahead(chart: ForecastChart, target: str = "") -> str:
    """Returns the mean absolute error of each step ahead, for all forecasts that are compared.

    Args:
        chart: The errors.
        target: The chart's title.
    """
    ahead = chart.steps
    values = np.concatenate([*chart.errors.values(), np.zeros(1)])
    values = values[np.isfinite(values)]
    if not ahead.size or not values.max() > 0:
        return ""
    names = [model_name(name) for name in chart.errors]
    keys = [(f"ln s{n}", name) for n, name in enumerate(names)]
    frame = Frame(
        (float(ahead[0]), float(max(ahead[-1], ahead[0] + 1))),
        (0.0, 1.05 * float(values.max())),
        ("steps ahead", "mean absolute error"),
        top=key_height(len(keys)),
    )
    body = [frame.axes(), frame.key(keys)]
    for n, line in enumerate(chart.errors.values()):
        body.append(f'<path class="ln s{n}" d="{polyline(frame.x(ahead), frame.y(line))}"/>')
    title = f"Error of {target} by steps ahead".strip()
    return drawing(frame.width, frame.height, title=title, detail=", ".join(names), body=body)
