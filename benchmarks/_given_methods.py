"""The methods of `given.py` that are not masked networks: Superpose, trees, chains, an imputer.

The fit protocol of every tree is that of `_methods.py`: 0.05, early stopping on validation, and
below `REFIT_ROWS` rows of training and validation a refit on both with as many rounds. A row
without the target's label is dropped for that target alone; a given value that is missing stays
missing (chains and the imputer fill it with their own prediction).
"""

from __future__ import annotations

import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import _methods
from _fitted import fit, fitted
from _given_questions import Method, Question, Rows
from _methods import REFIT_ROWS, Backend, Predict, Task, fit_catboost, fit_hist

ORDERS = 10  # random orders of an ensemble of chains, as in Read et al. 2011
COPIES = 4  # copies of every row with other targets hidden
ROUNDS = 10  # of the imputer, scikit-learn's default number


def draw_observed(shape: tuple[int, int], rng: np.random.Generator, most: int) -> np.ndarray:
    """Random subsets to train on: a quarter empty, a quarter of `most`, the others of any size.

    Shape: `shape`, (rows, columns), of bool; True is observed.
    """
    rows, columns = shape
    share = rng.random(rows)
    out = rng.random((rows, columns)) < share[:, None]
    draw = rng.random(rows)
    full = np.argsort(np.argsort(rng.random((rows, columns)), axis=1), axis=1) < most
    out[draw < 0.25] = False
    return np.where(((draw >= 0.25) & (draw < 0.5))[:, None], full, out)


def _labelled(x: pd.DataFrame, y: np.ndarray) -> _methods.Rows:
    known = ~np.isnan(y)
    return _methods.Rows(x[known], y[known])


def fit_one(
    rows: Rows,
    target: str,
    *,
    extra: Callable[[str], pd.DataFrame],
    backend: Backend,
    copies: int = 1,
) -> tuple[Predict, int]:
    """One model of `target` from the inputs and the columns that `extra` returns for a part."""
    parts: dict[str, _methods.Rows] = {}
    for part in ("train", "validation"):
        x = rows.x(part)
        y = rows.y(part)[target].to_numpy()
        x = pd.concat([x] * copies, ignore_index=True)
        added = extra(part).reset_index(drop=True)
        parts[part] = _labelled(pd.concat([x, added], axis=1), np.tile(y, copies))
    train, validation = parts["train"], parts["validation"]
    task = Task(
        kind=rows.targets[target],
        n_classes=0,
        categories=rows.table.categories,
        train=train,
        validation=validation,
        test=train.x[:0],
        seed=rows.seed,
    )
    if len(np.unique(train.y)) < 2:  # nothing to learn: the baseline is the best prediction
        mean = float(train.y.mean())
        return lambda x: np.full((len(x), 1), mean), 0
    held_out = validation if len(validation.y) else None
    predict, rounds = backend(task, train, held_out=held_out, rounds=None)
    if (len(train.y) + len(validation.y)) // copies < REFIT_ROWS:
        predict, _ = backend(task, task.both, held_out=None, rounds=rounds)
    return predict, rounds


def _stored(predict: Predict) -> int:
    """Bytes of a CatBoost model in its own binary format."""
    model = getattr(predict, "model", None)
    if model is None:
        return 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.cbm"
        model.save_model(str(path))
        return path.stat().st_size


class Anew:
    """CatBoost trained anew for every target and subset, the given targets as inputs."""

    def __init__(self) -> None:
        self.models: dict[tuple[str, frozenset[str]], tuple[Predict, int]] = {}
        self.cost: dict[str, dict[str, float]] = {}

    def fit(self, rows: Rows, questions: list[Question]) -> None:
        for question in questions:
            cost = self.cost.setdefault(question.level, {"models": 0, "seconds": 0.0, "bytes": 0})
            for target in question.wanted:
                key = target, frozenset(question.given)
                if key in self.models:  # two targets: half of them is all others for the other
                    continue
                started = time.perf_counter()
                given = list(question.given)
                self.models[key] = fit_one(
                    rows,
                    target,
                    extra=lambda part, given=given: rows.y(part)[given],
                    backend=fit_catboost,
                )
                cost["models"] += 1
                cost["seconds"] += round(time.perf_counter() - started, 3)
                cost["bytes"] += _stored(self.models[key][0])

    def predict(
        self, x: pd.DataFrame, known: pd.DataFrame, wanted: tuple[str, ...]
    ) -> dict[str, np.ndarray]:
        whole = pd.concat([x, known], axis=1)
        given = frozenset(known.columns)
        return {target: self.models[target, given][0](whole)[:, 0] for target in wanted}

    def n_bytes(self) -> int | None:
        return int(sum(cost["bytes"] for cost in self.cost.values()))

    def details(self) -> dict[str, Any]:
        rounds = [[target, sorted(given), n] for (target, given), (_, n) in self.models.items()]
        return {"models": len(self.models), "by_level": self.cost, "rounds": rounds}


