"""The section "Balance" of the report: whose gradients lead, who starves, who is in whose way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from superpose.record import BalanceRecord

from ._curves import Array, span
from ._maps import signed_map
from ._plots import SERIES
from ._svg import Chart, Frame, drawing, key_height, polyline
from ._wording import listing, number

# A target starves if its part of the pull on what is shared is below a quarter of an equal part.
STARVING = 0.25
# Cosines of random directions in a batch are this far from 0 now and then.
CONFLICT = -0.1


@dataclass(frozen=True)
class BalanceView:
    """What the page shows of the balance."""

    method: str
    charts: list[Chart]
    words: list[str]


def balance_view(balance: BalanceRecord | None) -> BalanceView | None:
    """Returns what the template shows, None where there is nothing."""
    if balance is None or not balance.gradients:
        return None
    names = balance.targets
    epochs = np.array([look.epoch + 1.0 for look in balance.gradients])
    norms = np.stack([look.norms for look in balance.gradients]).astype(np.float64)
    weights = balance.weights
    last = weights[-1] if len(weights) else np.ones(len(names))
    cosines = _mean(np.stack([look.cosines for look in balance.gradients]).astype(np.float64))
    charts = []
    if len(weights):
        counted = np.arange(1, len(weights) + 1, dtype=float)
        svg = lines(names, counted, weights, title="Weights over time", what="weight")
        charts.append(Chart(f"Weights by {balance.method}", Markup(svg)))
    if len(epochs) > 1:
        svg = lines(names, epochs, norms, title="Lengths of gradients over time", what="length")
        charts.append(Chart("Length of each target’s gradient", Markup(svg)))
    title = "Cosines between the targets’ gradients"
    svg = signed_map(names, cosines, title=title, detail=f"{len(names)} targets; largest:")
    if svg:
        charts.append(Chart(title, Markup(svg)))
    words = [*_pulls(names, norms[-1] * last), *_conflicts(names, cosines)]
    return BalanceView(balance.method, charts, words)


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


def lines(names: Sequence[str], epochs: Array, values: Array, *, title: str, what: str) -> str:
    """Returns a line for each of the six targets whose values lie furthest apart.

    Shape:
        epochs: (E,), values: (E, T).
    """
    filled = np.nan_to_num(values, nan=0.0)  # a target without any value is drawn last
    range_ = filled.max(axis=0) - filled.min(axis=0)
    shown = sorted(np.argsort(-range_, kind="stable")[:SERIES].tolist())
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
    return drawing(
        frame.width, frame.height, title=title, detail=f"last values: {detail}", body=body
    )
