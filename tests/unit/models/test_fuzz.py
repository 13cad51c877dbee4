"""A bundle that was edited and sealed anew is refused, or predicts finite numbers all the same."""

import copy
import json
import random
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from superpose import Superpose
from superpose.errors import BundleError
from superpose.models import load_folder, save_folder

N = 60
TABLE = pa.table(
    {
        "x": [i * 7 % 31 + 0.5 for i in range(N)],
        "word": ["a", "b", "c", "d"] * (N // 4),
        "day": pa.array([f"2024-01-{i % 28 + 1:02d}" for i in range(N)]),
        "y": [i * 7 % 31 * 2.0 + i % 3 for i in range(N)],
        "on": ["no", "yes"] * (N // 2),
        "sort": ["p", "q", "r"] * (N // 3),
    }
)
TARGETS = ["y", "on", "sort"]
GONE = object()
WRONG = [None, "other", -1, float("nan"), [0.5] * 5000, {}, 10**9, GONE]
SAMPLE = 120  # of some thousand edits; the seed is fixed, so that a failure comes back


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any]]:
    """The JSON and the arrays of a small model of networks, trees and what is given."""
    settings: dict[str, Any] = {
        "model": {"width": 8, "members": 2, "state": 4, "rank": 2, "embedding": 2},
        "training": {"epochs": 1},
        "proof": {"folds": 2, "trees": ["hist"]},
    }
    model = Superpose(TARGETS, references="trees", **settings).fit(TABLE)
    return load_folder(model.save(tmp_path_factory.mktemp("fuzz") / "bundle"))


def leaves(value: Any, keys: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value; of a long list the first entry stands for the others."""
    yield keys
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*keys, key))
    elif isinstance(value, list) and value:
        yield from leaves(value[0], (*keys, 0))


def edited(value: Any, keys: tuple[Any, ...], wrong: Any) -> Any:
    whole = copy.deepcopy(value)
    inner = whole
    for key in keys[:-1]:
        inner = inner[key]
    if wrong is GONE:
        del inner[keys[-1]]
    else:
        inner[keys[-1]] = wrong
    return whole


def refused_or_finite(folder: Path, what: object) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = Superpose.load(folder)
            pred = [model.predict(TABLE.slice(0, 4)), model.predict_proba(TABLE.slice(0, 4))]
            pred.append(model.predict(TABLE.slice(0, 4), given=["y"]))
    except BundleError:
        return
    except Exception as error:
        raise AssertionError(f"{what}: {type(error).__name__}: {error}") from error
    for frame in pred:
        assert frame.num_rows == 4, what
        for column in frame.columns:
            assert not column.null_count, what
            assert not pa.types.is_floating(column.type) or np.isfinite(column).all(), what


def test_edited_json_is_refused_or_still_predicts(
    parts: tuple[dict[str, Any], dict[str, Any]], tmp_path: Path
) -> None:
    texts, arrays = parts
    ways = [keys for keys in leaves({"model": texts["model"], "config": texts["config"]}) if keys]
    edits = [(keys, wrong) for keys in ways for wrong in WRONG if len(keys) > 1]
    assert len(edits) > 1000
    for keys, wrong in random.Random(0).sample(edits, SAMPLE):
        shown = "gone" if wrong is GONE else repr(wrong)[:20]
        save_folder(tmp_path / "bundle", edited(texts, keys, wrong), arrays)
        refused_or_finite(tmp_path / "bundle", (keys, shown))


def test_edited_arrays_are_refused_or_still_predict(
    parts: tuple[dict[str, Any], dict[str, Any]], tmp_path: Path
) -> None:
    texts, arrays = parts
    edits = {
        "not finite": lambda x: np.full_like(x, np.nan) if x.dtype.kind == "f" else None,
        "infinite": lambda x: np.full_like(x, np.inf) if x.dtype.kind == "f" else None,
        "cut": lambda x: x[:-1] if x.ndim and len(x) else None,
        "one number": lambda x: np.ones((1,) * x.ndim, x.dtype),
        "flat": lambda x: x.ravel() if x.ndim > 1 else x[:, None],
        "words": lambda x: np.zeros(x.shape, np.uint8),
        "negative": lambda x: -x - 1 if x.dtype.kind in "if" else None,
        "gone": lambda x: GONE,
    }
    ways = [(g, n, e) for g, group in arrays.items() if g != "charts" for n in group for e in edits]
    for group, name, edit in random.Random(1).sample(ways, 50):
        wrong = edits[edit](arrays[group][name])
        if wrong is None:
            continue
        fresh = {g: dict(own) for g, own in arrays.items()}
        fresh[group][name] = wrong
        if wrong is GONE:
            del fresh[group][name]
        save_folder(tmp_path / "bundle", texts, fresh)
        refused_or_finite(tmp_path / "bundle", (group, name, edit))


def test_a_bundle_that_was_not_edited_is_loaded(
    parts: tuple[dict[str, Any], dict[str, Any]], tmp_path: Path
) -> None:
    texts, arrays = parts
    save_folder(tmp_path / "bundle", json.loads(json.dumps(texts)), arrays)
    model = Superpose.load(tmp_path / "bundle")
    assert model.predict(TABLE).num_rows == N


@pytest.mark.parametrize(
    ("keys", "wrong", "pred"),
    [
        (
            ("codec", "inputs", 0, "mean"),
            "far",
            "bundle: number 'x': mean: input should be a valid",
        ),
        (
            ("codec", "inputs", 0, "mean"),
            float("nan"),
            "bundle: number 'x': mean: not a finite num",
        ),
        (("codec", "inputs", 0, "more"), 1, "bundle: number 'x': more: unknown"),
        (("shipped", "y", "hist"), float("inf"), "bundle: model: shipped.y.hist: not a finite"),
        (("shipped", "y"), {}, "bundle: model: shipped.y: weights below 0, or none"),
        (("floors", "y"), [0.0], "bundle: model: floors.y: "),
        (("thresholds", "z"), 0.5, "bundle: model: thresholds.z: no target of this model"),
        (("codec", "schema", "targets"), [], "bundle: codec: targets: not the targets of the sch"),
    ],
)
def test_the_part_that_is_wrong_is_named(
    parts: tuple[dict[str, Any], dict[str, Any]],
    tmp_path: Path,
    keys: tuple[Any, ...],
    wrong: Any,
    pred: str,
) -> None:
    texts, arrays = parts
    save_folder(tmp_path / "bundle", edited(texts, ("model", *keys), wrong), arrays)
    with pytest.raises(BundleError) as caught:
        Superpose.load(tmp_path / "bundle")
    assert pred in str(caught.value)
    assert "the bundle is damaged; copy or save it again" in str(caught.value)
