"""How large a function, a class and a call may grow, and that a line assigns one thing.

`debt.json` lists what was over a limit when the limits came. It shrinks and never grows: a fault
that is not listed fails, and so does a listed one that is gone. Empty, it is deleted.
"""

import ast
import json
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEBT = Path(__file__).with_name("debt.json")
CODE = ("src", "benchmarks", "examples", "scripts")
FILES = sorted(file for folder in CODE for file in (ROOT / folder).rglob("*.py"))

# What a reader keeps in mind at once; past that, arguments that belong together are an object.
PARAMETERS = 7
# `f(a, b, c, d)` does not say what each value is; three, since maths has functions of three arrays.
POSITIONAL = 3
# Rows of values in the order of a dataclass; past that nobody counts along.
PASSED = 5
METHODS = 20
LINES = 60

Function = ast.FunctionDef | ast.AsyncFunctionDef
Located = tuple[str, ast.AST]


def nodes(tree: ast.AST, name: str = "") -> Iterator[Located]:
    """Every node with the name of what it stands in, such as `Codec.fit`."""
    for child in ast.iter_child_nodes(tree):
        yield name, child
        inner = name
        if isinstance(child, Function | ast.ClassDef):
            inner = f"{name}.{child.name}".lstrip(".")
        yield from nodes(child, inner)


def parameters(node: Function) -> list[str]:
    """Names without `self`; `*args` and `**kwargs` count as one each."""
    spec = node.args
    names = [arg.arg for arg in (*spec.posonlyargs, *spec.args, *spec.kwonlyargs)]
    names += [arg.arg for arg in (spec.vararg, spec.kwarg) if arg]
    return [name for name in names if name not in ("self", "cls")]


def is_verb(node: Function) -> bool:
    """A command of typer: its parameters are the options of the command line."""
    return any(".command(" in ast.unparse(decorator) for decorator in node.decorator_list)


def has_many_parameters(node: ast.AST) -> bool:
    return isinstance(node, Function) and not is_verb(node) and len(parameters(node)) > PARAMETERS


def takes_many_by_position(node: ast.AST) -> bool:
    """Of a function of more than three parameters; torch calls `forward`, Python `__exit__`."""
    if not isinstance(node, Function) or is_verb(node) or node.name == "forward":
        return False
    if node.name.startswith("__") and node.name not in ("__init__", "__call__"):
        return False
    named = [arg.arg for arg in node.args.kwonlyargs]
    positional = [name for name in parameters(node) if name not in named]
    stars = bool(node.args.vararg) + bool(node.args.kwarg)
    return len(positional) - stars > POSITIONAL


def passes_many_by_position(node: ast.AST) -> bool:
    """Rows of literals are fine: they go to `*values`."""
    if not isinstance(node, ast.Call) or len(node.args) <= PASSED:
        return False
    return not all(isinstance(value, ast.Constant) for value in node.args)


def is_foreign(node: ast.AST, outside: set[str]) -> bool:
    """A call of something that another package defines, in its own order."""
    called = node.func if isinstance(node, ast.Call) else node
    while isinstance(called, ast.Attribute):
        called = called.value
    return isinstance(called, ast.Name) and called.id in outside


def outside_names(tree: ast.AST) -> set[str]:
    """Names that a file imports from other packages."""
    ours = {"superpose", *(file.stem for file in FILES)}
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] not in ours:
            names |= {alias.asname or alias.name for alias in node.names if not node.level}
    return names - ours


def has_many_methods(node: ast.AST) -> bool:
    if not isinstance(node, ast.ClassDef):
        return False
    return sum(isinstance(child, Function) for child in node.body) > METHODS


def is_long(node: ast.AST) -> bool:
    """Longer than a screen; the docstring is not counted."""
    if not isinstance(node, Function):
        return False
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    if ast.get_docstring(node) is not None:
        text = node.body[0]
        lines -= (text.end_lineno or text.lineno) - text.lineno + 1
    return lines > LINES


def leaves(node: ast.AST) -> list[object]:
    """The node's shape, and at the end of each branch the name or constant that stands there."""
    if isinstance(node, ast.Constant):
        return [("constant", type(node.value)), node.value]
    if isinstance(node, ast.Name):
        return ["name", node.id]
    flat: list[object] = [type(node).__name__]
    for field, value in ast.iter_fields(node):
        for part in value if isinstance(value, list) else [value]:
            flat += [field, *leaves(part)] if isinstance(part, ast.AST) else [field, part]
    return flat


def are_parallel(values: list[ast.expr]) -> bool:
    """One expression in which one name or constant varies: `np.min(x), np.max(x)`."""
    flat = [leaves(value) for value in values]
    if len({len(leaf) for leaf in flat}) > 1:
        return False
    varying = {column for column in zip(*flat, strict=True) if len(set(map(repr, column))) > 1}
    return len(varying) <= 1


def reads(node: ast.expr) -> set[str]:
    return {ast.unparse(part) for part in ast.walk(node) if isinstance(part, ast.expr)}


def packs(node: ast.AST) -> bool:
    """`a, b = 1, f(x)`: two statements on a line.

    Fine are values of one shape, and values that read a target to the left of their own, such as
    a swap: written one below the other they would mean something else.
    """
    if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Tuple):
        return False
    targets = node.targets[0]
    if not isinstance(targets, ast.Tuple) or are_parallel(node.value.elts):
        return False
    names = [ast.unparse(target) for target in targets.elts]
    return not any(
        reads(value) & set(names[:position]) for position, value in enumerate(node.value.elts)
    )


# The class that users meet, and no other. Its methods are the verbs of the package, which an editor
# completes behind one dot; what they do stands in `evaluation`, `analysis`, `models` and `report`.
# Its constructor takes the sections of the settings, each by keyword, as estimators of scikit-learn
# do: an object around them would have to be built first by everyone who fits a model.
FACE = "src/superpose/estimator.py::Superpose"

RULES = {
    f"more than {PARAMETERS} parameters": has_many_parameters,
    f"more than {POSITIONAL} parameters by position": takes_many_by_position,
    f"more than {PASSED} values passed by position": passes_many_by_position,
    f"more than {METHODS} methods": has_many_methods,
    f"more than {LINES} lines": is_long,
    "unrelated values packed in one statement": packs,
}
EXEMPT = {
    f"more than {PARAMETERS} parameters": [f"{FACE}.__init__"],
    f"more than {METHODS} methods": [FACE],
}


@cache
def faults() -> dict[str, list[str]]:
    """Rule -> `path::function`, once for each fault."""
    by_rule: dict[str, list[str]] = {rule: [] for rule in RULES}
    for file in FILES:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        outside = outside_names(tree)
        for name, node in nodes(tree):
            if isinstance(node, Function | ast.ClassDef):
                name = f"{name}.{node.name}".lstrip(".")
            for rule, is_fault in RULES.items():
                if is_fault(node) and not is_foreign(node, outside):
                    by_rule[rule].append(f"{file.relative_to(ROOT).as_posix()}::{name}")
    return {rule: sorted(where) for rule, where in by_rule.items()}


@pytest.mark.parametrize("rule", RULES)
def test_nothing_is_over_a_limit_but_what_the_debt_lists(rule: str) -> None:
    debt = json.loads(DEBT.read_text(encoding="utf-8"))[rule] if DEBT.exists() else []
    listed = Counter([*debt, *EXEMPT.get(rule, [])])
    present = Counter(faults()[rule])
    assert not present - listed, f"{rule}: {sorted(present - listed)}"
    assert not listed - present, f"no longer a fault, take it off the list: {listed - present}"
