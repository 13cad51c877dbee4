"""Rows with what was told of them, as a table; and how far down a list the right item stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ._curves import as_floats
from ._svg import Frame, drawing, key_height, polyline
from ._wording import number, plural

FIRST = 100  # places of the list that the chart goes down


def found_within(plot: Mapping[str, Any], target: str = "") -> str:
    """Returns the share of rows whose item stands within the first k, for every k.

    Args:
        plot: ``{"ranks": (N,), "items": K}``.
        target: The chart's title.
    """
    ranks, items = as_floats(plot.get("ranks")), int(plot.get("items") or 0)
    if not ranks.size or items < 2:
        return ""
    places = np.arange(1, min(items, FIRST) + 1)
    found = (ranks[:, None] <= places).mean(axis=0)
    keys = [("ln s0", "what ships"), ("ref", "by chance")]
    frame = Frame(
        (1.0, float(places[-1])),
        (0.0, 1.0),
        ("first k items", "share of rows found"),
        top=key_height(len(keys)),
    )
    body = [
        frame.axes(),
        frame.key(keys),
        f'<path class="ref" d="{polyline(frame.x(places), frame.y(places / items))}"/>',
        f'<path class="ln s0" d="{polyline(frame.x(places), frame.y(found))}"/>',
    ]
    detail = f"{plural(ranks.size, 'row')}, {plural(items, 'item')}"
    return drawing(frame.width, frame.height, f"Recall of {target}".strip(), detail, body)


def example(row: Mapping[str, Any]) -> dict[str, Any]:
    """Returns one row as the page shows it: what was asked, what is right, what was told.

    Args:
        row: ``{"row": {column: value}, "true": text, "told": [[text, probability or None], ...]}``.
    """
    true = str(row.get("true") or "")
    told = [
        {
            "text": str(text),
            "share": "" if share is None else number(share),
            "right": str(text) == true,
        }
        for text, share in row.get("told") or []
    ]
    asked = [{"name": str(n), "value": str(v)} for n, v in (row.get("row") or {}).items()]
    return {"asked": asked, "true": true, "told": told}
