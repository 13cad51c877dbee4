"""Dividing targets into groups, so that each gets as much as possible from the others of its group.

What a group is worth is the sum, over its targets, of the mean affinity that a target receives from
the others: the sum of all affinities inside, divided by the number of targets less one. A target
that is alone receives nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Up to so many targets all divisions are compared, by way of all 3**T pairs of a set and a subset.
MOST_COMPARED = 10
# By so much more has a division to be worth before it is preferred to one with fewer groups.
WORTH = 0.1

Groups = list[list[int]]


@dataclass(frozen=True)
class Division:
    """A division of targets into groups.

    Args:
        groups: Indices of the targets of each group; a target is in one group.
        value: Mean affinity that a target receives within its group.
    """

    groups: Groups
    value: float


def value_of(affinity: np.ndarray, groups: Sequence[Sequence[int]]) -> float:
    """Return the mean affinity that a target receives from the others of its group.

    Shape:
        affinity (T, T), row gives, column receives; its diagonal is not read.

    Example:
        >>> round(value_of(np.array([[0, 4, 1], [2, 0, 0], [3, 0, 0]]), [[0, 1], [2]]), 6)
        2.0
    """
    total = sum(_worth(affinity, list(group)) for group in groups)
    return float(total / sum(map(len, groups)))


def _worth(affinity: np.ndarray, group: Sequence[int]) -> float:
    inside = affinity[np.ix_(group, group)]
    return float((inside.sum() - np.trace(inside)) / max(len(group) - 1, 1))


def divisions(affinity: np.ndarray) -> list[Division]:
    """Find the best division into one group, two groups, and so on up to a group for each target.

    Up to ten targets it is the best there is; beyond, groups are merged greedily, and targets moved
    between them while that helps.

    Args:
        affinity: What each target gives to each other one; unknown values (NaN) count as nothing.

    Shape:
        affinity (T, T), row gives, column receives -> T divisions.

    Example:
        >>> apart = np.kron(np.eye(2), np.ones((2, 2)))
        >>> divisions(apart)[1]
        Division(groups=[[0, 1], [2, 3]], value=1.0)

    Source:
        The objective is that of Fifty et al., NeurIPS 2021, section 3.3, without its groups that
        overlap: here every target is predicted by the group that it is trained in.
    """
    both = np.nan_to_num(np.asarray(affinity, float))
    best = _best(both) if len(both) <= MOST_COMPARED else _greedy(both)
    return [Division(sorted(groups), value_of(both, groups)) for groups in best]


def _best(affinity: np.ndarray) -> list[Groups]:
    """Best divisions of every set of targets, the larger from the smaller; sets are bit masks."""
    size = len(affinity)
    members = [[t for t in range(size) if mask >> t & 1] for mask in range(1 << size)]
    worth = np.array([_worth(affinity, group) for group in members])
    best = np.full((1 << size, size + 1), -np.inf)  # by set and number of groups
    best[0, 0] = 0.0
    taken = np.zeros(best.shape, int)  # the group that holds the lowest target of the set
    for mask in range(1, 1 << size):
        lowest = mask & -mask
        rest = mask ^ lowest
        part = rest
        while True:  # all subsets of the rest, the whole and the empty one too
            group = part | lowest
            value = worth[group] + best[mask ^ group, :-1]
            better = value > best[mask, 1:] + 1e-12
            best[mask, 1:][better] = value[better]
            taken[mask, 1:][better] = group
            if not part:
                break
            part = (part - 1) & rest
    best_groups = []
    for count in range(1, size + 1):
        left = (1 << size) - 1
        groups = []
        for still in range(count, 0, -1):
            groups.append(members[taken[left, still]])
            left ^= int(taken[left, still])
        best_groups.append(groups)
    return best_groups


def _greedy(affinity: np.ndarray) -> list[Groups]:
    """Merge the two groups that are worth most together, again and again."""
    size = len(affinity)
    between = affinity + affinity.T  # of groups: what is given and taken from one to the other
    np.fill_diagonal(between, 0.0)
    inside = np.zeros(size)
    count = np.ones(size)
    groups = [[t] for t in range(size)]
    steps = [groups]
    while len(groups) > 1:
        worth = inside / np.maximum(count - 1, 1)
        whole = (inside[:, None] + inside + between) / (count[:, None] + count - 1)
        gain = whole - worth[:, None] - worth
        gain[np.tril_indices(len(gain))] = -np.inf
        a, b = np.unravel_index(np.argmax(gain), gain.shape)
        inside[a] += inside[b] + between[a, b]
        count[a] += count[b]
        between[a] += between[b]
        between[:, a] = between[a]
        between[a, a] = 0.0
        keep = np.arange(len(groups)) != b
        inside = inside[keep]
        count = count[keep]
        between = between[keep][:, keep]
        merged = sorted(groups[a] + groups[b])
        groups = [merged if g == a else own for g, own in enumerate(groups) if g != b]
        steps.append(groups)
    return [_refined(affinity, groups) for groups in reversed(steps)]


def _refined(affinity: np.ndarray, groups: Groups) -> Groups:
    """Move targets one by one to the group where they are worth most; no group becomes empty."""
    both = affinity + affinity.T
    np.fill_diagonal(both, 0.0)
    member = np.zeros((len(affinity), len(groups)))
    for index, group in enumerate(groups):
        member[group, index] = 1.0
    moving = True
    while moving:
        moving = False
        for target in range(len(affinity)):
            home = int(member[target].argmax())
            count = member.sum(0)
            if count[home] == 1:
                continue
            member[target, home] = 0.0
            count[home] -= 1
            inside = np.einsum("tg,tu,ug->g", member, both, member) / 2
            joined = (inside + both[target] @ member) / count
            gain = joined - inside / np.maximum(count - 1, 1)
            goal = int(gain.argmax())
            if gain[goal] <= gain[home] + 1e-12:
                goal = home
            member[target, goal] = 1.0
            moving |= goal != home
    return [np.flatnonzero(column).tolist() for column in member.T]


def suggested(looks: np.ndarray) -> Division:
    """Return the division with the fewest groups that is about as good as the best one.

    By itself the mean affinity would part six targets that help each other alike into pairs: a pair
    of best friends has the highest mean. So more groups have to be worth it, by a tenth and by more
    than two standard errors. A target that the others of its group harm, by as much, stands alone.

    Args:
        looks: The same affinities measured several times over.

    Shape:
        looks (N, T, T).
    """
    looks = np.nan_to_num(looks)
    # What is best by one half of the looks is evaluated by the other: the best of many looks better
    # than it is.
    choices = divisions(looks[::2].mean(0))
    evaluating = looks[1::2] if len(looks) > 1 else looks
    values = np.array([[value_of(look, one.groups) for look in evaluating] for one in choices])
    best = int(values.mean(1).argmax())
    slack = WORTH * values[best].mean()
    few = next(
        count
        for count, more in enumerate(values[best] - values)
        if more.mean() <= max(_doubt(more), slack)
    )
    division = divisions(looks.mean(0))[few]
    groups: Groups = []
    for group in division.groups:
        received = looks[:, group][:, :, group].sum(1) - looks[:, group, group]
        harmed = [
            t for t, got in zip(group, received.T, strict=True) if got.mean() + _doubt(got) < 0
        ]
        groups += [[t] for t in harmed] + [[t for t in group if t not in harmed]]
    groups = sorted(group for group in groups if group)
    return Division(groups, value_of(looks.mean(0), groups))


def _doubt(values: np.ndarray) -> float:
    """Return two standard errors of the mean, 0 where one value is all there is."""
    return float(2 * np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0
