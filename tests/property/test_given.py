"""The claims about "given", on planted tables whose truth is known, through the public class.

The models are small and trained for a few epochs: what is claimed has to hold for weak models too,
and where a figure is compared with theory the trees and the copula carry it.
"""

from __future__ import annotations

import warnings

import numpy as np
import pyarrow as pa
import pytest

from superpose import Superpose
from superpose.analysis import sample
from superpose.errors import ConfigError, DataError, SuperposeError
from superpose.evaluation import _references
from superpose.models import given_labels
from superpose.trees import fit_trees

# New rows lie further out than the training rows now and then; that is no fault here.
pytestmark = pytest.mark.filterwarnings("ignore:column .* is outside of what")

SMALL = {"width": 24, "members": 2, "depth": 1, "state": 8}
TREES = {"trees": ["hist"], "folds": 2}
KINDS = {
    "weight": "number",
    "sick": "binary",
    "calls": "count",
    "sort": "category",
    "level": "ordinal",
    "tags": "multilabel",
}
ROWS, DRAWS = 300, 40


def fit(targets, table, epochs=6):
    """A model of a few seconds."""
    made = Superpose(
        targets, references="trees", proof=TREES, model=SMALL, training={"epochs": epochs}
    )
    return made.fit(table)


# Every kind of target in one model.


@pytest.fixture(scope="module")
def kinds(make_table):
    with pytest.MonkeyPatch.context() as patch:  # what is claimed of it needs no good trees
        patch.setattr(
            _references,
            "fit_trees",
            lambda *a, **k: fit_trees(*a, **{**k, "rounds": k.get("rounds") or 15, "threads": 1}),
        )
        return fit(KINDS, make_table(rows=160), epochs=4)


@pytest.fixture(scope="module")
def scored(make_table):
    return make_table(rows=40, seed=5)


def shuffled(table, columns):
    """The same table with the values of some columns at other rows."""
    order = np.random.default_rng(0).permutation(table.num_rows)
    for name in columns:
        index = table.column_names.index(name)
        table = table.set_column(index, name, table.column(name).take(order))
    return table


def all_predictions(model, table, given):
    """All that a model predicts of a table, in one list of columns."""
    frames = [model.predict(table, given=given), model.predict_proba(table, given=given)]
    frames.append(model.sample(table, n=2, given=given))
    return [column.to_pylist() for frame in frames for column in frame.columns]


def same(one, other):
    """Bit for bit; two missing numbers are the same."""
    assert len(one) == len(other)
    assert all(repr(a) == repr(b) for a, b in zip(one, other, strict=True))


def test_without_given_no_label_is_read(kinds, scored):
    plain = all_predictions(kinds, scored, None)
    same(plain, all_predictions(kinds, shuffled(scored, KINDS), None))
    same(plain, all_predictions(kinds, scored.drop_columns(KINDS), None))
    same(plain, all_predictions(kinds, scored, []))


def test_labels_that_are_not_named_are_not_read_beside_those_that_are(kinds, scored):
    given = ["sick", "tags"]
    others = [t for t in KINDS if t not in given]
    preds = all_predictions(kinds, scored, given)
    same(preds, all_predictions(kinds, shuffled(scored, others), given))
    assert preds != all_predictions(kinds, shuffled(scored, given), given)


@pytest.mark.parametrize("target", KINDS)
def test_a_given_targets_prediction_is_its_value(kinds, scored, target):
    preds = kinds.predict(scored, given=[target])
    for measured, pred in zip(scored[target].to_pylist(), preds[target].to_pylist(), strict=True):
        if measured is not None:
            assert pred == measured
    if target == "weight":
        known = np.flatnonzero(~np.isnan(scored["weight"].to_numpy()))
        low, high = (preds[f"weight_{end}"].to_numpy()[known] for end in ("low", "high"))
        np.testing.assert_array_equal(low, high)  # nothing is left open
        np.testing.assert_allclose(low, scored["weight"].to_numpy()[known], rtol=1e-6)


@pytest.mark.parametrize("target", KINDS)
def test_a_target_is_predicted_where_its_own_value_is_missing(kinds, scored, target):
    whole = kinds.predict_proba(scored, given="auto")
    gone = scored.set_column(
        scored.column_names.index(target), target, pa.nulls(40, scored[target].type)
    )
    preds = kinds.predict_proba(gone, given="auto")
    missing = np.flatnonzero(scored[target].is_null().to_numpy())
    assert len(missing)
    for name in preds.column_names:
        if name.split("=")[0].removesuffix("_scale") == target:
            own = preds[name].to_numpy()
            assert np.isfinite(own).all()
            np.testing.assert_allclose(own[missing], whole[name].to_numpy()[missing], rtol=1e-6)


