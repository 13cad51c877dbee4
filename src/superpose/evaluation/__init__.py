"""Evaluation: the references, the no-harm test, and what is deployed after it.

``run_evaluation`` trains on a prepared table and decides; a ``RunResult`` has all that comes of it.
"""

from ._context import Progress, quiet
from ._decide import Decision, TargetEvaluation, decide
from ._levels import LevelResult
from ._memory import require_room
from ._run import RunResult, run_evaluation
from ._run_folder import locked, open_run, require_run, settings_text, source_name
from ._scoring import metric_options, score_table
from ._spec import spec_of

__all__ = [
    "Decision",
    "LevelResult",
    "Progress",
    "RunResult",
    "TargetEvaluation",
    "decide",
    "locked",
    "metric_options",
    "open_run",
    "quiet",
    "require_room",
    "require_run",
    "run_evaluation",
    "score_table",
    "settings_text",
    "source_name",
    "spec_of",
]
