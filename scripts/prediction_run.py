"""Fits one case of `same_predictions.py`, and stores or compares its predictions."""

from __future__ import annotations

import json
import os
import resource
import shutil
import struct
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch
from pyarrow import feather

import superpose
from prediction_cases import CASES, Training
from superpose import Superpose

FACTS = "case.json"  # settings, versions and costs of a recorded case; written last
BUNDLE = "bundle"
LIBRARIES = ("torch", "numpy", "scikit-learn", "catboost", "lightgbm", "torchjd", "transformers")
TIMED = 5  # predictions that are timed, of which the fastest counts
SHOWN = 70  # characters of a value that differs

Tables = dict[str, pa.Table]
Costs = dict[str, float]  # processor seconds of fit and predict, and the largest memory in MB


def record_case(name: str, folder: Path, scratch: Path) -> Costs:
    """Fits a case and stores what it predicts, its bundles and its costs.

    Args:
        name: key of `CASES`.
        folder: of the whole recording, in which the case has a folder of its own.
        scratch: an empty folder to work in.
    """
    trainings = _start(name, scratch)
    models, costs, faults = _fit(trainings)
    if faults:
        raise RuntimeError("\n".join(faults.values()))
    # Moved when it is whole, so that a recording that was stopped can't be taken for one.
    whole = scratch / "recording"
    for label, training in trainings.items():
        whole.joinpath(label).mkdir(parents=True)
        for title, table in all_tables(models[label], training).items():
            feather.write_feather(table, str(whole / label / f"{title}.feather"))
        models[label].save(whole / label / BUNDLE)
    facts = {"settings": _settings(trainings), "versions": _versions(), "costs": costs}
    (whole / FACTS).write_text(json.dumps(facts, indent=1), encoding="utf-8")
    if (folder / name).exists():
        shutil.rmtree(folder / name)
    folder.mkdir(parents=True, exist_ok=True)
    shutil.move(whole, folder / name)
    return costs


def compare_case(name: str, folder: Path, scratch: Path) -> tuple[Costs, Costs, list[str]]:
    """Fits a case again and compares it with its recording, and so the bundles of both.

    Returns:
        Costs as recorded, costs now, and a line for each column that differs.
    """
    own = folder / name
    facts = json.loads((own / FACTS).read_text(encoding="utf-8"))
    trainings = _start(name, scratch)
    if facts["settings"] != _settings(trainings):
        why = "its settings are others than recorded; record again, with the same SUPERPOSE_DATA"
        return facts["costs"], {}, [f"{name}: {why}"]
    if (now := _versions()) != facts["versions"]:
        print(f"  {name}: recorded with {facts['versions']}, compared with {now}", flush=True)
    models, costs, faults = _fit(trainings)
    lines = [f"{name}/{label}, fitted again: {fault}" for label, fault in faults.items()]
    for label, training in trainings.items():
        stored = {f.stem: feather.read_table(f) for f in sorted((own / label).glob("*.feather"))}
        for what, model in _versions_of(models.get(label), own / label / BUNDLE, scratch / label):
            try:
                differences = table_differences(stored, all_tables(model(), training))
            except Exception:  # whatever one model stumbles over, the others are compared too
                differences = [traceback.format_exc()]
            lines += [f"{name}/{label}, {what}: {text}" for text in differences]
    return facts["costs"], costs if not faults else {}, lines


def _versions_of(
    model: Superpose | None, recorded: Path, new: Path
) -> Iterator[tuple[str, Callable[[], Superpose]]]:
    """The three models that have to predict as recorded, each with where it comes from."""
    if model is not None:
        yield "fitted again", lambda: model
        yield "saved and loaded", lambda: Superpose.load(model.save(new))
    yield "recorded bundle", lambda: Superpose.load(recorded)


def _start(name: str, scratch: Path) -> dict[str, Training]:
    """Makes the trainings of a case in its working folder, with one thread."""
    torch.set_num_threads(1)
    # The warnings are the same before and after, and would hide what this script prints.
    warnings.simplefilter("ignore")
    os.chdir(scratch)
    return CASES[name]()


def _fit(
    trainings: Mapping[str, Training],
) -> tuple[dict[str, Superpose], Costs, dict[str, str]]:
    """Fits all models of a case and predicts with them.

    Returns:
        The models, what they cost, and the tracebacks of those that could not be fitted.
    """
    models: dict[str, Superpose] = {}
    faults: dict[str, str] = {}
    costs = {"fit": 0.0, "predict": 0.0}
    for label, training in trainings.items():
        began = time.process_time()
        try:
            models[label] = Superpose(**training.settings).fit(training.table)
            costs["fit"] += time.process_time() - began
            costs["predict"] += min(_seconds(models[label], training.rows) for _ in range(TIMED))
        except Exception:  # as in compare_case
            faults[label] = traceback.format_exc()
    # Kilobytes, but on macOS bytes. Bundles are loaded later, so that they don't count.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    costs["memory"] = peak / (2**20 if sys.platform == "darwin" else 2**10)
    return models, costs, faults


