"""Preparation: kinds inferred, rows divided, codec fitted; nothing is trained, and no torch loaded.

``prepare`` reads and checks a table as far as training would, so that every fault of settings and
data is known before it; ``superpose check`` is it.
"""

from ._plan import Plan
from ._prepare import Prepared, engines_of, prepare
from ._size import surely_fits

__all__ = ["Plan", "Prepared", "engines_of", "prepare", "surely_fits"]
