"""Do images with dense targets learn from scratch, on one core? Masks of streets, boxes of cells.

python benchmarks/dense.py --only street        # CamVid: mask, classes present, share of road
python benchmarks/dense.py --only cells         # BCCD: boxes, classes present, number of red cells
python benchmarks/dense.py --only cells-alone   # the same detector without the other targets
python benchmarks/dense.py --report

Nothing is pretrained and nothing is tuned on the test images, which are read once. The time is that
of the processor, of everything from reading the folder to the last epoch. Aims: a mean IoU of 0.50
over the 11 classes of CamVid at 160 x 120, counted on every labelled pixel of the test images, and
an mAP50 of 0.80 on BCCD, within 30 minutes of one core each.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from PIL import Image

from _cells import RESULTS, hardware, versions
from superpose import Superpose
from superpose.columns import mask_array
from superpose.data import read_table

DATA = Path(os.environ.get("SUPERPOSE_DATA", Path(__file__).resolve().parents[2] / "shared/data"))
CLASSES = [
    "sky",
    "building",
    "pole",
    "road",
    "pavement",
    "tree",
    "sign",
    "fence",
    "car",
    "pedestrian",
    "bicyclist",
]
VOID = 11
AIMS = {"street": ("miou_pixels", 0.50), "cells": ("map50", 0.80), "cells-alone": ("map50", 0.80)}
MINUTES = 30
# Minutes by the clock, which on a quiet core are those of the processor; the rest of the half hour
# is for reading the folder, the test images and the report.
TRAINING = 28.4


def street_table(folder: Path) -> pa.Table:
    """CamVid's folder as a table, with two more targets that its masks give."""
    table = read_table(folder)
    present, road = [], []
    for name in table["mask"].to_pylist():
        ids = np.asarray(Image.open(folder / name))
        counts = np.bincount(ids[ids != VOID], minlength=len(CLASSES))
        present.append([CLASSES[c] for c in np.flatnonzero(counts)])
        road.append(counts[CLASSES.index("road")] / counts.sum())
    table = table.append_column("present", pa.array(present))
    return table.append_column("road", pa.array(road))


def street(epochs: int | None, minutes: float) -> dict[str, Any]:
    """Train on CamVid and measure on its test images."""
    with tempfile.TemporaryDirectory() as path:
        folder = Path(path)
        with zipfile.ZipFile(DATA / "camvid/camvid_160x120.zip") as packed:
            packed.extractall(folder)
        started = time.process_time()
        table = street_table(folder)
        augment = {"flip": "horizontal", "shift": 0.1, "scale": 0.25, "colour": 0.2, "mix": 0.8}
        model = Superpose(
            [
                {"name": "mask", "kind": "mask", "levels": CLASSES, "void": VOID, "weight": 3},
                "present",
                "road",
            ],
            # Poles and signs are two pixels wide: a map at a quarter of the sides has lost them.
            inputs=[
                {
                    "name": "image",
                    "kind": "image",
                    "size": [120, 160],
                    "stride": 2,
                    "augment": augment,
                }
            ],
            split={"by": "column", "column": "split"},
            references="none",
            model={"given": False, "members": 4},
            training={**training(epochs or 100, minutes), "average": 3, "precision": "bf16"},
        ).fit(table, progress=progress(started))
        seconds = time.process_time() - started
        test = table.filter(pa.compute.equal(table["split"], "test"))
        preds = model.predict(test.drop_columns(["mask", "present", "road"]))
        confusion = np.zeros((len(CLASSES), len(CLASSES)))
        for name, runs in zip(test["mask"].to_pylist(), preds["mask"].to_pylist(), strict=True):
            true = np.asarray(Image.open(folder / name))
            pred = mask_array(runs)
            known = true != VOID
            np.add.at(confusion, (true[known], pred[known]), 1)
        right = np.diag(confusion)
        iou = right / (confusion.sum(0) + confusion.sum(1) - right)
        return facts(model, seconds) | {
            "miou_pixels": float(iou.mean()),
            "iou_pixels": dict(zip(CLASSES, iou.tolist(), strict=True)),
            "pixel_accuracy": float(right.sum() / confusion.sum()),
        }


