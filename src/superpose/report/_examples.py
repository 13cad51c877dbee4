"""Rows with what is predicted of them; and how far down a list the right item stands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from superpose.record import ExampleRecord, RanksChart

from ._svg import Frame, drawing, key_height, polyline
from ._wording import number, plural

FIRST = 100  # positions of the list that the chart goes down


def recall_at(chart: RanksChart, target: str = "") -> str:
    """Returns the share of rows whose item stands within the first k, for every k.

    Args:
        chart: The positions of the right items.
        target: The chart's title.
    """
    if not chart.ranks.size or chart.n_items < 2:
        return ""
    first = np.arange(1, min(chart.n_items, FIRST) + 1)
    share = (chart.ranks[:, None] <= first).mean(axis=0)
    keys = [("ln s0", "deployed"), ("ref", "by chance")]
    frame = Frame(
        (1.0, float(first[-1])),
        (0.0, 1.0),
        ("first k items", "share of rows found"),
        top=key_height(len(keys)),
    )
    chance = polyline(frame.x(first), frame.y(first / chart.n_items))
    body = [
        frame.axes(),
        frame.key(keys),
        f'<path class="ref" d="{chance}"/>',
        f'<path class="ln s0" d="{polyline(frame.x(first), frame.y(share))}"/>',
    ]
    return drawing(
        frame.width,
        frame.height,
        title=f"Recall of {target}".strip(),
        detail=f"{plural(chart.ranks.size, 'row')}, {plural(chart.n_items, 'item')}",
        body=body,
    )


@dataclass(frozen=True)
class ExamplePrediction:
    """One prediction as the page shows it: its text, its probability, whether it is right."""

    text: str
    share: str
    right: bool


@dataclass(frozen=True)
class Example:
    """One row as the page shows it: its inputs, what is right, what is predicted."""

    inputs: dict[str, str]
    true: str
    preds: list[ExamplePrediction]


def example(record: ExampleRecord) -> Example:
    """Returns one row as the page shows it."""
    preds = [
        ExamplePrediction(text, "" if np.isnan(share) else number(share), text == record.true)
        for text, share in zip(record.pred, record.shares, strict=True)
    ]
    return Example(record.row, record.true, preds)
