"""Claims about planted relatedness: it is what it says, and sharing gains by it and only by it."""

import numpy as np
import pytest

pytest.importorskip("scipy")
pytest.importorskip("torch")


@pytest.mark.parametrize("cosine", [-1 / 5, 0.0, 0.4, 1.0])
def test_the_root_of_the_planted_matrix_gives_it_back(cosine):
    from _planted import gram_root

    root = gram_root(6, cosine)
    gram = np.full((6, 6), cosine)
    np.fill_diagonal(gram, 1.0)
    assert np.allclose(root @ root, gram)


def test_a_cosine_that_so_many_targets_cannot_have_is_refused():
    from _planted import gram_root

    with pytest.raises(ValueError, match=r"cosine -0.5: 8 targets allow -0.143 to 1"):
        gram_root(8, -0.5)
    gram_root(3, -0.5)  # three at 120 degrees


def test_the_dial_starts_at_the_lowest_possible_cosine():
    from dial import dial

    assert [p.cosine for p in dial(2, 100)] == [-0.5, 0.0, 0.5, 0.8, 1.0]
    assert dial(8, 100)[0].cosine == pytest.approx(-1 / 7)
    assert [p.cosine for p in dial(32, 100)] == [0.0, 0.5, 0.8, 1.0]


@pytest.mark.parametrize("cosine", [-0.3, 0.0, 0.5, 1.0])
def test_signals_have_the_planted_cosine_and_the_same_size(cosine):
    from _planted import TEST, Plant, planted

    table = planted(Plant(4, 40, cosine), 0)
    signal = table.frame[list(table.targets)].to_numpy()[table.split(0) == "test"]
    assert len(signal) == TEST
    correlations = np.corrcoef(signal.T)[np.triu_indices(4, 1)]
    # A correlation of a thousand rows has a standard error of 0.03 at most.
    assert np.abs(correlations - cosine).max() < 0.1
    assert signal.std(0) == pytest.approx(np.ones(4), abs=0.1)


def test_only_labels_to_learn_from_carry_noise_and_only_the_cosine_is_turned():
    from _planted import NOISE, Plant, planted

    one, same = planted(Plant(3, 400, 0.0), 1), planted(Plant(3, 400, 1.0), 1)
    assert one.frame[one.inputs].equals(same.frame[same.inputs])
    train = same.frame[list(same.targets)].to_numpy()[same.split(1) == "train"]
    # The signals are one, so that what targets differ by is noise alone.
    assert (train[:, 0] - train[:, 1]).std() == pytest.approx(NOISE * 2**0.5, rel=0.15)
    test = same.frame[list(same.targets)].to_numpy()[same.split(1) == "test"]
    assert np.abs(test[:, 0] - test[:, 1]).max() < 1e-6


@pytest.mark.slow
def test_sharing_gains_where_targets_are_the_same_and_is_about_even_where_they_are_unrelated(
    monkeypatch,
):
    import _sharing
    from _planted import Plant, planted
    from accuracy import score_run

    monkeypatch.setattr(_sharing, "EPOCHS", 12)

    def gain(cosine):
        gains = []
        for seed in range(2):
            table = planted(Plant(8, 120, cosine), seed)
            made = _sharing.make_ready(table, seed)
            single_task, multi_task = (
                np.mean([t["error"] for t in score_run(table, seed, run)[0].values()])
                for run in (_sharing.run_sharing(made, m) for m in ("alone", "task-attention"))
            )
            gains.append(1 - multi_task / single_task)
        return np.mean(gains)

    related, unrelated = gain(1.0), gain(0.0)
    assert related > 0.08
    assert abs(unrelated) < 0.08
    assert related > unrelated + 0.08


def test_a_dial_cell_has_what_goes_to_the_sink_and_the_report_begins_with_losses(
    tmp_path, monkeypatch
):
    import _sharing
    import dial
    from _cells import CellStore, Key, Study
    from _planted import Plant, planted

    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(_sharing, "EPOCHS", 3)
    plants = {p.name: p for p in (Plant(3, 60, c) for c in (0.0, 0.5, 1.0))}
    monkeypatch.setattr(dial, "PLANTS", plants)
    monkeypatch.setattr(dial, "SIZES", ((3, 60),))
    store = CellStore(tmp_path / "d.cells.jsonl")
    for name, plant in plants.items():
        made = _sharing.make_ready(planted(plant, 0), 0)
        for method in dial.METHODS:
            dial.run_cell(store, Key(name, method, 0), made)
    cells = store.read()
    assert "sink" not in cells["T3-n60-c0", "none", 0]["details"]
    static = cells["T3-n60-c0", "static", 0]["details"]
    assert static["sink"] == pytest.approx([1 / 3] * 3, abs=0.1)
    assert all(0 < share < 1 for share in static["moved"])
    summary = dial.summarise(Study(store, list(plants), [0]))
    point = summary["points"][0]
    alone, none = (
        np.mean([t["error"] for t in cells["T3-n60-c0", m, 0]["targets"].values()])
        for m in ("alone", "none")
    )
    assert point["methods"]["none"]["gain"][0] == pytest.approx(100 * (1 - none / alone))
    text = dial.show(summary)
    assert text.startswith("Losses: where sharing is behind the single-task net")
    assert "3 targets, 60 rows" in text


def test_targets_of_different_groups_have_nothing_in_common():
    from _planted import Plant, planted

    plant = Plant(4, 40, 0.9, groups=2)
    assert plant.name == "T4-n40-c0.9-g2"
    table = planted(plant, 0)
    signal = table.frame[list(table.targets)].to_numpy()[table.split(0) == "test"]
    family = np.arange(4) % 2
    planted_cosines = np.where(np.equal.outer(family, family), 0.9, 0.0) + 0.1 * np.eye(4)
    assert np.abs(np.corrcoef(signal.T) - planted_cosines).max() < 0.1
