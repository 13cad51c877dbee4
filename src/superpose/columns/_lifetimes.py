"""Times until an event that not every row has lived to see: reading, and measures of forecasts."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from superpose.errors import DataError, location, message

from ._scaling import require_float32
from ._values import Column, as_floats, as_text, is_text, plain

SEEN = ("1", "1.0", "true", "yes", "y")
UNSEEN = ("0", "0.0", "false", "no", "n")
MOST_COMPARED = 5000  # rows of a concordance; pairs grow with their square
GROUPS = 10  # of rows with like forecasts, for calibration
SMALLEST = 1e-12
SHORTEST = 1e-37  # of times: float32 can't tell shorter ones from none


def as_lifetimes(column: str, values: Column) -> np.ndarray:
    """Read times and whether their event was seen as one signed number each.

    Args:
        column: name of the column, for the message.
        values: numbers, below 0 where the event was not seen; text with a + behind such times; or
            structures of ``time`` and ``event``.

    Returns:
        float64 (N,): the time of the event, or minus the time up to which it was not seen; NaN
        where missing. What was not seen up to time 0 tells nothing, and is missing.

    Raises:
        DataError: the first row with a time below 0 beside an event, or an event that is neither
            yes nor no.

    Example:
        >>> as_lifetimes("age", pa.chunked_array([["5", "7+", None]])).tolist()
        [5.0, -7.0, nan]
    """
    values = plain(values)
    if pa.types.is_struct(values.type):
        signed = _beside(column, pc.struct_field(values, "time"), pc.struct_field(values, "event"))
    elif is_text(values.type):
        text = pc.utf8_trim_whitespace(as_text(values))
        marked = np.asarray(pc.fill_null(pc.ends_with(text, "+"), False))
        times = as_floats(column, pa.chunked_array([pc.utf8_rtrim(text, "+ ")]), "survival")
        _require_no_sign(column, times, marked)
        signed = np.where(marked, -times, times)
    else:
        signed = as_floats(column, values, "survival")
    signed = require_float32(
        column, np.where(np.isfinite(signed), signed, np.nan), smallest=SHORTEST
    )
    return np.where((signed == 0) & np.signbit(signed), np.nan, signed)


def _beside(column: str, times: Column, events: Column) -> np.ndarray:
    """Signed times from two columns."""
    when = as_floats(column, times, "survival")
    _require_no_sign(column, when, np.ones(len(when), bool))
    words = pc.utf8_lower(pc.utf8_trim_whitespace(as_text(events)))
    seen, unseen = (np.asarray(pc.is_in(words, pa.array(w, words.type))) for w in (SEEN, UNSEEN))
    missing = np.asarray(pc.or_(words.is_null(), pc.fill_null(pc.equal(words, ""), True)))
    strange = ~(seen | unseen | missing)
    if strange.any():
        row = int(np.argmax(strange))
        given = f"its event is {words[row].as_py()!r}"
        allowed = "yes or no, true or false, 1 or 0"
        fix = "mend the value, or name another column as event"
        raise DataError(message(location(column=column, row=row), given, allowed, fix=fix))
    return np.where(missing, np.nan, np.where(seen, when, -when))


def _require_no_sign(column: str, times: np.ndarray, rows: np.ndarray) -> None:
    wrong = rows & (times < 0)
    if wrong.any():
        row = int(np.argmax(wrong))
        fix = "mend the time, or leave it empty if it is not known"
        where = location(column=column, row=row)
        raise DataError(message(where, f"the time {times[row]:g} given", "0 or more", fix=fix))


def kaplan_meier(y: np.ndarray, at: np.ndarray, censored: bool = False) -> np.ndarray:
    """Share that lives beyond each time, from lifetimes of which some are censored.

    Args:
        y: signed times (N,), without gaps.
        at: times, any shape.
        censored: estimate the censoring in place of the event, just before each time.

    Source:
        Kaplan and Meier 1958; the censoring read before the time as by Graf et al. 1999.

    Example:
        >>> kaplan_meier(np.array([1.0, -2.0, 4.0, 5.0]), np.array([0.0, 2.0, 4.0])).tolist()
        [1.0, 0.75, 0.375]
    """
    times = np.abs(y)
    hit = np.signbit(y) == censored
    moments = np.unique(times[hit])
    order = np.sort(times)
    # Events come before the censoring of the same moment.
    risk = len(y) - np.searchsorted(order, moments, side="left")
    hits = np.sort(times[hit])
    deaths = np.searchsorted(hits, moments, "right") - np.searchsorted(hits, moments, "left")
    if censored:
        events = np.sort(times[~hit])
        risk = risk - (np.searchsorted(events, moments, "right") - np.searchsorted(events, moments))
    lived = np.concatenate([[1.0], np.cumprod(1 - deaths / np.maximum(risk, 1))])
    return lived[np.searchsorted(moments, at, side="left" if censored else "right")]


def concordance(y: np.ndarray, risk: np.ndarray) -> float:
    """Share of comparable pairs in which who had the event first has the higher predicted risk.

    Args:
        y: signed times (N,).
        risk: higher where the event is expected sooner, (N,); ties count half.

    Source:
        Harrell et al. 1982. Of more than ``MOST_COMPARED`` rows some are compared, evenly spread.

    Example:
        >>> concordance(np.array([1.0, 2.0, -3.0]), np.array([3.0, 2.0, 1.0]))
        1.0
    """
    if len(y) > MOST_COMPARED:
        some = np.linspace(0, len(y) - 1, MOST_COMPARED).astype(int)
        y, risk = y[some], risk[some]
    times = np.abs(y)
    seen = ~np.signbit(y)
    right = pairs = 0.0
    for row in np.flatnonzero(seen):
        # Who is censored at the moment of the event lived longer.
        later = (times > times[row]) | ((times == times[row]) & ~seen)
        pairs += later.sum()
        right += (risk[row] > risk[later]).sum() + 0.5 * (risk[row] == risk[later]).sum()
    return float(right / pairs) if pairs else float("nan")


def integrated_brier(y: np.ndarray, lived: np.ndarray, at: np.ndarray) -> float:
    """Mean over time of the squared distance between the predicted and the true share alive.

    Args:
        y: signed times (N,).
        lived: probability (N, K) of living beyond each time.
        at: the times (K,), increasing.

    Source:
        Graf et al. 1999, weighted by the inverse probability of not being censored.
    """
    times = np.abs(y)[:, None]
    seen = ~np.signbit(y)[:, None]
    at = at[at < np.abs(y).max()]  # beyond, nobody is left to compare with
    if not len(at) or not seen.any():
        return float("nan")
    lived = lived[:, : len(at)]
    free = np.maximum(kaplan_meier(y, np.abs(y), censored=True), SMALLEST)[:, None]
    later = np.maximum(kaplan_meier(y, np.nextafter(at, np.inf), censored=True), SMALLEST)
    gone = (times <= at) & seen
    score = (lived**2 * gone / free + (1 - lived) ** 2 * (times > at) / later).mean(axis=0)
    widths = np.diff(at, prepend=0.0)
    return float((score * widths).sum() / widths.sum())


def survival_calibration(y: np.ndarray, lived: np.ndarray, at: float) -> float:
    """Mean gap between predicted and Kaplan-Meier share alive, over groups of like forecasts.

    Args:
        y: signed times (N,).
        lived: predicted probability (N,) of living beyond the time.
        at: the time.
    """
    order = np.argsort(lived, kind="stable")
    gaps, sizes = [], []
    for rows in np.array_split(order, GROUPS):
        if len(rows):
            gaps.append(abs(lived[rows].mean() - kaplan_meier(y[rows], np.array(at))))
            sizes.append(len(rows))
    return float(np.average(gaps, weights=sizes)) if gaps else float("nan")
