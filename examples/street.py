"""What every pixel of a street is, which things are in sight, how much is road: one model.

SUPERPOSE_DATA=path/to/data python examples/street.py          # minutes
SUPERPOSE_DATA=path/to/data python examples/street.py --long   # the settings of the benchmark
"""

import os
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
from PIL import Image

from superpose import Superpose
from superpose.columns import mask_array
from superpose.data import read_table

PACKED = Path(os.environ.get("SUPERPOSE_DATA", "../shared/data")) / "camvid/camvid_160x120.zip"
CLASSES = "sky building pole road pavement tree sign fence car pedestrian bicyclist"
NAMES = CLASSES.split()  # the ids 0 to 10 of the files, and that of no class
VOID = 11


def with_more_targets(folder: Path) -> pa.Table:
    """The images and masks of a folder, with which classes are present and the share of road."""
    table = read_table(folder)  # image, mask and split, from train, trainannot and so on
    present, road = [], []
    for path in table["mask"].to_pylist():
        ids = np.asarray(Image.open(folder / path))
        counts = np.bincount(ids[ids != VOID], minlength=len(NAMES))
        present.append([NAMES[c] for c in np.flatnonzero(counts)])
        road.append(counts[NAMES.index("road")] / counts.sum())
    return table.append_column("present", pa.array(present)).append_column("road", pa.array(road))


def main(long: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(PACKED) as packed:
            packed.extractall(folder)
        table = with_more_targets(Path(folder))
        size = [120, 160] if long else [48, 64]
        augment = {"flip": "horizontal", "shift": 0.1, "scale": 0.25, "colour": 0.2}
        model = Superpose(
            [{"name": "mask", "kind": "mask", "levels": NAMES, "void": VOID}, "present", "road"],
            inputs=[{"name": "image", "kind": "image", "size": size, "augment": augment}],
            model={"given": False},
            training={"epochs": 60 if long else 6, "patience": 60, "batch_size": 8},
            split={"by": "column", "column": "split"},
            references="network",
        ).fit(table)
        print(model.verdicts())
        test = model.record.metrics["mask"]["deployed"]
        print(f"mean IoU on the test images {test['miou']:.3f}, of road {test['iou_road']:.3f}")
        pred = model.predict(table.slice(0, 1).select(["image"])).to_pylist()[0]
        ids = mask_array(pred["mask"])
        print(f"the first image: {ids.shape} class ids; {pred['present']}, {pred['road']:.0%} road")


if PACKED.is_file():
    main("--long" in sys.argv)
else:
    print(f"skipped: {PACKED} is not there; set SUPERPOSE_DATA to the folder that holds camvid/")
