"""Maps of numbers beside masks and numbers, from files to predicted files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from typer.testing import CliRunner

from superpose import Superpose
from superpose.cli import app
from superpose.data import read_table

Image = pytest.importorskip("PIL.Image")
SIDE = 32


@pytest.fixture(scope="module")
def discs(tmp_path_factory: pytest.TempPathFactory) -> pa.Table:
    """Shaded discs before a wall: the nearer one is, the brighter and larger it is drawn."""
    folder, rng = tmp_path_factory.mktemp("discs"), np.random.default_rng(0)
    down, across = np.mgrid[:SIDE, :SIDE]
    rows: dict[str, list[object]] = {"image": [], "depth": [], "disc": [], "distance": []}
    for n in range(56):
        distance, (y, x) = float(rng.uniform(1, 4)), rng.uniform(8, 24, 2)
        inside = (down - y) ** 2 + (across - x) ** 2 < (14 / np.sqrt(distance)) ** 2
        depth = np.where(inside, distance, 5.0) * 1000
        depth[0, :4] = 0  # not measured there
        shade = np.where(inside, 250 - 50 * distance, 20) + rng.normal(0, 3, (SIDE, SIDE))
        pixels = np.stack([shade.clip(1, 255)] * 3, -1).astype(np.uint8)
        for name, array in (
            ("image", pixels),
            ("depth", depth.astype(np.uint16)),
            ("disc", inside.astype(np.uint8)),
        ):
            path = folder / f"{n}-{name}.png"
            Image.fromarray(array).save(path)
            rows[name].append(str(path))
        rows["distance"].append(distance)
    rows["depth"][0] = None
    return pa.table(rows)


@pytest.fixture(scope="module")
def fitted(discs: pa.Table) -> Superpose:
    return Superpose(
        [
            {"name": "depth", "kind": "map", "ignore": 0},
            {"name": "disc", "kind": "mask", "levels": ["wall", "disc"]},
            "distance",
        ],
        inputs=[{"name": "image", "kind": "image", "size": [SIDE, SIDE], "stride": 4}],
        split={"validation": 0.2, "test": 0.2},
        references="none",
        model={"width": 16, "members": 2, "state": 8},
        training={"epochs": 9, "batch_size": 4, "learning_rate": 0.016},
    ).fit(discs)


def test_depth_is_learned_from_shade(fitted: Superpose) -> None:
    metrics = fitted.record.metrics["depth"]
    assert metrics["deployed"]["score"] > 0.6, metrics
    assert metrics["deployed"]["rmse"] < 0.7 * metrics["baseline"]["rmse"]
    assert metrics["deployed"]["abs_rel"] < metrics["baseline"]["abs_rel"]
    assert metrics["deployed"]["delta1"] > 0.6
    assert 0.7 < metrics["deployed"]["coverage"] <= 1


def test_predicted_maps_are_numbers_of_the_size_of_the_image(
    fitted: Superpose, discs: pa.Table
) -> None:
    rows = discs.slice(46, 6)
    pred = np.array(fitted.predict(rows.select(["image"]))["depth"].to_pylist())
    true = np.array([np.asarray(Image.open(p)) for p in rows["depth"].to_pylist()], float)
    assert pred.shape == (6, SIDE, SIDE)
    assert np.abs(pred - true)[true > 0].mean() < 700
    alone = np.array(fitted.predict(rows.slice(2, 1).select(["image"]))["depth"].to_pylist())
    np.testing.assert_allclose(alone[0], pred[2], rtol=1e-4)


def test_what_is_measured_sharpens_the_rest_and_a_saved_model_answers_alike(
    fitted: Superpose, discs: pa.Table, tmp_path: Path
) -> None:
    rows = discs.slice(0, 4)
    pred = fitted.predict(rows, given=["depth"])["depth"].to_pylist()
    assert np.abs(np.array(pred[1]) - np.asarray(Image.open(rows["depth"][1].as_py()))).mean() < 500
    assert set(fitted.evaluate(rows, given=["depth"])) == {"disc", "distance"}
    assert fitted.sample(rows.select(["image"]), n=2).num_rows == 8
    again = Superpose.load(fitted.save(tmp_path / "bundle"))
    assert again.predict_proba(rows).equals(fitted.predict_proba(rows))
    page = again.report(tmp_path / "r.html").read_text(encoding="utf-8")
    assert "absolute relative error" in page
    assert "the bar below runs from" in page
    assert page.count("data:image/png;base64,") == 12


def test_maps_are_proven_and_predicted_as_files_on_the_command_line(
    discs: pa.Table, tmp_path: Path
) -> None:
    pyarrow.parquet.write_table(discs.slice(1, 30), tmp_path / "discs.parquet")
    (tmp_path / "s.yaml").write_text(
        f"data: discs.parquet\n"
        f"inputs: [{{name: image, kind: image, size: [{SIDE}, {SIDE}], stride: 8}}]\n"
        "targets: [{name: depth, kind: map, ignore: 0}]\nmodel: {width: 8, members: 1, state: 4}\n"
        "training: {epochs: 1, batch_size: 4}\nproof: {references: network}\n",
        encoding="utf-8",
    )
    run, out = CliRunner(), tmp_path / "run"
    trained = run.invoke(app, ["train", str(tmp_path / "s.yaml"), "--out", str(out)])
    assert trained.exit_code == 0, trained.output
    (ruling,) = Superpose.load(out).transfer().to_pylist()
    assert ruling["target"] == "depth"
    assert np.isfinite(ruling["single_task"])
    table = str(tmp_path / "discs.parquet")
    done = run.invoke(
        app, ["predict", str(out), table, "--out", str(tmp_path / "pred.csv"), "--proba"]
    )
    assert done.exit_code == 0, done.output
    files = read_table(tmp_path / "pred.csv")
    assert files["depth_scale"][3].as_py() == "pred/depth_scale/3.npy"
    depth = np.load(tmp_path / files["depth"][3].as_py())
    assert (depth.shape, depth.dtype) == ((SIDE, SIDE), np.float32)
