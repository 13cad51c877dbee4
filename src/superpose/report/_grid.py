"""Cells in rows and columns: the paper of every heat map of the report.

Shades are opacities of one page colour in ten steps, so that light and dark need no second palette.
Cells of one shade share a path: a map of 60 x 60 stays small.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ._curves import Array
from ._svg import coord, escape, longest, shorten, text

STEPS = 10
STEEP = 17.0  # narrower columns have upright names, as slanted ones would overlap
COLUMN_NAME = 16  # characters of a column's name that are drawn
ROW_NAME = 22  # and of a row's
GAP = 1.5  # between two cells


def above(names: Sequence[str], width: float) -> float:
    """Returns the room that column names take above columns of some width."""
    return longest(names, COLUMN_NAME) * (1.0 if width < STEEP else 0.77) + 18


def beside(names: Sequence[str], limit: int = ROW_NAME) -> float:
    """Returns the room that names of rows take at the left."""
    return longest(names, limit)


@dataclass(frozen=True)
class Grid:
    """A block of cells on paper.

    Args:
        left, upper: Its corner.
        width, height: Sides of a cell, with the gap to the next one.
    """

    left: float
    upper: float
    width: float
    height: float

    def heat(self, values: Array, top: float, *, style: str = "") -> str:
        """Draws cells shaded by value / top; NaN cells stay blank.

        Args:
            values: (R, C).
            top: The value of the strongest shade.
            style: A further CSS class: another colour.
        """
        share = np.clip(np.nan_to_num(values / (top or 1.0)), 0, 1)
        level = np.ceil(share * STEPS - 1e-9).astype(int)
        level[~np.isfinite(values)] = -1
        parts = []
        for step in range(STEPS + 1):
            data = "".join(
                f"M{coord(self.left + j * self.width)} "
                f"{coord(self.upper + (i + 0.5) * self.height)}h{coord(self.width - GAP)}"
                for i, j in np.argwhere(level == step)
            )
            if data:
                thick = coord(self.height - GAP)
                name = f"ht {style} q{step}"
                parts.append(f'<path class="{name}" stroke-width="{thick}" d="{data}"/>')
        return "".join(parts)

    def numbers(self, words: Sequence[Sequence[str]], share: Array) -> str:
        """Draws a word into each cell, in the ink that its shade (0 to 1) calls for."""
        parts = []
        for i, row in enumerate(words):
            for j, word in enumerate(row):
                if word:
                    # Strong shades need the other ink; in the middle it depends on light or dark.
                    ink = "c in" if share[i, j] > 0.7 else "c mid" if share[i, j] > 0.5 else "c"
                    parts.append(self.word(i, j, word, style=ink))
        return "".join(parts)

    def word(self, row: int, column: int, word: str, *, style: str) -> str:
        """Draws a word into one cell."""
        x = self.left + (column + 0.5) * self.width - 0.75
        return text(x, self.upper + (row + 0.5) * self.height + 4, word, style=style)

    def hatching(self, cells: np.ndarray) -> str:
        """Draws lines over cells (R, C) that are marked, on a ground of their own."""
        size = self.width - GAP
        half = size / 2
        parts = []
        for i, j in np.argwhere(cells):
            x = self.left + j * self.width
            y = self.upper + i * self.height
            parts.append(f"M{coord(x)} {coord(y + size)}l{coord(size)}-{coord(size)}")
            if self.width > 20:  # smaller cells have room for one line
                parts.append(
                    f"M{coord(x)} {coord(y + half)}l{coord(half)}-{coord(half)}"
                    f"M{coord(x + half)} {coord(y + size)}l{coord(half)}-{coord(half)}"
                )
        ground = self.heat(np.where(cells, 1.0, np.nan), 1.0, style="no")
        return f'{ground}<path class="hs" d="{"".join(parts)}"/>' if parts else ""

    def column_names(self, names: Sequence[str]) -> str:
        """Draws names rising over the columns, upright where these are narrower than a line."""
        turn, shift = (-90, 4) if self.width < STEEP else (-50, 0)
        base = coord(self.upper - 6)
        parts = []
        for j, name in enumerate(names):
            x = coord(self.left + (j + 0.5) * self.width + shift)
            short = shorten(name, COLUMN_NAME)
            tip = f"<title>{escape(name)}</title>" if short != name else ""
            parts.append(
                f'<text transform="translate({x} {base})rotate({turn})" class="t">{tip}'
                f"{escape(short)}</text>"
            )
        return "".join(parts)

    def row_names(self, names: Sequence[str], *, limit: int = ROW_NAME, style: str = "t") -> str:
        """Draws names at the left of the rows."""
        return "".join(
            text(
                self.left - 8,
                self.upper + (i + 0.5) * self.height + 4,
                name,
                style=style,
                anchor="e",
                limit=limit,
            )
            for i, name in enumerate(names)
        )
