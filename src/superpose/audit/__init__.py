"""Audit: the references, the no-harm test, what ships, and the facts it all leaves."""

from ._affinity import affinity, affinity_pairs
from ._entanglement import entanglement, entanglement_of, pairs
from ._findings import Facts, evaluate_target, findings
from ._group_search import candidates, search_groups
from ._measure import measurement_plan, next_measurement, ranked, sample, sample_table
from ._memory import require_room
from ._predictor import Predictor
from ._prepare import Prepared, prepare
from ._proof import Case, Ruling, rule
from ._scoring import score_table
from ._telling import given_labels, given_names, require_plan, scored_given, with_measured
from ._trial import Progress, Trial, quiet, run_trial
from ._wording import describe

__all__ = [
    "Case",
    "Facts",
    "Predictor",
    "Prepared",
    "Progress",
    "Ruling",
    "Trial",
    "affinity",
    "affinity_pairs",
    "candidates",
    "describe",
    "entanglement",
    "entanglement_of",
    "evaluate_target",
    "findings",
    "given_labels",
    "given_names",
    "measurement_plan",
    "next_measurement",
    "pairs",
    "prepare",
    "quiet",
    "ranked",
    "require_plan",
    "require_room",
    "rule",
    "run_trial",
    "sample",
    "sample_table",
    "score_table",
    "scored_given",
    "search_groups",
    "with_measured",
]
