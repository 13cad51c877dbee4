"""Imports run downwards only, and only through the front door of a folder."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "superpose"
FLOORS = {
    "errors": 0,
    "moved": 0,
    "distributions": 0,
    "stored": 1,
    "methods": 1,
    "columns": 1,
    "functional": 1,
    "balance": 2,
    "trees": 2,
    "kinds": 2,
    "nn": 3,
    "config": 3,
    "data": 4,
    "record": 4,
    "models": 5,
    "report": 5,
    "prepare": 6,
    "training": 7,
    "evaluation": 8,
    "analysis": 9,
    "estimator": 10,
    "cli": 11,
    "testing": 12,
}
# The root hands out the public names; `python -m superpose` is the command line.
TOP = {"__init__": 13, "__main__": 13}
MODULES = sorted(SOURCE.rglob("*.py"))


def house_of(file: Path) -> str:
    return file.relative_to(SOURCE).parts[0].removesuffix(".py")


def inner_imports(file: Path) -> Iterator[tuple[int, str]]:
    """Line and absolute name of every import of the package, with relative ones resolved."""
    package = ["superpose", *file.relative_to(SOURCE).parts[:-1]]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            names = [".".join([*base, node.module] if node.module else base)]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        else:
            continue
        for name in names:
            if name.split(".")[0] == "superpose":
                yield node.lineno, name


@pytest.mark.parametrize("file", MODULES, ids=lambda f: str(f.relative_to(SOURCE)))
def test_a_module_imports_its_own_folder_or_a_lower_floor(file: Path) -> None:
    house = house_of(file)
    floor = (FLOORS | TOP)[house]
    for line, name in inner_imports(file):
        where = f"{file.relative_to(SOURCE)}:{line} imports {name}"
        parts = name.split(".")[1:]
        if not parts:
            # `from ._version import x` in the root itself is the one exception, and there is none.
            raise AssertionError(f"{where}: the root imports the others, never the reverse")
        if parts[0] == house:
            continue
        assert parts[0] in FLOORS, f"{where}: not a folder of the design"
        assert FLOORS[parts[0]] < floor, f"{where}: floor {FLOORS[parts[0]]} from floor {floor}"
        private = [part for part in parts[1:] if part.startswith("_")]
        assert not private, f"{where}: another folder's private module; import from the folder"


def test_every_folder_and_module_has_a_floor() -> None:
    folders = {p.name for p in SOURCE.iterdir() if p.is_dir() and any(p.glob("*.py"))}
    modules = {p.stem for p in SOURCE.glob("*.py")}
    assert folders | modules <= FLOORS.keys() | TOP.keys()


def test_contributors_are_told_the_same_floors() -> None:
    page = (SOURCE.parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8")
    listed = {}
    for floor, folders in re.findall(r"^\| (\d+) \| ([^|]+) \|", page, re.MULTILINE):
        listed |= {name: int(floor) for name in re.findall(r"`(\w+)[./]", folders)}
    assert listed == FLOORS


def test_every_folder_of_modules_is_a_package() -> None:
    folders = {file.parent for file in MODULES}
    assert not [str(f.relative_to(SOURCE)) for f in folders if not (f / "__init__.py").exists()]
