"""Boosted trees of several engines in one form, kept without pickle.

>>> import numpy as np
>>> from superpose.trees import TreeData, fit_trees
>>> X = np.linspace(0, 1, 100, dtype=np.float32)[:, None]
>>> data = TreeData(X, X[:, 0] * 2, categorical=[False], train=np.arange(100))
>>> model = fit_trees("hist", data, tree_task="regression")
>>> model.predict(X).shape                          # a mean and a scale per row
(100, 2)
"""

from ._boosters import require_engine
from ._data import TreeData
from ._fit import Engine, fit_trees
from ._trees import TreeModel

__all__ = ["Engine", "TreeData", "TreeModel", "fit_trees", "require_engine"]
