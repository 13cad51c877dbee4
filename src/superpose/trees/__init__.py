"""Boosted trees of several engines in one form, kept without pickle.

>>> import numpy as np
>>> from superpose.trees import fit_trees
>>> X = np.linspace(0, 1, 100, dtype=np.float32)[:, None]
>>> model = fit_trees("hist", X, [False], X[:, 0] * 2, np.arange(100), tree_task="regression")
>>> model.predict(X).shape                          # a mean and a scale per row
(100, 2)
"""

from ._boosters import require_engine
from ._trees import Engine, TreeModel, fit_trees

__all__ = ["Engine", "TreeModel", "fit_trees", "require_engine"]