class HiddenTrees:
    """CatBoost per target on copies of the rows, the other targets randomly hidden in each."""

    def fit(self, rows: Rows, questions: list[Question]) -> None:
        self.models: dict[str, tuple[Predict, int]] = {}
        for number, target in enumerate(rows.targets):
            others = [name for name in rows.targets if name != target]

            def extra(part: str, others: list[str] = others, number: int = number) -> pd.DataFrame:
                rng = np.random.default_rng([rows.seed, number, len(part)])
                values = np.tile(rows.y(part)[others].to_numpy(), (COPIES, 1))
                observed = draw_observed(values.shape, rng, len(others))
                return pd.DataFrame(np.where(observed, values, np.nan), columns=others)

            self.models[target] = fit_one(
                rows, target, extra=extra, backend=fit_catboost, copies=COPIES
            )
        self.targets = list(rows.targets)

    def predict(
        self, x: pd.DataFrame, known: pd.DataFrame, wanted: tuple[str, ...]
    ) -> dict[str, np.ndarray]:
        out = {}
        for target in wanted:
            others = [name for name in self.targets if name != target]
            whole = pd.concat([x, known.reindex(columns=others).astype(np.float64)], axis=1)
            out[target] = self.models[target][0](whole)[:, 0]
        return out

    def n_bytes(self) -> int | None:
        return sum(_stored(predict) for predict, _ in self.models.values())

    def details(self) -> dict[str, Any]:
        rounds = {target: rounds for target, (_, rounds) in self.models.items()}
        return {"models": len(rounds), "rounds": rounds}


class Chains:
    """Chains of regressors in random orders (Read et al. 2011), averaged.

    The algorithm of scikit-learn's RegressorChain, whose own class refuses missing inputs and
    labels and can't stop early on given rows: link k is trained on the inputs and the true values
    of the targets before it, and reads their predictions later. A value that is given is read
    instead of its prediction. A test checks that it equals RegressorChain where both can run.

    Args:
        orders: number of random orders.
        backend: base learner of every link.
    """

    def __init__(self, orders: int, backend: Backend = fit_hist) -> None:
        self.count = orders
        self.backend = backend

    def fit(self, rows: Rows, questions: list[Question]) -> None:
        names = list(rows.targets)
        self.orders = [
            [names[i] for i in np.random.default_rng([rows.seed, k]).permutation(len(names))]
            for k in range(self.count)
        ]
        self.links: list[list[Predict]] = []
        for order in self.orders:
            self.links.append([])
            for position, target in enumerate(order):
                before = order[:position]
                predict, _ = fit_one(
                    rows,
                    target,
                    extra=lambda part, before=before: rows.y(part)[before],
                    backend=self.backend,
                )
                self.links[-1].append(predict)

    def predict(
        self, x: pd.DataFrame, known: pd.DataFrame, wanted: tuple[str, ...]
    ) -> dict[str, np.ndarray]:
        total = {target: np.zeros(len(x)) for target in wanted}
        for order, links in zip(self.orders, self.links, strict=True):
            last = max(order.index(target) for target in wanted)
            columns = x
            for target, link in zip(order[: last + 1], links, strict=False):
                value = known[target].to_numpy() if target in known else np.full(len(x), np.nan)
                if np.isnan(value).any():  # not given, or not in every row
                    pred = link(columns)[:, 0]
                    if target in total:
                        total[target] += pred
                    value = np.where(np.isnan(value), pred, value)
                columns = columns.assign(**{target: value})
        return {target: sums / len(self.orders) for target, sums in total.items()}

    def n_bytes(self) -> int | None:
        return None

    def details(self) -> dict[str, Any]:
        return {"models": sum(map(len, self.links)), "orders": self.orders}


