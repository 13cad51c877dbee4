"""A trial with labels of words: the single-task network is the reference, and all else as ever."""

import numpy as np
import pytest

from superpose.analysis import findings
from superpose.analysis._entanglement import rows_for
from superpose.config import Config
from superpose.evaluation import run_evaluation
from superpose.kinds.text._plot_words import token_facts
from superpose.prepare import _plan, prepare

SLOTS = {"name": "slots", "kind": "tokens", "of": "words"}
TINY = {"width": 8, "members": 2, "depth": 1, "state": 4, "rank": 2, "embedding": 2}


def config(**more):
    proof = {"folds": 2, "trees": ["hist"], **more.pop("proof", {})}
    settings = {"model": TINY, "training": {"epochs": 2, "batch_size": 32}, "proof": proof}
    return Config.from_arguments(**{"targets": ["intent", SLOTS], **settings, **more})


@pytest.fixture(scope="module")
def result(make_utterances):
    """Two folds, all references, targets given."""
    return run_evaluation(prepare(make_utterances(), config()))


def test_trees_serve_the_other_targets_and_that_is_a_warning(result):
    pred = [line for line in result.prepared.warnings if line.startswith("target 'slots'")]
    assert pred == [
        "target 'slots': boosted trees can't predict tokens; the single-task network is its only "
        "reference"
    ]
    assert result.decisions["slots"].reference == {"alone": 1.0}
    assert "hist" in result.oof_predictions["intent"]
    assert set(result.oof_predictions["slots"]) == {"joint", "alone", "baseline"}


def test_without_a_single_task_network_labels_of_words_have_no_reference(make_utterances):
    prepared = prepare(make_utterances(), config(proof={"references": "trees"}))
    assert any(
        "it has no reference, so what is deployed for it is unproven" in w
        for w in prepared.warnings
    )
    result = run_evaluation(prepared)
    assert result.decisions["slots"].verdict == "not tested"
    assert result.predictor.weights["slots"] == {"joint": 1.0}


def test_every_row_with_labels_is_evaluated_and_no_other(result):
    p = result.prepared
    kind, y = p.codec.target_kinds["slots"], p.labels["slots"]
    pred = result.oof_predictions["slots"]["joint"]
    assert pred.dtype == np.float32
    loss = kind.distribution.row_loss(y, pred)
    seen = p.plan.selection_half >= 0
    assert np.isfinite(loss[seen & kind.distribution.known(y)]).all()
    assert np.isnan(loss[~seen]).all()


# The longest of the utterances may be one that nobody trains on.
@pytest.mark.filterwarnings("ignore:input 'words', row:UserWarning")
def test_one_validation_split_judges_too(make_utterances, monkeypatch):
    monkeypatch.setattr(_plan, "SMALL", 0)
    monkeypatch.setattr(_plan, "LARGE", 0)
    result = run_evaluation(prepare(make_utterances(), config(proof={"folds": "auto"})))
    assert result.prepared.plan.regime == "holdout"
    for target in findings(result).targets.values():
        sharing = target.sharing
        assert np.isfinite([sharing.multi_task, sharing.single_task]).all(), target.name


def test_both_targets_are_predicted_while_the_other_is_given(result):
    for name, target in findings(result).targets.items():
        for level in ("none", "half", "all"):
            assert np.isfinite(target.at(level).deployed.value), (name, level)
    # Trees are given which slots a row has; a copula leaves them out.
    assert set(result.levels["all"].oof_predictions["intent"]) >= {"joint", "trees all", "copula"}
    assert set(result.levels["all"].oof_predictions["slots"]) == {"joint", "alone", "baseline"}


def test_the_record_holds_bits_between_words_and_rows(result):
    found = findings(result).entanglement
    assert found.targets == ["intent", "slots"]
    assert np.isfinite([found.bits[0, 1], found.bits[1, 0]]).all()


def test_wide_predictions_are_measured_on_fewer_rows():
    assert rows_for(2) == 1000
    assert rows_for(2, width=6000) == 500
    assert rows_for(2, width=10**9) == 100


def test_the_chart_shows_spans_by_type_and_sentences(result):
    chart = findings(result).targets["slots"].chart
    assert chart.labels == ["day", "from", "to"]
    assert chart.counts.shape == (3, 3)
    words = result.prepared.table["words"].take(result.prepared.split.test).to_pylist()
    assert [cell.word for cell in chart.sentences[0]] in words


def test_sentences_are_half_mistakes_where_there_are_some(result, make_utterances):
    kind = result.prepared.codec.target_kinds["slots"]
    table = make_utterances(60, seed=5, gaps=0.0)
    y = kind.encode(table["slots"])
    right = kind.distribution.point_mass(y)
    wrong = kind.distribution.point_mass(np.where(np.isnan(y), y, 0.0))
    half = np.where((np.arange(60) < 30)[:, None], right, wrong)
    facts = token_facts(kind, table["words"], y=y, pred=half)
    failed = [any(c["true"] != c["told"] for c in s) for s in facts["sentences"]]
    assert (sum(failed), len(failed)) == (6, 12)
    assert (facts["wrong_rows"], facts["rows"]) == (30, 60)
    all_right = token_facts(kind, table["words"], y=y, pred=right)
    assert len(all_right["sentences"]) == 12
    assert all_right["wrong_rows"] == 0
