"""Realistic facts of a run: six pollutants of one station and an alarm level."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

NUMBERS = ("pm25", "pm10", "so2", "no2", "co", "o3")
LEVELS = ["good", "moderate", "unhealthy", "hazardous"]
INPUTS = (
    ("time", "date", 0.0, "2013-03-01 to 2017-02-28, hour, weekday and day of year"),
    ("temperature", "number", 0.001, ""),
    ("pressure", "number", 0.001, ""),
    ("dew point", "number", 0.001, ""),
    ("rain", "number", 0.001, "95 % zero"),
    ("wind direction", "category", 0.004, "16 levels"),
    ("wind speed", "number", 0.0004, ""),
)
SHIPS = (
    "joint",
    "blend of joint and trees",
    "trees",
    "blend of joint and trees",
    "alone",
    "blend of joint, alone and trees",
    "joint",
)


def _number_plot(rng: np.random.Generator, rows: int, scale: float) -> dict[str, Any]:
    true = scale * rng.gamma(1.6, 0.6, rows)
    width = 0.25 * true + 0.15 * scale
    predicted = np.clip(true + rng.normal(0, 1, rows) * width * 0.8, 0, None)
    true[rng.random(rows) < 0.03] = np.nan
    return {
        "chart": "values",
        "y": (true - scale) / scale,
        "prediction": np.stack([(predicted - scale) / scale, width / scale], axis=1),
        "value": np.stack([true, predicted], axis=1),
        "interval": np.stack([predicted - 1.5 * width, predicted + 1.5 * width], axis=1),
    }


def _class_plot(rng: np.random.Generator, rows: int, labels: list[str]) -> dict[str, Any]:
    k = len(labels)
    prior = rng.dirichlet(np.full(k, 4.0))
    y = rng.choice(k, rows, p=prior).astype(float)
    logits = np.log(prior) + rng.normal(0, 1.1, (rows, k))
    logits[np.arange(rows), y.astype(int)] += 2.0
    chance = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    y[rng.random(rows) < 0.05] = np.nan
    return {
        "chart": "classes",
        "labels": labels,
        "y": y,
        "prediction": chance,
    }


def _multilabel_plot(rng: np.random.Generator, rows: int, labels: list[str]) -> dict[str, Any]:
    y = (rng.random((rows, len(labels))) < 0.25).astype(float)
    chance = 1 / (1 + np.exp(1.5 - 2.2 * y + rng.normal(0, 1, y.shape)))
    y[rng.random(y.shape) < 0.1] = np.nan
    return {
        "chart": "labels",
        "labels": labels,
        "y": y,
        "prediction": chance,
    }


def _curve(rng: np.random.Generator, epochs: int, floor: float) -> dict[str, Any]:
    steps = np.arange(epochs)
    train = floor * (0.8 + 0.9 * np.exp(-steps / 6)) + rng.normal(0, 0.004, epochs)
    validation = floor * (1 + 0.7 * np.exp(-steps / 5)) + 0.0015 * np.maximum(0, steps - 20)
    validation = validation + rng.normal(0, 0.006, epochs)
    return {
        "train": train.tolist(),
        "validation": validation.tolist(),
        "best": int(validation.argmin()),
    }


def _transfer(i: int, name: str, kind: str, metric: str, rows: int) -> dict[str, Any]:
    delta = (6.1, 3.9, -0.4, 1.2, -4.8, 2.2, 8.7)[i % 7]
    half = (2.1, 1.4, 1.1, 1.9, 2.6, 1.3, 4.0)[i % 7]
    verdict = "helped" if delta > half else "harmed" if delta < -half else "no difference"
    up = metric in ("auc", "macro_auc", "quadratic_kappa")
    base = 0.81 if up else (38.4, 61.2, 11.7, 22.9, 812.0, 31.5, 0.61)[i % 7]
    better = base * (1 + delta / 300) if up else base * (1 - delta / 200)
    shipped = SHIPS[i % 7]
    gained = 0.0 if shipped in ("trees", "alone") else 3.0 + i % 3
    return {
        "target": name, "kind": kind, "metric": metric, "higher_is_better": up, "n": rows,
        "model": better, "alone": base, "reference": base * (1.01 if not up else 0.99),
        "reference_name": shipped if shipped in ("trees", "alone") else "trees",
        "delta": delta, "interval": [delta - half, delta + half],
        "p": 0.0004 if verdict == "helped" else 0.31, "verdict": verdict,
        "shipped": shipped, "shipped_value": better * 0.99, "shipped_delta": gained,
        "shipped_interval": [gained - 1.6, gained + 1.6] if gained else None,
        "shipped_p": 0.002 if gained else None,
    }  # fmt: skip


def _given(transfer: list[dict[str, Any]]) -> dict[str, Any]:
    rows = []
    for i, row in enumerate(transfer):
        for level, share in (("none", 1.0), ("half", 0.9 + i % 3 / 20), ("all", 0.6 + i % 7 / 12)):
            up, base = row["higher_is_better"], row["shipped_value"]
            shipped = {"none": row["shipped"], "half": "blend of joint and trees given"}.get(
                level, ("trees all", "copula", "joint")[i % 3]
            )
            reference = {"none": "trees", "half": "trees given", "all": "trees all"}[level]
            delta = None if shipped == reference else 3.1 - i
            rows.append(
                {
                    "target": row["target"], "kind": row["kind"], "metric": row["metric"],
                    "higher_is_better": up, "level": level, "n": row["n"],
                    "reference_name": reference, "reference": base * 1.01, "shipped": shipped,
                    "shipped_value": 1 - (1 - base) * share if up else base * share,
                    "delta": delta, "interval": None if delta is None else [delta - 2, delta + 2],
                    "p": None if delta is None else 0.02, "ungiven": base,
                }
            )  # fmt: skip
    return {"levels": ["none", "half", "all"], "rows": rows}


def _entanglement(rng: np.random.Generator, names: list[str]) -> dict[str, Any]:
    size = len(names)
    bits = rng.gamma(0.5, 0.15, (size, size)) * (rng.random((size, size)) < 0.6)
    bits += rng.normal(0, 0.01, bits.shape)
    np.fill_diagonal(bits, np.nan)
    half = 0.02 + 0.1 * np.abs(bits)
    total = 0.6 * np.nansum(bits, axis=0)
    return {
        "targets": names, "bits": bits.tolist(), "low": (bits - half).tolist(),
        "high": (bits + half).tolist(), "null": (0 * bits).tolist(),
        "p": np.where(bits > half, 0.0004, 0.4).tolist(), "total": total.tolist(),
        "total_low": (total - 0.05).tolist(), "total_high": (total + 0.05).tolist(),
        "n": [1000] * size, "rows": 1000,
    }  # fmt: skip


def _states(rng: np.random.Generator, names: list[str]) -> dict[str, Any]:
    states = rng.normal(0.3, 1, (len(names), 200))
    states /= np.linalg.norm(states, axis=1, keepdims=True) * np.sqrt(len(names))
    density = states @ states.T
    values = np.clip(np.linalg.eigvalsh(density), 1e-12, None)
    entropy = float(-(values * np.log2(values)).sum())
    return {
        "targets": names, "density": density.tolist(), "purity": float((density**2).sum()),
        "entropy": entropy, "effective": 2**entropy, "collapsed": False,
    }  # fmt: skip


def make_facts(rows: int = 1200, targets: int = 7, seed: int = 0) -> dict[str, Any]:
    """Returns facts of so many test rows and targets; every seventh target is ordinal."""
    rng = np.random.default_rng(seed)
    names, kinds, plots = [], [], {}
    for i in range(targets):
        lap = f" {i // 7 + 1}" if i >= 7 else ""
        if i % 7 < 6:
            names.append(NUMBERS[i % 7] + lap)
            kinds.append(("number", "rmse"))
            plots[names[-1]] = _number_plot(rng, rows, (80, 105, 16, 50, 1230, 57)[i % 7])
        else:
            names.append("alarm level" + lap)
            kinds.append(("ordinal", "quadratic_kappa"))
            plots[names[-1]] = _class_plot(rng, rows, LEVELS)
    transfer = [_transfer(i, n, *kinds[i], rows) for i, n in enumerate(names)]
    scores = ("rmse", "mae", "r2", "coverage", "score")
    classy = ("quadratic_kappa", "accuracy", "macro_f1", "log_loss", "ece", "score")
    metrics = {
        row["target"]: {
            engine: {
                metric: row["shipped_value"] if metric == row["metric"] else float(rng.random())
                for metric in (scores if row["kind"] == "number" else classy)
            }
            for engine in ("constant", "trees", "joint", "alone", "shipped")
        }
        for row in transfer
    }
    weights = rng.dirichlet(np.full(targets + 1, 0.5), targets)
    np.fill_diagonal(weights, 0)
    weights /= weights.sum(axis=1, keepdims=True)
    labelled = rng.uniform(0.9, 1.0, targets)
    split = {"train": 24544, "validation": 3506, "test": rows}
    importance = rng.gamma(0.5, 30, (len(INPUTS), targets)) - 2
    return {
        "title": "Air quality, Aotizhongxin station",
        "created": "2026-05-04 16:20",
        "versions": {"superpose": "0.1.0", "torch": "2.13.0", "python": "3.11"},
        "hardware": "2 CPU cores, x86_64",
        "seed": 0,
        "config_yaml": "data: air.parquet\ntargets: [pm25, pm10, so2, no2, co, o3, alarm level]\n"
        "split:\n  by: time\n  column: time\nseed: 0\n",
        "command": "superpose train superpose.yaml --out runs/first",
        "data": {
            "source": "air.parquet, 35,064 rows",
            "split": "by time: the last 15 % are test, the 15 % before validation",
            "rows": split,
            "inputs": [
                {"name": name, "kind": kind, "missing": missing, "detail": detail}
                for name, kind, missing, detail in INPUTS
            ],
            "targets": [
                {
                    "name": n,
                    "kind": k,
                    "detail": "4 levels" if k == "ordinal" else "",
                    "labelled": {s: int(c * share) for s, c in split.items()},
                }
                for n, (k, _), share in zip(names, kinds, labelled, strict=True)
            ],
        },
        "warnings": [
            "input 'dew point' and target 'o3': correlation 0.41; no leak, but worth a look",
            "12 rows of the training split occur again in the test split",
        ],
        "regime": "holdout",
        "delta": 0.05,
        "transfer": transfer,
        "metrics": metrics,
        "plots": plots,
        "curves": {
            n: [
                {"name": "joint", **_curve(rng, 44, 0.40)},
                {"name": "alone", **_curve(rng, 37, 0.43)},
            ]
            for n in names
        },
        "attention": {
            "targets": names,
            "weights": weights[:, :targets].tolist(),
            "sink": weights[:, targets].tolist(),
        },
        "importance": {
            "inputs": [c[0] for c in INPUTS],
            "targets": names,
            "values": importance.tolist(),
        },
        "given": _given(transfer),
        "entanglement": _entanglement(np.random.default_rng(7), names),
        "states": _states(np.random.default_rng(8), names),
        "cost": [
            {"stage": "read and encode", "seconds": 1.1, "parameters": None},
            {"stage": "joint network", "seconds": 71.4, "parameters": 1_204_331},
            {"stage": "networks alone, one pass", "seconds": 64.0, "parameters": 6_012_800},
            {"stage": "boosted trees", "seconds": 22.6, "parameters": None},
            {"stage": "tests and report", "seconds": 6.2, "parameters": None},
        ],
    }  # fmt: skip


@pytest.fixture
def facts() -> dict[str, Any]:
    """Facts of the pollutants, whole."""
    return make_facts()


@pytest.fixture
def facts_maker() -> Any:
    """The maker itself, for other sizes."""
    return make_facts


@pytest.fixture
def class_plot() -> Any:
    """Plot facts of a class target: (rows, labels)."""
    return lambda rows, labels: _class_plot(np.random.default_rng(1), rows, labels)


@pytest.fixture
def multilabel_plot() -> Any:
    """Plot facts of a multilabel target: (rows, labels)."""
    return lambda rows, labels: _multilabel_plot(np.random.default_rng(2), rows, labels)