def test_rows_in_which_nothing_was_measured_are_predicted_as_ever(kinds, scored):
    empty = scored
    for target in KINDS:
        index = empty.column_names.index(target)
        empty = empty.set_column(index, target, pa.nulls(40, empty[target].type))
    for frame in ("predict", "predict_proba"):
        plain = getattr(kinds, frame)(scored)
        preds = getattr(kinds, frame)(empty, given="auto")
        same([c.to_pylist() for c in plain.columns], [c.to_pylist() for c in preds.columns])


def test_one_row_alone_predicts_as_in_a_batch(kinds, scored):
    given = ["weight", "sort"]
    whole = kinds.predict_proba(scored, given=given)
    for row in (0, 17, 39):
        alone = kinds.predict_proba(scored.slice(row, 1), given=given)
        for name in whole.column_names:
            np.testing.assert_allclose(
                alone[name].to_numpy(), whole[name].to_numpy()[row : row + 1], atol=2e-6, rtol=1e-5
            )


@pytest.mark.parametrize("given", [None, "auto", ["calls"], ["level", "tags", "weight"]])
def test_a_bundle_answers_the_same(kinds, scored, tmp_path, given):
    again = Superpose.load(kinds.save(tmp_path / "bundle"))
    same(all_predictions(kinds, scored, given), all_predictions(again, scored, given))


def test_a_bundle_measures_the_same(kinds, scored, tmp_path):
    again = Superpose.load(kinds.save(tmp_path / "bundle"))
    one, other = (
        [
            m.entanglement(scored, permutations=1).to_pylist(),
            m.next_measurement(scored, "weight", given=["sick"], draws=4).to_pylist(),
        ]
        for m in (kinds, again)
    )
    assert repr(one) == repr(other)


def test_every_subset_can_be_given(kinds, scored):
    rng = np.random.default_rng(0)
    for _ in range(6):
        given = [t for t in KINDS if rng.random() < 0.5]
        preds = kinds.predict(scored, given=given)
        assert preds.num_rows == 40
        metrics = kinds.evaluate(scored, given=given)
        assert metrics.keys() == set(KINDS) - set(given)


def test_requests_that_can_not_be_met_are_refused(kinds, scored, make_table):
    whole = make_table(rows=9, seed=6, gaps=0.0)
    for call, text in (
        (lambda: kinds.predict(scored, given=["sik"]), "given: 'sik' is no target of this model"),
        (lambda: kinds.evaluate(scored, given=["width"]), "given: 'width' is no target"),
        (
            lambda: kinds.predict(scored.drop_columns(["tags"]), given=["tags"]),
            "column 'tags': given, but not in the table",
        ),
        (lambda: kinds.sample(scored, n=0), "n: 0 given; allowed: 1 draw or more"),
        (
            lambda: kinds.entanglement(scored, permutations=0),
            "permutations: 0 given; allowed: 1 or more",
        ),
        (
            lambda: kinds.entanglement(scored.drop_columns([t for t in KINDS if t != "sick"])),
            "entanglement: the table has 1 of the targets; allowed: two or more; add their columns",
        ),
        (
            lambda: kinds.next_measurement(whole, "weight"),
            "candidates: every target is given or wanted, so none is left to measure",
        ),
        (
            lambda: kinds.next_measurement(scored, "weight", given=[], draws=1),
            "draws: 1 given; allowed: 2 or more",
        ),
        (
            lambda: kinds.next_measurement(scored, "weight", given=["weight"]),
            "want: 'weight' is both given and wanted",
        ),
    ):
        with pytest.raises(DataError, match=text):
            call()


def test_a_model_that_has_measured_no_entanglement_says_so(make_table):
    settings = {"references": "none", "model": SMALL, "training": {"epochs": 1}}
    alone = Superpose("weight", ignore=list(KINDS)[1:], **settings).fit(make_table(rows=60))
    with pytest.raises(SuperposeError, match="entanglement: the run has measured none; give rows"):
        alone.entanglement()
    for call in (
        lambda: alone.predict(make_table(rows=9), given="weight"),
        lambda: alone.sample(make_table(rows=9), n=1),
    ):
        with pytest.raises(ConfigError, match="given: this model was trained without it"):
            call()


