"""The groups of the settings: what they may hold, and how every fault is told."""

from pathlib import Path

import pytest

from superpose import ConfigError
from superpose.config import Config, load_config

TARGETS = ["pm25", "pm10", "no2", "co"]


def refuse(groups: object) -> str:
    with pytest.raises(ConfigError) as caught:
        Config.from_arguments(targets=TARGETS, groups=groups)
    return str(caught.value)


@pytest.mark.parametrize(
    "groups",
    [[["pm25", "pm10"], ["no2"]], (("pm25", "pm10"), ["no2"]), [("pm25", "pm10"), {"no2"}]],
)
def test_groups_are_lists_of_targets_and_need_not_name_all(groups: object) -> None:
    config = Config.from_arguments(targets=TARGETS, groups=groups)
    assert config.groups == [["pm25", "pm10"], ["no2"]]


def test_without_groups_there_are_none() -> None:
    assert Config.from_arguments(targets=TARGETS).groups == []


def test_a_column_with_the_name_of_a_number_can_be_in_a_group() -> None:
    config = Config.from_arguments(targets=["2020", "2021"], groups=[[2020, 2021]])
    assert config.groups == [["2020", "2021"]]


def test_every_fault_is_named_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "superpose.yaml"
    file.write_text(
        "targets: [pm25, pm10, no2]\ngroups:\n  - [pm25, no2]\n  - [pm1, no2]\n  - []\nseed: -1\n",
        encoding="utf-8",
    )
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    assert caught.value.faults == (
        f"{file}:4: groups[1][0]: 'pm1' given; allowed: pm25, pm10, no2; did you mean 'pm10'?",
        f"{file}:4: groups[1][1]: 'no2' stands in groups[0][1] too; a target is in one group; "
        "keep it in one",
        f"{file}:5: groups[2]: an empty list given; allowed: a list of 1 or more",
        f"{file}:6: seed: -1 given; allowed: 0 or more",
    )


def test_an_input_or_an_ignored_column_is_no_member() -> None:
    with pytest.raises(ConfigError, match=r"groups\[0\]\[1\]: 'x' given; allowed: pm25, pm10"):
        Config.from_arguments(targets=["pm25", "pm10"], inputs=["x"], groups=[["pm25", "x"]])


def test_a_target_twice_in_one_group_is_named_too() -> None:
    message = refuse([["pm25", "no2", "pm25"]])
    assert message == (
        "groups[0][2]: 'pm25' stands in groups[0][0] too; a target is in one group; keep it in one"
    )


@pytest.mark.parametrize("groups", ["pm25", ["pm25", "pm10"]])
def test_a_list_of_names_is_no_list_of_groups(groups: object) -> None:
    assert "given; allowed: a list" in refuse(groups)


def test_groups_survive_being_written_and_read(tmp_path: Path) -> None:
    config = Config.from_arguments(targets=TARGETS, groups=[["no2", "pm25"]])
    file = tmp_path / "superpose.yaml"
    file.write_text(config.to_yaml(), encoding="utf-8")
    assert load_config(file) == config
