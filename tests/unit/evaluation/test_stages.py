"""Stages: fitted once, read ever after, whole or not at all."""

import numpy as np
import pytest
import torch

from superpose.evaluation._stages import Stages


class Model:
    """A model of two numbers."""

    def __init__(self, facts, arrays, held_out=None):
        self.facts, self.arrays, self.held_out = facts, arrays, held_out

    def state(self):
        return self.facts, self.arrays

    @classmethod
    def from_state(cls, facts, arrays):
        return cls(dict(facts), dict(arrays))


def make(held_out=None, note="ä"):
    arrays = {"0/heads": torch.arange(6.0).reshape(2, 3).T, "codes": np.array([1, 2], np.int16)}
    return Model({"note": note, "best": [3]}, arrays, held_out)


@pytest.mark.parametrize(
    "held_out", [np.array([[0.5], [np.nan]]), [np.zeros((2, 1)), np.array([[np.nan, 1.0]])]]
)
def test_a_stage_is_fitted_once_and_then_read(tmp_path, held_out):
    calls = []

    def fit(path):
        calls.append(path)
        return make(held_out)

    first = Stages(tmp_path / "work").run("joint", fit, Model)
    again = Stages(tmp_path / "work").run("joint", fit, Model)
    assert len(calls) == 1
    assert again.facts == first.facts
    assert again.arrays.keys() == first.arrays.keys()
    for name, array in first.arrays.items():
        np.testing.assert_array_equal(again.arrays[name], np.asarray(array))
        assert again.arrays[name].dtype == np.asarray(array).dtype
    assert isinstance(again.held_out, list) == isinstance(held_out, list)
    for a, b in zip(again.held_out, held_out, strict=True):
        np.testing.assert_array_equal(a, b)


def test_without_a_folder_every_stage_is_fitted_anew():
    calls = []
    for _ in range(2):
        Stages(None).run("joint", lambda path: (calls.append(path), make())[1], Model)
        Stages(None).run_all(
            "alone", ["a"], lambda path: (calls.append(path), {"a": make()})[1], Model
        )
    assert calls == [None] * 4


def test_stages_do_not_mix(tmp_path):
    stages = Stages(tmp_path)
    stages.run("joint", lambda path: make(np.zeros(1), "joint"), Model)
    other = stages.run("trees-0", lambda path: make(np.zeros(1), "trees"), Model)
    assert other.facts["note"] == "trees"
    assert stages.run("joint", pytest.fail, Model).facts["note"] == "joint"


def test_a_stage_that_was_killed_finds_its_checkpoint_again(tmp_path):
    def killed(path):
        path.write_text("half way")
        raise KeyboardInterrupt

    def goes_on(path):
        assert path.read_text() == "half way"
        return make(np.zeros(1))

    with pytest.raises(KeyboardInterrupt):
        Stages(tmp_path).run("joint", killed, Model)
    Stages(tmp_path).run("joint", goes_on, Model)


def test_a_finished_stage_leaves_one_file(tmp_path):
    def fit(path):
        path.write_text("half way")
        return make(np.zeros(1))

    Stages(tmp_path).run("joint", fit, Model)
    assert [file.name for file in tmp_path.iterdir()] == ["joint.done"]


def test_a_stage_of_several_models_is_read_only_when_all_are_there(tmp_path):
    calls = []

    def fit(path):
        calls.append(path)
        return {name: make(np.zeros(1), name) for name in ("sick", "weight/kg")}

    keys = ["sick", "weight/kg"]  # names of columns, which no file need be able to bear
    first = Stages(tmp_path).run_all("alone-0", keys, fit, Model)
    again = Stages(tmp_path).run_all("alone-0", keys, fit, Model)
    assert len(calls) == 1
    assert [m.facts for m in again.values()] == [m.facts for m in first.values()]
    assert list(again) == keys
    next(tmp_path.glob("*-1.done")).unlink()
    Stages(tmp_path).run_all("alone-0", keys, fit, Model)
    assert len(calls) == 2
