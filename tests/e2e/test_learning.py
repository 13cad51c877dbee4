"""Every kind of input and target, in one table with gaps, is learned through the public class."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from superpose import Superpose

ROWS = 480
TARGETS = [
    {"name": "price", "kind": "number"},
    {"name": "visits", "kind": "count"},
    {"name": "sick", "kind": "binary"},
    {"name": "colour", "kind": "category"},
    {"name": "level", "kind": "ordinal", "levels": ["low", "middle", "high"]},
    {"name": "tags", "kind": "multilabel"},
]
TRAINING = {"epochs": 25, "patience": 25}


def table(seed: int = 0) -> pd.DataFrame:
    """Inputs of every kind that is not a file, and targets that each depend on one or two."""
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=(2, ROWS))
    shop = rng.choice(["north", "south", "west"], ROWS)
    day = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 700, ROWS), unit="D")
    good = rng.random(ROWS) < 0.5
    words = np.where(good, "a fine and quick service today", "slow and rude staff once more")
    extras = [";".join(rng.permutation(["pool", "bar", "park"])[:n]) for n in 1 + (x > 0)]
    frame = pd.DataFrame(
        {"x": x, "z": z, "shop": shop, "day": day, "note": words, "extras": extras}
    )
    frame["price"] = 1e6 * (x + (shop == "north") + 0.1 * rng.normal(size=ROWS))
    frame["visits"] = rng.poisson(np.exp(1 + 0.8 * z))
    frame["sick"] = np.where(good, "no", "yes")
    frame["colour"] = np.where(shop == "north", "red", np.where(z > 0, "green", "blue"))
    frame["level"] = np.array(["low", "middle", "high"])[np.digitize(x + z, [-0.7, 0.7])]
    frame["tags"] = np.where(x > 0, "warm;wet", np.where(z > 0, "cold", "dry"))
    for target in TARGETS:
        name = target["name"]
        frame[name] = frame[name].astype(object).where(rng.random(ROWS) > 0.15, None)
    frame["visits"] = frame["visits"].astype("Float64")
    frame["price"] = frame["price"].astype("Float64")
    frame.loc[rng.random(ROWS) < 0.1, "x"] = np.nan
    return frame


@pytest.fixture(scope="module")
def fitted() -> Superpose:
    model = Superpose(TARGETS, references="none", training=TRAINING, model={"members": 2})
    return model.fit(table())


def test_every_kind_of_target_beats_the_baseline(fitted: Superpose) -> None:
    scores = {t: m["deployed"]["score"] for t, m in fitted.record.metrics.items()}
    assert min(scores.values()) > 0.15, scores


def test_every_kind_of_input_was_understood(fitted: Superpose) -> None:
    kinds = {column.name: column.kind for column in fitted.record.data.inputs}
    assert kinds == {
        "x": "number",
        "z": "number",
        "shop": "category",
        "day": "date",
        "note": "binary",
        "extras": "multicategory",
    }


def test_a_missing_label_drops_the_row_for_its_target_only(fitted: Superpose) -> None:
    labelled = {name: target.labelled for name, target in fitted.record.targets.items()}
    rows = fitted.record.data.rows
    assert sum(rows.values()) == ROWS
    assert all(0.7 * rows["train"] < n["train"] < rows["train"] for n in labelled.values())


def test_columns_in_another_order_and_type_and_library_predict_the_same(fitted: Superpose) -> None:
    rows = table(1).drop(columns=[t["name"] for t in TARGETS])
    one = fitted.predict(rows)
    other = fitted.predict(pl.from_pandas(rows[rows.columns[::-1]]))
    assert isinstance(one, pd.DataFrame)
    assert isinstance(other, pl.DataFrame)
    assert np.array_equal(one["price"].to_numpy(float), other["price"].to_numpy())


def test_labels_in_a_scored_table_are_never_read(fitted: Superpose) -> None:
    rows = table(2)
    shuffled = rows.copy()
    for target in TARGETS:
        shuffled[target["name"]] = rows[target["name"]].sample(frac=1, random_state=0).to_numpy()
    pd.testing.assert_frame_equal(fitted.predict(rows), fitted.predict(shuffled))


def test_a_saved_model_predicts_the_same(fitted: Superpose, tmp_path: Path) -> None:
    rows = table(3)
    again = Superpose.load(fitted.save(tmp_path / "bundle"))
    pd.testing.assert_frame_equal(fitted.predict_proba(rows), again.predict_proba(rows))
    pd.testing.assert_frame_equal(fitted.predict(rows), again.predict(rows))
    assert again.report(tmp_path / "report.html").stat().st_size > 10_000


def test_text_and_images_are_learned(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    rng = np.random.default_rng(0)
    count = 160
    bright, happy = rng.random((2, count)) < 0.5
    names = []
    for row in range(count):
        pixels = rng.integers(0, 90, (32, 32, 3)) + 150 * bright[row]
        names.append(f"{row}.png")
        image.fromarray(pixels.astype(np.uint8)).save(tmp_path / names[-1])
    fill = ["the {} of {} was {}", "{} and {} felt {} to me", "we found {} near {} quite {}"]
    nouns = ["room", "meal", "walk", "view", "park", "host", "pool", "lake", "road", "shop"]
    notes = []
    for row in range(count):
        one, two = rng.choice(nouns, 2, replace=False)
        mood = "lovely" if happy[row] else "awful"
        notes.append(f"{rng.choice(fill).format(one, two, mood)} on day {row}")
    frame = pd.DataFrame({"photo": names, "note": notes, "bright": bright, "happy": happy})
    frame.to_csv(tmp_path / "table.csv", index=False)
    model = Superpose(
        {"bright": "binary", "happy": "binary"},
        inputs={"photo": "image", "note": "text"},
        references="none",
        proof={"folds": 1},
        training={"epochs": 10, "patience": 10},
        model={"members": 2},
    ).fit(tmp_path / "table.csv")
    scores = {t: m["deployed"]["score"] for t, m in model.record.metrics.items()}
    assert min(scores.values()) > 0.3, scores
