"""Stages: fitted once, read ever after, whole or not at all."""

import numpy as np
import pytest
import torch

from superpose.evaluation import _stages
from superpose.evaluation._stages import Stages
from superpose.models import Fitted, Model


class Stored(Model):
    """A model of a note and some arrays."""

    family = "stored"

    def __init__(self, facts, arrays):
        self.facts = facts
        self.arrays = arrays
        self.name = facts["note"]
        self.targets = []

    def predict(self, rows, observed=None, *, targets=None):
        raise NotImplementedError

    def to_state(self):
        return self.facts, self.arrays

    @classmethod
    def from_state(cls, facts, arrays):
        return cls(dict(facts), dict(arrays))


@pytest.fixture(autouse=True)
def known(monkeypatch):
    monkeypatch.setitem(_stages.MODELS, "stored", lambda: Stored)


def make(note="ä", **oof):
    arrays = {"0/heads": torch.arange(6.0).reshape(2, 3).T, "codes": np.array([1, 2], np.int16)}
    return Fitted(Stored({"note": note, "best": [3]}, arrays), oof)


def test_a_stage_is_fitted_once_and_then_read(tmp_path):
    oof = {"weight/kg": np.array([[0.5], [np.nan]]), "sick": np.array([[np.nan, 1.0]])}
    calls = []

    def fit(path):
        calls.append(path)
        return make(**oof)

    first = Stages(tmp_path / "work").run("multi-task", fit)
    again = Stages(tmp_path / "work").run("multi-task", fit)
    assert len(calls) == 1
    assert again.model.facts == first.model.facts
    assert again.model.arrays.keys() == first.model.arrays.keys()
    for name, array in first.model.arrays.items():
        np.testing.assert_array_equal(again.model.arrays[name], np.asarray(array))
        assert again.model.arrays[name].dtype == np.asarray(array).dtype
    assert list(again.oof_predictions) == list(oof)
    for name, pred in oof.items():
        np.testing.assert_array_equal(again.oof_predictions[name], pred)


def test_without_a_folder_every_stage_is_fitted_anew():
    calls = []
    for _ in range(2):
        Stages(None).run("multi-task", lambda path: (calls.append(path), make())[1])
        Stages(None).run_all("singles", ["a"], lambda path: (calls.append(path), [make()])[1])
    assert calls == [None] * 4


def test_stages_do_not_mix(tmp_path):
    stages = Stages(tmp_path)
    stages.run_short("multi-task", lambda: make("networks"))
    other = stages.run_short("trees-0", lambda: make("trees"))
    assert other.model.name == "trees"
    assert stages.run("multi-task", pytest.fail).model.name == "networks"


def test_a_stage_that_was_killed_finds_its_checkpoint_again(tmp_path):
    def killed(path):
        path.write_text("half way")
        raise KeyboardInterrupt

    def goes_on(path):
        assert path.read_text() == "half way"
        return make()

    with pytest.raises(KeyboardInterrupt):
        Stages(tmp_path).run("multi-task", killed)
    Stages(tmp_path).run("multi-task", goes_on)


def test_a_finished_stage_leaves_one_file(tmp_path):
    def fit(path):
        path.write_text("half way")
        return make()

    Stages(tmp_path).run("multi-task", fit)
    assert [file.name for file in tmp_path.iterdir()] == ["multi-task.done"]


def test_a_stage_of_several_models_is_read_only_when_all_are_there(tmp_path):
    calls = []

    def fit(path):
        calls.append(path)
        return [make(name) for name in ("sick", "weight/kg")]

    keys = ["singles-0", "singles-1"]
    first = Stages(tmp_path).run_all("singles", keys, fit)
    again = Stages(tmp_path).run_all("singles", keys, fit)
    assert len(calls) == 1
    assert [f.model.facts for f in again] == [f.model.facts for f in first]
    next(tmp_path.glob("*-1.done")).unlink()
    Stages(tmp_path).run_all("singles", keys, fit)
    assert len(calls) == 2
