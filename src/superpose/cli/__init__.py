"""The command line: verbs over the public class, without logic of their own."""

from ._affinity_verbs import affinity
from ._app import app, main
from ._given_verbs import entanglement, measure
from ._method_verbs import balances, fusions
from ._verbs import check, demo, evaluate, init, predict, report, train

__all__ = [
    "affinity",
    "app",
    "balances",
    "check",
    "demo",
    "entanglement",
    "evaluate",
    "fusions",
    "init",
    "main",
    "measure",
    "predict",
    "report",
    "train",
]