def cells_table() -> pa.Table:
    """BCCD's folder as a table, with more targets that its boxes give."""
    table = read_table(DATA / "bccd_detection/BCCD")
    classes = [[one["class"] for one in objects] for objects in table["boxes"].to_pylist()]
    table = table.append_column("present", pa.array([sorted(set(names)) for names in classes]))
    for name in ("RBC", "Platelets"):
        counts = pa.array([names.count(name) for names in classes])
        table = table.append_column(name, counts)
    return table


def cells(epochs: int | None, minutes: float, alone: bool = False) -> dict[str, Any]:
    """Train on BCCD, only the boxes or with all else, and measure on its test images."""
    started = time.process_time()
    table = cells_table()
    others = [{"name": n, "kind": "count"} for n in ("RBC", "Platelets")]
    targets = [{"name": "boxes", "kind": "boxes", "of": "image", "weight": 3}, "present", *others]
    augment = {"flip": "both", "shift": 0.1, "scale": 0.2, "colour": 0.2}
    # Two published boxes have no area; they are left out.
    image = {
        "kind": "image",
        "size": [144, 192],
        "stride": 4,
        "augment": augment,
        "on_error": "skip",
    }
    model = Superpose(
        targets[:1] if alone else targets,
        inputs=[{"name": "image", **image, "augment": augment}],
        split={"by": "column", "column": "split"},
        references="none",
        model={"given": False, "members": 4},
        training=training(epochs or 45, minutes),
    ).fit(table, progress=progress(started))
    seconds = time.process_time() - started
    cell = facts(model, seconds)
    return cell | {"map50": cell["test"]["boxes"]["map50"]}


def cells_alone(epochs: int | None, minutes: float) -> dict[str, Any]:
    """The same detector without the other targets."""
    return cells(epochs, minutes, alone=True)


def training(epochs: int, minutes: float) -> dict[str, Any]:
    """Settings of the loop: the best epoch by the validation images is kept."""
    return {"epochs": epochs, "patience": epochs, "batch_size": 4, "max_minutes": minutes}


def progress(started: float) -> Any:
    """Print the share done and the processor time."""

    def show(stage: str, share: float) -> None:
        print(f"{stage} {share:.2f} {time.process_time() - started:.0f} s", flush=True)

    return show


def facts(model: Superpose, seconds: float) -> dict[str, Any]:
    """What is stored of any run."""
    curves = {name: target.curves[0] for name, target in model.record.targets.items()}
    return {
        "cpu_seconds": seconds,
        "epochs": {t: len(c.validation) for t, c in curves.items()},
        "best_epoch": {t: c.best_epoch for t, c in curves.items()},
        "validation": {t: c.validation.tolist() for t, c in curves.items()},
        "test": {t: m["deployed"] for t, m in model.record.metrics.items()},
        "settings": model.config.model_dump(mode="json", exclude_none=True),
        "versions": versions(),
        "hardware": hardware(),
        "threads": torch.get_num_threads(),
    }


RUNS = {"street": street, "cells": cells, "cells-alone": cells_alone}


def report(cells: dict[str, Any]) -> None:
    """Print what is stored, what was not reached first."""
    lines = []
    for name, cell in cells.items():
        key, limit = AIMS[name]
        value = cell[key]
        minutes = cell["cpu_seconds"] / 60
        missed = value < limit or minutes > MINUTES
        words = f"{name}: {key} {value:.3f} (aim {limit:.2f}), {minutes:.1f} minutes of one core"
        lines.append((not missed, words + (", NOT REACHED" if missed else "")))
    for _, line in sorted(lines):
        print(line)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--only", choices=list(RUNS), help="one of the runs (default all)")
    parser.add_argument("--epochs", type=int, help="epochs, to try out")
    words = f"minutes after which a training stops (default {TRAINING})"
    parser.add_argument("--minutes", type=float, default=TRAINING, help=words)
    parser.add_argument("--name", default="dense", help="name of the result file")
    parser.add_argument("--report", action="store_true", help="print what is stored")
    args = parser.parse_args()
    path = RESULTS / f"{args.name}.json"
    stored = json.loads(path.read_text()) if path.exists() else {}
    if not args.report:
        torch.set_num_threads(1)
        for name in [args.only] if args.only else RUNS:
            cell = RUNS[name](args.epochs, args.minutes)
            stored = json.loads(path.read_text()) if path.exists() else {}
            stored[name] = cell
            path.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
    report(stored)


if __name__ == "__main__":
    main()
