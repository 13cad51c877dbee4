"""Images with masks and boxes beside answers for the whole image, from a folder to predictions."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from superpose import Superpose
from superpose.cli import app
from superpose.columns import mask_array
from superpose.config import Config
from superpose.data import infer_schema, read_table
from superpose.errors import SuperposeError
from superpose.prepare import prepare

Image = pytest.importorskip("PIL.Image")
pytest.importorskip("faster_coco_eval")

DATA = Path(os.environ.get("SUPERPOSE_DATA", Path(__file__).resolve().parents[3] / "shared/data"))
MODEL = {"width": 16, "members": 2, "state": 8}
PHOTO = {"name": "image", "kind": "image", "size": [32, 32]}


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like CamVid's: a bright square or a dark one on grey, and where it is."""
    folder, rng = tmp_path_factory.mktemp("shapes"), np.random.default_rng(0)
    for part, count in (("train", 60), ("val", 24), ("test", 16)):
        for sub in (part, part + "annot"):
            (folder / sub).mkdir()
        for n in range(count):
            pixels = rng.integers(110, 140, (32, 32, 3)).astype(np.uint8)
            ids = np.zeros((32, 32), np.uint8)
            y, x, side = *rng.integers(0, 18, 2), int(rng.integers(8, 14))
            bright = n % 2
            pixels[y : y + side, x : x + side] = 240 if bright else 20
            ids[y : y + side, x : x + side] = 1 + bright
            ids[0, 0] = 255
            Image.fromarray(pixels).save(folder / part / f"{n}.png")
            Image.fromarray(ids).save(folder / f"{part}annot/{n}.png")
    return folder


def with_boxes(folder: Path) -> pa.Table:
    """The table of the folder, with the box of the square, and whether it is bright."""
    table = read_table(folder)
    boxes, bright = [], []
    for path in table["mask"].to_pylist():
        ids = np.asarray(Image.open(folder / path))
        down, across = np.nonzero((ids > 0) & (ids < 255))
        corners = [across.min(), down.min(), across.max() + 1, down.max() + 1]
        name = "bright" if 2 in ids else "dark"
        boxes.append([{"class": name, "box": [float(c) for c in corners]}])
        bright.append(name)
    table = table.append_column("squares", pa.array(boxes))
    return table.append_column("shade", pa.array(bright))


@pytest.fixture(scope="module")
def fitted(shapes: Path) -> Superpose:
    """Trained on masks, boxes and shades at once."""
    return Superpose(
        [
            {"name": "mask", "kind": "mask", "levels": ["ground", "dark", "bright"]},
            {"name": "squares", "kind": "boxes"},
            "shade",
        ],
        inputs=[{**PHOTO, "stride": 4}],
        split={"by": "column", "column": "split"},
        references="none",
        model=MODEL,
        training={"epochs": 14, "batch_size": 6},
    ).fit(with_boxes(shapes))


def test_all_three_are_learned(fitted: Superpose) -> None:
    metrics = {t: m["deployed"] for t, m in fitted.record.metrics.items()}
    assert metrics["mask"]["miou"] > 0.6, metrics
    assert metrics["squares"]["map50"] > 0.6, metrics
    assert metrics["shade"]["accuracy"] > 0.9, metrics


def test_predicted_masks_are_arrays_of_the_size_of_the_image(
    fitted: Superpose, shapes: Path
) -> None:
    rows = with_boxes(shapes).slice(90, 4)
    pred = fitted.predict(rows.select(["image"]))
    for text, path in zip(pred["mask"].to_pylist(), rows["mask"].to_pylist(), strict=True):
        ids, true = mask_array(text), np.asarray(Image.open(shapes / path))
        assert ids.shape == (32, 32)
        assert (ids == true)[true < 255].mean() > 0.8
    for objects, (true,) in zip(
        pred["squares"].to_pylist(), rows["squares"].to_pylist(), strict=True
    ):
        best = max(objects, key=lambda x: x["score"])
        assert np.abs(np.subtract(best["box"], true["box"])).max() < 8  # pixels of the file


