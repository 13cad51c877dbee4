"""Reading YAML so that every value knows its line, and words stay words.

Two things differ from PyYAML's own loader. Only `true` and `false` are truth values (YAML 1.2), so
that a column named NO or on stays a word; and a key that stands twice is a fault, not silently the
last one.
"""

import re
from pathlib import Path
from typing import Any

import yaml
from yaml.composer import Composer

from superpose.columns import read_text
from superpose.errors import ConfigError, Faults, key_path, location, message

from ._faults import Keys

# The settings of twenty thousand columns, each with a line and a comment, have half of it.
MOST_BYTES = 4 << 20
# Settings have six levels; each one is a call of the reader in itself, and those have an end.
MOST_LEVELS = 32
# Nobody reads more faults than these; one line of aliases can hold a million.
SHOWN_FAULTS = 20
_ALIAS = "alias"  # the tag of a word that stands for an alias


class _TooDeep(yaml.MarkedYAMLError):
    """Lists or mappings nested beyond `MOST_LEVELS`."""


class _Limited(Composer):
    """Nodes with an end of nesting, and none that an alias repeats."""

    level = 0

    def compose_node(self: Any, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """The next node of the file, called by itself for what stands in it."""
        # Aliases of aliases can grow without bound, and none is needed: each stays a word.
        if self.check_event(yaml.AliasEvent):
            event = self.get_event()
            return yaml.ScalarNode(_ALIAS, event.anchor, event.start_mark, event.end_mark)
        if self.level > MOST_LEVELS:
            raise _TooDeep(problem_mark=self.peek_event().start_mark)
        self.level += 1
        node = Composer.compose_node(self, parent, index)
        self.level -= 1
        return node


class _Loader(_Limited, yaml.SafeLoader):
    """The safe loader with the plain scalars of YAML 1.2 (core schema)."""


# Builds of PyYAML without libyaml are rare.
_Libyaml: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _FastLoader(_Limited, _Libyaml):
    """The same on libyaml, five times as fast: settings may name thousands of columns."""

    def __init__(self, stream: str) -> None:
        _Libyaml.__init__(self, stream)
        Composer.__init__(self)


class _Dumper(yaml.SafeDumper):
    """The safe dumper; a word that any reader would take for something else gets quotes."""


_Loader.yaml_implicit_resolvers = {}
_FastLoader.yaml_implicit_resolvers = {}
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
    for _class in (_Loader, _FastLoader, _Dumper):
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
        ConfigError: the file is missing, empty, too large, not UTF-8, no YAML, nested too deep, no
            mapping, or has a key twice.
    """
    text = read_text(path, ConfigError, MOST_BYTES)
    try:
        root = _compose(text)
    except _TooDeep as fault:
        line = fault.problem_mark.line + 1 if fault.problem_mark else None
        given = f"more than {MOST_LEVELS} levels of lists and mappings in each other"
        raise ConfigError(message(location(file=path, line=line), given, "six levels")) from None
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark
        raise ConfigError(
            message(
                location(file=path, line=None if mark is None else mark.line + 1),
                f"not valid YAML ({fault.problem})",
                fix="check the indentation, the colons and the quotes of this line",
            )
        ) from None
    except yaml.YAMLError as fault:
        text = " ".join(str(fault).split())
        raise ConfigError(message(location(file=path), f"not valid YAML ({text})")) from None
    if root is None:
        raise ConfigError(
            message(
                location(file=path), "the file holds no settings", fix="write at least `targets:`"
            )
        )
    if not isinstance(root, yaml.MappingNode):
        raise ConfigError(
            message(
                location(file=path, line=root.start_mark.line + 1),
                "a list given" if isinstance(root, yaml.SequenceNode) else "a word given",
                "keys with values, such as `targets: [a, b]`",
            )
        )
    builder = _Builder(path)
    values = builder.build(root, ())
    if builder.more:
        builder.faults.add(location(file=path), f"so it goes on with {builder.more:,} more faults")
    builder.faults.raise_any()
    return values, builder.lines


def _compose(text: str) -> yaml.Node | None:
    """The nodes of a text; PyYAML's own reader says in clearer words what is wrong with one."""
    try:
        return yaml.compose(text, Loader=_FastLoader)
    except _TooDeep:
        raise
    except yaml.YAMLError:
        return yaml.compose(text, Loader=_Loader)


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
        self.more = 0

    def build(self, node: yaml.Node, keys: Keys) -> Any:
        """The value of a node that stands at `keys`."""
        self.lines.setdefault(keys, node.start_mark.line + 1)
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
                self.add(
                    key_node, keys, given="a key that is no word given", fix="write `key: value`"
                )
                continue
            key = str(key_node.value)
            here = (*keys, key)
            if key in values:
                first = self.lines[here]
                given = f"the key stands here and on line {first}"
                self.add(key_node, here, given=given, fix="remove one")
                continue
            self.lines[here] = key_node.start_mark.line + 1
            values[key] = self.build(value_node, here)
        return values

    def scalar(self, node: yaml.Node, keys: Keys) -> Any:
        """The word, number, truth value or nothing that a node holds."""
        kind = node.tag.removeprefix("tag:yaml.org,2002:")
        text = str(node.value)
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
            given = f"{text[:40]!r} given ({fault})"
            self.add(node, keys, given=given, fix="write a plain number")
            return None
        if kind == _ALIAS:
            self.add(node, keys, given=f"an alias (*{text}) given", fix="write the values out")
            return None
        self.add(node, keys, given=f"the tag {node.tag} given", fix="use words, numbers only")
        return None

    def add(self, node: yaml.Node, keys: Keys, *, given: str, fix: str) -> None:
        """Keeps a fault at the line of a node, or counts it where there are enough."""
        if len(self.faults.messages) >= SHOWN_FAULTS:
            self.more += 1
            return
        line = node.start_mark.line + 1
        self.faults.add(location(file=self.path, line=line, key=key_path(keys)), given, fix=fix)