def _seconds(model: Superpose, rows: pa.Table) -> float:
    began = time.process_time()
    model.predict(rows)
    return time.process_time() - began


def all_tables(model: Superpose, training: Training) -> Tables:
    """What goes in and what comes out of a model, by the names of the files."""
    sources = training.table if isinstance(training.table, dict) else {"all": training.table}
    tables: Tables = {f"rows-{source}": table for source, table in sources.items()}
    tables["rows-new"] = training.rows
    for label, given in {"none": None, **_subsets(training)}.items():
        tables[f"predict-{label}"] = model.predict(training.rows, given=given)
        tables[f"proba-{label}"] = model.predict_proba(training.rows, given=given)
    tables["sample"] = model.sample(training.rows, n=1, seed=3)
    return tables


def _subsets(training: Training) -> dict[str, list[str]]:
    """Targets to give, so that each is given once with half and once with all of the others."""
    names = [t if isinstance(t, str) else t["name"] for t in training.settings["targets"]]
    subsets = {"even": names[::2], "odd": names[1::2]}
    subsets |= {f"but-{name}": [n for n in names if n != name] for name in names}
    distinct: dict[str, list[str]] = {}
    for label, subset in subsets.items():
        given = [n for n in subset if training.giveable is None or n in training.giveable]
        # Of two targets, one is half of the others and all of them.
        if given and given not in distinct.values():
            distinct[label] = given
    return distinct


def table_differences(before: Tables, now: Tables) -> list[str]:
    """Names every column of every table that is not the same in each bit.

    Example:
        >>> old, new = pa.table({"y": [1.0, 2.0]}), pa.table({"y": [1.0, 2.5]})
        >>> table_differences({"p": old}, {"p": new})
        ['p, column y: 1 of 2 rows; row 1: 2.0 before, 2.5 now; largest difference 0.5']
    """
    lines = [f"{title}: only in the recording" for title in before if title not in now]
    lines += [f"{title}: not in the recording" for title in now if title not in before]
    for title in (t for t in before if t in now):
        old, new = before[title], now[title]
        if old.column_names != new.column_names or old.num_rows != new.num_rows:
            what = "{0.num_rows} rows of {0.column_names}".format
            lines.append(f"{title}: {what(old)} before, {what(new)} now")
        for column in (c for c in old.column_names if c in new.column_names):
            if text := _column_difference(old[column], new[column]):
                lines.append(f"{title}, column {column}: {text}")
    return lines


def _column_difference(old: pa.ChunkedArray, new: pa.ChunkedArray) -> str:
    """Describes how two columns differ; empty where they are the same in each bit."""
    if old.type != new.type:
        return f"type {old.type} before, {new.type} now"
    pairs = enumerate(zip(old.to_pylist(), new.to_pylist(), strict=False))
    differ = [(row, leaves) for row, (a, b) in pairs if (leaves := list(_leaves(a, b)))]
    if not differ:
        return ""
    row, ((where, a, b), *_) = differ[0]
    numbers = [
        (one, other)
        for _, leaves in differ
        for _, one, other in leaves
        if isinstance(one, float) and isinstance(other, float)
    ]
    largest = f"; largest difference {max(abs(p - q) for p, q in numbers):.3g}" if numbers else ""
    return (
        f"{len(differ)} of {len(old)} rows; row {row}{where}: {a!r:.{SHOWN}} before, "
        f"{b!r:.{SHOWN}} now{largest}"
    )


def _leaves(a: Any, b: Any, where: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yields the values inside two cells that differ, and where they are."""
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for index, (one, other) in enumerate(zip(a, b, strict=True)):
            yield from _leaves(one, other, f"{where}[{index}]")
    elif isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        for key in a:
            yield from _leaves(a[key], b[key], f"{where}[{key!r}]")
    elif isinstance(a, float) and isinstance(b, float):
        # By their bits: 0.0 equals -0.0, and nothing equals NaN.
        if struct.pack("<d", a) != struct.pack("<d", b):
            yield where, a, b
    elif type(a) is not type(b) or a != b:
        yield where, a, b


def _settings(trainings: Mapping[str, Training]) -> dict[str, Any]:
    """The settings as JSON gives them back."""
    return json.loads(json.dumps({label: t.settings for label, t in trainings.items()}))


def _versions() -> dict[str, str]:
    installed = {"python": sys.version.split()[0]}
    for name in LIBRARIES:
        try:
            installed[name] = version(name)
        except PackageNotFoundError:
            installed[name] = "none"
    return installed


def package_folder() -> Path:
    """The folder of the imported package, so that nobody compares another one than meant."""
    return Path(superpose.__file__).parent
