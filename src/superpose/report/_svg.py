"""Pens and paper for the plots: escaped text, compact paths, axes and the frame of a chart.

Colours are CSS classes whose rules read variables of the page (`--ink`, `--line`, `--accent`, …),
so one drawing serves light and dark. Sizes are in CSS pixels of the drawing's viewBox.
"""

from __future__ import annotations

import html
import math
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

TEXT_WIDTH = 6.1  # mean advance of a character at the 11.5 px of the plots


@dataclass(frozen=True)
class Chart:
    """A drawing with its caption; drawings of this package escape every text themselves."""

    caption: str
    svg: Markup


def escape(text: Any) -> str:
    """Returns text that can stand in SVG content and in quoted attributes."""
    return html.escape(str(text), quote=True)


def units(text: str) -> int:
    """Returns the width of a text in average Latin characters; CJK characters count two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def shorten(text: str, limit: int) -> str:
    """Returns a text cut to `limit` average characters, with an ellipsis where it was cut.

    Example:
        >>> shorten("carbon monoxide", 9)
        'carbon m…'
    """
    if units(text) <= limit:
        return text
    kept = ""
    used = 0
    for c in text:
        used += units(c)
        if used > limit - 1:
            break
        kept += c
    return kept.rstrip() + "…"


def longest(names: Iterable[str], most: int) -> float:
    """Returns the width on paper of the longest name, none counted over `most` characters."""
    return min(max((units(name) for name in names), default=0), most) * TEXT_WIDTH


def coord(value: float) -> str:
    """Returns a coordinate with at most one decimal, as short as SVG allows."""
    text = f"{value:.1f}".removesuffix(".0")
    if text == "-0":
        return "0"
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def polyline(x: Sequence[float] | np.ndarray, y: Sequence[float] | np.ndarray) -> str:
    """Returns path data through points; a point that is not finite lifts the pen."""
    parts: list[str] = []
    pen = False
    here = (0.0, 0.0)
    for px, py in zip(np.round(x, 1), np.round(y, 1), strict=True):
        if not (math.isfinite(px) and math.isfinite(py)):
            pen = False
            continue
        if pen:
            step = f"l{coord(px - here[0])} {coord(py - here[1])}"
            parts.append(step.replace(" -", "-"))
        else:
            parts.append(f"M{coord(px)} {coord(py)}")
        pen = True
        here = (float(px), float(py))
    return "".join(parts)


def dots(x: np.ndarray, y: np.ndarray) -> str:
    """Returns path data of zero-length strokes; round caps of the stroke draw them as discs."""
    return "".join(f"M{coord(px)} {coord(py)}h0" for px, py in zip(x, y, strict=True))


def text(
    x: float, y: float, content: Any, *, style: str = "t", anchor: str = "", limit: int = 0
) -> str:
    """Returns a text element.

    Args:
        x, y: Where it stands, in pixels of the drawing.
        content: Escaped here.
        style: CSS classes.
        anchor: "" (start), "m" (middle) or "e" (end): further CSS classes.
        limit: Longest width in characters, 0 for any; a cut text keeps the whole as its tooltip.
    """
    full = str(content)
    short = shorten(full, limit) if limit else full
    tip = f"<title>{escape(full)}</title>" if short != full else ""
    name = f"{style} {anchor}".strip()
    return f'<text x="{coord(x)}" y="{coord(y)}" class="{name}">{tip}{escape(short)}</text>'


def drawing(
    width: float, height: float, *, title: str, detail: str, body: Iterable[str], style: str = ""
) -> str:
    """Returns a whole SVG element that a screen reader announces by `title` and `detail`."""
    w, h = coord(width), coord(height)
    # A wide drawing shrinks on a small screen only as far as its text stays readable.
    least = f"min-width:{coord(width * 0.78)}px;" if width > 440 else ""
    return (
        f'<svg class="chart {style}" viewBox="0 0 {w} {h}" style="{least}max-width:{w}px" '
        f'role="img"><title>{escape(title)}</title><desc>{escape(detail)}</desc>'
        f"{''.join(body)}</svg>"
    )


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Returns about `count` round values inside a range.

    Example:
        >>> ticks(0, 97, 5)
        [0.0, 20.0, 40.0, 60.0, 80.0]
    """
    size = high - low
    if not (math.isfinite(size) and size > 0):
        return [low] if size == 0 else []
    rough = size / max(count, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next((m * power for m in (1, 2, 2.5, 5) if m * power >= rough), 10 * power)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [float(f"{k * step:.12g}") for k in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Returns 1, 2, 5 times powers of ten inside a positive range, thinned to at most seven."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for digits in ((1, 2, 5), (1, 3), (1,)):
        values = [m * 10.0**p for p in powers for m in digits if low <= m * 10.0**p <= high]
        if len(values) <= 7:
            return values
    return values[:: math.ceil(len(values) / 6)]


def tick_label(value: float) -> str:
    """Returns a short label: 0.25, 40, 12k, 3M, 2e-5."""
    size = abs(value)
    sign = "−" if value < 0 else ""
    if size == 0:
        return "0"
    if size >= 1e9 or size < 1e-3:
        mantissa, exponent = f"{size:.1e}".split("e")
        return f"{sign}{mantissa.removesuffix('.0')}e{int(exponent)}"
    for bound, unit in ((1e6, "M"), (1e4, "k")):
        if size >= bound:
            return f"{sign}{size / (1e3 if unit == 'k' else bound):.6g}{unit}"
    return f"{sign}{size:.6g}"


@dataclass(frozen=True)
class Scale:
    """A map from values to a stretch of paper.

    Args:
        low, high: Values at the two ends; positive where `log` is set.
        start, end: Paper positions of the two ends.
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, values: Any) -> Any:
        """Returns paper positions; values outside land on the nearest end."""
        v = np.clip(np.asarray(values, dtype=np.float64), self.low, self.high)
        low, high = self.low, self.high
        if self.log:
            v = np.log(v)
            low, high = math.log(low), math.log(high)
        share = (v - low) / ((high - low) or 1.0)
        return self.start + share * (self.end - self.start)

    def ticks(self, count: int = 5) -> list[float]:
        """Returns round values inside the range."""
        return log_ticks(self.low, self.high) if self.log else ticks(self.low, self.high, count)


@dataclass(frozen=True)
class Frame:
    """A chart of the common size: a plot area, two labelled axes, a key above.

    Args:
        x_range, y_range: Lowest and highest value of each axis.
        names: What the two axes show.
    """

    x_range: tuple[float, float]
    y_range: tuple[float, float]
    names: tuple[str, str]
    log_y: bool = False
    width: float = 340
    height: float = 268
    top: float = 30

    @property
    def x(self) -> Scale:
        """The horizontal scale."""
        return Scale(*self.x_range, 46, self.width - 12)

    @property
    def y(self) -> Scale:
        """The vertical scale, rising upwards."""
        return Scale(*self.y_range, self.height - 42, self.top, self.log_y)

    def axes(self) -> str:
        """Returns grid, tick labels and axis names."""
        left, right = self.x.start, self.x.end
        bottom, top = self.y.start, self.y.end
        grid: list[str] = []
        labels: list[str] = []
        for value in self.y.ticks(5):
            at = float(self.y(value))
            grid.append(f"M{coord(left)} {coord(at)}h{coord(right - left)}")
            labels.append(text(left - 6, at + 4, tick_label(value), style="k", anchor="e"))
        for value in self.x.ticks(5):
            at = float(self.x(value))
            labels.append(text(at, bottom + 15, tick_label(value), style="k", anchor="m"))
        base = f'<path class="ax" d="M{coord(left)} {coord(bottom)}h{coord(right - left)}"/>'
        middle = coord((top + bottom) / 2)
        below = text((left + right) / 2, self.height - 8, self.names[0], anchor="m", limit=46)
        return (
            f'<path class="gr" d="{"".join(grid)}"/>{base}{"".join(labels)}{below}'
            f'<text transform="translate(11 {middle})rotate(-90)" class="t m">'
            f"{escape(shorten(self.names[1], 30))}</text>"
        )

    def key(self, entries: Sequence[tuple[str, str]]) -> str:
        """Returns the key above the plot: (CSS class of the line, words) from left to right."""
        # Rows of two entries: each has half of the width, so that long names don't overlap.
        columns = 1 if len(entries) == 1 else 2
        room = (self.width - 16) / columns
        parts = []
        for i, (style, words) in enumerate(entries):
            left = 8 + room * (i % columns)
            line = 11 + 16 * (i // columns)
            parts.append(f'<path class="{style}" d="M{coord(left)} {line - 4}h16"/>')
            limit = int((room - 24) / TEXT_WIDTH)
            parts.append(text(left + 22, line, words, limit=limit))
        return "".join(parts)


def key_height(entries: int) -> float:
    """Returns the height that a key of so many entries takes above a plot."""
    return 14 + 16 * ((entries + 1) // 2)
