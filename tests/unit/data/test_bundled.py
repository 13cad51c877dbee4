"""The bundled data: what its settings promise, where it comes from, how small it is."""

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from superpose.data._bundled import BUNDLED, FOLDER, attribution, load_bundled
from superpose.errors import DataError

EVERY = pytest.mark.parametrize("name", BUNDLED)
ROWS = {"air": 11_216, "machine": 10_000, "heart": 920}


@EVERY
def test_every_row_is_there(name: str) -> None:
    assert load_bundled(name).num_rows == ROWS[name]


@EVERY
def test_the_settings_name_columns_that_exist_and_leave_inputs(name: str) -> None:
    table, config = load_bundled(name), BUNDLED[name].config()
    targets = {target.name for target in config.targets}
    used = targets | set(config.ignore) | ({config.split.column} - {None})
    assert used <= set(table.column_names)
    assert len(set(table.column_names) - used) >= 5


@EVERY
def test_the_levels_of_an_ordinal_target_are_all_its_values(name: str) -> None:
    table = load_bundled(name)
    for target in BUNDLED[name].targets:
        if target["kind"] == "ordinal":
            values = table[target["name"]].drop_null().unique().to_pylist()
            assert sorted(values) == sorted(target["levels"])


@EVERY
def test_the_attribution_names_source_licence_and_changes(name: str) -> None:
    text = attribution(name)
    for word in ("https://doi.org/10.24432/", "CC BY 4.0", "Author", "Changes"):
        assert word in text
    for column in load_bundled(name).column_names:
        assert column in text


def test_together_they_are_under_two_megabytes() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 2_000_000


def test_the_air_level_grades_pm25_and_is_missing_with_it() -> None:
    table = load_bundled("air")
    grades = {level: i for i, level in enumerate(BUNDLED["air"].targets[-1]["levels"])}
    bounds = [0, 35, 75, 115, 150, 250, float("inf")]
    for pm25, level in zip(table["pm25"].to_pylist(), table["level"].to_pylist(), strict=True):
        assert (pm25 is None) == (level is None)
        if pm25 is not None:
            assert bounds[grades[level]] < pm25 <= bounds[grades[level] + 1]


def test_the_air_time_is_a_time_every_three_hours() -> None:
    time = load_bundled("air")["time"]
    assert pa.types.is_timestamp(time.type)
    seconds = pc.cast(pc.cast(time, pa.timestamp("s")), pa.int64()).to_numpy()
    assert set(seconds[1:] - seconds[:-1]) == {3 * 3600}


def test_gaps_are_kept() -> None:
    air, heart = load_bundled("air"), load_bundled("heart")
    assert all(air[name].null_count > 200 for name in ("pm25", "pm10", "so2", "no2", "co", "o3"))
    budapest = pc.equal(heart["hospital"], "Budapest")
    assert heart.filter(budapest)["severity"].null_count == 294
    assert heart.filter(pc.invert(budapest))["severity"].null_count == 0
    swiss = heart.filter(pc.equal(heart["hospital"], "Zurich and Basel"))
    assert swiss["cholesterol"].null_count == swiss.num_rows
    assert heart["disease"].null_count == 0


def test_an_unknown_set_is_refused_with_a_guess() -> None:
    with pytest.raises(DataError, match="'hart' given; allowed: air, machine, heart; did you mean"):
        load_bundled("hart")
