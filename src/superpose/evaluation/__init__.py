"""Evaluation: the references, the no-harm test, and what is deployed after it."""

from ._decide import Case, Ruling, rule
from ._memory import require_room
from ._prepare import Prepared, prepare
from ._run import Progress, Trial, quiet, recipe_of, run_trial
from ._run_folder import locked, open_run, require_run, settings_text, source_name
from ._scoring import evaluate_target, score_table
from ._wording import describe, engine_word, percent

__all__ = [
    "Case",
    "Prepared",
    "Progress",
    "Ruling",
    "Trial",
    "describe",
    "engine_word",
    "evaluate_target",
    "locked",
    "open_run",
    "percent",
    "prepare",
    "quiet",
    "recipe_of",
    "require_room",
    "require_run",
    "rule",
    "run_trial",
    "score_table",
    "settings_text",
    "source_name",
]
