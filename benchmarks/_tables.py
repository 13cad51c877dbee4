"""The benchmark tables: one loader per public data set, each with its targets and its split.

Natural splits are used where a set has one (time, official files, subjects); elsewhere rows
are drawn 60/20/20 by seed, stratified by the rarest positive class of each row where targets
are classes. Tables above `ROW_CAP` rows are cut to it, and their `note` says so.
"""

from __future__ import annotations

import gzip
import io
import os
import zlib
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.io import arff, loadmat

from _table import Table, grouped_split, name_parts, random_split

ROW_CAP = 30_000


def data_folder(path: str | os.PathLike[str] | None = None) -> Path:
    """Folder of the public data sets: `path`, else $SUPERPOSE_DATA, else ../shared/data."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(path or os.environ.get("SUPERPOSE_DATA") or default)
    if not folder.is_dir():
        raise SystemExit(f"data folder {folder}: not found; set SUPERPOSE_DATA or pass --data")
    return folder


def _words(text: str) -> list[str]:
    return text.split()


def _mulan(folder: Path, name: str, targets: int) -> Table:
    packed = (folder / "mulan" / f"{name}.arff.gz").read_bytes()
    text = gzip.decompress(packed).decode("utf-8")
    if name == "sf1":
        text = text.replace(", ", ",")
    records, meta = arff.loadarff(io.StringIO(text))
    frame = pd.DataFrame(records)
    for column in frame.columns:
        if meta[column][0] == "nominal":
            frame[column] = frame[column].str.decode("utf-8").str.strip()
    plain = [f"x{i}" for i in range(frame.shape[1] - targets)]
    frame.columns = [*plain, *(f"y{i}" for i in range(targets))]
    kinds = {f"y{i}": "number" for i in range(targets)}
    return Table(name, frame, kinds, random_split, "60/20/20 at random by seed")


def _ai4i2020(folder: Path) -> Table:
    frame = pd.read_csv(folder / "ai4i2020" / "ai4i2020.csv", encoding="utf-8-sig")
    frame = frame.drop(columns=["UDI", "Product ID"])
    targets = dict.fromkeys(["Machine failure", "TWF", "HDF", "PWF", "OSF", "RNF"], "binary")
    rule = "60/20/20 by seed, stratified by the rarest failure"
    return Table(
        "ai4i2020", frame, targets, random_split, rule, note="RNF is noise by construction"
    )


def _mi_complications(folder: Path) -> Table:
    frame = pd.read_csv(folder / "mi_complications" / "MI.data", header=None, na_values="?")
    names = _words(
        "FIBR_PREDS PREDS_TAH JELUD_TAH FIBR_JELUD A_V_BLOK OTEK_LANC RAZRIV DRESSLER ZSN "
        "REC_IM P_IM_STEN LET_IS"
    )
    frame = frame.drop(columns=0)
    frame.columns = [*(f"x{i}" for i in range(2, 113)), *names]
    frame["LET_IS"] = "cause " + frame["LET_IS"].astype(int).astype(str)
    targets = dict.fromkeys(names[:-1], "binary") | {"LET_IS": "category"}
    rule = "60/20/20 by seed, stratified by the rarest complication"
    return Table("mi_complications", frame, targets, random_split, rule)


def _heart(folder: Path) -> Table:
    sites = []
    for site in ("cleveland", "hungarian", "switzerland", "va"):
        path = folder / "heart_4sites" / f"processed.{site}.data"
        sites.append(pd.read_csv(path, na_values="?", skipinitialspace=True).assign(site=site))
    frame = pd.concat(sites, ignore_index=True)
    frame.columns = [str(name).strip() for name in frame.columns]
    frame["chol"] = frame["chol"].mask(frame["chol"] == 0)  # 0 is a hidden missing code
    for name in ("sex", "cp", "fbs", "restecg", "exang", "slope", "thal"):
        frame[name] = frame[name].map(lambda v: f"{int(v)}", na_action="ignore").astype(object)
    severity = frame.pop("num")
    frame["disease"] = (severity > 0).astype(int)
    named = ("s" + severity.astype(int).astype(str)).astype(object)
    frame["severity"] = named.mask(frame["site"] == "hungarian")  # only 0/1 was recorded there
    targets = {"disease": "binary", "severity": "ordinal"}
    rule = "60/20/20 by seed, stratified by severity"
    levels = {"severity": [f"s{i}" for i in range(5)]}
    return Table("heart_4sites", frame, targets, random_split, rule, levels=levels)


def _nhanes(folder: Path) -> Table:
    frame = pd.read_csv(folder / "nhanes" / "NHANES.csv.gz", low_memory=False)
    frame = frame.drop_duplicates("ID").reset_index(drop=True)
    # "None" is a level of Depressed that pandas reads as missing; the set itself writes NA.
    raw = pd.read_csv(
        folder / "nhanes" / "NHANES.csv.gz", usecols=["ID", "Depressed"], dtype=str,
        keep_default_na=False,
    )  # fmt: skip
    raw = raw.drop_duplicates("ID").reset_index(drop=True)
    frame["Depressed"] = raw["Depressed"].astype(object).mask(raw["Depressed"].isin(["NA", ""]))
    numbers = _words(
        "Age HHIncomeMid Poverty HomeRooms Weight Height BMI Pulse UrineVol1 UrineFlow1 "
        "DaysPhysHlthBad DaysMentHlthBad nPregnancies nBabies SleepHrsNight PhysActiveDays "
        "AlcoholDay AlcoholYear SexNumPartnLife"
    )
    names = _words(
        "Gender Race1 Education MaritalStatus HomeOwn Work PhysActive TVHrsDay CompHrsDay "
        "Alcohol12PlusYr Smoke100"
    )
    kept = pd.DataFrame({name: pd.to_numeric(frame[name], errors="coerce") for name in numbers})
    for name in names:
        kept[name] = frame[name].astype(object)
    for name in ("Diabetes", "SleepTrouble", "SmokeNow", "HardDrugs"):
        kept[name] = frame[name].map({"No": 0.0, "Yes": 1.0})
    for name in ("BPSysAve", "BPDiaAve", "TotChol", "DirectChol"):
        kept[name] = pd.to_numeric(frame[name], errors="coerce")
    for name in ("HealthGen", "Depressed"):
        kept[name] = frame[name].astype(object)
    binary = dict.fromkeys(["Diabetes", "SleepTrouble", "SmokeNow", "HardDrugs"], "binary")
    number = dict.fromkeys(["BPSysAve", "BPDiaAve", "TotChol", "DirectChol"], "number")
    targets = binary | number | dict.fromkeys(["HealthGen", "Depressed"], "ordinal")
    levels = {
        "HealthGen": ["Poor", "Fair", "Good", "Vgood", "Excellent"],
        "Depressed": ["None", "Several", "Most"],
    }
    note = "first row of every person (the set is resampled with replacement)"
    rule = "60/20/20 of the persons by seed, stratified by the rarest class"
    return Table("nhanes", kept, targets, random_split, rule, levels=levels, note=note)


def _adult(folder: Path) -> Table:
    names = _words(
        "age workclass fnlwgt education education_num marital occupation relationship race sex "
        "capital_gain capital_loss hours country income"
    )
    read = {"header": None, "names": names, "skipinitialspace": True, "na_values": "?"}
    train = pd.read_csv(folder / "adult" / "adult-train.csv.gz", **read)
    test = pd.read_csv(folder / "adult" / "adult-test.csv.gz", **read)
    # Both files keep their 2:1 proportion in the cut.
    train = train.sample(ROW_CAP * 2 // 3, random_state=0)
    test = test.sample(ROW_CAP // 3, random_state=0)
    frame = pd.concat([train, test], ignore_index=True)
    frame["income"] = frame["income"].str.startswith(">50K").astype(int)
    official = np.arange(len(frame)) >= len(train)

    def by_file(table: Table, seed: int) -> np.ndarray:
        draw = np.random.default_rng(seed).random(len(table.frame))
        return name_parts(len(draw), ~official & (draw < 0.25), official)

    note = f"cut from 48,842 to {ROW_CAP:,} rows (20,000 train file, 10,000 test file)"
    rule = "official test file; a quarter of the training file by seed is validation"
    targets = {"income": "binary", "marital": "category"}
    # relationship says "Husband": marital status in disguise
    return Table("adult", frame.drop(columns="relationship"), targets, by_file, rule, note=note)


def _parkinsons(folder: Path) -> Table:
    path = folder / "parkinsons_telemonitoring" / "parkinsons_updrs.data"
    frame = pd.read_csv(path, sep="\t")
    subjects = frame.pop("subject#").to_numpy()
    targets = {"motor_UPDRS": "number", "total_UPDRS": "number"}
    rule = "60/20/20 of the 42 subjects by seed"
    return Table("parkinsons", frame, targets, grouped_split, rule, clusters=subjects)


def _bike_sharing(folder: Path) -> Table:
    frame = pd.read_csv(folder / "bike_sharing" / "Bike-Sharing-Dataset" / "hour.csv")
    days = pd.to_datetime(frame["dteday"], format="mixed")
    weeks = ((days - days.min()).dt.days // 7).to_numpy()
    future = (frame["yr"] == 1).to_numpy()
    for name in ("season", "weathersit"):
        frame[name] = "k" + frame[name].astype(str)
    frame = frame.drop(columns=["instant", "dteday", "yr", "cnt"])

    def by_year(table: Table, seed: int) -> np.ndarray:
        # Whole weeks of 2011 validate, so that every month is also in training.
        drawn = np.random.default_rng(seed).random(weeks.max() + 1) < 0.2
        return name_parts(len(weeks), drawn[weeks] & ~future, future)

    rule = "2012 is test; a fifth of the weeks of 2011 by seed is validation"
    targets = {"casual": "count", "registered": "count"}
    note = "date and year left out: the year is constant in training"
    return Table("bike_sharing", frame, targets, by_year, rule, note=note, clusters=weeks)


def hashed_ngrams(texts: Iterable[str], n_columns: int, longest: int = 4) -> np.ndarray:
    """Counts of character n-grams (1 to `longest`), hashed by CRC-32 into `n_columns`.

    Shape: (texts, n_columns), float32.
    """
    counts = []
    for text in texts:
        grams = (text[i : i + n] for n in range(1, longest + 1) for i in range(len(text) - n + 1))
        index = np.fromiter(
            (zlib.crc32(gram.encode()) % n_columns for gram in grams), dtype=np.int64
        )
        counts.append(np.bincount(index, minlength=n_columns))
    return np.asarray(counts, dtype=np.float32)


def read_tox21(folder: Path) -> tuple[pd.DataFrame, list[str]]:
    """Assay labels (0, 1, NaN) of every molecule, and its SMILES."""
    raw = pd.read_csv(folder / "tox21" / "tox21.csv.gz")
    smiles = raw["smiles"].tolist()
    return raw.drop(columns=["mol_id", "smiles"]).astype(np.float64), smiles


def _tox21(folder: Path) -> Table:
    labels, smiles = read_tox21(folder)
    grams = hashed_ngrams(smiles, 256)
    inputs = pd.DataFrame(grams, columns=[f"x{i}" for i in range(grams.shape[1])])
    targets = dict.fromkeys(labels.columns, "binary")
    rule = "60/20/20 by seed, stratified by the rarest assay"
    note = "inputs: hashed character 1- to 4-grams of SMILES, 256 columns"
    return Table(
        "tox21", pd.concat([inputs, labels], axis=1), targets, random_split, rule, note=note
    )


def _landmine(folder: Path) -> Table:
    raw = loadmat(folder / "landmine" / "LandmineData.mat")
    frames = []
    fields = zip(raw["feature"].ravel(), raw["label"].ravel(), strict=True)
    for task, (inputs, labels) in enumerate(fields):
        frame = pd.DataFrame(inputs, columns=[f"x{i}" for i in range(inputs.shape[1])])
        frames.append(frame.assign(**{f"field{task:02d}": labels.ravel().astype(np.float64)}))
    frame = pd.concat(frames, ignore_index=True)
    targets = {name: "binary" for name in frame.columns if name.startswith("field")}
    rule = "60/20/20 by seed within field and class"
    return Table(
        "landmine", frame, targets, random_split, rule, note="every row has one of 29 labels"
    )


AIR_TARGETS = {
    "PM2.5": "pm25", "PM10": "pm10", "SO2": "so2", "NO2": "no2", "CO": "co", "O3": "o3"
}  # fmt: skip


def read_air(path: Path) -> tuple[pd.DataFrame, pd.Series]:
    """One station of beijing_air, with its name in column `station`, and the hour of every row."""
    frame = pd.read_csv(path)
    time = pd.to_datetime(frame[["year", "month", "day", "hour"]])
    frame["weekday"] = time.dt.day_of_week
    frame["day_of_year"] = time.dt.day_of_year
    frame = frame.drop(columns=["No", "year", "month", "day"]).rename(columns=AIR_TARGETS)
    frame["wd"] = frame["wd"].astype(object)
    return frame, time


def _beijing_air(folder: Path) -> Table:
    path = next((folder / "beijing_air").glob("PRSA_Data_Aotizhongxin*.csv.gz"))
    frame, time = read_air(path)
    frame = frame.tail(ROW_CAP).reset_index(drop=True).drop(columns="station")
    time = time.tail(ROW_CAP).reset_index(drop=True)
    targets = dict.fromkeys(AIR_TARGETS.values(), "number")
    test = (time >= "2016-07-01").to_numpy()
    validation = (time >= "2016-01-01").to_numpy() & ~test
    weeks = ((time - time.min()).dt.days // 7).to_numpy()

    def by_time(table: Table, seed: int) -> np.ndarray:
        return name_parts(len(test), validation, test)

    note = f"station Aotizhongxin, the last {ROW_CAP:,} of 33,648 hours"
    rule = "to 2015 train, first half of 2016 validation, second half test (no seed)"
    return Table("beijing_air", frame, targets, by_time, rule, note=note, clusters=weeks)


def _steel_plates(folder: Path) -> Table:
    frame = pd.read_csv(folder / "steel_plates" / "SteelPlatesFaults_Clean.csv")
    targets = dict.fromkeys(frame.columns[-7:], "binary")
    rule = "60/20/20 by seed, stratified by fault"
    return Table("steel_plates", frame, targets, random_split, rule)


_MULAN = {"andro": 6, "edm": 2, "sf1": 3, "oes97": 16, "atp1d": 6, "jura": 3, "enb": 2, "wq": 14}
LOADERS: dict[str, Callable[[Path], Table]] = {
    **{
        name: lambda folder, name=name, count=count: _mulan(folder, name, count)
        for name, count in _MULAN.items()
    },
    "heart_4sites": _heart,
    "mi_complications": _mi_complications,
    "steel_plates": _steel_plates,
    "parkinsons": _parkinsons,
    "nhanes": _nhanes,
    "tox21": _tox21,
    "ai4i2020": _ai4i2020,
    "landmine": _landmine,
    "bike_sharing": _bike_sharing,
    "adult": _adult,
    "beijing_air": _beijing_air,
}
QUICK = ("andro", "edm", "jura", "enb", "heart_4sites")


@lru_cache(maxsize=4)
def load_table(name: str, folder: Path) -> Table:
    """The table called `name` from `folder`; SystemExit lists the known names."""
    if name not in LOADERS:
        raise SystemExit(f"--tables: {name!r} is unknown; allowed: {', '.join(LOADERS)}")
    return LOADERS[name](folder)
