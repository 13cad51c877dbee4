"""The names by which mixtures, bundles and reports know models and levels.

They stand in bundles, so they stay as they are; boosted trees go by the name of their engine.
"""

# The network of all targets, and the same network with one target only.
MULTI_TASK, SINGLE_TASK = "joint", "alone"
# Trees that read measured targets: any of the others, or all of them.
TREES_SOME, TREES_ALL = "trees given", "trees all"
COPULA = "copula"
# What learns nothing from the inputs.
BASELINE, LAST_VALUE, SEASON_BEFORE = "baseline", "last value", "season before"
BASELINES = (BASELINE, LAST_VALUE, SEASON_BEFORE)

# How much of the other targets is measured.
NONE, HALF, ALL = "none", "half", "all"
LEVELS = (NONE, HALF, ALL)
