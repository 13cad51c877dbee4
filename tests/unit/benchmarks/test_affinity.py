"""Claims about the benchmark of affinities: what agrees with gains, and what gains are."""

import numpy as np
import pytest

pytest.importorskip("scipy")
pytest.importorskip("torch")

NAN = float("nan")
GAIN = np.array([[NAN, 4.0, -1.0], [2.0, NAN, 3.0], [0.0, 1.0, NAN]])


def test_a_number_agrees_with_gains_only_by_its_order():
    from affinity import agreement

    assert agreement(np.exp(GAIN), GAIN) == pytest.approx(
        {"pairs": 1.0, "givers": NAN}, nan_ok=True
    )
    assert agreement(-GAIN, GAIN)["pairs"] == pytest.approx(-1.0)


def test_givers_are_ordered_for_each_receiver_by_itself():
    from affinity import agreement

    gain = np.arange(16.0).reshape(4, 4)
    number = gain + 100 * np.arange(4)[::-1]  # receivers apart in the wrong order, givers right
    ranks = agreement(number, gain)
    assert ranks["givers"] == pytest.approx(1.0)
    assert ranks["pairs"] < 0.5


def test_a_number_that_is_missing_or_the_same_for_all_pairs_predicts_nothing():
    from affinity import agreement

    assert np.isnan(agreement(np.ones((3, 3)), GAIN)["pairs"])
    assert np.isnan(agreement(np.full((3, 3), NAN), GAIN)["pairs"])


def test_pairs_gain_by_a_network_of_the_two_and_by_no_other_target(monkeypatch):
    import _sharing
    import affinity
    from _planted import Plant, planted

    monkeypatch.setattr(_sharing, "EPOCHS", 2)
    table = planted(Plant(3, 60, 0.5), 0)
    made, seen, really = _sharing.make_ready(table, 0), [], affinity.fit_multi_task

    def watched(spec):
        seen.append(list(spec.labels))
        return really(spec)

    monkeypatch.setattr(affinity, "fit_multi_task", watched)
    gains = affinity.pair_gains(made)
    names = list(table.targets)
    assert seen == [[a, b] for i, a in enumerate(names) for b in names[i + 1 :]]
    assert np.isnan(gains.diagonal()).all()
    assert np.isfinite(gains[~np.eye(len(names), dtype=bool)]).all()


def test_cells_of_all_seeds_are_averaged_before_they_are_ordered(tmp_path):
    from _cells import CellStore, Study
    from affinity import NUMBERS, show, summarise

    store = CellStore(tmp_path / "cells.jsonl")
    for seed, turned in ((0, 1.0), (1, -0.5)):
        cell = {"table": "t", "method": "pairs", "seed": seed, "targets": ["a", "b", "c"]}
        matrices = {number: (turned * GAIN).tolist() for number in NUMBERS}
        store.append(cell | matrices | {"gain": (turned * GAIN).tolist(), "bits": None}, None)
    summary = summarise(Study(store, ["t"], [0, 1]))
    numbers = summary["tables"]["t"]["numbers"]
    assert numbers["cosine"]["pairs"] == pytest.approx(1.0)  # the mean of both is a quarter of GAIN
    assert "bits" not in numbers
    assert summary["overall"]["another seed's gains"]["pairs"] == pytest.approx(-1.0)
    assert "bits" in show(summary).split("\n")[2]  # what predicts nothing comes first
