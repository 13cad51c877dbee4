"""Reading YAML so that every value knows its line, and words stay words.

Two things differ from PyYAML's own loader. Only `true` and `false` are truth values (YAML 1.2), so
that a column named NO or on stays a word; and a key that stands twice is a fault, not silently the
last one.
"""

import re
from pathlib import Path
from typing import Any

import yaml

from superpose.errors import ConfigError, Faults, key_path, listing, message, place

from ._config_faults import Keys
from ._files import read_text


class _Loader(yaml.SafeLoader):
    """The safe loader with the plain scalars of YAML 1.2 (core schema)."""


class _Dumper(yaml.SafeDumper):
    """The safe dumper; a word that any reader would take for something else gets quotes."""


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+", list("-+0123456789")),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
):
    for _class in (_Loader, _Dumper):
        _class.add_implicit_resolver(
            f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), _first
        )


def load_yaml(path: Path) -> tuple[dict[str, Any], dict[Keys, int]]:
    """Reads a YAML file whose top level is a mapping.

    Args:
        path: the file.

    Returns:
        The values, and for the way to each key or entry its line, counted from 1.

    Raises:
        ConfigError: the file is missing, empty, not UTF-8, no YAML, no mapping, or has a key twice.
    """
    text = read_text(path, ConfigError)
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark
        raise ConfigError(
            message(
                place(file=path, line=None if mark is None else mark.line + 1),
                f"not valid YAML ({fault.problem})",
                fix="check the indentation, the colons and the quotes of this line",
            )
        ) from None
    except yaml.YAMLError as fault:
        text = " ".join(str(fault).split())
        raise ConfigError(message(place(file=path), f"not valid YAML ({text})")) from None
    if root is None:
        raise ConfigError(
            message(place(file=path), "the file holds no settings", fix="write at least `targets:`")
        )
    if not isinstance(root, yaml.MappingNode):
        raise ConfigError(
            message(
                place(file=path, line=root.start_mark.line + 1),
                "a list given" if isinstance(root, yaml.SequenceNode) else "a word given",
                "keys with values, such as `targets: [a, b]`",
            )
        )
    builder = _Builder(path)
    values = builder.build(root, ())
    builder.faults.raise_any()
    return values, builder.lines


def dump_yaml(values: dict[str, Any]) -> str:
    """Writes plain values as YAML, in the order given.

    Example:
        >>> dump_yaml({"column": "NO", "share": "1e5"})
        "column: 'NO'\\nshare: '1e5'\\n"
    """
    return str(yaml.dump(values, Dumper=_Dumper, sort_keys=False, allow_unicode=True))


def groups_text(groups: list[list[str]]) -> str:
    """Writes groups of targets as they stand in the settings, each in a line.

    Example:
        >>> print(groups_text([["pm25", "NO"], ["co"]]), end="")
        groups:
          - [pm25, 'NO']
          - [co]
    """
    lines = [
        yaml.dump(
            g, Dumper=_Dumper, default_flow_style=True, allow_unicode=True, width=float("inf")
        )
        for g in groups
    ]
    return "".join(["groups:\n", *(f"  - {line}" for line in lines)])


class _Builder:
    """Turns nodes into plain values and notes the line of each."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: dict[Keys, int] = {}
        self.faults = Faults(ConfigError)
        self.seen: set[int] = set()

    def build(self, node: yaml.Node, keys: Keys) -> Any:
        """The value of a node that stands at `keys`."""
        self.lines.setdefault(keys, node.start_mark.line + 1)
        if id(node) in self.seen:
            # An alias repeats a node; nested aliases can grow without bound, and none is needed.
            self.add(node, keys, "an alias (*name) given", "write the values out")
            return None
        self.seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, keys)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(child, (*keys, index)) for index, child in enumerate(node.value)]
        return self.scalar(node, keys)

    def mapping(self, node: yaml.MappingNode, keys: Keys) -> dict[str, Any]:
        """The keys and values of a mapping."""
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self.add(key_node, keys, "a key that is no word given", "write `key: value`")
                continue
            key = str(key_node.value)
            here = (*keys, key)
            if key in values:
                first = self.lines[here]
                self.add(key_node, here, f"the key stands here and on line {first}", "remove one")
                continue
            self.lines[here] = key_node.start_mark.line + 1
            values[key] = self.build(value_node, here)
        return values

    def scalar(self, node: yaml.Node, keys: Keys) -> Any:
        """The word, number, truth value or nothing that a node holds."""
        kind, text = node.tag.removeprefix("tag:yaml.org,2002:"), str(node.value)
        try:
            match kind:
                case "str":
                    return text
                case "null":
                    return None
                case "bool":
                    return text.lower() == "true"
                case "int":
                    return int(text)
                case "float":
                    # YAML writes .inf and .nan; Python reads inf and nan.
                    return float(re.sub(r"\.(?=[inIN])", "", text))
        except ValueError as fault:
            self.add(node, keys, f"{text[:40]!r} given ({fault})", "write a plain number")
            return None
        self.add(
            node, keys, f"the tag {node.tag} given", f"use {listing(['words', 'numbers'])} only"
        )
        return None

    def add(self, node: yaml.Node, keys: Keys, given: str, fix: str) -> None:
        """Keeps a fault at the line of a node."""
        line = node.start_mark.line + 1
        self.faults.add(place(file=self.path, line=line, key=key_path(keys)), given, fix=fix)
