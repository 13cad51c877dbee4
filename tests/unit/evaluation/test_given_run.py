"""How "given" is evaluated: by what was hidden, in both regimes, and the record of it."""

import json
from dataclasses import replace

import numpy as np
import pytest

from superpose.analysis import findings
from superpose.analysis._pair_findings import entanglement_record, states_record
from superpose.config import Config
from superpose.errors import BundleError, ConfigError
from superpose.evaluation import _references, run_evaluation
from superpose.evaluation._context import scatter_rows
from superpose.evaluation._given_run import gather, passes
from superpose.models import LEVELS, Predictor
from superpose.prepare import _plan, prepare
from superpose.record import RunRecord
from superpose.trees import fit_trees

TARGETS = ["weight", "sick", "tags"]
SETTINGS = {
    "targets": TARGETS,
    "ignore": ["calls", "sort", "level"],
    "split": "random",
    "model": {"width": 8, "members": 1, "depth": 1, "state": 4},
    "training": {"epochs": 2},
    "proof": {"references": "trees", "trees": ["hist"]},
}


def trial_of(table, holdout, **more):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            _references,
            "fit_trees",
            lambda *a, **k: fit_trees(*a, **{**k, "rounds": k.get("rounds") or 10, "threads": 1}),
        )
        if holdout:
            patch.setattr(_plan, "SMALL", 0)
            patch.setattr(_plan, "LARGE", 0)
        settings = {**SETTINGS, **more}
        return run_evaluation(prepare(table, Config.from_arguments(**settings)))


@pytest.fixture(scope="module", params=["folds", "holdout"])
def result(request, make_table):
    folds = {"references": "trees", "trees": ["hist"], "folds": 2}
    holdout = request.param == "holdout"
    found = trial_of(make_table(120), holdout, **({} if holdout else {"proof": folds}))
    assert found.prepared.plan.regime == request.param
    return found


def test_every_level_has_a_mixture_and_a_decision_for_every_target(result):
    assert list(result.predictor.levels) == list(result.levels) == list(LEVELS)
    for level in result.predictor.levels.values():
        for target in TARGETS:
            assert sum(level.weights[target].values()) == pytest.approx(1.0)
        assert level.quantiles.keys() == set(TARGETS) - {"tags"}
        assert level.factors.keys() == set(TARGETS)
        assert level.factors["sick"] == 1.0


def test_all_challengers_were_evaluated_at_each_level(result):
    some = {"hist", "joint", "baseline", "trees given", "copula"}
    some |= {"hist-coarse"} if result.prepared.plan.cross_fitted else set()
    proof_rows = result.prepared.plan.proof_rows
    for target in TARGETS:
        assert result.levels["half"].oof_predictions[target].keys() == some
        assert result.levels["all"].oof_predictions[target].keys() == some | {"trees all"}
        for level in LEVELS[1:]:
            for pred in result.levels[level].oof_predictions[target].values():
                assert np.isfinite(pred[proof_rows]).all()


def test_no_model_reads_the_label_that_evaluates_it(result):
    p = result.prepared
    half = np.random.default_rng(0).random((len(p.plan.selection_half), 3)) < 0.5

    def echo(observed):
        return {t: y.reshape(len(y), -1) for t, y in observed.labels.items()}

    for level in gather(p, half, echo).values():
        for pred in level.values():
            assert np.isnan(pred).all()


def test_half_of_the_others_are_given_at_half_and_all_at_all(result):
    p = result.prepared
    half = np.random.default_rng(0).random((len(p.plan.selection_half), 3)) < 0.5
    labels = {t: np.where(np.isnan(y), 0.0, y) for t, y in p.labels.items()}
    assert [one.level for one in passes(half, TARGETS)] == ["half"] * 2 + ["all"] * 3

    def others(observed):
        known = np.stack(
            [p.codec.target_kinds[t].distribution.known(y) for t, y in observed.labels.items()]
        )
        return {t: known.sum(0).astype(float)[:, None] for t in labels}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(p, "labels", labels)
        found = gather(p, half, others)
    for target in TARGETS:
        assert (found["all"][target] == 2).all()
        assert set(np.unique(found["half"][target])) == {0, 1, 2}
        assert abs(found["half"][target].mean() - 1) < 0.3