class Imputer:
    """Scikit-learn's IterativeImputer (BayesianRidge) on inputs and targets side by side.

    Standardised columns, categories as 0/1, counts as their logarithm with one factor that puts
    their mean right again. It has no number of rounds to choose, so below `REFIT_ROWS` rows it is
    fitted on training and validation rows together at once.
    """

    def _grid(self, x: pd.DataFrame) -> np.ndarray:
        coded = [
            (x[name].astype(object).to_numpy()[:, None] == np.array(levels, dtype=object))
            for name, levels in self.levels.items()
        ]
        numbers = x[self.numbers].to_numpy(dtype=np.float64, na_value=np.nan)
        return np.concatenate([numbers, *(part.astype(np.float64) for part in coded)], axis=1)

    def fit(self, rows: Rows, questions: list[Question]) -> None:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.experimental import enable_iterative_imputer  # noqa: F401
        from sklearn.impute import IterativeImputer

        parts = ["train", "validation"]
        if sum(len(rows.x(part)) for part in parts) >= REFIT_ROWS:
            parts = ["train"]
        x = pd.concat([rows.x(part) for part in parts])
        y = pd.concat([rows.y(part) for part in parts])
        self.kinds = rows.targets
        self.numbers = [name for name in x.columns if name not in rows.table.categories]
        self.levels = {name: sorted(x[name].dropna().unique()) for name in rows.table.categories}
        whole = np.concatenate([self._grid(x), self._labels(y)], axis=1)
        with np.errstate(invalid="ignore"):
            std = np.nanstd(whole, axis=0)
        self.kept = np.nan_to_num(std) > 0
        self.kept[-len(self.kinds) :] = True
        self.mean = np.nan_to_num(np.nanmean(whole[:, self.kept], axis=0))
        self.std = np.where(std > 0, std, 1.0)[self.kept]
        # tol 0: a table without gaps would seem to have converged after one round, and then only
        # one would be made at prediction, too few for targets that depend on each other.
        self.imputer = IterativeImputer(max_iter=ROUNDS, tol=0.0, random_state=rows.seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            self.imputer.fit(self._scaled(whole))
        self.factor = dict.fromkeys(self.kinds, 1.0)
        for target, kind in self.kinds.items():
            if kind == "count":
                known = y[target].notna().to_numpy()
                pred = self.predict(x[known], y.loc[known, []], (target,))[target]
                self.factor[target] = float(y.loc[known, target].sum() / pred.sum())

    def _labels(self, y: pd.DataFrame) -> np.ndarray:
        columns = [
            np.log1p(y[name]) if kind == "count" else y[name] for name, kind in self.kinds.items()
        ]
        return np.stack([np.asarray(column, dtype=np.float64) for column in columns], axis=1)

    def _scaled(self, whole: np.ndarray) -> np.ndarray:
        return (whole[:, self.kept] - self.mean) / self.std

    def predict(
        self, x: pd.DataFrame, known: pd.DataFrame, wanted: tuple[str, ...]
    ) -> dict[str, np.ndarray]:
        y = known.reindex(columns=list(self.kinds)).astype(np.float64)
        whole = np.concatenate([self._grid(x), self._labels(y)], axis=1)
        filled = self.imputer.transform(self._scaled(whole)) * self.std + self.mean
        preds = dict(zip(self.kinds, filled[:, -len(self.kinds) :].T, strict=True))
        for target, kind in self.kinds.items():
            if kind == "count":  # a rate of 0 would make one wrong row cost without bound
                preds[target] = np.maximum(np.expm1(preds[target]) * self.factor[target], 0.1)
        return {target: preds[target] for target in wanted}

    def n_bytes(self) -> int | None:
        return None

    def details(self) -> dict[str, Any]:
        return {"rounds": ROUNDS}


class Ours:
    """Superpose, fitted once; `settings` go to its constructor."""

    def __init__(self, **settings: Any) -> None:
        self.settings = settings

    def fit(self, rows: Rows, questions: list[Question]) -> dict[str, float] | None:
        # The rows it predicts below come without the labels that are wanted.
        if self.settings:
            self.model = fit(rows.table, rows.parts, rows.seed, **self.settings)
            return None
        self.model, took = fitted(rows.table, rows.parts, rows.seed)
        return took

    def predict(
        self, x: pd.DataFrame, known: pd.DataFrame, wanted: tuple[str, ...]
    ) -> dict[str, np.ndarray]:
        # A model that was trained without `given` predicts as if nothing were known.
        given = list(known.columns) if self.model.config.model.given else []
        preds = self.model.predict(pd.concat([x, known], axis=1), given=given or None)
        return {target: np.asarray(preds[target], dtype=np.float64) for target in wanted}

    def n_bytes(self) -> int | None:
        with tempfile.TemporaryDirectory() as folder:
            bundle = Path(self.model.save(Path(folder) / "bundle"))
            return sum(path.stat().st_size for path in bundle.rglob("*") if path.is_file())

    def details(self) -> dict[str, Any]:
        from superpose.record import json_tables, plain

        record = self.model.record
        parts = {"cost": record.costs, "entanglement": record.entanglement, "states": record.states}
        given = {name: target.given for name, target in record.targets.items()}
        return {
            **json_tables(record),
            "regime": record.regime,
            **plain({**parts, "given": given}),
        }


def _network(**model: Any) -> Callable[[], Method]:
    return lambda: Ours(references="none", model=model)


def _masked(members: int | None) -> Callable[[], Method]:
    def make() -> Method:
        from _given_masked import Masked

        return Masked(members)

    return make


METHODS: dict[str, Callable[[], Method]] = {
    "superpose": Ours,
    "catboost-anew": Anew,
    "chain": lambda: Chains(1),
    "chains": lambda: Chains(ORDERS),
    "imputer": Imputer,
    "masked-mlp": _masked(None),
    "masked-tabm": _masked(16),
    "hidden-trees": HiddenTrees,
    # The multi-task net without references. Full: the attention's rank is the states' dimension.
    "attention-full": _network(fusion="task-attention", rank=32, state=32),
    "attention-low": _network(fusion="task-attention", rank=8, state=32),
    "attention-none": _network(fusion="none", state=32),
    # What does the ability cost where nothing is given? The same, trained without it.
    "superpose-without": lambda: Ours(model={"given": False}),
    "attention-without": _network(given=False),
}
QUICK = ("superpose", "catboost-anew", "chain", "imputer", "masked-mlp", "hidden-trees")
