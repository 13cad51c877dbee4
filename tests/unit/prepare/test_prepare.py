"""Settings that these kinds of targets can't be served with are refused before training."""

import warnings

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from superpose.config import Config
from superpose.errors import ConfigError
from superpose.prepare import prepare


def test_groups_are_refused_beside_labels_of_words():
    table = pa.table(
        {
            "words": [["fly", "to", "oslo"], ["fares", "to", "lima"]] * 40,
            "slots": [["O", "O", "B-city"], ["O", "O", "B-city"]] * 40,
            "intent": ["flight", "fare"] * 40,
            "x": [0.5 * i for i in range(80)],
        }
    )
    config = Config.from_arguments(
        targets=["intent", {"name": "slots", "kind": "tokens", "of": "words"}, "x"],
        groups=[["intent", "slots"]],
    )
    wanted = (
        "groups: given beside slots, which has a head of another form; "
        "remove the groups: such targets share one network with all others"
    )
    with pytest.raises(ConfigError, match=wanted):
        prepare(table, config)


@pytest.fixture
def streets(tmp_path):
    """Images, each with a mask, a class and a box."""
    rng = np.random.default_rng(0)
    for i in range(40):
        pixels = rng.integers(1, 255, (8, 8, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{i}.png")
        Image.fromarray((pixels[..., 0] > 99).astype(np.uint8)).save(tmp_path / f"{i}-mask.png")
    return pa.table(
        {
            "image": [str(tmp_path / f"{i}.png") for i in range(40)],
            "mask": [str(tmp_path / f"{i}-mask.png") for i in range(40)],
            "sort": ["day", "night"] * 20,
            "boxes": [[{"class": "car", "box": [0.1, 0.1, 0.5, 0.5]}]] * 40,
        }
    )


def prepared(table, *targets, **options):
    image = {"name": "image", "kind": "image", **options}
    return prepare(table, Config.from_arguments(targets=list(targets), inputs=[image]))


MASK = {"name": "mask", "kind": "mask", "levels": ["dark", "bright"]}
BOXES = {"name": "boxes", "kind": "boxes"}
MIX = {"augment": {"mix": 0.5}}


@pytest.mark.parametrize("targets", [("sort",), (BOXES,), (BOXES, "sort")])
def test_images_are_not_mixed_where_no_labels_follow(streets, targets):
    wanted = (
        r"^inputs\[0\].augment.mix: 0.5 given, but no target is a mask or a map of 'image'; "
        "remove it: all labels of the rows that are mixed would be hidden$"
    )
    with pytest.raises(ConfigError, match=wanted):
        prepared(streets, *targets, **MIX)


def test_images_with_masks_may_be_mixed(streets):
    assert prepared(streets, MASK, "sort", **MIX).targets == ["mask", "sort"]


def test_a_class_that_validation_rows_alone_have_is_no_news_where_they_are_learned_from(make_table):
    table = make_table(90, gaps=0.0)
    part = ["train"] * 60 + ["validation"] * 15 + ["test"] * 15
    table = table.append_column("part", pa.array(part))

    def warnings_of(row):
        sort = table["sort"].to_pylist()
        sort[row] = "late"
        strange = table.set_column(table.column_names.index("sort"), "sort", pa.array(sort))
        split = {"by": "column", "column": "part"}
        config = Config.from_arguments(targets=["weight", "sort"], split=split)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            found = prepare(strange, config)
        assert found.plan.regime == "folds"
        return [w for w in found.warnings if "did not occur in training" in w]

    assert warnings_of(65) == []
    assert warnings_of(80) == [
        "target 'sort', row 80: class 'late' did not occur in training; 1 such row(s) count as "
        "unlabelled"
    ]
