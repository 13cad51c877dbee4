"""Where the cells of a blood smear are, which sorts it has and how many of each: one model.

SUPERPOSE_DATA=path/to/data python examples/cells.py          # minutes
SUPERPOSE_DATA=path/to/data python examples/cells.py --long   # the settings of the benchmark
"""

import os
import sys
from pathlib import Path

import pyarrow as pa

from superpose import Superpose
from superpose.data import read_table

FOLDER = Path(os.environ.get("SUPERPOSE_DATA", "../shared/data")) / "bccd_detection/BCCD"


def with_more_targets(folder: Path) -> pa.Table:
    """The images and boxes of a folder, with the classes present and the number of each."""
    table = read_table(folder)  # image, boxes and split, from Pascal VOC
    names = [[cell["class"] for cell in cells] for cells in table["boxes"].to_pylist()]
    table = table.append_column("present", pa.array([sorted(set(row)) for row in names]))
    for name in ("RBC", "Platelets"):
        table = table.append_column(name, pa.array([row.count(name) for row in names]))
    return table


def main(long: bool) -> None:
    table = with_more_targets(FOLDER)
    # Two published boxes have no area: such boxes are left out, and counted.
    augment = {"flip": "both", "shift": 0.1, "scale": 0.2, "colour": 0.2}
    image = {"kind": "image", "augment": augment, "on_error": "skip", "stride": 4}
    counts = [{"name": name, "kind": "count"} for name in ("RBC", "Platelets")]
    model = Superpose(
        [{"name": "boxes", "kind": "boxes"}, "present", *counts],
        inputs=[{"name": "image", "size": [144, 192] if long else [72, 96], **image}],
        model={"given": False},
        training={"epochs": 45 if long else 6, "patience": 45, "batch_size": 4},
        split={"by": "column", "column": "split"},
        references="network",
    ).fit(table)
    print(model.verdicts())
    test = model.record.metrics["boxes"]["deployed"]
    print(f"mAP at IoU 0.5 on the test images {test['map50']:.3f}, mAP {test['map']:.3f}")
    first = table.slice(0, 1).select(["image"])
    pred = model.predict(first).to_pylist()[0]
    proba = model.predict_proba(first).to_pylist()[0]
    print(f"the first image: {len(pred['boxes'])} boxes, such as {pred['boxes'][:1]}")
    print(f"red cells to expect there: {proba['boxes=RBC']:.1f}")


if FOLDER.is_dir():
    main("--long" in sys.argv)
else:
    print(f"skipped: {FOLDER} is not there; set SUPERPOSE_DATA to the folder of bccd_detection/")
