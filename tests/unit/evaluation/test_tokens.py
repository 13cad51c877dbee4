"""A trial with labels of words: the network alone is the reference, and all the rest as ever."""

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
def trial(make_utterances):
    """Two folds, all references, targets given."""
    return run_evaluation(prepare(make_utterances(), config()))


def test_trees_serve_the_other_targets_and_that_is_told(trial):
    told = [line for line in trial.prepared.warnings if line.startswith("target 'slots'")]
    assert told == [
        "target 'slots': boosted trees can't predict tokens; the network alone is its only "
        "reference"
    ]
    assert trial.decisions["slots"].reference == {"alone": 1.0}
    assert "hist" in trial.oof_predictions["intent"]
    assert set(trial.oof_predictions["slots"]) == {"joint", "alone"}


def test_without_a_network_alone_labels_of_words_have_no_reference(make_utterances):
    prepared = prepare(make_utterances(), config(proof={"references": "trees"}))
    assert any(
        "it has no reference, so what ships for it is unproven" in w for w in prepared.warnings
    )
    trial = run_evaluation(prepared)
    assert trial.decisions["slots"].verdict == "not tested"
    assert trial.predictor.weights["slots"] == {"joint": 1.0}


def test_every_row_with_labels_is_judged_and_no_other(trial):
    p = trial.prepared
    kind, y = p.codec.target_kinds["slots"], p.labels["slots"]
    told = trial.oof_predictions["slots"]["joint"]
    assert told.dtype == np.float32
    loss = kind.distribution.row_loss(y, told)
    seen = p.plan.selection_half >= 0
    assert np.isfinite(loss[seen & kind.distribution.known(y)]).all()
    assert np.isnan(loss[~seen]).all()


# The longest of the utterances may be one that nobody trains on.
@pytest.mark.filterwarnings("ignore:input 'words', row:UserWarning")
def test_one_validation_split_judges_too(make_utterances, monkeypatch):
    monkeypatch.setattr(_plan, "SMALL", 0)
    monkeypatch.setattr(_plan, "LARGE", 0)
    trial = run_evaluation(prepare(make_utterances(), config(proof={"folds": "auto"})))
    assert trial.prepared.plan.regime == "holdout"
    for target in findings(trial).targets.values():
        sharing = target.sharing
        assert np.isfinite([sharing.multi_task, sharing.single_task]).all(), target.name


def test_both_targets_answer_while_the_other_is_given(trial):
    for name, target in findings(trial).targets.items():
        for level in ("none", "half", "all"):
            assert np.isfinite(target.at(level).deployed.value), (name, level)
    # Trees are told which slots a row has; a copula has no word on them.
    assert set(trial.levels["all"].oof_predictions["intent"]) >= {"joint", "trees all", "copula"}
    assert set(trial.levels["all"].oof_predictions["slots"]) == {"joint", "alone"}


def test_the_record_holds_bits_between_words_and_rows(trial):
    found = findings(trial).entanglement
    assert found.targets == ["intent", "slots"]
    assert np.isfinite([found.bits[0, 1], found.bits[1, 0]]).all()


def test_wide_predictions_are_measured_on_fewer_rows():
    assert rows_for(2) == 1000
    assert rows_for(2, width=6000) == 500
    assert rows_for(2, width=10**9) == 100


def test_the_chart_shows_spans_by_type_and_sentences(trial):
    chart = findings(trial).targets["slots"].chart
    assert chart.labels == ["day", "from", "to"]
    assert chart.counts.shape == (3, 3)
    words = trial.prepared.table["words"].take(trial.prepared.split.test).to_pylist()
    assert [cell.word for cell in chart.sentences[0]] in words


def test_sentences_are_half_mistakes_where_there_are_some(trial, make_utterances):
    kind = trial.prepared.codec.target_kinds["slots"]
    table = make_utterances(60, seed=5, gaps=0.0)
    y = kind.encode(table["slots"])
    right = kind.distribution.point_mass(y)
    wrong = kind.distribution.point_mass(np.where(np.isnan(y), y, 0.0))
    half = np.where((np.arange(60) < 30)[:, None], right, wrong)
    facts = token_facts(kind, table["words"], y, half)
    failed = [any(c["true"] != c["told"] for c in s) for s in facts["sentences"]]
    assert (sum(failed), len(failed)) == (6, 12)
    assert (facts["wrong_rows"], facts["rows"]) == (30, 60)
    all_right = token_facts(kind, table["words"], y, right)
    assert len(all_right["sentences"]) == 12
    assert all_right["wrong_rows"] == 0
