"""Boosted trees of several engines in one form, kept without pickle.

>>> import numpy as np
>>> from superpose.trees import TreeRows, fit_trees
>>> X = np.linspace(0, 1, 100, dtype=np.float32)[:, None]
>>> data = TreeRows(X, X[:, 0] * 2, categorical=[False], train=np.arange(100))
>>> model = fit_trees("hist", data, tree_task="regression")
>>> model.predict(X).shape                          # a mean and a scale per row
(100, 2)
"""

from ._boosters import require_engine
from ._fit import Engine, fit_trees
from ._tree_rows import TreeRows
from ._trees import TreeModel

__all__ = ["Engine", "TreeModel", "TreeRows", "fit_trees", "require_engine"]
