"""Analysis: what a run has found, what targets tell about each other, who helps whom."""

from ._affinity import affinity, affinity_pairs
from ._entanglement import entanglement, entanglement_of, pairs
from ._findings import Facts, findings
from ._group_search import candidates, search_groups
from ._measure import measurement_plan, next_measurement, ranked
from ._question import Question
from ._sample import sample, sample_table

__all__ = [
    "Facts",
    "Question",
    "affinity",
    "affinity_pairs",
    "candidates",
    "entanglement",
    "entanglement_of",
    "findings",
    "measurement_plan",
    "next_measurement",
    "pairs",
    "ranked",
    "sample",
    "sample_table",
    "search_groups",
]
