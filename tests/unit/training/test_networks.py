"""Fitted networks: what was held out, what is predicted again, what is written and read."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch

from superpose.data import Fold
from superpose.models import Observed, Rows
from superpose.models.network import NetworkModel, alike
from superpose.nn import FUSIONS, FromPast
from superpose.training import fit_multi_task, fit_single_task


def rows_of(spec):
    """All rows, encoded as the networks read them."""
    return Rows.of_arrays(spec.codec, spec.inputs)


def observed(spec, labels):
    return Observed(spec.codec.target_kinds, labels)


@pytest.fixture
def joint(spec):
    return fit_multi_task(spec).model


def test_every_target_gets_its_canonical_prediction(spec, joint):
    told = joint.predict(rows_of(spec))
    assert list(told) == list(spec.labels)
    for target, prediction in told.items():
        kind = spec.codec.target_kinds[target]
        assert prediction.shape == (90, kind.width)
        assert np.isfinite(
            kind.row_loss(spec.labels[target], prediction)[kind.known(spec.labels[target])]
        ).all()
        if kind.name in ("binary", "category", "ordinal"):
            np.testing.assert_allclose(prediction.sum(1), 1.0, atol=1e-5)


def test_targets_whose_heads_differ_in_form_are_not_trained_for_in_one_pass(spec, monkeypatch):
    kind = spec.codec.target_kinds["weight"]
    head = FromPast(kind.size, 1, "numbers", 0)
    monkeypatch.setattr(type(kind), "start", lambda self, block_of: head)
    assert "weight" not in alike(spec.codec, list(spec.labels))
    with pytest.raises(ValueError, match="weight, sort: not all are alike, so they take a pass"):
        fit_single_task(spec, ["weight", "sort"])


def test_only_the_targets_that_are_asked_for_are_predicted(spec, joint):
    whole = joint.predict(rows_of(spec))
    some = joint.predict(rows_of(spec), targets=["calls", "weight"])
    assert some.keys() == {"calls", "weight"}
    np.testing.assert_array_equal(some["calls"], whole["calls"])


def test_one_row_alone_predicts_as_in_any_batch(spec, joint):
    whole = joint.predict(rows_of(spec))
    for row in (0, 41, 89):
        alone = joint.predict(rows_of(spec).take(np.array([row])))
        for target, told in alone.items():
            np.testing.assert_allclose(told[0], whole[target][row], atol=2e-6, rtol=1e-5)


def test_with_one_fold_the_held_out_rows_are_predicted_again_the_same(spec):
    fold = Fold(np.arange(60), np.arange(60, 90))
    fitted = fit_multi_task(replace(spec, folds=[fold]))
    told = fitted.model.predict(rows_of(spec))
    for target, held in fitted.oof_predictions.items():
        np.testing.assert_allclose(told[target][60:], held[60:], atol=1e-6, rtol=1e-5)
        assert np.isnan(held[:60]).all()


def test_predicting_leaves_the_callers_random_stream_alone(spec, joint):
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    joint.predict(rows_of(spec))
    joint.attention(rows_of(spec))
    assert torch.equal(torch.rand(4), expected)


def test_state_through_json_and_tensors_predicts_the_same(spec, joint):
    facts, tensors = joint.to_state()
    again = NetworkModel.from_state(json.loads(json.dumps(facts)), tensors)
    expected = joint.predict(rows_of(spec))
    for target, told in again.predict(rows_of(spec)).items():
        np.testing.assert_array_equal(told, expected[target])
    assert (again.best, again.curves, again.count) == (joint.best, joint.curves, joint.count)


def test_the_map_is_a_distribution_over_the_others_and_nobody(spec, joint):
    weights = joint.attention(rows_of(spec))
    assert weights.shape == (6, 7)
    np.testing.assert_allclose(weights.sum(1), 1.0, atol=1e-5)
    assert (np.diag(weights[:, :6]) == 0).all()


@pytest.mark.parametrize("fusion", FUSIONS)
def test_every_fusion_trains_predicts_and_is_told_targets(spec, fusion):
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
    told = fitted.predict(rows_of(spec), observed(spec, spec.labels))
    assert all(np.isfinite(z).all() for z in told.values())
    assert np.isfinite(fitted.states(rows_of(spec))).all()


def test_networks_alone_are_ones_of_a_single_target(spec):
    found = fit_single_task(spec, list(spec.labels))
    assert [one.model.targets for one in found] == [[target] for target in spec.labels]
    for place, (target, one) in enumerate(zip(spec.labels, found, strict=True)):
        kind = spec.codec.target_kinds[target]
        fitted = one.model
        assert (fitted.targets, fitted.count, fitted.architecture.fusion) == ([target], 3, "none")
        assert fitted.snapshots.keys() == set(fitted.best)
        for state in fitted.snapshots.values():
            assert state["heads"].shape[-1] == kind.size, place
        told = fitted.predict(rows_of(spec))[target]
        assert told.shape == (90, kind.width)
        assert fitted.attention(rows_of(spec)) is None


def test_networks_alone_predict_again_what_was_held_out(spec):
    fold = Fold(np.arange(60), np.arange(60, 90))
    for fitted in fit_single_task(replace(spec, folds=[fold]), ["weight", "sort"]):
        ((target, held),) = fitted.oof_predictions.items()
        told = fitted.model.predict(rows_of(spec))[target]
        np.testing.assert_allclose(told[60:], held[60:], atol=1e-6, rtol=1e-5)


def test_a_network_alone_has_the_heads_of_its_target_only(spec, joint):
    alone = fit_single_task(spec, ["sick", "level"])[0]
    assert alone.model.parameters < joint.parameters


def test_a_target_without_a_label_in_some_fold_is_trained_all_the_same(spec):
    labels = {t: y.copy() for t, y in spec.labels.items()}
    labels["weight"][spec.folds[0].validation] = np.nan
    few = np.flatnonzero(~np.isnan(labels["weight"]))[2:]
    labels["weight"][few] = np.nan  # two labels are left
    changed = replace(spec, labels=labels)
    for fitted in (fit_multi_task(changed), *fit_single_task(changed, ["weight"])):
        told = fitted.model.predict(rows_of(spec))["weight"]
        assert np.isfinite(told).all()


def hidden(spec):
    """Nothing is given."""
    return {t: np.full_like(y, np.nan) for t, y in spec.labels.items()}


def test_given_nothing_is_the_plain_prediction_at_the_epoch_for_given(spec, joint):
    told = joint.predict(rows_of(spec), observed(spec, hidden(spec)))
    at_one_epoch = replace(joint, best=[joint.given_epoch] * 6)
    for target, plain in at_one_epoch.predict(rows_of(spec)).items():
        np.testing.assert_allclose(told[target], plain, atol=1e-12)


def test_with_folds_each_row_is_told_by_its_own_network(spec, joint):
    told = joint.predict_oof(rows_of(spec), observed(spec, spec.labels), spec.folds)
    for place, fold in enumerate(spec.folds):
        weights = {
            e: {k: w[place : place + 1] for k, w in s.items()} for e, s in joint.snapshots.items()
        }
        own = replace(joint, count=1, snapshots=weights)
        said = own.predict(rows_of(spec), observed(spec, spec.labels))
        for target, z in said.items():
            np.testing.assert_allclose(
                told[target][fold.validation], z[fold.validation], atol=1e-6, rtol=1e-5
            )


def test_rows_that_no_fold_holds_are_told_nothing(spec, joint):
    folds = [Fold(f.train, f.validation[:5]) for f in spec.folds]
    told = joint.predict_oof(rows_of(spec), observed(spec, spec.labels), folds)
    held = np.concatenate([f.validation for f in folds])
    for z in told.values():
        assert np.isfinite(z[held]).all()
        assert np.isnan(np.delete(z, held, axis=0)).all()


def test_a_given_value_changes_what_is_said_of_the_others_in_its_row(spec, joint):
    labels = hidden(spec)
    plain = joint.predict(rows_of(spec), observed(spec, labels))
    labels["weight"][7] = 2.0
    told = joint.predict(rows_of(spec), observed(spec, labels))
    for target in set(joint.targets) - {"weight"}:
        changed = (told[target] != plain[target]).any(axis=1)
        assert np.flatnonzero(changed).tolist() == [7], target


def test_one_row_alone_is_told_as_in_any_batch(spec, joint):
    whole = joint.predict(rows_of(spec), observed(spec, spec.labels))
    for row in (0, 41, 89):
        here = np.array([row])
        labels = {t: y[here] for t, y in spec.labels.items()}
        pred = joint.predict(rows_of(spec).take(here), observed(spec, labels))
        for target, z in pred.items():
            np.testing.assert_allclose(z[0], whole[target][row], atol=2e-6, rtol=1e-5)


def test_the_epoch_for_given_travels_with_the_state(spec, joint):
    facts, tensors = joint.to_state()
    again = NetworkModel.from_state(json.loads(json.dumps(facts)), tensors)
    assert again.given_epoch == joint.given_epoch
    expected = joint.predict(rows_of(spec), observed(spec, spec.labels))
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


def test_the_states_are_those_of_all_networks_and_members(spec, joint):
    states = joint.states(rows_of(spec))
    assert states.shape == (3 * 90 * 2, 6, 6)
    assert np.isfinite(states).all()


def test_threads_that_ask_at_once_get_what_they_would_get_alone(spec, joint):
    shown = {t: np.where(np.isnan(y), np.nan, y) for t, y in spec.labels.items()}
    calm = joint.predict(rows_of(spec))
    told = joint.predict(rows_of(spec), observed(spec, shown))

    def ask(turn):
        if turn % 2:
            return joint.predict(rows_of(spec), observed(spec, shown)), told
        return joint.predict(rows_of(spec)), calm

    with ThreadPoolExecutor(4) as threads:
        for found, expected in threads.map(ask, range(12)):
            for target, z in expected.items():
                np.testing.assert_array_equal(found[target], z)
