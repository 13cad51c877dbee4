"""Makes the bundled data sets from the files of the UCI repository.

The originals are not part of this project. Download them from the addresses in the attribution
files, then:

    python scripts/make_bundled_data.py --air PRSA_Data_Aotizhongxin_20130301-20170228.csv \\
        --machine ai4i2020.csv --heart folder/with/processed.*.data

Running it again on the same originals gives the same bytes.
"""

import argparse
import gzip
from pathlib import Path

import numpy as np
import pandas as pd

TARGET = Path(__file__).parents[1] / "src/superpose/data/bundled"

AIR_NAMES = {
    "TEMP": "temperature",
    "PRES": "pressure",
    "DEWP": "dew_point",
    "RAIN": "rain",
    "wd": "wind_direction",
    "WSPM": "wind_speed",
    "PM2.5": "pm25",
    "PM10": "pm10",
    "SO2": "so2",
    "NO2": "no2",
    "CO": "co",
    "O3": "o3",
}
# Upper ends, in µg/m³, of China's grading of fine dust by its daily mean.
# Source: HJ 633-2012, Technical Regulation on Ambient Air Quality Index, table 1.
LEVELS = {
    "good": 35,
    "moderate": 75,
    "unhealthy_for_sensitive": 115,
    "unhealthy": 150,
    "very_unhealthy": 250,
    "hazardous": np.inf,
}
MACHINE_NAMES = {
    "Type": "quality",
    "Air temperature [K]": "air_temperature_k",
    "Process temperature [K]": "process_temperature_k",
    "Rotational speed [rpm]": "rotational_speed_rpm",
    "Torque [Nm]": "torque_nm",
    "Tool wear [min]": "tool_wear_min",
    "Machine failure": "machine_failure",
    "TWF": "tool_wear_failure",
    "HDF": "heat_dissipation_failure",
    "PWF": "power_failure",
    "OSF": "overstrain_failure",
    "RNF": "random_failure",
}
HEART_NAMES = {
    "age": "age",
    "sex": "sex",
    "cp": "chest_pain",
    "trestbps": "resting_pressure",
    "chol": "cholesterol",
    "fbs": "fasting_sugar_high",
    "restecg": "resting_ecg",
    "thalach": "max_heart_rate",
    "exang": "exercise_angina",
    "oldpeak": "st_depression",
    "slope": "st_slope",
    "ca": "vessels",
    "thal": "thallium",
}
# Codes of the original, spelled out; the words are those of its documentation.
HEART_CODES = {
    "sex": {0: "female", 1: "male"},
    "chest_pain": {1: "typical", 2: "atypical", 3: "non-anginal", 4: "asymptomatic"},
    "fasting_sugar_high": {0: "no", 1: "yes"},
    "resting_ecg": {0: "normal", 1: "st-t abnormality", 2: "ventricular hypertrophy"},
    "exercise_angina": {0: "no", 1: "yes"},
    "st_slope": {1: "upsloping", 2: "flat", 3: "downsloping"},
    "thallium": {3: "normal", 6: "fixed defect", 7: "reversible defect"},
}
HOSPITALS = {"cleveland": "Cleveland", "hungarian": "Budapest", "switzerland": "Zurich and Basel"}
HOSPITALS["va"] = "Long Beach"


def make_air(path: Path) -> pd.DataFrame:
    """One station, every third hour up to the end of 2016."""
    raw = pd.read_csv(path)
    raw = raw[(raw["year"] <= 2016) & (raw["hour"] % 3 == 0)]
    time = pd.to_datetime(raw[["year", "month", "day", "hour"]])
    frame = raw[list(AIR_NAMES)].rename(columns=AIR_NAMES)
    frame.insert(0, "time", time.dt.strftime("%Y-%m-%dT%H:%M:%S"))
    bounds = [-np.inf, *LEVELS.values()]
    frame["level"] = pd.cut(frame["pm25"], bounds, labels=list(LEVELS)).astype(object)
    return frame.sort_values("time")


def make_machine(path: Path) -> pd.DataFrame:
    """All rows without the two running numbers."""
    raw = pd.read_csv(path, encoding="utf-8-sig")
    frame = raw[list(MACHINE_NAMES)].rename(columns=MACHINE_NAMES)
    return frame.assign(quality=frame["quality"].map({"L": "low", "M": "medium", "H": "high"}))


def make_heart(folder: Path) -> pd.DataFrame:
    """Four hospitals one after the other, codes spelled out, impossible values made missing."""
    parts = []
    for file_name, hospital in HOSPITALS.items():
        columns = [*HEART_NAMES, "num"]
        raw = pd.read_csv(folder / f"processed.{file_name}.data", header=None, names=columns)
        # Some copies carry a line of column names; the original has none.
        raw = raw[pd.to_numeric(raw["num"], errors="coerce").notna()]
        raw = raw.apply(pd.to_numeric, errors="coerce")
        part = raw[list(HEART_NAMES)].rename(columns=HEART_NAMES)
        for column, words in HEART_CODES.items():
            part[column] = part[column].map(words)
        # No living patient has 0: all of the Swiss file and some rows of the others wrote it for
        # not measured.
        part["cholesterol"] = part["cholesterol"].where(part["cholesterol"] != 0)
        part["resting_pressure"] = part["resting_pressure"].where(part["resting_pressure"] != 0)
        part.insert(0, "hospital", hospital)
        part["disease"] = (raw["num"] > 0).map({True: "yes", False: "no"})
        # Budapest wrote 1 for any narrowing, so its severity is not known; keeping the zeros alone
        # would teach a model that patients there are never ill, hence all of them are missing.
        severity = raw["num"].astype("Int64")
        part["severity"] = severity.mask(pd.Series(hospital == "Budapest", index=raw.index))
        parts.append(part)
    frame = pd.concat(parts, ignore_index=True)
    whole = ["age", "resting_pressure", "cholesterol", "max_heart_rate", "vessels"]
    return frame.astype(dict.fromkeys(whole, "Int64"))


def write(frame: pd.DataFrame, name: str) -> None:
    """Writes the file, without a time stamp in it so that its bytes depend on the rows alone."""
    TARGET.mkdir(parents=True, exist_ok=True)
    text = frame.to_csv(index=False, lineterminator="\n").encode()
    data = gzip.compress(text, compresslevel=9, mtime=0)
    (TARGET / f"{name}.csv.gz").write_bytes(data)
    print(f"{name}: {len(frame)} rows, {frame.shape[1]} columns, {len(data) / 1024:.0f} KiB")


def main() -> None:
    """Reads the originals named on the command line and writes those that were named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--air", type=Path, help="CSV of the station Aotizhongxin")
    parser.add_argument("--machine", type=Path, help="ai4i2020.csv")
    parser.add_argument("--heart", type=Path, help="folder of the four processed.*.data files")
    given = parser.parse_args()
    for name, make in (("air", make_air), ("machine", make_machine), ("heart", make_heart)):
        path = getattr(given, name)
        if path is not None:
            write(make(path), name)


if __name__ == "__main__":
    main()
