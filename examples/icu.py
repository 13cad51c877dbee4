"""Two days in intensive care: who dies there, how long the stay is, and how long patients live.

SUPERPOSE_DATA=path/to/data python examples/icu.py
"""

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from superpose import Superpose

FOLDER = Path(os.environ.get("SUPERPOSE_DATA", "../shared/data")) / "physionet2012"
STATIC = ["Age", "Gender", "Height", "ICUType", "Weight"]
YEAR = 365.0  # days that patients are followed


def stays() -> pa.Table:
    """A row for each patient: what is known at admission, all measurements, and the outcomes."""
    events = pyarrow.parquet.read_table(FOLDER / "set_a_events.parquet")
    events = events.sort_by([("RecordID", "ascending"), ("minute", "ascending")])
    record, minute = events["RecordID"].to_numpy(), events["minute"].to_numpy()
    name = events["Parameter"].cast(pa.string())
    value = events["Value"].to_numpy()
    patients, first = np.unique(record, return_index=True)
    columns = {}
    for column in STATIC:
        here = np.asarray(pc.equal(name, column)) & (minute == 0)
        known = here & (value >= 0)  # -1 stands for what was not noted
        values = np.full(len(patients), np.nan)
        values[np.searchsorted(patients, record[known])] = value[known]
        columns[column] = pa.array(values, from_pandas=True)
    parts = [pa.array(minute / 60), name.combine_chunks(), pa.array(value)]
    measured = np.asarray(pc.invert(pc.is_in(name, pa.array([*STATIC[:4], "RecordID"]))))
    measured &= value >= 0
    ends = np.append(np.add.reduceat(measured, first).cumsum(), 0)
    rows = pa.StructArray.from_arrays(parts, ["time", "channel", "value"]).filter(
        pa.array(measured)
    )
    offsets = pa.array(np.roll(ends, 1).astype(np.int32))
    columns["measured"] = pa.ListArray.from_arrays(offsets, rows)
    return pa.table({**columns, **outcomes(patients)})


def outcomes(patients: np.ndarray) -> dict[str, pa.Array | np.ndarray]:
    """What became of the patients; -1 stands for what is not known."""
    table = pyarrow.csv.read_csv(FOLDER / "Outcomes-a.txt").sort_by("RecordID")
    assert (table["RecordID"].to_numpy() == patients).all()
    columns = {n: table[n].to_numpy().astype(float) for n in table.column_names}
    known = {n: pa.array(v, mask=v < 0) for n, v in columns.items() if n != "RecordID"}
    # Without a date of death the patient was alive when the year ended.
    days = np.where(columns["Survival"] < 0, YEAR, np.minimum(columns["Survival"], YEAR))
    died = (columns["Survival"] >= 0) & (columns["Survival"] <= YEAR)
    return {
        "died_there": np.where(columns["In-hospital_death"] == 1, "yes", "no"),
        "stay": known["Length_of_stay"],
        "saps": known["SAPS-I"],
        "sofa": known["SOFA"],
        "days": days,
        "died": died,
    }


def main() -> None:
    model = Superpose(
        [
            "died_there",
            {"name": "stay", "kind": "number"},
            {"name": "saps", "kind": "number"},
            {"name": "sofa", "kind": "number"},
            {"name": "days", "kind": "survival", "event": "died", "horizons": [30, 90, 365]},
        ],
        # Measurements come when they come; here they are read on a grid of two hours.
        inputs=[{"name": "measured", "kind": "series", "bins": 24}, *STATIC],
        model={"members": 4, "given": False},
        # One validation split, trees of one sort and less patience: so that it ends in minutes.
        proof={"folds": 1, "trees": ["hist"]},
        training={"patience": 4},
    ).fit(stays())
    print(model.verdicts())
    for target, metrics in model.record.metrics.items():
        rounded = {name: {k: round(v, 3) for k, v in m.items()} for name, m in metrics.items()}
        print(target, {name: rounded[name] for name in rounded if name != "baseline"})


if __name__ == "__main__":
    if FOLDER.is_dir():
        main()
    else:
        print(f"skipped: {FOLDER} is not there; set SUPERPOSE_DATA to the folder of physionet2012/")
