"""The trainings that `same_predictions.py` repeats: tables from fixed seeds, and their settings.

Every case is small and has everything switched on, so that each path through the package is walked
once. Only the public face is used: arguments of `Superpose` under the names of the settings file.
What needs files beside its table (images, sounds, checkpoints) stands in `prediction_files.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

import prediction_files
from superpose.data import BUNDLED, load_bundled

FUSIONS = (
    *("task-attention", "static", "inducing", "cross-stitch", "mmoe", "ple", "adatt", "mtan"),
    *("born", "born-real", "signed", "essay", "none"),
)
BALANCES = (
    *("sum", "log", "uw", "dwa", "rlw", "imtl-l", "gls", "stch", "pbi", "cosmos", "famo"),
    *("gradnorm", "db-mtl", "mgda", "pcgrad", "gradvac", "cagrad", "imtl-g", "nash-mtl"),
    *("aligned-mtl", "fairgrad", "config", "upgrad", "dualproj", "pcd"),
)
SMALL: dict[str, Any] = {"width": 32, "members": 2}
SHORT: dict[str, Any] = {"epochs": 4}
WORDS = {
    "flight": ["fly to {city} on {day}", "flights to {city}"],
    "fare": ["fares to {city} on {day}", "how much is {city}"],
    "time": ["when does the plane to {city} leave", "is there one on {day}"],
}
FILLERS = {"city": ["oslo", "lima", "new york", "rio"], "day": ["monday", "june first"]}


@dataclass(frozen=True)
class Training:
    """One model of a case.

    Args:
        settings: arguments of `Superpose`.
        table: what it is trained on, one table or several by the names of their sources.
        rows: what it predicts, with labels, some of which are given.
        giveable: targets that may be given; all by default.
    """

    settings: dict[str, Any]
    table: pa.Table | dict[str, pa.Table]
    rows: pa.Table
    giveable: Sequence[str] | None = None


def with_multi_task(name: str, training: Training) -> dict[str, Training]:
    """A training, and the same without references, where the multi-task net predicts by itself.

    With references it often takes no part in the predictions, and what it does would not be seen.
    """
    proof = {**training.settings["proof"], "references": "none"}
    multi_task = replace(training, settings={**training.settings, "proof": proof})
    return {name: training, f"{name}-joint": multi_task}


def bundled(name: str, first: int, rows: int, **settings: Any) -> dict[str, Training]:
    """Trains on rows of a bundled table with every reference, and predicts 300 of them.

    Args:
        name: key of `BUNDLED`.
        first: the first row.
        rows: number of training rows.
        settings: further arguments of `Superpose`.
    """
    table = load_bundled(name).slice(first, rows)
    known = BUNDLED[name]
    settings = {
        "targets": known.targets,
        "split": known.split,
        "ignore": known.ignore,
        "model": SMALL,
        "training": SHORT,
        **settings,
    }
    return with_multi_task(name, Training(settings, table, table.slice(rows // 2, 300)))


def heart() -> dict[str, Training]:
    return bundled("heart", 0, 920, proof={"trees": ["hist", "catboost"], "folds": 2, "repeats": 2})


def machine() -> dict[str, Training]:
    return bundled("machine", 3000, 4500, proof={"trees": ["hist"], "folds": 1})


def air() -> dict[str, Training]:
    return bundled("air", 0, 2000, proof={"trees": ["hist"], "folds": 2})


def mixed_table(rows: int = 260) -> pa.Table:
    """Ten kinds of inputs that drive seven kinds of targets, with gaps in both."""
    rng = np.random.default_rng(11)
    x, z = rng.normal(size=(2, rows))
    colour = rng.integers(0, 3, rows)
    noisy = x + 0.5 * z + 0.7 * (colour == 2) + 0.5 * rng.normal(size=rows)
    steps = np.linspace(0, 1, 12)
    start = datetime(2024, 1, 1)
    columns: dict[str, Any] = {
        "length": x,
        "height": 100 + 20 * z,
        "colour": np.array(["red", "green", "blue"])[colour],
        "wet": np.where(z > 0, "yes", "no"),
        "day": [start + timedelta(hours=float(h)) for h in 9000 * rng.random(rows)],
        "note": [f"it was {'warm' if v > 0 else 'cold'}, {v:.1f} high" for v in x],
        "extras": [[n for n in ("lid", "rim", "foot") if rng.random() < 0.4] for _ in x],
        "bought": [[f"p{n}" for n in rng.integers(0, 6, 1 + i % 5)] for i in range(rows)],
        "vector": (x[:, None] * np.ones(4) + rng.normal(size=(rows, 4))).tolist(),
        "curve": (x[:, None] * steps + 0.1 * rng.normal(size=(rows, 12))).tolist(),
        "maker": [f"{'ab'[int(v > 0)]}{rng.integers(0, 8)}" for v in z],
        "weight": 3e5 + 1e5 * noisy,
        "broken": np.where(noisy > 1.4, "yes", "no"),
        "sort": np.array(["a", "b", "c"])[np.digitize(noisy, [-0.5, 0.8])],
        "level": np.array(["low", "mid", "high", "top"])[np.digitize(noisy, [-1.0, 0.0, 1.0])],
        "calls": rng.poisson(np.exp(0.5 + 0.4 * noisy)),
        "labels": [[t for t, least in (("p", 0.0), ("q", 0.8)) if v > least] for v in noisy],
        "months": 12 * rng.weibull(1.5, rows) * np.exp(-0.5 * noisy),
        "seen": rng.random(rows) < 0.7,
    }
    gappy = {}
    for name, values in columns.items():
        keep = np.ones(rows, bool) if name in ("seen", "months") else rng.random(rows) >= 0.1
        plain = values if isinstance(values, list) else values.tolist()
        gappy[name] = [v if k else None for v, k in zip(plain, keep, strict=True)]
    return pa.table(gappy)


def kinds() -> dict[str, Training]:
    """One model with the kinds of inputs and targets of plain tables, and trees for all of them."""
    family = [f"{f}{i}\tkin\t{f}{j}" for f in "ab" for i in range(8) for j in range(8) if i != j]
    Path("kin.tsv").write_text("\n".join(family), encoding="utf-8")
    table = mixed_table()
    settings = {
        "targets": [
            *({"name": n, "kind": k} for n, k in (("weight", "number"), ("broken", "binary"))),
            {"name": "sort", "kind": "category", "weight": 2.0},
            {"name": "level", "kind": "ordinal", "levels": ["low", "mid", "high", "top"]},
            *({"name": n, "kind": k} for n, k in (("calls", "count"), ("labels", "multilabel"))),
            {"name": "months", "kind": "survival", "event": "seen", "bins": 5, "horizons": [6, 12]},
        ],
        "inputs": [
            *("length", "height", "colour", "wet", "day"),
            {"name": "note", "kind": "text", "augment": {"drop": 0.1}},
            {"name": "extras", "kind": "multicategory"},
            {"name": "bought", "kind": "sequence", "length": 4, "augment": {"drop": 0.1}},
            {"name": "vector", "kind": "embedding"},
            {"name": "curve", "kind": "series", "augment": {"noise": 0.1, "mask": 0.2}},
            {"name": "maker", "kind": "entity", "graph": "kin.tsv", "size": 8},
        ],
        "model": SMALL,
        "training": {**SHORT, "modality_dropout": 0.1},
        "proof": {"trees": ["hist"], "folds": 2},
    }
    return with_multi_task("kinds", Training(settings, table, table.slice(0, 90)))


def words_table(rows: int = 220) -> pa.Table:
    """Sentences with their intent, a slot for each word, a product, and a vector."""
    rng = np.random.default_rng(12)
    columns: dict[str, list[Any]] = {"words": [], "slots": [], "intent": []}
    for row in range(rows):
        intent = str(rng.choice(list(WORDS)))
        words: list[str] = []
        slots: list[str] = []
        for piece in str(rng.choice(WORDS[intent])).split():
            name = piece.strip("{}")
            chosen = str(rng.choice(FILLERS[name])).split() if name in FILLERS else [piece]
            words += chosen
            slots += [f"B-{name}", *[f"I-{name}"] * (len(chosen) - 1)] if name in FILLERS else ["O"]
        columns["words"].append(words)
        columns["slots"].append(slots if row % 9 else None)
        columns["intent"].append(intent if row % 7 else None)
    taste = rng.normal(size=(rows, 3))
    scores = taste @ np.random.default_rng(13).normal(size=(3, 12)) + rng.gumbel(size=(rows, 12))
    columns["taste"] = taste[:, 0].tolist()
    columns["product"] = [f"product {n}" for n in scores.argmax(axis=1)]
    columns["meaning"] = (taste @ rng.normal(size=(3, 4))).tolist()
    return pa.table(columns)


def words() -> dict[str, Training]:
    """Labels of words, one item out of many, and a vector, without trees."""
    names = "\n".join(f"product {n},{n % 4}.5,kind{n % 3}" for n in range(14))
    Path("products.csv").write_text(f"product,price,sort\n{names}\n", encoding="utf-8")
    table = words_table()
    settings = {
        "targets": [
            {"name": "slots", "kind": "tokens", "of": "words"},
            "intent",
            {"name": "product", "kind": "retrieval", "items": "products.csv", "size": 8, "top": 3},
            {"name": "meaning", "kind": "vector"},
        ],
        "inputs": [{"name": "words", "kind": "text"}, "taste"],
        "model": SMALL,
        "training": SHORT,
        "proof": {"references": "network", "folds": 2},
    }
    return with_multi_task("words", Training(settings, table, table.slice(0, 60)))


def machines_table(count: int = 30, steps: int = 30) -> pa.Table:
    """Machines whose two sensors drift at a rate of their own, which tells when each will fail."""
    rng = np.random.default_rng(14)
    rate = np.repeat(rng.uniform(0.5, 2.0, count), steps)
    step = np.tile(np.arange(steps), count)
    seen = np.repeat(rng.random(count) < 0.7, steps)
    left = 60 / rate - step
    return pa.table(
        {
            "machine": np.repeat([f"m{n}" for n in range(count)], steps),
            "step": step,
            "heat": rate * step / 10 + 0.1 * rng.normal(size=len(step)),
            "noise": np.sin(step / 2) + 0.1 * rng.normal(size=len(step)),
            "left": np.where(seen, left, left / 2),
            "failed": seen,
            "worn": np.where(rate * step > 20, "yes", "no"),
        }
    )


def events_table(rows: int = 160) -> pa.Table:
    """Events with a time each, whose level tells three targets."""
    rng = np.random.default_rng(15)
    level = rng.normal(size=rows)
    events = [
        [
            {"time": float(t), "channel": ("pulse", "temp")[n % 2], "value": float(v + n % 2)}
            for n, t in enumerate(np.sort(10 * rng.random(1 + int(6 * rng.random()))))
        ]
        for v in level
    ]
    stay = np.exp(level + 0.3 * rng.normal(size=rows))
    coming = (level[:, None] * np.ones(3) + rng.normal(size=(rows, 3))).tolist()
    died = np.where(level > 1, "yes", "no")
    return pa.table({"events": events, "stay": stay, "died": died, "coming": coming})


def windows() -> dict[str, Training]:
    """Windows of a long table with forecasts and lifetimes, and events that come when they come."""
    table, events = machines_table(), events_table()
    rule = {"group": "machine", "time": "step", "length": 8, "step": 4, "ahead": 3}
    cut = {
        "targets": [
            {"name": "heat", "kind": "forecast"},
            {"name": "noise", "kind": "forecast", "season": 6},
            {"name": "left", "kind": "survival", "event": "failed"},
            "worn",
        ],
        "windows": {**rule, "columns": ["heat", "noise"]},
        "ignore": ["step"],
        "model": SMALL,
        "training": SHORT,
        "proof": {"references": "all", "trees": ["hist"], "folds": 1},
    }
    loose = {
        "targets": ["stay", "died", {"name": "coming", "kind": "forecast"}],
        "inputs": [{"name": "events", "kind": "series", "bins": 6}],
        "model": SMALL,
        "training": SHORT,
        "proof": {"references": "all", "trees": ["hist"], "folds": 2},
    }
    # The last windows of a recording have no label of a forecast, and so none that can be given.
    windowed = Training(cut, table, table.slice(0, 300), giveable=["left", "worn"])
    return {
        **with_multi_task("windows", windowed),
        "events": Training(loose, events, events.slice(0, 60)),
    }


def families_table(rows: int = 240) -> pa.Table:
    """Two families of targets, each of which follows inputs of its own."""
    rng = np.random.default_rng(16)
    x = rng.normal(size=(rows, 4))
    x = np.where(rng.random(x.shape) < 0.05, np.nan, x)
    clean = np.nan_to_num(x)
    air = clean[:, 0] * clean[:, 1]
    load = np.abs(clean[:, 2]) - clean[:, 3]
    y = np.stack([air, air, load, load], 1) + 0.3 * rng.normal(size=(rows, 4))
    columns = {f"x{i}": pa.array(x[:, i], from_pandas=True) for i in range(4)}
    return pa.table(
        columns
        | {
            "dust": y[:, 0],
            "haze": np.where(y[:, 1] > 0, "on", "off"),
            "flow": 1000 * y[:, 2],
            "fault": rng.poisson(np.exp(0.5 * y[:, 3])),
        }
    )


def families(**settings: Any) -> Training:
    """A network without references on the two families."""
    table = families_table()
    common = {
        "targets": ["dust", "haze", "flow", "fault"],
        "model": SMALL,
        "training": {"epochs": 2},
        "proof": {"references": "none", "folds": 1},
    }
    return Training({**common, **settings}, table, table.slice(0, 60))


def groups() -> dict[str, Training]:
    """Groups of targets with a balancing of gradients, and rows of two sources."""
    one = families(
        groups=[["dust", "haze"], ["flow", "fault"]],
        balance={"method": "imtl-g", "every": 2},
        training={**SHORT, "accumulate": 2, "average": 2.0},
        proof={"references": "all", "trees": ["lightgbm"], "folds": 2},
    )
    whole = families_table()
    several = {"old": whole.slice(0, 150).drop_columns(["fault"]), "new": whole.slice(150)}
    drawn = families(
        training={**SHORT, "sampling": "temperature"},
        balance={"method": "cagrad", "at": "parameters", "options": {"c": 0.3}},
        proof={"references": "network", "folds": 2},
    )
    return {"groups": one, "sources": Training(drawn.settings, several, drawn.rows)}


def fusions() -> dict[str, Training]:
    return {n: families(model={**SMALL, "fusion": n, "blocks": 2}) for n in FUSIONS}


def balances() -> dict[str, Training]:
    return {n: families(balance={"method": n, "every": 2}) for n in BALANCES}


def from_files(case: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Training]]:
    """A case of `prediction_files.py`, which gives the arguments of its trainings."""
    return lambda: {name: Training(*arguments) for name, arguments in case().items()}


CASES: dict[str, Callable[[], dict[str, Training]]] = {
    "heart": heart,
    "machine": machine,
    "air": air,
    "kinds": kinds,
    "words": words,
    "windows": windows,
    "groups": groups,
    "fusions": fusions,
    "balances": balances,
    "shapes": from_files(prediction_files.shapes),
    "digits": from_files(prediction_files.digits),
    "pretrained": from_files(prediction_files.pretrained),
}
