"""Observed targets: what a network is shown while it learns, and what it is validated with."""

import numpy as np
import pytest
import torch

from superpose.models import observed_columns
from superpose.training._observed_targets import ObservedTargets

MANY = 40_000  # draws; the standard error of a share of one half is 0.0025


@pytest.fixture
def observe(spec):
    kinds = [spec.codec.target_kinds[t] for t in spec.labels]
    return ObservedTargets(kinds, list(spec.labels.values()), seed=3)


@pytest.fixture
def rows():
    torch.manual_seed(0)
    return torch.randint(0, 90, (2, MANY // 2))


@pytest.fixture
def complete(spec):
    """The same with a label everywhere."""
    kinds = [spec.codec.target_kinds[t] for t in spec.labels]
    return ObservedTargets(kinds, [np.nan_to_num(y) for y in spec.labels.values()])


def test_a_label_that_is_not_known_is_never_shown(observe, rows, spec):
    shown = observe.draw(rows)
    known = torch.from_numpy(
        np.stack(
            [spec.codec.target_kinds[t].distribution.known(y) for t, y in spec.labels.items()],
            axis=1,
        )
    )
    assert not (shown & ~known[rows]).any()
    assert (shown & known[rows]).any((0, 1)).all()


def test_half_of_the_rows_are_shown_nothing(complete, rows):
    nothing = ~complete.draw(rows).any(-1)
    assert abs(nothing.float().mean() - 0.5) < 0.01


def test_every_size_of_a_subset_is_equally_likely(complete, rows):
    sizes = torch.bincount(complete.draw(rows).sum(-1).flatten(), minlength=7) / MANY
    assert sizes[6] == 0  # some target has to be predicted
    np.testing.assert_allclose(sizes[1:6].numpy(), 0.1, atol=0.008)


def test_every_target_is_shown_equally_often(complete, rows):
    often = complete.draw(rows).float().mean((0, 1))
    np.testing.assert_allclose(often.numpy(), 0.25, atol=0.01)  # half of the rows, half of them


def test_one_target_alone_is_shown_to_nobody_else(spec):
    alone = ObservedTargets([spec.codec.target_kinds["weight"]], [spec.labels["weight"]])
    # Nothing else is predicted, so it does no harm; training without others never gets here.
    assert alone.draw(torch.arange(90)[None]).shape == (1, 90, 1)


def test_the_block_holds_what_is_shown_and_nothing_else(observe, spec):
    shown = torch.zeros(90, 6, dtype=torch.bool)
    shown[:, list(spec.labels).index("sort")] = True
    block = observe.block(torch.arange(90), shown)
    kind = spec.codec.target_kinds["sort"]
    expected = kind.observed.encode(spec.labels["sort"])
    own = observe.owners == list(spec.labels).index("sort")
    np.testing.assert_array_equal(block[:, own].numpy(), expected)
    assert block[:, ~own].isnan().all()


def test_the_halves_are_complements(observe):
    first, second = observe.half_blocks()
    assert not (~first.isnan() & ~second.isnan()).any()
    both = torch.where(first.isnan(), second, first)
    torch.testing.assert_close(both, observe.values, equal_nan=True)
    assert abs(observe.shown_half.float().mean() - 0.5) < 0.1


def test_the_halves_are_the_same_for_the_same_seed(spec):
    kinds = [spec.codec.target_kinds[t] for t in spec.labels]
    one, same, other = (
        ObservedTargets(kinds, list(spec.labels.values()), seed=seed).shown_half
        for seed in (3, 3, 4)
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_columns_stand_in_the_order_of_the_targets(spec):
    kinds = [spec.codec.target_kinds[t] for t in spec.labels]
    values, owners = observed_columns(kinds, list(spec.labels.values()))
    assert values.shape == (90, sum(k.observed.n_columns for k in kinds))
    assert values.dtype == np.float32
    assert np.bincount(owners).tolist() == [k.observed.n_columns for k in kinds]
    assert (np.diff(owners) >= 0).all()