def test_what_is_known_of_an_image_sharpens_the_rest(fitted: Superpose, shapes: Path) -> None:
    rows = with_boxes(shapes).slice(90, 4)
    pred = fitted.predict(rows, given=["squares"])
    for one, (true,) in zip(pred["squares"].to_pylist(), rows["squares"].to_pylist(), strict=True):
        assert one[0]["class"] == true["class"]
        assert one[0]["box"] == pytest.approx(true["box"], abs=1e-3)
    assert set(fitted.evaluate(rows, given=["mask"])) == {"squares", "shade"}
    assert fitted.sample(rows.select(["image"]), n=2).num_rows == 8
    advice = fitted.next_measurement(rows.slice(0, 2), want="shade", draws=4, given=None)
    assert set(advice["measure"].to_pylist()) == {"mask", "squares"}


def test_a_saved_model_predicts_the_same_and_shows_pictures(
    fitted: Superpose, shapes: Path, tmp_path: Path
) -> None:
    again = Superpose.load(fitted.save(tmp_path / "bundle"))
    rows = with_boxes(shapes).slice(90, 4).select(["image"])
    assert again.predict(rows).equals(fitted.predict(rows))
    assert again.predict_proba(rows).equals(fitted.predict_proba(rows))
    page = again.report(tmp_path / "r.html").read_text(encoding="utf-8")
    assert page.count("data:image/png;base64,") == 12
    assert "mean IoU" in page
    assert "IoU of bright" in page


def test_one_row_is_predicted_as_in_any_batch(fitted: Superpose, shapes: Path) -> None:
    rows = with_boxes(shapes).slice(84, 6).select(["image"])
    assert fitted.predict(rows.slice(2, 1))["mask"].equals(fitted.predict(rows)["mask"].slice(2, 1))


def test_a_folder_is_trained_from_the_command_line(shapes: Path, tmp_path: Path) -> None:
    settings = tmp_path / "s.yaml"
    settings.write_text(
        f"data: {shapes}\ninputs: [{{name: image, kind: image, size: [32, 32], stride: 4}}]\n"
        "targets: [{name: mask, kind: mask}]\nmodel: {width: 8, members: 1, state: 4}\n"
        "training: {epochs: 1}\nproof: {references: network}\n",
        encoding="utf-8",
    )
    run, out = CliRunner(), tmp_path / "run"
    trained = run.invoke(app, ["train", str(settings), "--out", str(out)])
    assert trained.exit_code == 0, trained.output
    out_file = tmp_path / "pred.csv"
    done = run.invoke(app, ["predict", str(out), str(shapes), "--out", str(out_file)])
    assert done.exit_code == 0, done.output
    paths = read_table(out_file)["mask"].to_pylist()
    assert paths[:2] == ["pred/mask/0.png", "pred/mask/1.png"]
    assert np.asarray(Image.open(tmp_path / paths[-1])).shape == (32, 32)
    assert f"files in {tmp_path / 'pred'}" in done.output.replace("\n", "")
    shown = run.invoke(app, ["predict", str(out), str(shapes)])
    assert '"32x32 ' in shown.output  # a screen has no folder beside it


def test_masks_and_boxes_are_inferred_from_their_columns(shapes: Path) -> None:
    config = Config.from_arguments(targets=["mask", "squares"], ignore=["shade", "split"])
    schema = infer_schema(with_boxes(shapes), config)
    assert [(s.name, s.kind, s.options) for s in schema.targets] == [
        ("mask", "mask", {"of": "image"}),
        ("squares", "boxes", {"of": "image"}),
    ]


