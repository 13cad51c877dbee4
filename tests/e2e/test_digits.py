"""The example of written and spoken digits on a slice of its public data, where that is at hand."""

from __future__ import annotations

import os
import runpy
from pathlib import Path

import pyarrow as pa
import pytest

from superpose import Superpose

pytest.importorskip("soundfile")
pytest.importorskip("PIL.Image")
ROOT = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("SUPERPOSE_DATA", ROOT.parent / "shared" / "data"))
pytestmark = pytest.mark.skipif(
    not (FOLDER / "fsdd_audio").is_dir() or not (FOLDER / "mnist_t10k").is_dir(),
    reason="fsdd_audio and mnist_t10k are not in $SUPERPOSE_DATA",
)


def test_images_and_sounds_are_rows_of_one_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUPERPOSE_DATA", str(FOLDER))
    example = runpy.run_path(str(ROOT / "examples" / "digits.py"), run_name="example")
    images = example["written"](tmp_path).slice(0, 200)
    sounds = example["spoken"](tmp_path)
    assert len(sounds) == 2000
    assert {
        row["part"] for row in sounds.select(["part", "speaker"]).to_pylist() if not row["speaker"]
    } == {"test"}
    sounds = sounds.take(pa.array(range(0, 2000, 6)))
    model = Superpose(
        ["digit", "speaker"],
        inputs=[
            {"name": "image", "kind": "image", "size": [32, 32], "stride": 8},
            {"name": "sound", "kind": "audio", "rate": 8000, "seconds": 0.6},
        ],
        split={"by": "column", "column": "part"},
        model={"width": 32, "members": 1, "given": False},
        training={"epochs": 8, "batch_size": 16},
        proof={"references": "none"},
    ).fit({"written": images, "spoken": sounds})
    assert model.record.regime == "crossed"
    new = sounds.append_column("image", pa.nulls(len(sounds), pa.string()))
    metrics = model.evaluate(new)
    assert metrics["speaker"]["accuracy"] > 0.6, metrics
    pred = model.predict(
        pa.table({"image": [None, images["image"][0].as_py()], "sound": [None] * 2})
    )
    assert pred["digit"].null_count == 0
    with pytest.raises(Exception, match="no such file"):
        model.predict(pa.table({"image": pa.nulls(1, pa.string()), "sound": ["gone.wav"]}))