# Planted dependence: numbers a and b correlate by RHO given x, B copies A with a known chance.

RHO, COPIES, CLASSES = 0.8, 0.8, 3
NORMAL_BITS = 0.5 * np.log2(1 / (1 - RHO**2))  # 0.737


def copy_bits():
    """Mutual information of A and B: B is A with chance COPIES, else any class."""
    stays, goes = COPIES + (1 - COPIES) / CLASSES, (1 - COPIES) / CLASSES
    return np.log2(CLASSES) + stays * np.log2(stays) + (CLASSES - 1) * goes * np.log2(goes)


def planted(rows, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rows)
    z = rng.normal(size=(2, rows))
    one = rng.integers(0, CLASSES, rows)
    two = np.where(rng.random(rows) < COPIES, one, rng.integers(0, CLASSES, rows))
    return pa.table(
        {
            "x": x,
            "a": x + z[0],
            "b": -x + RHO * z[0] + np.sqrt(1 - RHO**2) * z[1],
            "A": np.array(list("pqr"))[one],
            "B": np.array(list("stu"))[two],
        }
    )


@pytest.fixture(scope="module")
def world():
    return fit(["a", "b", "A", "B"], planted(2000, 0))


@pytest.fixture(scope="module")
def fresh():
    return planted(2000, 1)


def bits_of(model, table):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*is outside of what")
        pairs = model.entanglement(table, permutations=2).to_pylist()
    return {(pair["given"], pair["about"]): pair for pair in pairs}


@pytest.fixture(scope="module")
def entangled(world, fresh):
    return bits_of(world, fresh)


@pytest.mark.parametrize("pair", ["aA", "Aa", "aB", "Ba", "bA", "Ab", "bB", "Bb"])
def test_entanglement_of_independent_targets_is_about_zero(entangled, pair):
    measured = entangled[tuple(pair)]
    assert measured["low"] <= 0 <= measured["high"] or abs(measured["bits"]) < 0.05, measured


@pytest.mark.parametrize("pair", ["ab", "ba"])
def test_entanglement_of_a_normal_pair_is_near_its_analytic_value(entangled, pair):
    measured = entangled[tuple(pair)]
    assert abs(measured["bits"] - NORMAL_BITS) < 0.15, measured
    assert measured["p"] < 1e-6
    assert measured["null"] < measured["bits"]


@pytest.mark.parametrize("pair", ["AB", "BA"])
def test_entanglement_of_a_copied_class_is_near_its_analytic_value(entangled, pair):
    measured = entangled[tuple(pair)]
    assert abs(measured["bits"] - copy_bits()) < 0.15, measured
    assert measured["p"] < 1e-6


@pytest.mark.parametrize(
    ("about", "bits"), [("a", NORMAL_BITS), ("b", NORMAL_BITS), ("A", 0.885), ("B", 0.885)]
)
def test_all_others_tell_what_the_one_that_matters_tells(entangled, about, bits):
    assert copy_bits() == pytest.approx(0.885, abs=1e-3)
    assert abs(entangled["all others", about]["bits"] - bits) < 0.15


def test_the_run_has_measured_it_too(world):
    pairs = {(p["given"], p["about"]): p for p in world.entanglement().to_pylist()}
    assert len(pairs) == 4 * 3 + 4
    assert pairs["A", "B"]["bits"] > 0.5
    assert pairs["A", "B"]["p"] < 1e-6
    assert pairs["a", "A"]["low"] < 0.05


def test_the_order_of_the_targets_makes_no_difference_to_entanglement(entangled, fresh):
    other = bits_of(fit(["B", "b", "A", "a"], planted(2000, 0)), fresh)
    assert other.keys() == entangled.keys()
    for pair, measured in entangled.items():
        # Other initial weights and other draws of what is hidden: trainings differ by so much.
        assert abs(other[pair]["bits"] - measured["bits"]) < 0.1, pair


