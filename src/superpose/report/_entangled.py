"""Entanglement in the report: the map of bits, its words, its pairs, and the map as a file.

A cell counts as a link only where both its interval and its permutation test say so. All others are
hatched and never shaded, so that noise can't be read as a pattern.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from markupsafe import Markup

from ._curves import Array, as_floats
from ._maps import above, cell_numbers, cell_side, column_names, heat
from ._picture import picture
from ._svg import TEXT_WIDTH, drawing, longest, place, text
from ._wording import listing, p_value, plural, real

NUMBERED = 16  # up to so many targets, cells carry their number
PAIRS = 30  # pairs that the table of the report lists
LINKS = 5  # links that are put in words
LEVEL = 0.05  # a link needs a p-value of at most this
LINE = 17.0  # height of a line of the key
OTHERS = "all others"


@dataclass(frozen=True)
class Pair:
    """What one target tells about another.

    Args:
        bits: Mean saving of log-loss, bits per row; low and high are its interval.
        null: The same where the told values are permuted.
        p: Chance of so much by permutation alone; NaN where not tested.
        link: Whether it is distinguishable from chance.
    """

    told: str
    about: str
    bits: float
    low: float
    high: float
    null: float
    p: float
    link: bool


@dataclass(frozen=True)
class Entangled:
    """Facts of entanglement as arrays.

    Shape:
        bits, low, high, null, p, link: (T, T), row told, column about, NaN (False) on the diagonal.
        total, total_low, total_high, total_link: (T,).
    """

    targets: list[str]
    bits: Array
    low: Array
    high: Array
    null: Array
    p: Array
    link: np.ndarray
    total: Array
    total_low: Array
    total_high: Array
    total_link: np.ndarray
    rows: float

    @classmethod
    def of(cls, facts: Mapping[str, Any] | None) -> Self | None:
        """Reads ``facts["entanglement"]``, or all facts; None with fewer than 2 targets.

        Args:
            facts: At least ``targets`` and ``bits``; whatever else is missing counts as unknown.
        """
        facts = facts or {}
        if "bits" not in facts:
            facts = facts.get("entanglement") or {}
        targets = [str(name) for name in facts.get("targets") or []]
        size = len(targets)
        if size < 2 or facts.get("bits") is None:
            return None

        def table(key: str, *shape: int) -> Array:
            values = as_floats(facts.get(key))
            return values.reshape(shape).copy() if values.size else np.full(shape, math.nan)

        bits, low, high, null, p = (
            table(key, size, size) for key in ("bits", "low", "high", "null", "p")
        )
        if not np.isfinite(bits).any():
            return None
        np.fill_diagonal(bits, math.nan)
        total, bottom, top = (table(f"total{end}", size) for end in ("", "_low", "_high"))
        # Of two targets all others are the other one, and as sure as that.
        other = p[[1, 0], [0, 1]] if size == 2 else None
        return cls(
            targets, bits, low, high, null, p, distinguishable(bits, low, p),
            total, bottom, top, distinguishable(total, bottom, other),
            real(facts.get("rows")),
        )  # fmt: skip

    def pairs(self) -> list[Pair]:
        """All pairs with a measured value: links first, each part by falling bits."""
        found = []
        for i, j in np.argwhere(np.isfinite(self.bits)):
            bits, low, high, null, p = (
                float(table[i, j]) for table in (self.bits, self.low, self.high, self.null, self.p)
            )
            told, about = self.targets[i], self.targets[j]
            found.append(Pair(told, about, bits, low, high, null, p, bool(self.link[i, j])))
        return sorted(found, key=lambda pair: (not pair.link, -pair.bits))


def distinguishable(bits: Array, low: Array, p: Array | None) -> np.ndarray:
    """Tells which bits are distinguishable from chance.

    The interval has to lie above 0 and the p-value has to be at most 0.05; one of the two may be
    unknown (NaN), not both.

    Shape:
        bits, low, p: (...). Result: (...), bool.

    Example:
        >>> distinguishable(np.array([.3, .3]), np.array([.2, -.1]), np.array([.01, .01])).tolist()
        [True, False]
    """
    p = np.full_like(low, math.nan) if p is None else p
    tested = np.isfinite(low) | np.isfinite(p)
    # A comparison with NaN is False, which is what an unknown bound asks for here.
    refuted = (low <= 0) | (p > LEVEL)
    return np.asarray((bits > 0) & tested & ~refuted)


def entangled_view(facts: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Returns what the template shows of ``facts["entanglement"]``, None where there is nothing."""
    found = Entangled.of({"entanglement": facts})
    if found is None:
        return None
    pairs = found.pairs()
    return {
        "svg": Markup(entanglement_map(found)),  # drawings escape their texts themselves
        "words": entangled_in_words(found),
        "pairs": [_line(pair) for pair in pairs[:PAIRS]],
        "count": len(pairs),
        "rows": "" if math.isnan(found.rows) else plural(int(found.rows), "row"),
    }


