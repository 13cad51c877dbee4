"""The command line: verbs over the public class, without logic of their own."""

from ._affinity_verbs import affinity
from ._given_verbs import entanglement, measure
from ._method_verbs import balances, fusions
from ._verbs import app, main

__all__ = ["affinity", "app", "balances", "entanglement", "fusions", "main", "measure"]
