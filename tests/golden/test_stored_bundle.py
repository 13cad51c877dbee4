"""A bundle of format 2, written before models were entries of a table, predicts what it did.

It has every sort of model there was: the network of all targets and of each, trees, trees that read
measured targets, and a copula; each has a share in every mixture. It was trained on the bundled
heart table at commit 882be8e, with networks of eight hidden units and two rounds of trees, and
`predictions.json` holds what that commit predicted for the first twelve rows.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from superpose import Superpose
from superpose.data import load_bundled
from superpose.models import load_folder

FOLDER = Path(__file__).with_name("bundle_of_format_2")
# The networks' float32 arithmetic differs by processor.
TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def model() -> Superpose:
    return Superpose.load(FOLDER / "heart")


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    stored: dict[str, Any] = json.loads((FOLDER / "predictions.json").read_text(encoding="utf-8"))
    return stored


def assert_same(preds: dict[str, list[Any]], expected: dict[str, list[Any]]) -> None:
    assert list(preds) == list(expected)
    for name, values in expected.items():
        if isinstance(values[0], str):
            assert preds[name] == values
        else:
            np.testing.assert_allclose(preds[name], values, rtol=TOLERANCE)


@pytest.mark.parametrize(
    ("case", "given"), [("nothing", None), ("one", "disease"), ("auto", "auto")]
)
def test_it_predicts_what_it_did(
    model: Superpose, expected: dict[str, Any], case: str, given: str | None
) -> None:
    rows = load_bundled("heart").slice(0, 12)
    assert_same(model.predict(rows, given).to_pydict(), expected[case]["predict"])
    assert_same(model.predict_proba(rows, given).to_pydict(), expected[case]["proba"])


def test_it_draws_and_advises_as_it_did(model: Superpose, expected: dict[str, Any]) -> None:
    rows = load_bundled("heart").slice(0, 2)
    assert_same(model.sample(rows, 3, ["disease"]).to_pydict(), expected["sample"])
    plan = model.next_measurement(rows, "disease", given=None, draws=4)
    assert_same(plan.to_pydict(), expected["measure"])


def test_saved_anew_it_predicts_the_same_bit_for_bit(model: Superpose, tmp_path: Path) -> None:
    rows = load_bundled("heart").slice(0, 12)
    parts, _ = load_folder(model.save(tmp_path / "bundle"))
    families = {entry["family"] for entry in parts["model"]["models"]}
    assert families == {"network", "trees", "conditional_trees", "copula"}
    again = Superpose.load(tmp_path / "bundle")
    for given in (None, "disease", "auto"):
        assert again.predict(rows, given).equals(model.predict(rows, given))
