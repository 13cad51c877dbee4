"""Affinities of a run: from its table and its facts, without its test rows."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from superpose import DataError, SuperposeError
from superpose.analysis import affinity, candidates, search_groups
from superpose.analysis._pair_findings import residual_record
from superpose.config import Config
from superpose.data import Codec
from superpose.data.schema._schema import ColumnSpec, Schema
from superpose.evaluation import quiet
from superpose.evaluation._decide import Decision
from superpose.prepare import prepare
from superpose.record import (
    DataRecord,
    EntanglementRecord,
    ResidualRecord,
    RunRecord,
    affinity_rows,
)

TARGETS = ["a", "b", "c"]
NAN = np.nan
BITS = np.array([[NAN, 0.4, 0], [0.3, NAN, 0], [0, 0, NAN]])
CORRELATION = np.array([[1, -0.5, 0.1], [-0.5, 1, 0.2], [0.1, 0.2, 1]])


def earlier_record() -> RunRecord:
    """The record of a run that affinities stand beside."""
    pairs = dict.fromkeys(("low", "high", "null", "p", "both"), np.full((3, 3), NAN))
    single = dict.fromkeys(("total", "total_low", "total_high", "n"), np.full(3, NAN))
    return RunRecord(
        entanglement=EntanglementRecord(TARGETS, BITS, **pairs, **single, rows=9),
        residuals=ResidualRecord(TARGETS, CORRELATION),
    )


def make_table(rows: int = 120, changed: bool = False) -> pa.Table:
    rng = np.random.default_rng(0)
    x, z, *noise = rng.normal(size=(5, rows))
    columns = {
        "x": x,
        "z": z,
        "a": x + 0.3 * noise[0],
        "b": x - 0.3 * noise[1],
        "c": z + 0.3 * noise[2],
    }
    part = np.resize(["train", "train", "train", "validation", "test"], rows)
    if changed:  # other labels, but in the test rows only
        for name in TARGETS:
            columns[name] = np.where(part == "test", 7 * rng.normal(size=rows), columns[name])
    return pa.table({**columns, "part": part})


def settings(targets: list[str] = TARGETS) -> Config:
    return Config.from_arguments(
        targets=targets,
        inputs=["x", "z"],
        ignore=[t for t in TARGETS if t not in targets],
        split={"by": "column", "column": "part"},
        model={"width": 8, "members": 1, "state": 4, "rank": 2, "embedding": 2},
        training={"epochs": 2, "batch_size": 16},
        proof={"references": "none", "folds": 2},
    )


@pytest.fixture(scope="module")
def prepared():
    return prepare(make_table(), settings())


@pytest.fixture(scope="module")
def measured(prepared):
    return affinity(prepared, earlier_record(), epochs=1, progress=quiet)


def test_what_is_measured_stands_beside_the_record_of_the_run(measured):
    assert measured.targets == TARGETS
    assert np.isfinite(measured.lookahead).all()
    np.testing.assert_allclose(np.diag(measured.cosine), 1, atol=1e-5)
    np.testing.assert_array_equal(measured.bits, BITS)
    np.testing.assert_array_equal(measured.residual, CORRELATION)
    assert sorted(name for group in measured.groups for name in group) == TARGETS
    assert (measured.n_networks, measured.n_epochs) == (2, 1)


def test_the_network_finds_who_is_alike(prepared):
    ahead = affinity(prepared, RunRecord(), epochs=2, progress=quiet).lookahead
    assert ahead[0, 1] > ahead[0, 2]
    assert ahead[1, 0] > ahead[1, 2]


def test_a_pair_has_a_row_in_each_direction_and_unknown_values_are_none(measured):
    rows = affinity_rows(replace(measured, residual=None))
    assert len(rows) == 6
    assert [r["lookahead"] for r in rows] == sorted(r["lookahead"] for r in rows)[::-1]
    by_pair = {(r["from"], r["to"]): r for r in rows}
    assert by_pair["a", "b"]["bits"] == 0.4
    assert by_pair["b", "a"]["bits"] == 0.3
    assert {r["residual"] for r in rows} == {None}


def test_what_a_run_has_not_measured_is_left_out(prepared):
    measured = affinity(prepared, RunRecord(), epochs=1, progress=quiet)
    assert (measured.bits, measured.residual) == (None, None)


def test_labels_of_test_rows_are_not_read(prepared, measured):
    other = prepare(make_table(changed=True), settings())
    again = affinity(other, earlier_record(), epochs=1, progress=quiet)
    np.testing.assert_array_equal(again.lookahead, measured.lookahead)
    tried = {"all together": [[0, 1, 2]], "apart": [[0], [1, 2]]}
    first, second = (
        search_groups(table, tried, count=2, progress=quiet) for table in (other, prepared)
    )
    assert first == second


def test_another_table_than_that_of_the_run_is_refused(prepared):
    record = RunRecord(data=DataRecord(rows={"train": 70, "validation": 24, "test": 24}))
    with pytest.raises(DataError) as caught:
        affinity(prepared, record, epochs=1, progress=quiet)
    assert str(caught.value) == (
        "table: its rows divide into 72 train, 24 validation, 24 test; allowed: 70 train, "
        "24 validation, 24 test; name the table that the run was trained on"
    )


def test_no_epoch_is_refused(prepared):
    with pytest.raises(DataError, match="epochs: 0 given; allowed: 1 or more"):
        affinity(prepared, RunRecord(), epochs=0, progress=quiet)


def test_fewer_than_two_folds_are_refused(prepared):
    with pytest.raises(DataError, match="folds: 1 given; 96 rows allow 2 to 96"):
        search_groups(prepared, {"all together": [[0, 1, 2]]}, count=1, progress=quiet)


def test_one_target_has_nobody_to_share_with():
    alone = prepare(make_table(), settings(["a"]))
    with pytest.raises(SuperposeError) as caught:
        affinity(alone, RunRecord(), epochs=1, progress=quiet)
    assert str(caught.value) == "affinity: the run has one target; train with two or more"


def test_the_search_says_how_every_candidate_did_with_equal_folds(prepared, measured):
    shares = []
    grouping = search_groups(
        prepared, candidates(measured), count=3, progress=lambda _, share: shares.append(share)
    )
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert grouping.n_folds == 3
    assert grouping.n_rows == 96
    first, *others = grouping.candidates
    assert first.name == "all together"
    assert first.groups == [TARGETS]
    assert (first.gain, first.gains) == (0, [0, 0, 0])
    assert all(one.loss > 0 for one in grouping.candidates)
    assert {one.loss for one in others} != {first.loss}


# What single-task models leave unexplained.


def residuals(mixed: bool, references: bool = True):
    """Two numbers and a set of two labels, which no input tells; predictions of their constants."""
    rng = np.random.default_rng(0)
    common, *own = rng.normal(size=(5, 800))
    table = pa.table(
        {
            "x": own[3],
            "a": common + 0.5 * own[0],
            "b": (-common if mixed else own[2]) + 0.5 * own[1],
            "tags": [["p"] * bool(i % 2) + ["q"] * bool(c > 0) for i, c in enumerate(common)],
        }
    )
    specs = {"a": "number", "b": "number", "tags": "multilabel"}
    schema = Schema([ColumnSpec("x", "number")], [ColumnSpec(t, kind) for t, kind in specs.items()])
    codec = Codec.fit(table, schema, np.arange(800))
    labels = codec.labels(table)
    pred = {
        t: np.tile(k.distribution.baseline(labels[t]), (800, 1))
        for t, k in codec.target_kinds.items()
    }
    decision = Decision({"hist": 1.0} if references else {}, None, {"joint": 1.0})
    return residual_record(
        SimpleNamespace(
            prepared=SimpleNamespace(
                codec=codec,
                targets=list(specs),
                labels=labels,
                plan=SimpleNamespace(proof_rows=np.arange(800)),
            ),
            decisions=dict.fromkeys(specs, decision),
            oof_predictions={t: {"hist" if references else "joint": z} for t, z in pred.items()},
        )
    )


def test_residuals_correlate_where_something_common_is_left_unexplained():
    correlation = residuals(mixed=True).correlation
    assert correlation[0, 1] < -0.6  # of opposite sign
    np.testing.assert_allclose(correlation, correlation.T)
    np.testing.assert_array_equal(np.diag(correlation), 1)
    assert abs(residuals(mixed=False).correlation[0, 1]) < 0.1


def test_of_a_set_of_labels_the_strongest_correlation_is_kept():
    # Of q; p has nothing to do with it.
    assert residuals(mixed=True).correlation[0, 2] > 0.5


def test_without_references_the_residuals_are_those_of_the_multi_task_network():
    assert residuals(mixed=True).single_task
    assert not residuals(mixed=True, references=False).single_task