def _line(pair: Pair) -> dict[str, Any]:
    interval = "–" if math.isnan(pair.low) else f"{_fine(pair.low)} to {_fine(pair.high)}"
    return {
        "told": pair.told,
        "about": pair.about,
        "bits": _fine(pair.bits),
        "interval": interval,
        "null": _fine(pair.null),
        "p": p_value(pair.p).removeprefix("p = ").removeprefix("p ") or "–",
        "link": pair.link,
    }


def _fine(value: float) -> str:
    """Bits with three decimals: the small ones are as telling as the large ones."""
    if math.isnan(value):
        return "–"
    words = f"{abs(value):.3f}"
    return f"−{words}" if value < 0 and float(words) else words


def _worded(value: float) -> str:
    """Bits in a sentence: two decimals, three where two would say little."""
    return f"{value:.2f}".replace("-", "−") if abs(value) >= 0.095 else _fine(value)


def strongest(found: Entangled, most: int = LINKS) -> list[str]:
    """Returns the strongest links in words; what is within chance is never among them."""
    links = [pair for pair in found.pairs() if pair.link][:most]
    return [
        f"{pair.told} tells {_worded(pair.bits)} bits about {pair.about}"
        + ("" if math.isnan(pair.low) else f" ({_worded(pair.low)} to {_worded(pair.high)})")
        for pair in links
    ]


def entangled_in_words(found: Entangled) -> list[str]:
    """Returns the sentences below the map: how many links, the strongest, the least symmetric."""
    pairs = found.pairs()
    links = [pair for pair in pairs if pair.link]
    count = plural(len(pairs), "ordered pair")
    if not links:
        first = f"None of {count} is distinguishable from chance."
        if len(pairs) < 2:
            first = "The pair is not distinguishable from chance."
        return [first]
    verb = "is" if len(links) == 1 else "are"
    sentences = [f"{len(links):,} of {count} {verb} distinguishable from chance."]
    sentences.append(f"Strongest: {'; '.join(strongest(found))}.")
    by_name = {(pair.told, pair.about): pair for pair in pairs}
    skewed = [
        (pair.bits - back.bits, pair, back)
        for pair in links[:PAIRS]
        if (back := by_name.get((pair.about, pair.told))) and pair.low > back.high
    ]
    if skewed:
        _, pair, back = max(skewed, key=lambda entry: entry[0])
        sentences.append(
            f"The largest difference of directions: {pair.told} tells {_worded(pair.bits)} bits "
            f"about {pair.about}, and {pair.about} {_worded(back.bits)} about {pair.told}."
        )
    told = [
        k for k in np.argsort(-np.nan_to_num(found.total, nan=-math.inf)) if found.total_link[k]
    ]
    if told:
        parts = [f"{found.targets[k]} ({_worded(float(found.total[k]))} bits)" for k in told[:3]]
        sentences.append(f"All others together tell most about {listing(parts)}.")
    return sentences


def entanglement_map(found: Entangled) -> str:
    """Returns the map: a row per told target, a column per target it is about, bits in shades."""
    width, height, body = _map(found)
    detail = "; ".join(strongest(found)) or "no pair is distinguishable from chance"
    return drawing(
        width, height, "Entanglement in bits; a row tells about its columns", detail, body
    )


def _map(found: Entangled) -> tuple[float, float, list[str]]:
    """Returns width, height and parts of the map and its key."""
    names, size = found.targets, len(found.targets)
    side = cell_side(size)
    cell, away = (side, side), 9.0
    left, upper = longest([*names, OTHERS], 22) + 20, max(above(names, side), 36.0)
    foot = upper + side * size + away
    total = found.total.reshape(1, size)
    with_total = bool(np.isfinite(total).any())
    top, most = _largest(found.bits, found.link), _largest(total, found.total_link[None, :])
    shaded = np.where(found.link, found.bits, math.nan)
    body = [
        text(left - 8, upper - 20, "told ↓", "t mu", "e"),
        text(left - 8, upper - 6, "about →", "t mu", "e"),
        heat(shaded, top, left, upper, cell),
        _hatched(np.isfinite(found.bits) & ~found.link, left, upper, side),
        column_names(names, left, upper - 6, side),
    ]
    for i, name in enumerate(names):
        body.append(text(left - 8, upper + (i + 0.5) * side + 4, name, "t", "e", limit=22))
    if size <= NUMBERED:
        body.append(_numbers(found.bits, found.link, top, left, upper, cell))
    if with_total:
        # A scale of its own: the total is larger than any pair and would wash the pairs out.
        sure = found.total_link[None, :]
        body.append(text(left - 8, foot + side / 2 + 4, OTHERS, "t b", "e"))
        body.append(heat(np.where(sure, total, math.nan), most, left, foot, cell, "tt"))
        body.append(_hatched(np.isfinite(total) & ~sure, left, foot, side))
        if size <= NUMBERED:
            body.append(_numbers(total, sure, most, left, foot, cell))
    bottom = foot + (side if with_total else 0) + 14
    keys = _keys(found, top, most if with_total else 0.0, bottom)
    width = max(left + side * size + 0.64 * TEXT_WIDTH * 16 + 8, 340.0)
    return width, bottom + LINE * len(keys) + 6, [*body, *keys]


