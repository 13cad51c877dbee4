"""The names of the networks among the models of a target; trees go by their engine's."""

JOINT, ALONE = "joint", "alone"
# Trees that are told measured targets: some of the others, or all.
SOME, EVERY = "trees given", "trees all"
