"""Claims about the null study: its tables are null, and its counts and intervals are right."""

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("scipy")


@pytest.fixture
def source():
    from _table import Table, random_split

    rng = np.random.default_rng(0)
    x = rng.normal(size=600)
    frame = pd.DataFrame({"x": x, "c": np.where(x > 0, "u", "v").astype(object)})
    for k in range(4):
        frame[f"y{k}"] = x + 0.1 * rng.normal(size=600)
    frame["sick"] = (x > 0).astype(float)
    kinds = {f"y{k}": "number" for k in range(4)} | {"sick": "binary"}
    return Table("toy", frame, kinds, random_split, "")


def signal(frame, a, b):
    return abs(np.corrcoef(frame[a].to_numpy(float), frame[b].to_numpy(float))[0, 1])


@pytest.mark.parametrize("null", ["noise", "apart"])
def test_rows_and_targets_are_drawn_by_seed_and_labels_kept(source, null):
    from nulls import ROWS, TARGETS, null_table

    one, again, other = (null_table(source, null, seed) for seed in (0, 0, 1))
    assert len(one.frame) == ROWS
    assert len(one.targets) == TARGETS
    pd.testing.assert_frame_equal(one.frame, again.frame)
    assert not one.frame.equals(other.frame)
    for name, kind in one.targets.items():
        assert kind == source.targets[name]
        assert set(one.frame[name]) <= set(source.frame[name])


def test_noise_is_predicted_by_nothing(source):
    from nulls import null_table

    table = null_table(source, "noise", 0)
    names = list(table.targets)
    assert table.inputs == ["x", "c"]
    for name in names:
        assert all(
            signal(table.frame, name, other) < 0.2 for other in ["x", *names] if other != name
        )


def test_targets_apart_are_predicted_by_their_own_inputs_only(source):
    from nulls import null_table

    table = null_table(source, "apart", 0)
    names = list(table.targets)
    assert table.inputs == [f"{x} of {name}" for name in names for x in ("x", "c")]
    for name in names:
        assert signal(table.frame, name, f"x of {name}") > 0.7
        for other in set(names) - {name}:
            assert signal(table.frame, name, f"x of {other}") < 0.2
            assert signal(table.frame, name, other) < 0.2


def test_the_interval_is_exact():
    from nulls import binomial_interval

    assert binomial_interval(0, 200) == pytest.approx((0.0, 1 - 0.025 ** (1 / 200)))
    assert binomial_interval(200, 200) == pytest.approx((0.025 ** (1 / 200), 1.0))
    assert binomial_interval(4, 200) == pytest.approx((0.0055, 0.0504), abs=1e-4)


def test_a_run_counts_once_however_many_targets_deploy(tmp_path):
    from _cells import CellStore, Study
    from nulls import show, summarise

    store = CellStore(tmp_path / "a.cells.jsonl")

    def target(deployed):
        return {"deployed": deployed, "verdict": "helped" if deployed else "no difference"}

    for seed, deployed in enumerate([(True, True), (False, False), (False, False)]):
        cell = {"table": "t", "method": "noise", "seed": seed, "processor_seconds": 2.0}
        store.append(cell | {"targets": dict(enumerate(map(target, deployed)))})
    summary = summarise(Study(store, ["t"], [0, 1, 2]))
    assert summary["total"]["runs"] == 3
    assert summary["total"]["deployed"] == 1
    assert summary["total"]["targets_deployed"] == 2
    assert show(summary).startswith("1 of 3 runs deployed a challenger: 33.3%")
    assert show(summarise(Study(store, ["u"], [0]))) == "no run is stored"


def test_the_flags_name_tables_seeds_and_files():
    from _run import flags, study_of

    parser = flags("x", "toy", tables=["a", "b"], methods=["m"])

    def study(*arguments):
        options = parser.parse_args(arguments)
        return study_of(options, "toy", tables=["a", "b"], quick=["a"], seeds=4)

    assert (study().tables, study().seeds) == (["a", "b"], [0, 1, 2, 3])
    assert study().store.path.name == "toy.cells.jsonl"
    assert (study("--quick").tables, study("--quick").seeds) == (["a"], [0, 1])
    assert study("--quick").store.path.name == "toy-quick.cells.jsonl"
    assert study("--name", "n", "--seeds", "1", "--tables", "b").tables == ["b"]
    with pytest.raises(SystemExit, match="'c'"):
        study("--tables", "c")