def test_every_target_has_a_decision_at_each_level_on_the_same_rows(result):
    record = findings(result)
    assert list(record.targets) == TARGETS
    for target in record.targets.values():
        assert list(target.given) == ["half", "all"]
        for level in LEVELS:
            decision = target.at(level)
            assert decision.n_rows == target.decision.n_rows > 0
            assert np.isfinite([decision.reference.value, decision.deployed.value]).all()
            weights = [decision.reference.weights, decision.challenger.weights]
            assert decision.deployed.weights in weights
            assert all(sum(one.values()) == pytest.approx(1) for one in weights)


def test_entanglement_and_states_are_recorded(result):
    found = entanglement_record(result)
    assert found.rows == len(result.prepared.split.test)
    states = states_record(result)
    assert np.trace(states.density) == pytest.approx(1.0)
    assert 1 / 3 <= states.purity <= 1
    assert states.effective == pytest.approx(2**states.entropy)
    assert states.collapsed is (states.effective < 1.2)


def test_the_record_comes_back_from_json(result):
    record = findings(result)
    fields, arrays = record.to_dict()
    again = RunRecord.from_dict(json.loads(json.dumps(fields)), arrays)
    assert again.to_dict()[0] == fields


def test_pruning_changes_no_prediction(result):
    p = result.prepared
    whole, pruned = result.predictor, result.predictor.pruned()
    for given in ((), ("sick",), ("weight", "sick"), TARGETS):
        expected, found = (m.predict(p.table, given) for m in (whole, pruned))
        for target in TARGETS:
            np.testing.assert_array_equal(found.pred[target], expected.pred[target])


def test_json_and_arrays_carry_everything(result):
    pruned, table = result.predictor.pruned(), result.prepared.table
    facts, groups = pruned.to_state()
    again = Predictor.from_state(json.loads(json.dumps(facts)), groups)
    for given in ((), ("sick",), TARGETS):
        expected, found = (m.predict(table, given) for m in (pruned, again))
        for target in TARGETS:
            np.testing.assert_array_equal(found.pred[target], expected.pred[target])
            np.testing.assert_array_equal(found.quantile[target], expected.quantile[target])


@pytest.mark.parametrize("name", ["trees given", "copula"])
def test_a_state_without_a_model_that_predicts_given_is_refused(result, name):
    predictor = result.predictor
    half = predictor.levels["half"]
    half = replace(half, weights={**half.weights, "sick": {name: 1.0}})
    facts, groups = replace(predictor, levels={**predictor.levels, "half": half}).to_state()
    Predictor.from_state(facts, groups)  # whole it is accepted
    facts["models"] = [
        m
        for m in facts["models"]
        if m["facts"]["name"] != name or "sick" not in m["facts"]["targets"]
    ]
    with pytest.raises(BundleError, match=rf"'{name} of \w+' is missing; the bundle is"):
        Predictor.from_state(facts, groups)


def test_without_trees_the_network_predicts(make_table):
    result = trial_of(make_table(90), True, proof={"references": "none"})
    assert [model.name for model in result.predictor.models] == ["joint"]
    for level in result.predictor.levels.values():
        assert all(weights == {"joint": 1.0} for weights in level.weights.values())
    for target in findings(result).targets.values():
        decisions = list(target.given.values())
        assert len(decisions) == 2
        assert all(np.isfinite(d.deployed.value) and not d.reference for d in decisions)


@pytest.mark.parametrize(
    "settings",
    [
        {"targets": ["weight"], "ignore": ["sick", "tags", "calls", "sort", "level"]},
        {"model": {**SETTINGS["model"], "given": False}},
    ],
    ids=["one target", "switched off"],
)
def test_a_model_without_given_says_nothing_of_it(make_table, settings):
    result = trial_of(make_table(90), True, **{**settings, "proof": {"references": "none"}})
    assert not result.predictor.takes_given
    assert not any(target.given for target in findings(result).targets.values())
    assert entanglement_record(result) is None
    with pytest.raises(ConfigError, match="given: this model was trained without it; train again"):
        result.predictor.predict(result.prepared.table, result.prepared.targets)


def test_predictions_of_some_rows_are_scattered_over_all():
    out = scatter_rows(np.ones((2, 1)), np.array([0, 3]), 4)
    assert out[:, 0].tolist()[::3] == [1.0, 1.0]
    assert np.isnan(out[1:3]).all()
