"""The engines behind a tree reference: one fitted booster each, saved without pickle."""

from __future__ import annotations

import tempfile
import types
import weakref
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, cast

import numpy as np
from scipy.special import expit, softmax

from superpose.errors import BundleError, MissingExtraError

from ._forest import damaged

Link = Literal["identity", "exp", "logistic", "softmax"]


@dataclass(frozen=True)
class Rows:
    """Rows that one booster is fitted on: complete labels, classes numbered 0..K-1 without gaps.

    Args:
        X: (N, F) float32, NaN for missing.
        y: (N,) float64.
        X_stop, y_stop: rows whose loss decides when to stop, or None for a fixed length.
        categorical: (F,) which columns hold codes.
        link: regression is "identity", counts "exp", two classes "logistic", more "softmax".
        classes: number of classes, 0 for numbers and counts.
        rounds: most boosting iterations, or None for the engine's default.
        seed: any non-negative integer.
        threads: at most this many, None for all.
    """

    X: np.ndarray
    y: np.ndarray
    X_stop: np.ndarray | None
    y_stop: np.ndarray | None
    categorical: list[bool]
    link: Link
    classes: int
    rounds: int | None
    seed: int
    threads: int | None


class Booster(ABC):
    """One fitted ensemble with one or several outputs."""

    engine: ClassVar[str]
    rounds: int

    @classmethod
    @abstractmethod
    def fit(cls, rows: Rows) -> Self:
        """Fits one ensemble."""

    def cut(self, rounds: int) -> Self:
        """The same model after its first so many rounds; itself where it has no more."""
        return self

    @abstractmethod
    def predict(self, X: np.ndarray) -> np.ndarray:
        """(N, F) -> (N, K): a mean, a rate, or one probability per class (two for two classes)."""

    @abstractmethod
    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """JSON-able settings and arrays."""

    @classmethod
    @abstractmethod
    def from_state(cls, state: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Self:
        """The inverse of `state`."""


class Baseline(Booster):
    """The same prediction for every row: what is left when there is nothing to learn."""

    engine = "constant"

    def __init__(self, values: np.ndarray) -> None:
        self.values = np.atleast_1d(np.asarray(values, dtype=np.float64))
        self.rounds = 0

    @classmethod
    def fit(cls, rows: Rows) -> Self:
        if not rows.classes:
            # A count that was always 0 in training may still be 1 one day: never a rate of 0.
            floor = 0.5 / (len(rows.y) + 1) if rows.link == "exp" else -np.inf
            return cls(np.array([max(float(rows.y.mean()), floor)]))
        counts = np.bincount(rows.y.astype(int), minlength=rows.classes)
        return cls(counts / counts.sum())

    def predict(self, X: np.ndarray) -> np.ndarray:
        return np.tile(self.values, (len(X), 1))

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        return {}, {"values": self.values}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Self:
        return cls(arrays["values"])


class _Solved:
    """Stops boosting of classes that the inputs settle, whose loss falls for ever towards 0."""

    SHARE = 1e-3  # of the loss of the first round

    def __init__(self, loss: str) -> None:
        self.loss = loss

    def after_iteration(self, info: Any) -> bool:
        """Whether boosting goes on; called by CatBoost after each round."""
        losses = info.metrics["validation"][self.loss]
        return bool(losses[-1] > self.SHARE * losses[0])


SMALLEST_UNIT = 1e-6  # of counts that are nearly all 0


class CatBoost(Booster):
    """CatBoost, kept in its binary format."""

    engine = "catboost"
    ROUNDS = 2000
    RATE = 0.05
    # Few rows need no small steps, and below 100 deep trees only cost; a table with more columns
    # than rows takes a minute a fit. All are several times faster so, and as good out of fold on
    # the tables tried. Depth 4 below 400 rows was not: 3 % worse on edm, 1 % better on jura.
    SMALL = types.MappingProxyType({"iterations": 600, "learning_rate": 0.1})
    TINY = types.MappingProxyType({"depth": 4})
    WIDE = types.MappingProxyType({"iterations": 500, "learning_rate": 0.1})
    PATIENCE = 50

    def __init__(
        self, model: Any, *, categorical: list[bool], link: Link, rounds: int, unit: float = 1.0
    ) -> None:
        self.model = model
        self.categorical = categorical
        self.link = link
        self.rounds = rounds
        self.unit = unit  # of its rates

    @classmethod
    def fit(cls, rows: Rows) -> Self:
        catboost = _require("catboost")
        losses = {
            "identity": "RMSE",
            "exp": "Poisson",
            "logistic": "Logloss",
            "softmax": "MultiClass",
        }
        model = catboost.CatBoost(
            {
                "loss_function": losses[rows.link],
                "iterations": cls.ROUNDS,
                # A tree of many classes takes as long as one for each: longer steps, fewer trees.
                "learning_rate": cls.RATE * (2 if rows.link == "softmax" else 1),
                # A hundred rows have no use for 254 thresholds, and a fit takes as long as those.
                "border_count": int(np.clip(len(rows.X) // 8, 32, 254)),
                # No products of categories: many times faster, and as good on the tables tried.
                "one_hot_max_size": 16,
                "max_ctr_complexity": 1,
                "random_seed": rows.seed,
                "thread_count": rows.threads or -1,
                "verbose": False,
                "allow_writing_files": False,
            }
            | (dict(cls.WIDE) if rows.X.shape[1] > len(rows.X) else {})
            | (dict(cls.SMALL) if len(rows.X) < 400 else {})
            | (dict(cls.TINY) if len(rows.X) < 100 else {})
            | ({"iterations": rows.rounds} if rows.rounds else {})
        )
        codes = np.flatnonzero(rows.categorical).tolist()
        # Rates start at 1; from there counts of hundreds take a step beyond what a float holds.
        unit = max(float(rows.y.mean()), SMALLEST_UNIT) if rows.link == "exp" else 1.0
        train = catboost.Pool(_frame(rows.X, rows.categorical), rows.y / unit, cat_features=codes)
        stop: dict[str, Any] = {}
        if rows.X_stop is not None and rows.y_stop is not None:
            pool = catboost.Pool(
                _frame(rows.X_stop, rows.categorical), rows.y_stop / unit, cat_features=codes
            )
            stop = {"eval_set": pool, "early_stopping_rounds": cls.PATIENCE, "use_best_model": True}
            # A call takes half a millisecond, as long as two trees of anything but many classes.
            if rows.link == "softmax":
                stop["callbacks"] = [_Solved(losses[rows.link])]
        model.fit(train, **stop)
        rounds = int(model.tree_count_)
        return cls(model, categorical=rows.categorical, link=rows.link, rounds=rounds, unit=unit)

    def cut(self, rounds: int) -> Self:
        if rounds >= self.rounds:
            return self
        shorter = self.model.copy()
        shorter.shrink(ntree_end=rounds)
        return type(self)(
            shorter, categorical=self.categorical, link=self.link, rounds=rounds, unit=self.unit
        )

    def predict(self, X: np.ndarray) -> np.ndarray:
        raw = self.model.predict(_pool(X, self.categorical), prediction_type="RawFormulaVal")
        scores = np.asarray(raw, dtype=np.float64).reshape(len(X), -1)
        return apply_link(self.link, scores) * self.unit

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.cbm"
            self.model.save_model(str(path), format="cbm")
            blob = np.frombuffer(path.read_bytes(), dtype=np.uint8)
        state = {
            "categorical": self.categorical,
            "link": self.link,
            "rounds": self.rounds,
            "unit": self.unit,
        }
        return state, {"model": blob}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Self:
        catboost = _require("catboost")
        model = catboost.CatBoost()
        try:
            model.load_model(blob=arrays["model"].tobytes())
        except catboost.CatBoostError as error:
            raise BundleError(damaged(f"catboost can't read it ({error})")) from error
        return cls(
            model,
            categorical=list(state["categorical"]),
            link=state["link"],
            rounds=int(state["rounds"]),
            unit=float(state.get("unit", 1.0)),  # bundles of before have none
        )


class LightGBM(Booster):
    """LightGBM, kept in its text format."""

    engine = "lightgbm"
    ROUNDS = 1000
    ROUNDS_WITHOUT_STOP = 150
    PATIENCE = 50

    def __init__(self, model: Any, link: Link, rounds: int) -> None:
        self.model = model
        self.link = link
        self.rounds = rounds

    @classmethod
    def fit(cls, rows: Rows) -> Self:
        lightgbm = _require("lightgbm")
        goals = {"identity": "l2", "exp": "poisson", "logistic": "binary", "softmax": "multiclass"}
        settings = {
            "objective": goals[rows.link],
            "learning_rate": 0.05,
            "min_data_in_leaf": int(np.clip(len(rows.X) // 50, 2, 20)),
            # The default of 100 rows per group of codes leaves a small table's categories unused.
            "min_data_per_group": int(np.clip(len(rows.X) // 50, 5, 100)),
            "seed": rows.seed,
            "deterministic": True,
            "force_col_wise": True,
            "num_threads": rows.threads or 0,
            "verbosity": -1,
        }
        if rows.link == "softmax":
            settings["num_class"] = rows.classes
        codes = np.flatnonzero(rows.categorical).tolist()
        train = lightgbm.Dataset(rows.X, rows.y, categorical_feature=codes)
        length = cls.ROUNDS_WITHOUT_STOP
        stop = {}
        if rows.X_stop is not None:
            length = cls.ROUNDS
            stop = {
                "valid_sets": [lightgbm.Dataset(rows.X_stop, rows.y_stop, reference=train)],
                "callbacks": [lightgbm.early_stopping(cls.PATIENCE, verbose=False)],
            }
        model = lightgbm.train(settings, train, num_boost_round=rows.rounds or length, **stop)
        best = model.best_iteration if stop else model.current_iteration()
        kept = lightgbm.Booster(model_str=model.model_to_string(num_iteration=best))
        return cls(kept, rows.link, best)

    def cut(self, rounds: int) -> Self:
        if rounds >= self.rounds:
            return self
        text = self.model.model_to_string(num_iteration=rounds)
        return type(self)(_require("lightgbm").Booster(model_str=text), self.link, rounds)

    def predict(self, X: np.ndarray) -> np.ndarray:
        raw = self.model.predict(X, raw_score=True)
        return apply_link(self.link, np.asarray(raw, dtype=np.float64).reshape(len(X), -1))

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        text = self.model.model_to_string().encode()
        return {"link": self.link, "rounds": self.rounds}, {"model": np.frombuffer(text, np.uint8)}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Self:
        lightgbm = _require("lightgbm")
        try:
            model = lightgbm.Booster(model_str=arrays["model"].tobytes().decode())
        except (lightgbm.basic.LightGBMError, UnicodeDecodeError) as error:
            raise BundleError(damaged(f"lightgbm can't read it ({error})")) from error
        return cls(model, state["link"], int(state["rounds"]))


def apply_link(link: Link, raw: np.ndarray) -> np.ndarray:
    """Raw scores (N, K) to means, rates or probabilities; two classes have one score."""
    if link == "identity":
        return raw
    if link == "exp":
        return np.exp(raw)
    if link == "logistic":
        positive = expit(raw)
        return np.concatenate([1 - positive, positive], axis=1)
    return softmax(raw, axis=1)


def _frame(X: np.ndarray, categorical: list[bool]) -> Any:
    """CatBoost reads codes from integer columns only, so mixed tables go through pandas."""
    if not any(categorical):
        return X
    import pandas as pd

    columns = zip(X.T, categorical, strict=True)
    return pd.DataFrame(
        {
            i: np.where(np.isnan(c), -1, c).astype(np.int64) if is_code else c
            for i, (c, is_code) in enumerate(columns)
        }
    )


_last: tuple[weakref.ref[np.ndarray], list[bool], Any] | None = None


def _pool(X: np.ndarray, categorical: list[bool]) -> Any:
    """CatBoost's own form of some rows, kept for the next model that predicts the same array.

    The models of all folds read the same rows one after the other, and making this form takes
    several times as long as predicting from it.
    """
    global _last
    kept = _last
    if kept and kept[0]() is X and kept[1] == categorical:
        return kept[2]
    codes = np.flatnonzero(categorical).tolist()
    pool = _require("catboost").Pool(_frame(X, categorical), cat_features=codes)
    _last = (weakref.ref(X, _forget), list(categorical), pool)
    return pool


def _forget(_: object) -> None:
    """The rows are gone, and their form goes with them."""
    global _last
    _last = None


def require_engine(engine: str) -> None:
    """Make sure that an engine is installed, before anything is fitted.

    Raises:
        MissingExtraError: with the line that installs it.
    """
    if engine in (CatBoost.engine, LightGBM.engine):
        _require(cast(Literal["catboost", "lightgbm"], engine))


def _require(name: Literal["catboost", "lightgbm"]) -> Any:
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingExtraError(name, name, f"proof.trees: {name}") from error