@pytest.mark.parametrize("given", [[], ["b"], ["b", "A", "B"]], ids=["none", "half", "all"])
def test_intervals_hold_nine_of_ten_new_rows_whatever_is_given(world, fresh, given):
    preds = world.predict(fresh, given=given)
    a, low, high = (c.to_numpy() for c in (fresh["a"], preds["a_low"], preds["a_high"]))
    # Two thousand rows and a width from some seventeen hundred: errors of 0.01 together.
    assert abs(((low <= a) & (a <= high)).mean() - 0.9) < 0.03
    if given:  # and they are narrower, by theory 0.6 of what they were
        plain = world.predict(fresh)
        was = plain["a_high"].to_numpy() - plain["a_low"].to_numpy()
        assert (high - low).mean() < 0.75 * was.mean()


# Joint draws.


def draws_of(model, table, order=None, seed=0):
    """Draws by name, (n, N) each, as encoded; and in the order that is requested."""
    predictor = model._predictor
    labels = given_labels(predictor.codec, table, [])
    orders = [list(order)] if order else None
    return sample(predictor, predictor.rows(table), labels, n=DRAWS, seed=seed, orders=orders)


def residuals(model, table):
    """What is left of the held-out labels once the prediction is taken off, in units."""
    preds = model.predict(table)
    return {t: table[t].to_numpy() - preds[t].to_numpy() for t in "ab"}


@pytest.fixture(scope="module")
def few(fresh):
    return fresh.slice(0, ROWS)


@pytest.fixture(scope="module")
def drawn(world, few):
    return {order: draws_of(world, few, order) for order in ("abAB", "BAba", None)}


def test_any_order_draws_the_same_distribution(drawn):
    one = drawn["abAB"]
    for other in (drawn["BAba"], drawn[None]):
        for target in "ab":
            # Twelve thousand draws: errors of 0.01 for means, and what the models differ by.
            assert abs(one[target].mean() - other[target].mean()) < 0.05
            assert abs(one[target].std() / other[target].std() - 1) < 0.05
        for target in "AB":
            shares = [np.bincount(d[target].ravel().astype(int)) for d in (one, other)]
            np.testing.assert_allclose(*(s / s.sum() for s in shares), atol=0.03)
        pairs = [np.corrcoef(d["a"].ravel(), d["b"].ravel())[0, 1] for d in (one, other)]
        assert abs(pairs[0] - pairs[1]) < 0.05
        copied = [(d["A"] == d["B"]).mean() for d in (one, other)]
        assert abs(copied[0] - copied[1]) < 0.04


@pytest.mark.parametrize("order", ["abAB", "BAba", None])
def test_marginals_of_draws_are_those_that_are_predicted(world, few, drawn, order):
    preds = world.predict_proba(few)
    kinds = world._predictor.codec.target_kinds
    for target in "ab":
        values = kinds[target].in_units(drawn[order][target])
        error = values - preds[target].to_numpy()
        assert abs(error.mean()) < 0.05
        factor = world._predictor.levels["none"].factors[target]
        assert abs(error.std() / (factor * preds[f"{target}_scale"].to_numpy().mean()) - 1) < 0.08
    for target in "AB":
        for index, level in enumerate(kinds[target].labels):
            share = (drawn[order][target] == index).mean()
            assert abs(share - preds[f"{target}={level}"].to_numpy().mean()) < 0.03


@pytest.mark.parametrize("order", ["abAB", "BAba", None])
def test_draws_depend_on_each_other_as_held_out_data_do(world, few, fresh, drawn, order):
    kinds = world._predictor.codec.target_kinds
    preds = world.predict(few)
    errors = [(kinds[t].in_units(drawn[order][t]) - preds[t].to_numpy()).ravel() for t in "ab"]
    left = residuals(world, fresh)
    real = np.corrcoef(left["a"], left["b"])[0, 1]
    assert abs(real - RHO) < 0.1
    assert abs(np.corrcoef(*errors)[0, 1] - real) < 0.1
    truth = COPIES + (1 - COPIES) / CLASSES
    assert abs((drawn[order]["A"] == drawn[order]["B"]).mean() - truth) < 0.06


def test_the_frame_of_draws_has_each_row_in_each_draw(world, few):
    frame = world.sample(few.slice(0, 5), n=3, given=["A"])
    assert frame.column_names == ["row", "draw", "a", "b", "A", "B"]
    assert frame["row"].to_pylist() == [0, 1, 2, 3, 4] * 3
    assert frame["draw"].to_pylist() == [0] * 5 + [1] * 5 + [2] * 5
    assert frame["A"].to_pylist() == few["A"].slice(0, 5).to_pylist() * 3
