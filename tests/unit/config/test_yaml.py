"""Files that would fill the memory or never end are refused at once, with their line."""

from pathlib import Path

import pytest

from superpose.config import load_config
from superpose.config._yaml import MOST_BYTES
from superpose.errors import ConfigError


def fault(tmp_path: Path, text: str) -> str:
    path = tmp_path / "s.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    return str(caught.value).replace(str(path), "s.yaml")


@pytest.mark.parametrize("deep", ["[" * 33 + "]" * 33, "[" * 100_000, "{a: " * 50, "- " * 40 + "a"])
def test_nesting_has_an_end_and_its_line(tmp_path: Path, deep: str) -> None:
    wanted = "s.yaml:2: more than 32 levels of lists and mappings in each other"
    assert fault(tmp_path, f"targets:\n  {deep}").startswith(wanted)


def test_aliases_of_aliases_are_not_written_out(tmp_path: Path) -> None:
    laughs = "a0: &a0 [x]\n" + "".join(
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 30)
    )
    message = fault(tmp_path, laughs + "targets: *a29\n")
    assert "s.yaml:2: a1[0]: an alias (*a0) given; write the values out" in message
    assert "so it goes on with 242 more faults" in message
    assert len(message) < 5000


def test_an_alias_is_named_with_its_own_line_and_may_hold_itself(tmp_path: Path) -> None:
    message = fault(tmp_path, "targets: &t\n  - a\nignore: *t")
    assert message == "s.yaml:3: ignore: an alias (*t) given; write the values out"
    assert "an alias" in fault(tmp_path, "targets: &t [*t]")


def test_settings_have_a_largest_size(tmp_path: Path) -> None:
    message = fault(tmp_path, "targets: [a]\n#" + "x" * MOST_BYTES)
    assert message == f"s.yaml: {MOST_BYTES + 14:,} bytes given; allowed: at most {MOST_BYTES:,}"
