"""Each folder says what it hands out: sorted, complete, importable."""

import ast
import importlib
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"
# A folder of the package has a front door; the rooms inside one have none, but `nn.fusion`.
FOLDERS = sorted(
    file
    for file in SOURCE.rglob("__init__.py")
    if len(file.relative_to(SOURCE).parts) < 4 or "__all__" in file.read_text(encoding="utf-8")
)


def sort_key(name: str) -> tuple[int, str]:
    """CONSTANTS, then Classes, then functions, each by the alphabet, as ruff sorts them too."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


def dotted(file: Path) -> str:
    return ".".join(file.relative_to(SOURCE).parts[:-1])


@pytest.mark.parametrize("file", FOLDERS, ids=dotted)
def test_a_folder_lists_its_names_in_order_and_has_them(file: Path) -> None:
    module = importlib.import_module(dotted(file))
    names = module.__all__
    assert names == sorted(set(names), key=sort_key)
    assert [name for name in names if not hasattr(module, name)] == []
    assert module.__doc__, "the first thing that a reader sees is what the folder is for"


@pytest.mark.parametrize("file", FOLDERS, ids=dotted)
def test_what_a_folder_imports_is_listed_or_used_there(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    imported = {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    listed = set(importlib.import_module(dotted(file)).__all__)
    assert imported - listed - used == set()
