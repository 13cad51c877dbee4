"""The report as one HTML file, tables on the terminal and a picture, all from a run's facts."""

from ._bits_table import entanglement_table
from ._entangled import entanglement_picture
from ._report import render_report
from ._table import verdict_table

__all__ = ["entanglement_picture", "entanglement_table", "render_report", "verdict_table"]