def test_what_was_skipped_is_counted_in_the_report(shapes: Path, tmp_path: Path) -> None:
    table = read_table(shapes)
    paths = [str(shapes / path) for path in table["image"].to_pylist()]
    (tmp_path / "broken.png").write_bytes(b"no image")
    paths[3] = str(tmp_path / "broken.png")
    table = table.set_column(0, "image", pa.array(paths))
    config = Config.from_arguments(
        targets=[{"name": "mask", "kind": "mask"}],
        inputs=[{**PHOTO, "on_error": "skip"}],
        split={"by": "column", "column": "split"},
    )
    with pytest.warns(UserWarning, match="1 of 100 images can't be read"):
        prepared = prepare(table, config)
    assert any("1 of 100 images can't be read" in text for text in prepared.warnings)
    assert not prepared.codec.target_kinds["mask"].distribution.known(prepared.labels["mask"])[3]


def test_the_same_seed_gives_the_same_numbers(shapes: Path) -> None:
    def fit() -> dict[str, float]:
        model = Superpose(
            [{"name": "mask", "kind": "mask"}, "shade"],
            inputs=[{**PHOTO, "stride": 8, "augment": {"flip": "both"}}],
            split={"by": "column", "column": "split"},
            references="none",
            model=MODEL,
            training={"epochs": 1},
        )
        return model.fit(with_boxes(shapes)).record.metrics["mask"]["deployed"]

    assert fit() == fit()


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        ([{"name": "mask", "kind": "mask", "of": "shade"}], "'shade' is no image among the inputs"),
        ([{"name": "mask", "kind": "mask", "of": "photo"}], "column 'photo' is not in the table"),
        (
            [{"name": "mask", "kind": "mask", "levels": ["one", "two"]}],
            r"its mask .*\.png has the id 2",
        ),
    ],
)
def test_wrong_settings_have_one_clear_error(
    shapes: Path, targets: list[dict[str, object]], expected: str
) -> None:
    model = Superpose(targets, inputs=[PHOTO], split={"by": "column", "column": "split"})
    with pytest.raises(SuperposeError, match=expected):
        model.fit(with_boxes(shapes))


@pytest.mark.slow
@pytest.mark.skipif(not (DATA / "camvid").is_dir(), reason="the data is not there")
def test_streets_are_segmented_in_a_slice_of_real_images(tmp_path: Path) -> None:
    with zipfile.ZipFile(DATA / "camvid/camvid_160x120.zip") as packed:
        names = sorted(packed.namelist())
        for part in ("train", "val", "test"):
            for sub in (part, part + "annot"):
                own = [name for name in names if name.startswith(f"{sub}/") and name[-1] != "/"]
                packed.extractall(tmp_path, own[:24])
    table = read_table(tmp_path)
    shares = [
        float((np.asarray(Image.open(tmp_path / path)) == 3).mean())
        for path in table["mask"].to_pylist()
    ]
    model = Superpose(
        [{"name": "mask", "kind": "mask", "levels": list(range(11)), "void": 11}, "road"],
        inputs=[{**PHOTO, "size": [48, 64]}],
        split={"by": "column", "column": "split"},
        references="none",
        model=MODEL,
        training={"epochs": 8, "batch_size": 4},
    ).fit(table.append_column("road", pa.array(shares)))
    metrics = model.record.metrics["mask"]["deployed"]
    assert metrics["pixel_accuracy"] > 0.45  # a third of the pixels are road, the largest class


@pytest.mark.slow
@pytest.mark.skipif(not (DATA / "bccd_detection").is_dir(), reason="the data is not there")
def test_cells_are_detected_in_a_slice_of_real_images() -> None:
    table = read_table(DATA / "bccd_detection/BCCD")
    split = np.array(table["split"].to_pylist())
    first = [np.flatnonzero(split == part)[:24] for part in ("train", "validation", "test")]
    model = Superpose(
        [{"name": "boxes", "kind": "boxes"}],
        inputs=[{**PHOTO, "size": [96, 128], "stride": 4, "on_error": "skip"}],
        split={"by": "column", "column": "split"},
        references="none",
        model=MODEL,
        training={"epochs": 6, "batch_size": 4},
    ).fit(table.take(pa.array(np.concatenate(first))))
    assert model.record.metrics["boxes"]["deployed"]["map50"] > 0.25
