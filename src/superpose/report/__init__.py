"""The report as one HTML file, tables on the terminal and pictures, all from a run's record."""

from ._affinity import (
    affinity_picture,
    affinity_table,
    grouping_in_words,
    grouping_table,
    groups_in_words,
)
from ._bits_table import entanglement_table
from ._entangled import entanglement_picture
from ._report import render_report
from ._table import Screen, screen, verdict_table, verdict_text

__all__ = [
    "Screen",
    "affinity_picture",
    "affinity_table",
    "entanglement_picture",
    "entanglement_table",
    "grouping_in_words",
    "grouping_table",
    "groups_in_words",
    "render_report",
    "screen",
    "verdict_table",
    "verdict_text",
]
