"""Jobs: each network has its targets and its fold, and one target goes the way of all."""

import numpy as np
import pytest

from superpose.training import multi_task_jobs, single_task_jobs
from superpose.training._jobs import group_jobs, heads_by_fold

TARGETS = ("weight", "sick", "calls")


@pytest.fixture
def learned(spec):
    """Kinds and labels of three targets."""
    return [spec.codec.target_kinds[t] for t in TARGETS], [spec.labels[t] for t in TARGETS]


def test_a_multi_task_network_learns_from_all_rows_of_its_fold(spec):
    jobs = multi_task_jobs(3, spec.folds)
    assert [job.fold for job in jobs] == [0, 1, 2]
    for job, fold in zip(jobs, spec.folds, strict=True):
        assert job.targets == (0, 1, 2)
        np.testing.assert_array_equal(job.train, fold.train)


def test_a_single_task_network_learns_from_the_labelled_rows_of_its_fold(spec, learned):
    kinds, labels = learned
    jobs = single_task_jobs(kinds, labels, spec.folds)
    assert [(job.targets, job.fold) for job in jobs] == [
        ((t,), f) for t in range(3) for f in range(3)
    ]
    for job in jobs:
        known = kinds[job.targets[0]].distribution.known(labels[job.targets[0]])
        train = spec.folds[job.fold].train
        np.testing.assert_array_equal(job.train, train[known[train]])


def test_a_fold_without_a_label_keeps_its_rows(spec, learned):
    kinds, labels = learned
    gappy = labels[0].copy()
    gappy[spec.folds[1].train] = np.nan
    jobs = single_task_jobs(kinds[:1], [gappy], spec.folds)
    np.testing.assert_array_equal(jobs[1].train, spec.folds[1].train)
    assert len(jobs[0].train) < len(spec.folds[0].train)


@pytest.mark.parametrize("single_task", [False, True])
def test_every_fold_and_target_has_one_network(spec, learned, single_task):
    jobs = single_task_jobs(*learned, spec.folds) if single_task else multi_task_jobs(3, spec.folds)
    networks, heads = heads_by_fold(jobs)
    for fold in range(3):
        for target in range(3):
            job = jobs[networks[fold, target]]
            assert (job.fold, job.targets[heads[fold, target]]) == (fold, target)


@pytest.mark.parametrize("single_task", [False, True])
def test_groups_are_the_networks_side_by_side_in_their_order(spec, learned, single_task):
    jobs = single_task_jobs(*learned, spec.folds) if single_task else multi_task_jobs(3, spec.folds)
    teams = group_jobs(jobs)
    assert [job for team in teams for job in jobs[team.networks]] == jobs
    assert all(job.targets == team.targets for team in teams for job in jobs[team.networks])
    assert len(teams) == (3 if single_task else 1)


def test_without_gaps_a_network_of_one_target_is_the_same_whichever_way_it_is_made(
    run, spec, assert_same
):
    labels = [np.nan_to_num(spec.labels["weight"])]
    both = [run(("weight",), labels=labels, single_task=way) for way in (False, True)]
    assert_same(*both)
