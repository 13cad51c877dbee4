"""Audit: the references, the no-harm test, what ships, and the facts it all leaves."""

from ._findings import Facts, describe, evaluate_target, findings
from ._predictor import Predictor
from ._proof import Case, Ruling, rule
from ._trial import Prepared, Progress, Trial, prepare, quiet, run_trial, settings_of

__all__ = [
    "Case",
    "Facts",
    "Predictor",
    "Prepared",
    "Progress",
    "Ruling",
    "Trial",
    "describe",
    "evaluate_target",
    "findings",
    "prepare",
    "quiet",
    "rule",
    "run_trial",
    "settings_of",
]