def _largest(values: Array, link: np.ndarray) -> float:
    return float(np.max(values, where=link & np.isfinite(values), initial=0.0))


def _hatched(cells: np.ndarray, left: float, upper: float, side: float) -> str:
    """Draws hatching over cells that are not distinguishable from chance."""
    gap, parts = side - 1.5, []
    half = gap / 2
    for i, j in np.argwhere(cells):
        x, y = left + j * side, upper + i * side
        parts.append(f"M{place(x)} {place(y + gap)}l{place(gap)}-{place(gap)}")
        if side > 20:  # smaller cells have room for one line
            parts.append(
                f"M{place(x)} {place(y + half)}l{place(half)}-{place(half)}"
                f"M{place(x + half)} {place(y + gap)}l{place(half)}-{place(half)}"
            )
    ground = heat(np.where(cells, 1.0, math.nan), 1.0, left, upper, (side, side), "no")
    return f'{ground}<path class="hs" d="{"".join(parts)}"/>' if parts else ""


def _numbers(
    values: Array,
    link: np.ndarray,
    top: float,
    left: float,
    upper: float,
    cell: tuple[float, float],
) -> str:
    words = [[_short(float(v)) for v in row] for row in values]
    share = np.where(link, np.nan_to_num(values / (top or 1.0)), 0.0)
    shown = [[w if link[i, j] else "" for j, w in enumerate(row)] for i, row in enumerate(words)]
    parts = [cell_numbers(shown, share, left, upper, cell)]
    width, height = cell
    for i, j in np.argwhere(~link & np.isfinite(values)):
        x, y = left + (j + 0.5) * width - 0.75, upper + (i + 0.5) * height + 4
        parts.append(text(x, y, words[i][j], "c no"))
    return "".join(parts)


def _short(value: float) -> str:
    """Bits in at most four characters, as cells are narrow: .42, 1.3, 12."""
    if math.isnan(value):
        return ""
    size = abs(value)
    words = f"{size:.2f}" if size < 0.995 else f"{size:.1f}" if size < 9.95 else f"{size:.0f}"
    sign = "−" if value < 0 and float(words) else ""
    return sign + (words.removeprefix("0") if float(words) else "0")


def _keys(found: Entangled, top: float, most: float, y: float) -> list[str]:
    """Draws what shades and hatching stand for, one line each."""
    scales = [("", top, "bits of one target")] if top else []
    scales += [("tt", most, f"bits of {OTHERS}")] if most else []
    lines = []
    for style, largest, words in scales:
        y += LINE
        cells = "".join(
            f'<path class="ht {style} q{step}" stroke-width="11" '
            f'd="M{place(34 + 12 * k)} {place(y - 4)}h11"/>'
            for k, step in enumerate((1, 3, 5, 7, 9, 10))
        )
        lines.append(
            f"{text(28, y, '0', 'k', 'e')}{cells}{text(112, y, f'{_short(largest)} {words}', 'k')}"
        )
    hatched = (found.bits.size > 0 and not found.link[np.isfinite(found.bits)].all()) or (
        np.isfinite(found.total).any() and not found.total_link.all()
    )
    if hatched:
        y += LINE
        mark = _hatched(np.ones((1, 1), dtype=bool), 90.5, y - 10, 15.5)
        lines.append(mark + text(112, y, "not distinguishable from chance", "k"))
    return lines


def entanglement_picture(facts: Mapping[str, Any]) -> str:
    """Returns the map of entanglement as an SVG file that is readable when opened alone.

    Args:
        facts: ``facts["entanglement"]`` of a run, or all facts of a run.

    Returns:
        The text of the file; an empty string where fewer than two targets were measured.

    Example:
        >>> entanglement_picture({"targets": ["a", "b"], "bits": [[None, 0.4], [0.3, None]]})[:4]
        '<svg'
        >>> entanglement_picture({})
        ''
    """
    found = Entangled.of(facts)
    if found is None:
        return ""
    width, height, body = _map(found)
    rows = "" if math.isnan(found.rows) else f", on {plural(int(found.rows), 'held-out row')}"
    return picture(
        "Entanglement",
        f"Bits that a measured target tells about another{rows}",
        (
            "Mean saving of log-loss given the inputs; asymmetric as it comes.",
            "It says what a value tells, not what causes what.",
        ),
        (width, height, body),
        ("Entanglement in bits; a row tells about its columns", "; ".join(strongest(found))),
    )
