"""The outer test is rows that no method is handed: later ones, other groups, or at random."""

import numpy as np
import pandas as pd
import pytest

from _outer import Outer
from _table import Table, random_split

ROWS = 200
FRAME = pd.DataFrame({"x": np.arange(ROWS) * 1.0, "y": np.arange(ROWS) % 7.0})
TABLE = Table("small", FRAME, {"y": "number"}, random_split, "")


def test_by_time_the_newest_fifth_is_kept_away_and_the_next_newest_stops_boosting() -> None:
    when = np.datetime64("2024-01-01") + np.random.default_rng(0).permutation(ROWS)
    outer = Outer(TABLE, "time", when)
    parts = outer.parts(0)
    assert (parts == "test").sum() == ROWS // 5
    assert when[parts == "test"].min() > when[parts == "validation"].max()
    assert when[parts == "validation"].min() > when[parts == "train"].max()
    assert outer.split == {"by": "time", "column": "when"}
    assert outer.plain.frame["when"].min() == 0


def test_by_group_no_group_of_the_outer_test_is_given() -> None:
    group = np.arange(ROWS) % 10
    parts = Outer(TABLE, "group", group).parts(1)
    assert set(group[parts == "test"]).isdisjoint(group[parts != "test"])
    assert len(set(group[parts == "test"])) == 2


@pytest.mark.parametrize("way", ["random", "time"])
def test_a_large_table_gives_every_method_the_same_part_of_its_rows(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("_outer.MOST_GIVEN", 50)
    outer = Outer(TABLE, way, None if way == "random" else np.arange(ROWS))
    parts = outer.parts(0)
    assert np.isin(parts, ["train", "validation"]).sum() == 50
    assert (parts == outer.parts(0)).all()
