"""The settings of the network: "auto" is filled in once."""

import pytest

from superpose.config import ModelConfig, ResolvedModel


@pytest.mark.parametrize(
    ("rows", "folds", "width", "members"),
    [(299, True, 64, 4), (300, True, 128, 4), (299, False, 64, 8), (300, False, 192, 8)],
)
def test_smaller_tables_have_smaller_networks(rows, folds, width, members):
    sizes = ModelConfig().resolved(rows, folds=folds)
    assert (sizes.width, sizes.members) == (width, members)


def test_what_is_set_is_kept():
    model = ModelConfig(width=7, members=3, depth=5, dropout=0.4, embedding=2, given=False)
    assert model.resolved(9, folds=True).model_dump() == model.model_dump()


def test_no_blocks_are_no_fusion():
    sizes = ModelConfig(fusion="mmoe", blocks=0).resolved(1000, folds=False)
    assert (sizes.fusion, sizes.blocks) == ("none", 1)


def test_a_large_table_has_the_defaults():
    assert ModelConfig().resolved(10_000, folds=False) == ResolvedModel()
