"""Groups of targets that share a network."""

from __future__ import annotations

from collections.abc import Sequence


def group_indices(groups: Sequence[Sequence[str]], targets: Sequence[str]) -> list[list[int]]:
    """Return the groups as indices of their targets; one that nobody names is alone in its group.

    Where all share, there is nothing to be kept apart, and no group at all.

    Example:
        >>> group_indices([["c", "a"]], ["a", "b", "c"])
        [[0, 2], [1]]
        >>> group_indices([["a", "b"]], ["a", "b"])
        []
    """
    indices = [sorted(targets.index(t) for t in group) for group in groups]
    named = {index for group in indices for index in group}
    indices += [[index] for index in range(len(targets)) if index not in named]
    return [] if not groups or len(indices) == 1 else sorted(indices)
