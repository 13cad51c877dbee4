"""The example of engines on a slice of its public data, where that is at hand."""

from __future__ import annotations

import os
import runpy
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from superpose import Superpose

ROOT = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("SUPERPOSE_DATA", ROOT.parent / "shared" / "data"))
pytestmark = pytest.mark.skipif(
    not (FOLDER / "cmapss").is_dir(), reason="cmapss is not in $SUPERPOSE_DATA"
)


@pytest.fixture(scope="module")
def example() -> dict[str, object]:
    before = os.environ.get("SUPERPOSE_DATA")
    os.environ["SUPERPOSE_DATA"] = str(FOLDER)
    try:
        return runpy.run_path(str(ROOT / "examples" / "engines.py"), run_name="example")
    finally:
        if before is None:
            del os.environ["SUPERPOSE_DATA"]
        else:
            os.environ["SUPERPOSE_DATA"] = before


def test_test_engines_have_a_label_at_their_last_flight_only(example) -> None:
    test = example["read"]("test")
    assert len(test) == 13_096
    assert len(test) - test["life"].null_count == 100
    labelled = test.filter(pc.is_valid(test["life"]))
    assert labelled["life"].to_pylist()[:3] == [112, 98, 69]
    assert labelled["fails_within_30"].to_pylist()[:3] == [False] * 3


def test_windows_of_a_few_engines_tell_the_life_that_is_left(example) -> None:
    read = example["read"]
    parts = [read("train"), read("test")]
    some = [p.filter(pc.is_in(p["engine"], pc.unique(p["engine"]).slice(0, 30))) for p in parts]
    model = Superpose(
        ["life", "fails_within_30"],
        windows={
            "group": "engine",
            "time": "cycle",
            "length": 30,
            "step": 10,
            "columns": example["SENSORS"],
        },
        split={"by": "column", "column": "part"},
        ignore=["altitude", "speed", "throttle", "cycle", "stage"],
        model={"width": 32, "members": 2, "given": False},
        training={"epochs": 3},
        proof={"references": "trees", "folds": 1, "trees": ["hist"]},
    ).fit(pa.concat_tables(some))
    metrics = model.record.metrics["life"]
    assert metrics["deployed"]["rmse"] < 22 < metrics["baseline"]["rmse"]
    seen = {kind.column for kind in model._predictor.codec.input_kinds}
    assert seen == {"window"}
    pred = model.predict(some[1])
    assert set(pred["engine"].to_pylist()) == set(np.unique(some[1]["engine"].to_pylist()))
