"""The tables of methods: known without torch, true about the classes, open to one more line."""

import subprocess
import sys
from pathlib import Path

import pytest

from superpose.balance import BALANCERS, Balancer
from superpose.config import Config
from superpose.errors import ConfigError
from superpose.methods import BALANCE_METHODS, FUSION_METHODS, Method
from superpose.nn import FUSIONS, Fusion

every_method = pytest.mark.parametrize(
    ("method", "base"),
    [
        *((method, Fusion) for method in FUSION_METHODS.values()),
        *((method, Balancer) for method in BALANCE_METHODS.values()),
    ],
    ids=[*FUSION_METHODS, *BALANCE_METHODS],
)


@every_method
def test_an_entry_says_what_its_class_says(method, base):
    result = method.load()
    assert issubclass(result, base)
    assert result.__doc__.split("\n")[0] == method.summary
    assert method.paper


def test_a_balancer_knows_its_own_entry():
    assert [BALANCE_METHODS[method.name].load() for method in BALANCERS.values()] == [
        *BALANCERS.values()
    ]


def test_the_settings_name_every_method():
    sections = Config.model_json_schema()["$defs"]
    assert sections["ModelConfig"]["properties"]["fusion"]["enum"] == list(FUSIONS)
    assert sections["BalanceConfig"]["properties"]["method"]["enum"] == list(BALANCERS)


def test_the_tables_are_read_without_torch():
    code = (
        "import sys; import superpose.methods, superpose.balance; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


TOY = """
from superpose.nn import Fusion


class Halves(Fusion):
    '''Halves every state.'''

    def forward(self, states):
        return states / 2
"""


def test_one_file_and_one_line_add_a_fusion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "halves.py").write_text(TOY, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    line = Method("halves", "Halves", "Halves every state.", "nobody's")
    monkeypatch.setitem(FUSION_METHODS, "halves", line)
    config = Config.from_arguments(targets=["a", "b"], model={"fusion": "halves"})
    assert FUSIONS[config.model.fusion].__name__ == "Halves"
    with pytest.raises(ConfigError, match="did you mean 'halves'"):
        Config.from_arguments(targets=["a", "b"], model={"fusion": "halfs"})
