"""What every model has to keep, whatever it predicts with."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial, update_wrapper

import numpy as np

from superpose.models import MODELS, Model, Observed, Predictions, Rows

from ._checks import run_checks

TOLERANCE = 1e-5  # float32 sums in another order

ModelCheck = Callable[[Model, Rows], None]


def _observed(rows: Rows, value: float) -> Observed:
    """Every target measured with one value, or with none at all (NaN)."""
    kinds = rows.codec.target_kinds
    missing = {t: kind.distribution.missing(len(rows)) for t, kind in kinds.items()}
    return Observed(kinds, {t: np.full_like(y, value) for t, y in missing.items()})


def _require_same(actual: Predictions, expected: Predictions, claim: str) -> None:
    assert actual.keys() == expected.keys(), f"{claim}: other targets"
    for target, pred in expected.items():
        same = np.array_equal(actual[target], pred, equal_nan=True)
        assert same, f"{claim}: other predictions of {target!r}"


def predictions_have_their_shape(model: Model, rows: Rows) -> None:
    """For each target there is a finite canonical prediction (N, K)."""
    kinds = rows.codec.target_kinds
    for observed in (None, _observed(rows, np.nan), _observed(rows, 0.0)):
        pred = model.predict(rows, observed)
        assert list(pred) == list(model.targets), f"predicts {list(pred)}, not {model.targets}"
        for target, z in pred.items():
            wanted = (len(rows), kinds[target].distribution.n_columns)
            assert z.shape == wanted, f"{target!r}: shape {z.shape}, not {wanted}"
            # Where there are predictions for each location, a row without such a location has none.
            if kinds[target].locations is None:
                assert np.isfinite(z).all(), f"{target!r}: not finite"


def some_targets_are_predicted_as_among_all(model: Model, rows: Rows) -> None:
    """Where some of its targets are requested it predicts those, and what they are among all."""
    whole = model.predict(rows)
    for target in model.targets:
        _require_same(model.predict(rows, targets=[target]), {target: whole[target]}, "alone")


def one_row_is_predicted_as_in_a_batch(model: Model, rows: Rows) -> None:
    """Rows do not hear each other: one row alone is predicted as in any batch."""
    whole = model.predict(rows)
    for row in (0, len(rows) - 1):
        for target, z in model.predict(rows.take(np.array([row]))).items():
            np.testing.assert_allclose(
                z[0], whole[target][row], atol=TOLERANCE, rtol=TOLERANCE, err_msg=repr(target)
            )


def the_same_rows_give_the_same_predictions(model: Model, rows: Rows) -> None:
    """Nothing random happens when it predicts, and nothing is remembered."""
    first = model.predict(rows)
    model.predict(rows, _observed(rows, 0.0))
    _require_same(model.predict(rows), first, "the second time")


def rows_are_left_as_they_are(model: Model, rows: Rows) -> None:
    """It changes none of the arrays that it reads."""
    inputs = {name: block.copy() for name, block in rows.inputs.items()}
    matrix = rows.matrix.copy()
    observed = _observed(rows, 0.0)
    model.predict(rows, observed)
    _require_same(dict(rows.inputs), inputs, "inputs")
    _require_same({"matrix": rows.matrix}, {"matrix": matrix}, "matrix")
    _require_same(dict(observed.labels), dict(_observed(rows, 0.0).labels), "labels")


def what_is_measured_counts_only_if_it_says_so(model: Model, rows: Rows) -> None:
    """A model that does not say that it reads measured targets predicts the same with them."""
    if not model.reads_observed:
        _require_same(
            model.predict(rows, _observed(rows, 0.0)), model.predict(rows), "with measured targets"
        )
    assert model.reads_observed or not model.needs_observed, "needs what it does not read"


def stored_and_restored_it_predicts_the_same(model: Model, rows: Rows) -> None:
    """Its facts go through JSON, its arrays through numpy, and nothing else is needed."""
    facts, arrays = model.to_state()
    plain = {name: np.asarray(array) for name, array in arrays.items()}
    again = type(model).from_state(json.loads(json.dumps(facts)), plain)
    assert (again.name, again.targets) == (model.name, model.targets), "other name or targets"
    for observed in (None, _observed(rows, 0.0)):
        _require_same(again.predict(rows, observed), model.predict(rows, observed), "restored")


def it_stands_on_what_there_is(model: Model, rows: Rows) -> None:
    """It predicts targets of the codec, and the mixtures it stands on are of its own targets."""
    strange = set(model.targets) - rows.codec.target_kinds.keys()
    assert not strange, f"no targets of the codec: {sorted(strange)}"
    assert model.margins().keys() <= set(model.targets), "margins of targets that are not its own"


def it_says_what_it_is(model: Model, rows: Rows) -> None:
    """It has a docstring and a family, and where the table has that family, it is of this class."""
    assert type(model).__doc__, "no docstring"
    if model.family in MODELS:
        family = MODELS[model.family]()
        assert family is type(model), f"the family {model.family!r} is {family.__name__}"


MODEL_CHECKS: tuple[ModelCheck, ...] = (
    predictions_have_their_shape,
    some_targets_are_predicted_as_among_all,
    one_row_is_predicted_as_in_a_batch,
    the_same_rows_give_the_same_predictions,
    rows_are_left_as_they_are,
    what_is_measured_counts_only_if_it_says_so,
    stored_and_restored_it_predicts_the_same,
    it_stands_on_what_there_is,
    it_says_what_it_is,
)


def check_model(model: Model, rows: Rows) -> None:
    """Check that a model keeps what predictors and bundles rely on.

    Args:
        model: A fitted model.
        rows: At least two rows as it reads them, with the models that it stands on.

    Raises:
        AssertionError: Every claim that does not hold, with the reason.
    """
    # Rows of its own for each check: none sees what a faulty model did to those of another.
    checks = [
        update_wrapper(partial(check, model, rows.take(np.arange(len(rows)))), check)
        for check in MODEL_CHECKS
    ]
    run_checks(f"{type(model).__name__} {model.name!r}", checks)
