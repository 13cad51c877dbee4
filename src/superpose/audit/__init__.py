"""Audit: the references, the no-harm test, what is deployed, and the record of it all."""

from ._affinity import affinity
from ._entanglement import entanglement, entanglement_of
from ._findings import findings
from ._group_search import candidates, search_groups
from ._measure import measurement_plan, next_measurement, ranked, sample, sample_table
from ._memory import require_room
from ._predictor import Predictor
from ._prepare import Prepared, prepare
from ._proof import Case, Ruling, rule
from ._scoring import score_table
from ._target_findings import evaluate_target
from ._telling import given_labels, given_names, require_plan, scored_given, with_measured
from ._trial import Progress, Trial, quiet, run_trial, settings_of

__all__ = [
    "Case",
    "Predictor",
    "Prepared",
    "Progress",
    "Ruling",
    "Trial",
    "affinity",
    "candidates",
    "entanglement",
    "entanglement_of",
    "evaluate_target",
    "findings",
    "given_labels",
    "given_names",
    "measurement_plan",
    "next_measurement",
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
    "settings_of",
    "with_measured",
]
