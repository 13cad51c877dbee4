"""Digits that are written and digits that are spoken, in one model; one speaker is new to it.

SUPERPOSE_DATA=path/to/data python examples/digits.py
"""

import gzip
import os
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
from PIL import Image

from superpose import Superpose

DATA = Path(os.environ.get("SUPERPOSE_DATA", "../shared/data"))
IMAGES = DATA / "mnist_t10k"
SOUNDS = DATA / "fsdd_audio"
WRITTEN = 1500  # images that are used: more take longer and add little
NEW = "lucas"  # the speaker who is heard in the test only


def unpack(name: str, start: int) -> np.ndarray:
    """The bytes of one of the two files of images."""
    return np.frombuffer(gzip.open(IMAGES / name).read()[start:], np.uint8)


def written(folder: Path) -> pa.Table:
    """Images as files, with the digit that each shows."""
    pixels = unpack("t10k-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28)[:WRITTEN]
    paths = [str(folder / f"{n}.png") for n in range(len(pixels))]
    for path, one in zip(paths, pixels, strict=True):
        Image.fromarray(one).save(path)
    digit = unpack("t10k-labels-idx1-ubyte.gz", 8)[:WRITTEN]
    part = np.resize(["train"] * 7 + ["validation"] + ["test"] * 2, WRITTEN)
    return pa.table({"image": paths, "digit": digit.astype(str), "part": part})


def spoken(folder: Path) -> pa.Table:
    """Recordings, with the digit and, but for the new one, the speaker."""
    zipfile.ZipFile(SOUNDS / "recordings.zip").extractall(folder)
    rows = []
    for path in sorted(folder.rglob("*.wav")):
        digit, speaker, number = path.stem.split("_")
        part = "validation" if int(number) < 8 else "train"
        new = speaker == NEW
        row = {"sound": str(path), "digit": digit, "part": "test" if new else part}
        rows.append({**row, "speaker": None if new else speaker})
    return pa.Table.from_pylist(rows)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        images, sounds = written(Path(folder)), spoken(Path(folder))
        inputs = [
            {"name": "image", "kind": "image", "size": [32, 32], "stride": 8},
            {"name": "sound", "kind": "audio", "rate": 8000, "seconds": 0.6},
        ]
        common = {
            "split": {"by": "column", "column": "part"},
            "model": {"members": 2, "given": False},
            # Two encoders side by side do better with smaller steps, most of all for a new speaker.
            "training": {"epochs": 10, "patience": 10, "batch_size": 32, "learning_rate": 0.001},
            # Speakers are so easy to tell apart that the multi-task net learns little else of
            # sounds: the proof deploys the single-task net of digits.
            "proof": {"references": "network"},
        }
        both = Superpose(["digit", "speaker"], inputs=inputs, **common)
        both.fit({"written": images, "spoken": sounds})
        sounds_only = Superpose(["digit", "speaker"], inputs=inputs[1:], **common).fit(sounds)
        print(both.verdicts())
        heard = sounds.filter(pa.compute.equal(sounds["part"], "test"))
        seen = images.filter(pa.compute.equal(images["part"], "test"))
        for name, model in (("with images", both), ("sounds only", sounds_only)):
            metrics = model.evaluate(
                heard.append_column("image", pa.nulls(len(heard), pa.string()))
            )
            print(f"digits of a new speaker, {name}: {metrics['digit']['accuracy']:.1%}")
        metrics = both.evaluate(seen.append_column("sound", pa.nulls(len(seen), pa.string())))
        print(f"written digits: {metrics['digit']['accuracy']:.1%}")


if __name__ == "__main__":
    if IMAGES.is_dir() and SOUNDS.is_dir():
        main()
    else:
        print(f"skipped: mnist_t10k and fsdd_audio are not in {DATA}; set SUPERPOSE_DATA")
