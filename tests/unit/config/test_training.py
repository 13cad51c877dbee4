"""The settings of the loop: what is derived from them."""

import pytest

from superpose.config import TrainingConfig


@pytest.mark.parametrize(
    ("rows", "size"), [(10, 10), (100, 16), (1000, 64), (4096, 256), (10**6, 512)]
)
def test_the_batch_grows_with_the_table_within_bounds(rows, size):
    assert TrainingConfig().rows_per_step(rows) == size


def test_a_batch_size_that_was_set_is_kept_up_to_the_table():
    assert TrainingConfig(batch_size=48).rows_per_step(90) == 48
    assert TrainingConfig(batch_size=48).rows_per_step(20) == 20


@pytest.mark.parametrize(
    ("sampling", "exponent"), [("proportional", 1.0), ("temperature", 0.25), ("uniform", 0.0)]
)
def test_a_source_has_a_share_by_the_power_of_its_rows(sampling, exponent):
    assert TrainingConfig(sampling=sampling, temperature=4.0).source_exponent == exponent
