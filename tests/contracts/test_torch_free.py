"""What reads, splits, encodes and evaluates works where torch is not installed."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "superpose"
HEAVY = ("torch", "torchjd", "accelerate")
# Whatever else may load them when it is imported; files below these stay free of them.
MAY_IMPORT_TORCH = (
    "functional",
    "balance",
    "nn",
    "models/network",
    "training",
    "evaluation",
    "analysis",
    "testing",
)
FREE = [
    file
    for file in sorted(SOURCE.rglob("*.py"))
    if not file.relative_to(SOURCE).as_posix().startswith(MAY_IMPORT_TORCH)
]
# An interpreter in which these packages are not there.
WITHOUT = f"""
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {HEAVY!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())
"""


def run_without_torch(code: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WITHOUT + code]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def module_level(tree: ast.Module) -> list[ast.stmt]:
    """Statements that run when a module is imported; not those for type checkers."""
    statements: list[ast.stmt] = []
    for node in tree.body:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        statements.append(node)
        if isinstance(node, ast.If | ast.Try):
            statements += [inner for inner in ast.walk(node) if isinstance(inner, ast.stmt)]
    return statements


@pytest.mark.parametrize("file", FREE, ids=lambda file: str(file.relative_to(SOURCE)))
def test_a_module_below_training_loads_no_torch(file: Path) -> None:
    for node in module_level(ast.parse(file.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module]
        for name in names:
            loads = name.split(".")[0] in HEAVY or name.startswith(
                ("superpose.nn", "superpose.functional", "superpose.training")
            )
            assert not loads, f"{file.relative_to(SOURCE)}:{node.lineno} imports {name}"


@pytest.mark.parametrize(
    "folder",
    [
        "columns",
        "distributions",
        "kinds",
        "config",
        "data",
        "models",
        "prepare",
        "record",
        "report",
    ],
)
def test_a_folder_is_imported_where_torch_is_absent(folder: str) -> None:
    done = run_without_torch(f"import superpose.{folder}")
    assert done.returncode == 0, done.stderr


def test_a_table_is_read_split_and_encoded_where_torch_is_absent() -> None:
    done = run_without_torch(
        """
import numpy as np
from superpose.data import BUNDLED, Codec, find_leaks, infer_schema, load_bundled, make_split
heart = BUNDLED["heart"]
config, table = heart.config(), load_bundled("heart")
schema = infer_schema(table, config)
split = make_split(table, config, schema)
codec = Codec.fit(schema.typed(table), schema, split.train)
blocks, labels = codec.inputs(table), codec.labels(table)
print(sorted(blocks), sorted(labels), codec.features(table).matrix.shape[0])
"""
    )
    assert done.returncode == 0, done.stderr
    assert "['disease', 'severity'] 920" in done.stdout


def test_the_command_line_needs_no_torch_before_it_trains(tmp_path: Path) -> None:
    rows = "\n".join(f"{i % 7},{i % 3},{'yes' if i % 2 else 'no'},{i}" for i in range(60))
    (tmp_path / "t.csv").write_text("a,b,c,y\n" + rows + "\n", encoding="utf-8")
    settings = str(tmp_path / "s.yaml")
    for words in (
        ["--help"],
        ["init", str(tmp_path / "t.csv"), "--targets", "c,y", "--out", settings],
        ["check", settings],
    ):
        command = ["superpose", *words]
        done = run_without_torch(f"sys.argv = {command!r}\nfrom superpose.cli import main\nmain()")
        assert done.returncode == 0, done.stderr
    assert "No fault was found" in done.stdout


def test_the_class_is_imported_and_made_where_torch_is_absent() -> None:
    done = run_without_torch("from superpose import Superpose\nSuperpose(['y'])")
    assert done.returncode == 0, done.stderr
