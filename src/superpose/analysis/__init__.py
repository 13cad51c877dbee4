"""Analysis: the record of a run, what targets tell about each other, who helps whom."""

from ._affinity import affinity
from ._entanglement import entanglement, entanglement_of
from ._findings import findings
from ._group_search import candidates, search_groups
from ._measure import measurement_plan, next_measurement, ranked
from ._question import Question
from ._sample import sample, sample_table

__all__ = [
    "Question",
    "affinity",
    "candidates",
    "entanglement",
    "entanglement_of",
    "findings",
    "measurement_plan",
    "next_measurement",
    "ranked",
    "sample",
    "sample_table",
    "search_groups",
]
