"""Fitted networks: what was held out, what is predicted again, what is written and read."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch

from superpose.data import Fold
from superpose.kinds import Anchor
from superpose.models import Observed, Rows
from superpose.models.network import NetworkModel, alike
from superpose.nn import FUSIONS, head_of
from superpose.training import fit_multi_task, fit_single_task


def rows_of(spec):
    """All rows, encoded as the networks read them."""
    return Rows.of_arrays(spec.codec, spec.inputs)


def observed(spec, labels):
    return Observed(spec.codec.target_kinds, labels)


@pytest.fixture
def multi(spec):
    return fit_multi_task(spec).model


def test_every_target_gets_its_canonical_prediction(spec, multi):
    pred = multi.predict(rows_of(spec))
    assert list(pred) == list(spec.labels)
    for target, prediction in pred.items():
        kind = spec.codec.target_kinds[target]
        assert prediction.shape == (90, kind.distribution.n_columns)
        assert np.isfinite(
            kind.distribution.row_loss(spec.labels[target], prediction)[
                kind.distribution.known(spec.labels[target])
            ]
        ).all()
        if kind.name in ("binary", "category", "ordinal"):
            np.testing.assert_allclose(prediction.sum(1), 1.0, atol=1e-5)


def test_targets_whose_heads_differ_in_form_are_not_trained_for_in_one_pass(spec, monkeypatch):
    kind = spec.codec.target_kinds["weight"]
    monkeypatch.setattr(type(kind), "anchor", Anchor("width", 0))
    assert "weight" not in alike(spec.codec, list(spec.labels))
    with pytest.raises(ValueError, match="weight, sort: not all are alike, so they take a pass"):
        fit_single_task(spec, ["weight", "sort"])


def test_only_the_requested_targets_are_predicted(spec, multi):
    whole = multi.predict(rows_of(spec))
    some = multi.predict(rows_of(spec), targets=["calls", "weight"])
    assert some.keys() == {"calls", "weight"}
    np.testing.assert_array_equal(some["calls"], whole["calls"])


def test_one_row_alone_predicts_as_in_any_batch(spec, multi):
    whole = multi.predict(rows_of(spec))
    for row in (0, 41, 89):
        alone = multi.predict(rows_of(spec).take(np.array([row])))
        for target, pred in alone.items():
            np.testing.assert_allclose(pred[0], whole[target][row], atol=2e-6, rtol=1e-5)


def test_with_one_fold_the_held_out_rows_are_predicted_again_the_same(spec):
    fold = Fold(np.arange(60), np.arange(60, 90))
    fitted = fit_multi_task(replace(spec, folds=[fold]))
    pred = fitted.model.predict(rows_of(spec))
    for target, held_out in fitted.oof_predictions.items():
        np.testing.assert_allclose(pred[target][60:], held_out[60:], atol=1e-6, rtol=1e-5)
        assert np.isnan(held_out[:60]).all()


def test_predicting_leaves_the_callers_random_stream_alone(spec, multi):
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    multi.predict(rows_of(spec))
    multi.attention(rows_of(spec))
    assert torch.equal(torch.rand(4), expected)


def test_state_through_json_and_tensors_predicts_the_same(spec, multi):
    facts, tensors = multi.to_state()
    again = NetworkModel.from_state(json.loads(json.dumps(facts)), tensors)
    expected = multi.predict(rows_of(spec))
    for target, pred in again.predict(rows_of(spec)).items():
        np.testing.assert_array_equal(pred, expected[target])
    assert (again.best, again.curves, again.count) == (
        multi.best,
        multi.curves,
        multi.count,
    )


def test_the_map_is_a_distribution_over_the_others_and_nobody(spec, multi):
    weights = multi.attention(rows_of(spec))
    assert weights.shape == (6, 7)
    np.testing.assert_allclose(weights.sum(1), 1.0, atol=1e-5)
    assert (np.diag(weights[:, :6]) == 0).all()


@pytest.mark.parametrize("fusion", FUSIONS)
def test_every_fusion_trains_predicts_and_reads_targets(spec, fusion):
    sizes = replace(spec.architecture, fusion=fusion, blocks=2)
    settings = spec.settings.model_copy(update={"epochs": 2})
    fitted = fit_multi_task(replace(spec, architecture=sizes, settings=settings)).model
    calm = fitted.predict(rows_of(spec))
    assert calm.keys() == spec.labels.keys()
    assert all(np.isfinite(z).all() for z in calm.values())
    facts, tensors = fitted.to_state()
    again = NetworkModel.from_state(facts, tensors).predict(rows_of(spec))
    for target, z in calm.items():
        np.testing.assert_array_equal(again[target], z)
    pred = fitted.predict(rows_of(spec), observed(spec, spec.labels))
    assert all(np.isfinite(z).all() for z in pred.values())
    assert np.isfinite(fitted.states(rows_of(spec))).all()


def test_single_task_networks_are_ones_of_a_single_target(spec):
    found = fit_single_task(spec, list(spec.labels))
    assert [one.model.targets for one in found] == [[target] for target in spec.labels]
    for index, (target, one) in enumerate(zip(spec.labels, found, strict=True)):
        kind = spec.codec.target_kinds[target]
        fitted = one.model
        assert (fitted.targets, fitted.count, fitted.architecture.fusion) == ([target], 3, "none")
        assert fitted.snapshots.keys() == set(fitted.best)
        for state in fitted.snapshots.values():
            assert state["heads.weight"].shape[-1] == head_of(kind).n_outputs, index
        pred = fitted.predict(rows_of(spec))[target]
        assert pred.shape == (90, kind.distribution.n_columns)
        assert fitted.attention(rows_of(spec)) is None


def test_single_task_networks_predict_again_what_was_held_out(spec):
    fold = Fold(np.arange(60), np.arange(60, 90))
    for fitted in fit_single_task(replace(spec, folds=[fold]), ["weight", "sort"]):
        ((target, held_out),) = fitted.oof_predictions.items()
        pred = fitted.model.predict(rows_of(spec))[target]
        np.testing.assert_allclose(pred[60:], held_out[60:], atol=1e-6, rtol=1e-5)


def test_a_single_task_network_has_the_heads_of_its_target_only(spec, multi):
    alone = fit_single_task(spec, ["sick", "level"])[0]
    assert alone.model.parameters < multi.parameters


def test_a_target_without_a_label_in_some_fold_is_trained_all_the_same(spec):
    labels = {t: y.copy() for t, y in spec.labels.items()}
    labels["weight"][spec.folds[0].validation] = np.nan
    few = np.flatnonzero(~np.isnan(labels["weight"]))[2:]
    labels["weight"][few] = np.nan  # two labels are left
    changed = replace(spec, labels=labels)
    for fitted in (fit_multi_task(changed), *fit_single_task(changed, ["weight"])):
        pred = fitted.model.predict(rows_of(spec))["weight"]
        assert np.isfinite(pred).all()


def hidden(spec):
    """Nothing is given."""
    return {t: np.full_like(y, np.nan) for t, y in spec.labels.items()}


def test_given_nothing_is_the_plain_prediction_at_the_epoch_for_given(spec, multi):
    pred = multi.predict(rows_of(spec), observed(spec, hidden(spec)))
    at_one_epoch = replace(multi, best=[multi.given_epoch] * 6)
    for target, plain in at_one_epoch.predict(rows_of(spec)).items():
        np.testing.assert_allclose(pred[target], plain, atol=1e-12)


def test_with_folds_each_row_is_predicted_by_its_own_network(spec, multi):
    pred = multi.predict_oof(rows_of(spec), observed(spec, spec.labels), spec.folds)
    for index, fold in enumerate(spec.folds):
        weights = {
            e: {k: w[index : index + 1] for k, w in s.items()} for e, s in multi.snapshots.items()
        }
        own = replace(multi, count=1, snapshots=weights)
        own_preds = own.predict(rows_of(spec), observed(spec, spec.labels))
        for target, z in own_preds.items():
            np.testing.assert_allclose(
                pred[target][fold.validation], z[fold.validation], atol=1e-6, rtol=1e-5
            )


def test_rows_in_no_fold_have_no_prediction(spec, multi):
    folds = [Fold(f.train, f.validation[:5]) for f in spec.folds]
    pred = multi.predict_oof(rows_of(spec), observed(spec, spec.labels), folds)
    held_out = np.concatenate([f.validation for f in folds])
    for z in pred.values():
        assert np.isfinite(z[held_out]).all()
        assert np.isnan(np.delete(z, held_out, axis=0)).all()


def test_a_given_value_changes_the_predictions_of_the_others_in_its_row(spec, multi):
    labels = hidden(spec)
    plain = multi.predict(rows_of(spec), observed(spec, labels))
    labels["weight"][7] = 2.0
    pred = multi.predict(rows_of(spec), observed(spec, labels))
    for target in set(multi.targets) - {"weight"}:
        changed = (pred[target] != plain[target]).any(axis=1)
        assert np.flatnonzero(changed).tolist() == [7], target


def test_one_row_alone_is_predicted_given_others_as_in_any_batch(spec, multi):
    whole = multi.predict(rows_of(spec), observed(spec, spec.labels))
    for row in (0, 41, 89):
        here = np.array([row])
        labels = {t: y[here] for t, y in spec.labels.items()}
        pred = multi.predict(rows_of(spec).take(here), observed(spec, labels))
        for target, z in pred.items():
            np.testing.assert_allclose(z[0], whole[target][row], atol=2e-6, rtol=1e-5)


def test_the_epoch_for_given_travels_with_the_state(spec, multi):
    facts, tensors = multi.to_state()
    again = NetworkModel.from_state(json.loads(json.dumps(facts)), tensors)
    assert again.given_epoch == multi.given_epoch
    expected = multi.predict(rows_of(spec), observed(spec, spec.labels))
    for target, z in again.predict(rows_of(spec), observed(spec, spec.labels)).items():
        np.testing.assert_array_equal(z, expected[target])


def test_networks_that_were_given_nothing_while_they_learned_read_nothing(spec):
    plain = fit_multi_task(replace(spec, given=False)).model
    assert not plain.reads_observed
    expected = plain.predict(rows_of(spec))
    for target, z in plain.predict(rows_of(spec), observed(spec, spec.labels)).items():
        np.testing.assert_array_equal(z, expected[target])
    with pytest.raises(ValueError, match="these networks were trained without `given`"):
        plain.predict_oof(rows_of(spec), observed(spec, spec.labels), spec.folds)


def test_the_states_are_those_of_all_networks_and_members(spec, multi):
    states = multi.states(rows_of(spec))
    assert states.shape == (3 * 90 * 2, 6, 6)
    assert np.isfinite(states).all()


def test_threads_that_predict_at_once_get_what_they_would_get_alone(spec, multi):
    shown = {t: np.where(np.isnan(y), np.nan, y) for t, y in spec.labels.items()}
    calm = multi.predict(rows_of(spec))
    pred = multi.predict(rows_of(spec), observed(spec, shown))

    def ask(turn):
        if turn % 2:
            return multi.predict(rows_of(spec), observed(spec, shown)), pred
        return multi.predict(rows_of(spec)), calm

    with ThreadPoolExecutor(4) as threads:
        for found, expected in threads.map(ask, range(12)):
            for target, z in expected.items():
                np.testing.assert_array_equal(found[target], z)
