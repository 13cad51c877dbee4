"""What each of the networks that are trained in one pass is for: its targets and its fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

import numpy as np

from superpose.data import Fold
from superpose.kinds import TargetKind


@dataclass(frozen=True)
class Job:
    """One of several networks.

    Args:
        targets: Numbers of its targets, in the order of its heads.
        fold: Number of its fold.
        train: The rows that it learns from.
    """

    targets: tuple[int, ...]
    fold: int
    train: np.ndarray


class JobGroup(NamedTuple):
    """Networks that stand side by side and have the same targets."""

    targets: tuple[int, ...]
    networks: slice


def multi_task_jobs(targets: int, folds: Sequence[Fold]) -> list[Job]:
    """Return a job for each fold: one network for all targets.

    Example:
        >>> folds = [Fold(np.arange(5), np.arange(5, 9)), Fold(np.arange(5, 9), np.arange(5))]
        >>> [(job.targets, job.fold) for job in multi_task_jobs(2, folds)]
        [((0, 1), 0), ((0, 1), 1)]
    """
    return [Job(tuple(range(targets)), f, fold.train) for f, fold in enumerate(folds)]


def single_task_jobs(
    kinds: Sequence[TargetKind], labels: Sequence[np.ndarray], folds: Sequence[Fold]
) -> list[Job]:
    """Return a job for each target and fold: a network that learns from rows with its label only.

    Where no row of a fold has the label, it gets them all.
    """
    jobs = []
    for t, (kind, y) in enumerate(zip(kinds, labels, strict=True)):
        for f, fold in enumerate(folds):
            known = kind.distribution.known(y[fold.train])
            jobs.append(Job((t,), f, fold.train[known] if known.any() else fold.train))
    return jobs


def group_jobs(jobs: Sequence[Job]) -> list[JobGroup]:
    """Return the networks that stand side by side and have the same targets.

    Example:
        >>> rows = np.arange(3)
        >>> group_jobs([Job((0,), 0, rows), Job((0,), 1, rows), Job((1,), 0, rows)])
        [JobGroup(targets=(0,), networks=slice(0, 2, None)), JobGroup(targets=(1,), networks=slice(2, 3, None))]
    """  # noqa: E501 (what Python prints)
    groups = []
    first = 0
    for targets, members in groupby(jobs, lambda job: job.targets):
        stop = first + len(list(members))
        groups.append(JobGroup(targets, slice(first, stop)))
        first = stop
    return groups


def heads_by_fold(jobs: Sequence[Job]) -> tuple[np.ndarray, np.ndarray]:
    """Return of each fold and target the index of its network (F, T), and of the head there (F, T).

    Example:
        >>> rows = np.arange(3)
        >>> networks, heads = heads_by_fold([Job((0, 1), 0, rows), Job((0, 1), 1, rows)])
        >>> networks.tolist(), heads.tolist()
        ([[0, 0], [1, 1]], [[0, 1], [0, 1]])
    """
    shape = (1 + max(job.fold for job in jobs), 1 + max(max(job.targets) for job in jobs))
    networks = np.zeros(shape, int)
    heads = np.zeros(shape, int)
    for number, job in enumerate(jobs):
        networks[job.fold, list(job.targets)] = number
        heads[job.fold, list(job.targets)] = range(len(job.targets))
    return networks, heads
