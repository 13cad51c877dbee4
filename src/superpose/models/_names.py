"""The names of the networks among the models of a target; trees go by their engine's."""

JOINT, ALONE = "joint", "alone"
