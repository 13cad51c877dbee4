"""Claims about the benchmark of ways to share: same data for all, honest choice, honest figures."""

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("scipy")
pytest.importorskip("torch")


@pytest.fixture
def table():
    from _table import Table, random_split

    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(120, 3)), columns=["u", "v", "w"])
    frame["sort"] = pd.Series(["p", "q", None] * 40, dtype=object)
    frame["y"] = 5 + 3 * frame["u"] + rng.normal(size=120)
    frame["sick"] = (frame["u"] + rng.normal(size=120) > 0).astype(float)
    frame.loc[::6, "y"] = np.nan
    return Table("toy", frame, {"y": "number", "sick": "binary"}, random_split, "random")


@pytest.fixture(autouse=True)
def few_epochs(monkeypatch):
    import _sharing

    monkeypatch.setattr(_sharing, "EPOCHS", 2)  # enough for these claims, and quick


def test_attention_without_a_sink_starts_as_the_identity_and_reads_the_others_only():
    import torch

    from _sharing import WithoutSink

    fuse, states = WithoutSink(4, 8, rank=3), torch.randn(5, 2, 4, 8)
    assert torch.equal(fuse(states), states)
    weights = fuse.attention(states)
    assert torch.equal(weights[..., -1], torch.zeros(5, 1, 4))
    torch.testing.assert_close(weights.sum(-1), torch.ones(5, 1, 4))
    assert not weights.diagonal(dim1=-2, dim2=-1)[..., :4].any()
    assert "sink" not in dict(fuse.named_parameters())


def test_attention_by_member_stays_within_each_member():
    import torch

    from _sharing import MemberByMember
    from superpose.nn import TaskAttention

    fuse, states = MemberByMember(4, 8, rank=3), torch.randn(5, 2, 4, 8)
    torch.nn.init.ones_(fuse.gate)
    alone = TaskAttention(4, 8, rank=3)
    alone.load_state_dict(fuse.state_dict())
    for member in (0, 1):
        mine = states[:, member : member + 1]
        torch.testing.assert_close(fuse(states)[:, member : member + 1], alone(mine))


def test_a_capped_table_keeps_its_row_numbers_and_all_test_rows(table):
    from _table import capped

    parts, fewer = table.split(1), capped(table, 40).split(1)
    assert [(fewer == p).sum() for p in ("train", "validation", "test")] == [40, 10, 24]
    assert (fewer[fewer != "left out"] == parts[fewer != "left out"]).all()
    assert (capped(table, 40).split(2) != fewer).any()
    assert (capped(table, 1000).split(1) == parts).all()


def test_the_encoding_has_seen_training_rows_only(table):
    from _sharing import make_ready
    from _table import capped

    made = make_ready(capped(table, 40), 0)
    assert [len(made.rows(p)) for p in ("train", "validation", "test")] == [40, 10, 24]
    train = table.frame["y"][capped(table, 40).split(0) == "train"]
    assert made.codec.target_kinds["y"].mean == pytest.approx(train.mean())


def test_every_method_of_the_ladder_predicts_every_test_row(table):
    from _sharing import METHODS, make_ready, run_sharing
    from accuracy import score_run

    made = make_ready(table, 0)
    test = (table.split(0) == "test").sum()
    for method in METHODS:
        run = run_sharing(made, method)
        assert np.isfinite(run.targets["y"].test).all()
        assert run.targets["sick"].test.shape == (test, 2)
        assert run.targets["sick"].test.sum(1) == pytest.approx(np.ones(test))
        targets, rows = score_run(table, 0, run)
        assert targets["y"]["validation_loss"] > 0
        assert np.isnan(rows["loss0"]).sum() == table.frame["y"].isna()[rows["rows"]].sum()


def test_methods_get_the_same_rows_and_settings_and_differ_in_fusion_only(table):
    from dataclasses import replace

    from _sharing import CHANGES, make_ready

    made = make_ready(table, 0)
    plain = made.spec({}, 0, 0)
    for change in CHANGES.values():
        spec = made.spec(change, 0, 0)
        assert spec.settings == plain.settings
        assert not spec.given
        assert np.array_equal(spec.folds[0].validation, made.rows("validation"))
        kept = {"fusion": plain.architecture.fusion, "donor_gradient": 1.0}
        assert replace(spec.architecture, **kept) == plain.architecture


def test_luck_is_the_same_method_from_other_weights(table):
    from _sharing import AGAIN, make_ready, run_sharing

    made = make_ready(table, 0)
    first, same, other = (run_sharing(made, m).targets["y"].test for m in ("none", "none", AGAIN))
    assert np.array_equal(first, same)
    assert not np.array_equal(first, other)


