"""What no file may hold: a way to run code from a file, a path of one machine."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = ("src", "tests", "benchmarks", "examples", "scripts")
PYTHON = sorted(file for folder in CODE for file in (ROOT / folder).rglob("*.py"))
SHIPPED = [file for file in PYTHON if file.relative_to(ROOT).parts[0] != "tests"]
TEXTS = [
    *PYTHON,
    *sorted(file for ending in ("md", "toml", "txt", "cfg") for file in ROOT.glob(f"*.{ending}")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "benchmarks").rglob("*.json")),
    ROOT / "Makefile",
    ROOT / "NOTICE",
]
# Modules and calls that turn a file into running code.
UNSAFE_MODULES = {
    "pickle",
    "cPickle",
    "_pickle",
    "cloudpickle",
    "dill",
    "joblib",
    "marshal",
    "shelve",
}
UNSAFE_CALLS = {"eval", "exec", "torch.load", "torch.save", "yaml.load", "yaml.unsafe_load"}
# Home and work folders of whoever wrote the line.
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:work|root|home|Users)/\w")


def name(file: Path) -> str:
    return str(file.relative_to(ROOT))


@pytest.mark.parametrize("file", SHIPPED, ids=name)
def test_no_file_can_turn_data_into_code(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            used = {alias.name.split(".")[0] for alias in node.names} & UNSAFE_MODULES
        elif isinstance(node, ast.ImportFrom):
            used = {(node.module or "").split(".")[0]} & UNSAFE_MODULES
        elif isinstance(node, ast.Call):
            used = {ast.unparse(node.func)} & UNSAFE_CALLS
            used |= {
                "allow_pickle"
                for keyword in node.keywords
                if keyword.arg == "allow_pickle" and ast.unparse(keyword.value) != "False"
            }
        else:
            continue
        assert not used, f"{name(file)}:{node.lineno} uses {', '.join(used)}"


@pytest.mark.parametrize("file", [file for file in TEXTS if file.exists()], ids=name)
def test_no_file_holds_a_path_of_one_machine(file: Path) -> None:
    match = MACHINE_PATH.search(file.read_text(encoding="utf-8"))
    assert match is None, f"{name(file)}: {match.group() if match else ''}"
