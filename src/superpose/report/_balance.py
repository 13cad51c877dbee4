"""The section "Balance" of the report: whose gradients lead, who starves, who is in whose way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from ._curves import Array, as_floats, span
from ._maps import signed_map
from ._plots import SERIES
from ._svg import Frame, drawing, key_height, polyline
from ._wording import listing, number

# A target starves if its part of the pull on what is shared is below a quarter of an equal part.
STARVING = 0.25
# Cosines of random directions in a batch are this far from 0 now and then.
CONFLICT = -0.1


def balance_view(balance: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Returns what the template shows of ``facts["balance"]``, None where there is nothing.

    Args:
        balance: ``{"targets", "method", "every", "at", "weights", "looks"}``; ``weights`` by epoch
            and target, ``looks`` a list of ``{"epoch", "norms", "cosines"}``.
    """
    if not balance or not balance.get("looks"):
        return None
    names = [str(name) for name in balance["targets"]]
    looks = balance["looks"]
    epochs = as_floats([look["epoch"] for look in looks]) + 1
    norms = np.stack([as_floats(look["norms"]) for look in looks])
    weights = as_floats(balance.get("weights") or [])
    last = weights[-1] if len(weights) else np.ones(len(names))
    cosines = _mean(np.stack([as_floats(look["cosines"]) for look in looks]))
    charts = []
    if len(weights):
        counted = np.arange(1, len(weights) + 1, dtype=float)
        svg = lines(names, counted, weights, "Weights over time", "weight")
        charts.append({"caption": f"Weights by {balance.get('method')}", "svg": Markup(svg)})
    if len(looks) > 1:
        svg = lines(names, epochs, norms, "Lengths of gradients over time", "length")
        charts.append({"caption": "Length of each target’s gradient", "svg": Markup(svg)})
    title = "Cosines between the targets’ gradients"
    svg = signed_map(names, cosines, title, f"{len(names)} targets; largest:")
    if svg:
        charts.append({"caption": title, "svg": Markup(svg)})
    return {
        "method": str(balance.get("method") or "sum"),
        "every": balance.get("every"),
        "charts": charts,
        "words": [*_pulls(names, norms[-1] * last), *_conflicts(names, cosines)],
    }


def _mean(values: Array) -> Array:
    """The mean over looks, NaN where no look has a value."""
    known = np.isfinite(values)
    return np.where(known, values, 0).sum(0) / np.where(known.any(0), known.sum(0), np.nan)


def _pulls(names: Sequence[str], pull: Array) -> list[str]:
    """Says which targets hardly move what is shared."""
    whole = float(np.nansum(pull))
    if not whole:
        return []
    share = pull / whole
    starving = [n for n, s in zip(names, share, strict=True) if s < STARVING / len(names)]
    lead = int(np.nanargmax(share))
    words = [
        f"{names[lead]} pulls hardest: {100 * share[lead]:.0f} % of all pull at the last look."
    ]
    if starving:
        words.append(
            f"{listing(starving)} hardly pull{'s' * (len(starving) == 1)} at all (less than a "
            f"quarter of an equal part): their losses move what is shared least. Where that is not "
            f"wanted, raise their weight or choose another balance."
        )
    return words


def _conflicts(names: Sequence[str], cosines: Array) -> list[str]:
    """Says whose gradients point against each other."""
    pairs = [
        (float(cosines[i, j]), f"{names[i]} and {names[j]} ({number(cosines[i, j])})")
        for i in range(len(names))
        for j in range(i)
        if cosines[i, j] < CONFLICT
    ]
    if not pairs:
        return ["No two targets’ gradients point against each other."]
    return [f"In each other’s way: {listing([words for _, words in sorted(pairs)][:5])}."]


def lines(names: Sequence[str], epochs: Array, values: Array, title: str, what: str) -> str:
    """Returns a line for each of the six targets whose values reach furthest apart.

    Shape:
        epochs: (E,), values: (E, T).
    """
    filled = np.nan_to_num(values, nan=0.0)  # a target without any value is drawn last
    reach = filled.max(axis=0) - filled.min(axis=0)
    shown = sorted(np.argsort(-reach, kind="stable")[:SERIES].tolist())
    room = span(values[:, shown].ravel())
    log = room.low > 0 and room.high / room.low > 8
    pad = 0.0 if log else 0.04 * (room.high - room.low)
    keys = [(f"ln s{i}", names[t]) for i, t in enumerate(shown)]
    frame = Frame(
        (1, max(float(epochs[-1]), 2)),
        (room.low - pad, room.high + pad),
        ("epoch", what),
        log_y=log,
        top=key_height(len(keys)),
    )
    body = [frame.axes(), frame.key(keys)]
    for i, t in enumerate(shown):
        body.append(
            f'<path class="ln s{i}" d="{polyline(frame.x(epochs), frame.y(values[:, t]))}"/>'
        )
    detail = "; ".join(f"{names[t]} {number(values[-1, t])}" for t in shown)
    return drawing(frame.width, frame.height, title, f"last values: {detail}", body)
