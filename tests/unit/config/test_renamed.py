"""Old keys are read for one version: with a warning, and never beside the new key."""

import warnings
from pathlib import Path

import pytest

from superpose.config import Config, load_config
from superpose.errors import ConfigError
from superpose.stored import restored


def written(folder: Path, text: str) -> Path:
    path = folder / "s.yaml"
    path.write_text(f"targets: [y, z]\n{text}", encoding="utf-8")
    return path


def test_an_old_key_is_read_with_a_warning_that_names_line_and_new_key(tmp_path):
    message = r"s.yaml:3: proof.delta: an old name of this setting; write proof.alpha; the next"
    with pytest.warns(FutureWarning, match=message) as caught:
        config = load_config(written(tmp_path, "proof:\n  delta: 0.1\n  folds: 3\n"))
    assert len(caught) == 1
    assert (config.proof.alpha, config.proof.folds) == (0.1, 3)
    assert "delta" not in config.to_yaml()


def test_an_old_argument_is_read_with_a_warning():
    with pytest.warns(FutureWarning, match="^proof.delta: an old name"):
        config = Config.from_arguments(targets="y", proof={"delta": 0.1})
    assert config.proof.alpha == 0.1


def test_both_names_together_are_a_fault_of_the_old_one(tmp_path):
    path = written(tmp_path, "proof: {alpha: 0.1,\n  delta: 0.1}\n")
    with pytest.raises(ConfigError, match=r"^.*s.yaml:3: proof.delta: given beside proof.alpha"):
        load_config(path)


def test_a_wrong_value_under_an_old_key_is_a_fault_at_its_line(tmp_path):
    path = written(tmp_path, "proof:\n  folds: 3\n  delta: 2\n")
    with pytest.raises(ConfigError, match=r"s.yaml:4: proof.alpha: 2 given; allowed: below 0.5"):
        load_config(path)


def test_a_bundle_with_an_old_key_is_read_without_a_word():
    values = {"targets": [{"name": "y"}], "proof": {"delta": 0.1}}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        config = restored(Config, values, "config")
    assert config.proof.alpha == 0.1
    assert values["proof"] == {"delta": 0.1}
