"""The report as one HTML file, and the verdict table on the terminal, both from a run's facts."""

from ._report import render_report
from ._table import verdict_table

__all__ = ["render_report", "verdict_table"]
