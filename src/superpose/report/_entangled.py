"""Entanglement in the report: the map of bits, its words, its pairs, and the map as a file.

A cell counts as a link only where both its interval and its permutation test say so. All others are
hatched and never shaded, so that noise can't be read as a pattern.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from markupsafe import Markup

from superpose.record import EntanglementRecord

from ._curves import Array
from ._grid import Grid, above, beside
from ._maps import cell_side
from ._picture import Drawn, picture
from ._svg import TEXT_WIDTH, coord, drawing, text
from ._wording import listing, p_value, plural

NUMBERED = 16  # up to so many targets, cells carry their number
PAIRS = 30  # pairs that the table of the report lists
LINKS = 5  # links that are put in words
LEVEL = 0.05  # a link needs a p-value of at most this
LINE = 17.0  # height of a line of the key
OTHERS = "all others"
TITLE = "Entanglement in bits; a given target (row) tells about its columns"


@dataclass(frozen=True)
class Pair:
    """What one target tells about another.

    Args:
        given, about: The one that is measured, and the other.
        bits: Mean saving of log-loss, bits per row; low and high are its interval.
        null: The same where the given values are permuted.
        p: Chance of so much by permutation alone; NaN where not tested.
        link: Whether it is distinguishable from chance.
    """

    given: str
    about: str
    bits: float
    low: float
    high: float
    null: float
    p: float
    link: bool


@dataclass(frozen=True)
class Entangled:
    """The bits of a run, and which of them are distinguishable from chance."""

    record: EntanglementRecord

    @classmethod
    def of(cls, record: EntanglementRecord | None) -> Entangled | None:
        """Reads a record; None with fewer than 2 targets, or where no bits are known."""
        if record is None or len(record.targets) < 2:
            return None
        entangled = cls(record)
        return entangled if np.isfinite(entangled.bits).any() else None

    @property
    def targets(self) -> list[str]:
        """Their names."""
        return self.record.targets

    @cached_property
    def bits(self) -> Array:
        """The bits (T, T) with a blank diagonal."""
        return np.where(np.eye(len(self.targets), dtype=bool), math.nan, self.record.bits)

    @cached_property
    def link(self) -> np.ndarray:
        """Which pairs (T, T) are links."""
        return distinguishable(self.bits, self.record.low, self.record.p)

    @cached_property
    def total_link(self) -> np.ndarray:
        """Of which targets (T,) what all others tell is more than chance."""
        # Of two targets all others are the other one, and as sure as that.
        two = len(self.targets) == 2
        other = self.record.p[[1, 0], [0, 1]] if two else np.full(len(self.targets), math.nan)
        return distinguishable(self.record.total, self.record.total_low, other)

    @property
    def rows(self) -> str:
        """How many rows were read, nothing where it is not known."""
        return plural(self.record.rows, "held-out row") if self.record.rows else ""

    def pairs(self) -> list[Pair]:
        """All pairs with a measured value: links first, each part by falling bits."""
        entangled = []
        r = self.record
        for i, j in np.argwhere(np.isfinite(self.bits)):
            entangled.append(
                Pair(
                    given=self.targets[i],
                    about=self.targets[j],
                    bits=float(self.bits[i, j]),
                    low=float(r.low[i, j]),
                    high=float(r.high[i, j]),
                    null=float(r.null[i, j]),
                    p=float(r.p[i, j]),
                    link=bool(self.link[i, j]),
                )
            )
        return sorted(entangled, key=lambda pair: (not pair.link, -pair.bits))


def distinguishable(bits: Array, low: Array, p: Array) -> np.ndarray:
    """Tells which bits are distinguishable from chance.

    The interval has to lie above 0 and the p-value has to be at most 0.05; one of the two may be
    unknown (NaN), not both.

    Shape:
        bits, low, p: (...). Result: (...), bool.

    Example:
        >>> distinguishable(np.array([.3, .3]), np.array([.2, -.1]), np.array([.01, .01])).tolist()
        [True, False]
    """
    tested = np.isfinite(low) | np.isfinite(p)
    # A comparison with NaN is False, as it should be for an unknown bound.
    refuted = (low <= 0) | (p > LEVEL)
    return np.asarray((bits > 0) & tested & ~refuted)


@dataclass(frozen=True)
class PairLine:
    """A pair as the table of the page shows it."""

    given: str
    about: str
    bits: str
    interval: str
    null: str
    p: str
    link: bool


@dataclass(frozen=True)
class EntangledView:
    """What the page shows of the entanglement.

    Args:
        svg: The map.
        words: Sentences below it.
        pairs: The strongest pairs.
        count: How many pairs there are.
        rows: How many rows were read, in words.
    """

    svg: Markup
    words: list[str]
    pairs: list[PairLine]
    count: int
    rows: str


def entangled_view(record: EntanglementRecord | None) -> EntangledView | None:
    """Returns what the template shows, None where there is nothing."""
    entangled = Entangled.of(record)
    if entangled is None:
        return None
    pairs = entangled.pairs()
    return EntangledView(
        svg=Markup(entanglement_map(entangled)),
        words=entangled_in_words(entangled),
        pairs=[_line(pair) for pair in pairs[:PAIRS]],
        count=len(pairs),
        rows=entangled.rows,
    )


def _line(pair: Pair) -> PairLine:
    unknown = math.isnan(pair.low)
    return PairLine(
        given=pair.given,
        about=pair.about,
        bits=_fine(pair.bits),
        interval="–" if unknown else f"{_fine(pair.low)} to {_fine(pair.high)}",
        null=_fine(pair.null),
        p=p_value(pair.p).removeprefix("p = ").removeprefix("p ") or "–",
        link=pair.link,
    )


def _fine(value: float) -> str:
    """Bits with three decimals: the small ones are as telling as the large ones."""
    if math.isnan(value):
        return "–"
    words = f"{abs(value):.3f}"
    return f"−{words}" if value < 0 and float(words) else words


def _worded(value: float) -> str:
    """Bits in a sentence: two decimals, three where two would say little."""
    return f"{value:.2f}".replace("-", "−") if abs(value) >= 0.095 else _fine(value)


def strongest(entangled: Entangled, most: int = LINKS) -> list[str]:
    """Returns the strongest links in words; what is within chance is never among them."""
    links = [pair for pair in entangled.pairs() if pair.link][:most]
    return [
        f"{pair.given} tells {_worded(pair.bits)} bits about {pair.about}"
        + ("" if math.isnan(pair.low) else f" ({_worded(pair.low)} to {_worded(pair.high)})")
        for pair in links
    ]


def entangled_in_words(entangled: Entangled) -> list[str]:
    """Returns the sentences below the map: how many links, the strongest, the least symmetric."""
    pairs = entangled.pairs()
    links = [pair for pair in pairs if pair.link]
    count = plural(len(pairs), "ordered pair")
    if not links:
        if len(pairs) < 2:
            return ["The pair is not distinguishable from chance."]
        return [f"None of {count} is distinguishable from chance."]
    verb = "is" if len(links) == 1 else "are"
    sentences = [f"{len(links):,} of {count} {verb} distinguishable from chance."]
    sentences.append(f"Strongest: {'; '.join(strongest(entangled))}.")
    sentences += _least_symmetric(pairs)
    total = entangled.record.total
    falling = np.argsort(-np.nan_to_num(total, nan=-math.inf))
    known = [k for k in falling if entangled.total_link[k]]
    if known:
        parts = [f"{entangled.targets[k]} ({_worded(float(total[k]))} bits)" for k in known[:3]]
        sentences.append(f"All others together tell most about {listing(parts)}.")
    return sentences


def _least_symmetric(pairs: list[Pair]) -> list[str]:
    """Says of which pair the two directions differ most, if any differ by more than chance."""
    by_name = {(pair.given, pair.about): pair for pair in pairs}
    skewed = [
        (pair.bits - back.bits, pair, back)
        for pair in [pair for pair in pairs if pair.link][:PAIRS]
        if (back := by_name.get((pair.about, pair.given))) and pair.low > back.high
    ]
    if not skewed:
        return []
    _, pair, back = max(skewed, key=lambda entry: entry[0])
    return [
        f"The largest difference of directions: {pair.given} tells {_worded(pair.bits)} bits "
        f"about {pair.about}, and {pair.about} {_worded(back.bits)} about {pair.given}."
    ]


def entanglement_map(entangled: Entangled) -> str:
    """Returns the map: a row per given target, a column per target it is about, bits in shades."""
    drawn = _map(entangled)
    detail = "; ".join(strongest(entangled)) or "no pair is distinguishable from chance"
    return drawing(drawn.width, drawn.height, title=TITLE, detail=detail, body=drawn.body)


def _map(entangled: Entangled) -> Drawn:
    """Returns the map and its key."""
    names = entangled.targets
    size = len(names)
    side = cell_side(size)
    upper = max(above(names, side), 36.0)
    grid = Grid(beside([*names, OTHERS]) + 20, upper, side, side)
    top = _largest(entangled.bits, entangled.link)
    body = [
        text(grid.left - 8, upper - 20, "given ↓", style="t mu", anchor="e"),
        text(grid.left - 8, upper - 6, "about →", style="t mu", anchor="e"),
        grid.heat(np.where(entangled.link, entangled.bits, math.nan), top),
        grid.hatching(np.isfinite(entangled.bits) & ~entangled.link),
        grid.column_names(names),
        grid.row_names(names),
    ]
    if size <= NUMBERED:
        body += _numbers(grid, entangled.bits, link=entangled.link, top=top)
    bottom = upper + side * size + 9.0
    most = 0.0
    total = entangled.record.total[None, :]
    sure = entangled.total_link[None, :]
    if np.isfinite(total).any():
        # A scale of its own: the total is larger than any pair and would wash the pairs out.
        foot = Grid(grid.left, bottom, side, side)
        most = _largest(total, sure)
        body.append(foot.row_names([OTHERS], style="t b"))
        body.append(foot.heat(np.where(sure, total, math.nan), most, style="tt"))
        body.append(foot.hatching(np.isfinite(total) & ~sure))
        if size <= NUMBERED:
            body += _numbers(foot, total, link=sure, top=most)
        bottom += side
    keys = _keys(entangled, top=top, most=most, y=bottom + 14)
    width = max(grid.left + side * size + 0.64 * TEXT_WIDTH * 16 + 8, 340.0)
    return Drawn(width, bottom + 20 + LINE * len(keys), [*body, *keys])


def _largest(values: Array, link: np.ndarray) -> float:
    return float(np.max(values, where=link & np.isfinite(values), initial=0.0))


def _numbers(grid: Grid, values: Array, *, link: np.ndarray, top: float) -> list[str]:
    words = [[_short(float(v)) for v in row] for row in values]
    share = np.where(link, np.nan_to_num(values / (top or 1.0)), 0.0)
    shown = [[w if link[i, j] else "" for j, w in enumerate(row)] for i, row in enumerate(words)]
    chance = np.argwhere(~link & np.isfinite(values))
    return [
        grid.numbers(shown, share),
        *(grid.word(i, j, words[i][j], style="c no") for i, j in chance),
    ]


def _short(value: float) -> str:
    """Bits in at most four characters, as cells are narrow: .42, 1.3, 12."""
    if math.isnan(value):
        return ""
    size = abs(value)
    words = f"{size:.2f}" if size < 0.995 else f"{size:.1f}" if size < 9.95 else f"{size:.0f}"
    sign = "−" if value < 0 and float(words) else ""
    return sign + (words.removeprefix("0") if float(words) else "0")


def _keys(entangled: Entangled, *, top: float, most: float, y: float) -> list[str]:
    """Draws what shades and hatching stand for, one line each."""
    scales = [("", top, "bits of one target")] if top else []
    scales += [("tt", most, f"bits of {OTHERS}")] if most else []
    lines = []
    for style, largest, words in scales:
        y += LINE
        cells = "".join(
            f'<path class="ht {style} q{step}" stroke-width="11" '
            f'd="M{coord(34 + 12 * k)} {coord(y - 4)}h11"/>'
            for k, step in enumerate((1, 3, 5, 7, 9, 10))
        )
        zero = text(28, y, "0", style="k", anchor="e")
        lines.append(f"{zero}{cells}{text(112, y, f'{_short(largest)} {words}', style='k')}")
    hatched = not entangled.link[np.isfinite(entangled.bits)].all() or (
        np.isfinite(entangled.record.total).any() and not entangled.total_link.all()
    )
    if hatched:
        y += LINE
        mark = Grid(90.5, y - 10, 15.5, 15.5).hatching(np.ones((1, 1), dtype=bool))
        lines.append(mark + text(112, y, "not distinguishable from chance", style="k"))
    return lines


def entanglement_picture(record: EntanglementRecord | None) -> str:
    """Returns the map of entanglement as an SVG file that is readable when opened alone.

    Args:
        record: ``entanglement`` of a run.

    Returns:
        The text of the file; an empty string where fewer than two targets were measured.

    Example:
        >>> entanglement_picture(None)
        ''
    """
    entangled = Entangled.of(record)
    if entangled is None:
        return ""
    rows = f", on {entangled.rows}" if entangled.rows else ""
    return picture(
        "Entanglement",
        f"Bits that a given target tells about another{rows}",
        feet=(
            "Mean saving of log-loss given the inputs; asymmetric as it comes.",
            "It says what a value tells, not what causes what.",
        ),
        drawn=_map(entangled),
        spoken=(TITLE, "; ".join(strongest(entangled))),
    )
