"""When an engine will fail: its remaining life, failure within 30 cycles and its stage of wear.

SUPERPOSE_DATA=path/to/data python examples/engines.py
"""

import os
from pathlib import Path

import numpy as np
import pyarrow as pa

from superpose import Superpose

FOLDER = Path(os.environ.get("SUPERPOSE_DATA", "../shared/data")) / "cmapss"
SENSORS = [f"sensor_{number}" for number in range(1, 22)]
STAGES = ["sound", "worn", "near its end"]


def read(part: str) -> pa.Table:
    """A row for each flight of each engine, with what is left of its life then."""
    rows = np.loadtxt(FOLDER / f"{part}_FD001.txt.gz")
    names = ["engine", "cycle", "altitude", "speed", "throttle", *SENSORS]
    engine = rows[:, 0].astype(int)
    last = np.append(np.diff(rows[:, 0]) != 0, True)
    ends = rows[last, 1]
    if part == "test":  # these engines stop some flights before they fail
        ends = ends + np.loadtxt(FOLDER / "RUL_FD001.txt.gz")
    left = ends[engine - 1] - rows[:, 1]
    labels = {
        "life": np.minimum(left, 125),  # a sound engine shows nothing of its end yet
        "fails_within_30": left <= 30,
        "stage": np.array(STAGES)[np.digitize(-left, [-125, -50])],
    }
    # Each test engine is tested at its last flight, as the data set is used in the literature.
    hidden = ~last if part == "test" else np.zeros(len(left), bool)
    columns = dict(zip(names, rows.T, strict=True))
    return pa.table(
        {
            **columns,
            "engine": [f"{part} {number}" for number in engine],
            "part": [part] * len(engine),
            **{name: pa.array(values, mask=hidden) for name, values in labels.items()},
        }
    )


def main() -> None:
    model = Superpose(
        ["life", "fails_within_30", {"name": "stage", "levels": STAGES}],
        # Windows of an engine stay in one part; those that choose are drawn from training engines.
        windows={"group": "engine", "time": "cycle", "length": 30, "step": 3, "columns": SENSORS},
        split={"by": "column", "column": "part"},
        ignore=["altitude", "speed", "throttle", "cycle"],
        model={"members": 4, "given": False},
        # One validation split, trees of one sort and less patience: so that it ends in minutes.
        proof={"folds": 1, "trees": ["hist"]},
        training={"patience": 5},
    ).fit(pa.concat_tables([read("train"), read("test")]))
    print(model.verdicts())
    test = {target: metrics["deployed"] for target, metrics in model.record.metrics.items()}
    print(f"remaining life of 100 test engines: RMSE {test['life']['rmse']:.2f} cycles")
    print(f"failure within 30 cycles: AUC {test['fails_within_30']['auc']:.3f}")
    print(f"stage: accuracy {test['stage']['accuracy']:.2f}")


if __name__ == "__main__":
    if FOLDER.is_dir():
        main()
    else:
        print(f"skipped: {FOLDER} is not there; set SUPERPOSE_DATA to the folder with cmapss/")
