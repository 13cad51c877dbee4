"""Models: what answers, how answers are mixed, and the folder that keeps them."""

from ._bundle import load_bundle
from ._copula import COPULA, Copula
from ._facts import join_facts, plain, split_facts
from ._given import ALL, HALF, LEVELS, NONE, Given, Rows
from ._groups import places_of
from ._mixture import ROUNDS, Weights, greedy_blend, mix
from ._names import ALONE, EVERY, JOINT, SOME
from ._observed import AUTO, given_labels, given_names, require_plan, scored_given, with_measured
from ._predictor import Predictor
from ._revealed import Revealed, reveal_columns
from ._store import is_folder, load_folder, require_writable, save_folder, write_file
from ._trees import FittedTrees

__all__ = [
    "ALL",
    "ALONE",
    "AUTO",
    "COPULA",
    "EVERY",
    "HALF",
    "JOINT",
    "LEVELS",
    "NONE",
    "ROUNDS",
    "SOME",
    "Copula",
    "FittedTrees",
    "Given",
    "Predictor",
    "Revealed",
    "Rows",
    "Weights",
    "given_labels",
    "given_names",
    "greedy_blend",
    "is_folder",
    "join_facts",
    "load_bundle",
    "load_folder",
    "mix",
    "places_of",
    "plain",
    "require_plan",
    "require_writable",
    "reveal_columns",
    "save_folder",
    "scored_given",
    "split_facts",
    "with_measured",
    "write_file",
]