def test_validation_chooses_a_multi_task_net_whole_and_single_task_nets_by_target(
    table, monkeypatch
):
    import _sharing

    losses = iter([{"y": 0.9, "sick": 0.2}, {"y": 0.3, "sick": 0.6}] * 2)
    monkeypatch.setattr(_sharing, "validation_losses", lambda ready, networks: next(losses))
    made = _sharing.make_ready(table, 0)
    multi_task = _sharing.run_sharing(made, "static", trials=2).details
    single_task = _sharing.run_sharing(made, "alone", trials=2).details
    assert multi_task["picked"] == {"y": 1, "sick": 1}
    assert single_task["picked"] == {"y": 1, "sick": 0}
    assert multi_task["trials"] == single_task["trials"] == 2


def test_the_validation_loss_of_the_baseline_is_one(table):
    from types import SimpleNamespace

    from _sharing import make_ready, validation_losses

    made = make_ready(table, 0)
    preds = {
        name: np.tile(
            kind.distribution.baseline(made.labels[name][made.rows("train")]), (len(made.parts), 1)
        )
        for name, kind in made.codec.target_kinds.items()
    }
    baseline = SimpleNamespace(oof_predictions=preds)
    assert validation_losses(made, [baseline]) == pytest.approx({"y": 1.0, "sick": 1.0})


def test_a_paired_run_measures_all_methods_before_the_next_seed(tmp_path):
    from _cells import CellStore, Study

    study = Study(CellStore(tmp_path / "a.cells.jsonl"), ["s", "t"], [0, 1])
    study.store.append({"table": "s", "method": "b", "seed": 0})
    keys = study.missing(["a", "b"], paired=True)
    assert keys[:3] == [("s", "a", 0), ("t", "a", 0), ("t", "b", 0)]
    assert {seed for _, _, seed in keys[3:]} == {1}


def test_a_cell_that_fails_is_stored_with_its_reason_and_tried_again(tmp_path, monkeypatch):
    from _cells import CellStore, Key
    from _run import store_cell

    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    store, key = CellStore(tmp_path / "a.cells.jsonl"), Key("t", "m", 0)

    def diverges():
        raise FloatingPointError("the loss is not finite")

    store_cell(store, key, diverges, note="kept")
    assert store.read()[key]["failed"] == "FloatingPointError: the loss is not finite"
    assert store.read()[key]["note"] == "kept"
    assert not store.done()
    store_cell(store, key, lambda: ({"targets": {}}, None))
    assert store.done() == {key}


def study_of(tmp_path, table, errors):
    """Cells of two seeds in which a method's squared errors are those of `errors`."""
    from _cells import CellStore, Study

    store = CellStore(tmp_path / "f.cells.jsonl")
    for seed in range(2):
        rows = np.flatnonzero(table.split(seed) == "test")
        noise = np.random.default_rng(seed).uniform(0.9, 1.1, len(rows))
        for method, error in errors.items():
            targets = {"y": {"kind": "number", "error": error, "validation_loss": 1.0}}
            details = {"parameters": 10, "processor_seconds": 1.0, "epochs": 3}
            cell = {"table": "toy", "method": method, "seed": seed, "seconds": 1.0}
            losses = (error**2 * noise).astype(np.float32)
            store.append(cell | {"targets": targets, "details": details},
                         {"rows": rows, "loss0": losses})  # fmt: skip
    return Study(store, ["toy"], [0, 1])


def test_losses_of_the_default_are_printed_first_and_luck_is_reported(table, tmp_path):
    from dataclasses import replace

    from _fusion_summary import show, summarise

    one = replace(table, targets={"y": "number"})
    errors = {"alone": 0.5, "none": 0.4, "none-again": 0.44, "task-attention": 0.6, "ple": 1.2}
    study = study_of(tmp_path, one, errors)
    study.store.append({"table": "toy", "method": "essay", "seed": 0, "failed": "diverged"})
    summary = summarise(study, lambda name: one)
    methods = summary["methods"]
    assert methods["task-attention"]["over_alone"]["mean_delta_percent"] == pytest.approx(-20)
    assert methods["task-attention"]["over_alone"]["harmed"] == ["toy.y"]
    assert methods["none"]["over_alone"]["helped"] == ["toy.y"]
    assert methods["none"]["subject_over_it"]["mean_delta_percent"] == pytest.approx(-50)
    assert methods["ple"]["worse_than_constant"] == [2, 2]
    assert summary["luck"]["mean_delta_percent"] == pytest.approx(-10)
    assert summary["ranks"]["by_target"]["none"] == 1
    text = show(summary)
    assert text.startswith("Losses of task-attention\n\nfailed cell toy/essay/0: diverged")
    assert text.index("behind on 1 of 1 tables: toy (-20.0 %)") < text.index("Each way to share")
    assert "Luck alone (none-again over none): -10.00 %" in text


def test_without_the_single_task_net_the_report_says_so(table, tmp_path):
    from _fusion_summary import show, summarise

    study = study_of(tmp_path, table, {"none": 0.4})
    text = show(summarise(study, lambda name: table))
    assert "no table has all seeds of task-attention and of alone yet" in text
