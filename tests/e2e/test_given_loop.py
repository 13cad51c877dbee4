"""What to measure next, on a planted table: the best is recommended, and following it pays."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from superpose import Superpose

# New rows lie further out than the training rows now and then; that is no fault here.
pytestmark = pytest.mark.filterwarnings("ignore:column .* is outside of what")

# What to measure next: y is wanted, m1 to m3 are copies with more and more noise.

NOISE = {"m1": 0.2, "m2": 0.6, "m3": 2.0}


def noisy(rows, seed):
    rng = np.random.default_rng(seed)
    x, u = rng.normal(size=(2, rows))
    copies = {name: u + noise * rng.normal(size=rows) for name, noise in NOISE.items()}
    return pa.table({"x": x, "y": x + u, **copies})


@pytest.fixture(scope="module")
def clinic():
    # The best one is neither the first nor the last, so that no order gives it away.
    return Superpose(
        ["m3", "m1", "y", "m2"],
        references="trees",
        proof={"trees": ["hist"], "folds": 2},
        model={"width": 24, "members": 2, "depth": 1, "state": 8},
        training={"epochs": 6},
    ).fit(noisy(900, 0))


@pytest.fixture(scope="module")
def patients():
    return noisy(200, 1)


def first_of(frame):
    return [r["measure"] for r in frame.to_pylist() if r["rank"] == 1]


def test_the_truly_best_candidate_is_recommended(clinic, patients):
    frame = clinic.next_measurement(patients, "y", given=[], draws=16)
    assert np.mean([m == "m1" for m in first_of(frame)]) > 0.95
    bits = {name: [] for name in NOISE}
    for record in frame.to_pylist():
        bits[record["measure"]].append(record["bits"])
    means = {name: np.mean(b) for name, b in bits.items()}
    assert means["m1"] > means["m2"] > means["m3"] >= 0


def test_cost_turns_the_recommendation_round(clinic, patients):
    # By theory 2.35, 0.96 and 0.16 bits: at this price the worst is the best.
    cost = {"m1": 20.0, "m2": 10.0}
    frame = clinic.next_measurement(
        patients, "y", given=[], cost=cost, candidates=list(NOISE), draws=16
    )
    assert np.mean([m == "m3" for m in first_of(frame)]) > 0.9


def test_what_is_given_already_is_no_candidate(clinic, patients):
    frame = clinic.next_measurement(patients, ["y"], given=["m1"], draws=4)
    assert set(frame["measure"].to_pylist()) == {"m2", "m3"}


def loop(model, table, choose):
    """Reveal one candidate after the other; the error of y after each, by the chooser's order."""
    count, names = table.num_rows, list(NOISE)
    shown, errors = np.zeros((count, 3), bool), []
    base = table.drop_columns([*NOISE, "y"])
    for _ in range(2):
        state = base
        for index, name in enumerate(names):
            values = np.where(shown[:, index], table[name].to_numpy(), np.nan)
            state = state.append_column(name, pa.array(values, from_pandas=True))
        chosen = choose(state, shown)
        shown[np.arange(count), chosen] = True
        for index, name in enumerate(names):
            values = np.where(shown[:, index], table[name].to_numpy(), np.nan)
            at = state.column_names.index(name)
            state = state.set_column(at, name, pa.array(values, from_pandas=True))
        pred = model.predict(state, given=names)["y"].to_numpy()
        errors.append(float(np.mean((pred - table["y"].to_numpy()) ** 2)))
    return np.array(errors)


def test_the_closed_loop_beats_random_and_fixed_orders(clinic, patients):
    names, rng = list(NOISE), np.random.default_rng(0)

    def recommended(state, shown):
        frame = clinic.next_measurement(state, "y", given=names, candidates=names, draws=16)
        return np.array([names.index(m) for m in first_of(frame)])

    def at_random(state, shown):
        return np.where(shown, -1.0, rng.random(shown.shape)).argmax(1)

    def worst_first(state, shown):
        return np.where(shown[:, 2], 1, 2)

    errors = {c.__name__: loop(clinic, patients, c) for c in (recommended, at_random, worst_first)}
    plain = np.mean((clinic.predict(patients)["y"].to_numpy() - patients["y"].to_numpy()) ** 2)
    assert errors["recommended"][0] < 0.5 * plain
    # After the first measurement, and on the mean of both.
    assert errors["recommended"][0] < 0.7 * errors["at_random"][0] < errors["worst_first"][0]
    assert errors["recommended"].mean() < 0.8 * errors["at_random"].mean()
    assert errors["recommended"].mean() < 0.5 * errors["worst_first"].mean()
