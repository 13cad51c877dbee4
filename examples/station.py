"""Six pollutants of one station, 1 to 24 hours ahead, from the two days before.

SUPERPOSE_DATA=path/to/data python examples/station.py
"""

import os
from pathlib import Path

import pyarrow as pa

from superpose import Superpose
from superpose.data import read_table

FOLDER = Path(os.environ.get("SUPERPOSE_DATA", "../shared/data")) / "beijing_air"
STATION = "PRSA_Data_Aotizhongxin_20130301-20161231.csv.gz"
POLLUTANTS = ["PM2.5", "PM10", "SO2", "NO2", "CO", "O3"]
WEATHER = ["TEMP", "PRES", "DEWP", "RAIN", "WSPM"]


def hours() -> pa.Table:
    """A row for each hour: what was measured, and the moment."""
    table = read_table(FOLDER / STATION)
    year, month, day, hour = (table[n].to_numpy() for n in ("year", "month", "day", "hour"))
    days = (year - 1970).astype("datetime64[Y]").astype("datetime64[M]") + (month - 1)
    moment = days.astype("datetime64[h]") + (day - 1) * 24 + hour
    measured = {name: table[name] for name in [*POLLUTANTS, *WEATHER]}
    return pa.table({"moment": moment.astype("datetime64[s]"), **measured})


def main() -> None:
    table = hours()
    model = Superpose(
        # Forecasts start from the last value and that of the same hour of the day before, as far as
        # they are trusted; the report compares with both.
        [{"name": name, "kind": "forecast", "season": 24} for name in POLLUTANTS],
        windows={
            "time": "moment",
            "length": 48,
            "step": 25,  # hours: so windows end at every hour of the day in turn
            "ahead": 24,
            "columns": [*POLLUTANTS, *WEATHER],
        },
        # Small, and with little patience: so that it ends in minutes.
        model={"width": 128, "members": 2, "given": False},
        training={"epochs": 20, "patience": 3},
        proof={"references": "network", "folds": 1},
    ).fit(table)
    print(model.verdicts())
    for name in POLLUTANTS:
        errors = model.record.targets[name].chart.errors
        print(f"{name}, mean error   1 hour ahead   24 hours   all")
        for method, error in errors.items():
            print(f"  {method:16}{error[0]:15.1f}{error[23]:11.1f}{error.mean():6.1f}")
        test = model.record.metrics[name]["deployed"]
        print(f"  R2 {test['r2']:.2f}, {test['coverage']:.0%} inside the intervals")
    forecast = model.predict(table.slice(table.num_rows - 60)).to_pylist()[0]["PM2.5"]
    print("PM2.5 in the next hours:", *(f"{value:.0f}" for value in forecast))


if __name__ == "__main__":
    if FOLDER.is_dir():
        main()
    else:
        print(f"skipped: {FOLDER} is not there; set SUPERPOSE_DATA to the folder of beijing_air/")
