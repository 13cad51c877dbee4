"""Writes docs/settings.md from the settings themselves; run it after a change of a setting.

python scripts/write_settings_doc.py

Names, types, defaults and bounds come from the models that check a settings file, meanings from
their docstrings, so that the page can't say anything else than the code. A contract test compares
them.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from superpose.config import RENAMED, Config
from superpose.kinds import INPUT_KINDS, TARGET_KINDS, InputKind, TargetKind

PAGE = Path(__file__).parents[1] / "docs" / "settings.md"
# What most people set, in the order in which a file has them.
FIRST = (
    "data", "targets", "inputs", "ignore", "split.by", "model.fusion", "training.epochs",
    "training.max_minutes", "proof.references", "seed",
)  # fmt: skip
UNSET = "–"

HEAD = """\
<!-- Written by scripts/write_settings_doc.py; change the docstrings of the settings instead. -->

# Settings

What `superpose.yaml` may hold. The same keys are arguments of `Superpose(...)`: sections such as
`split` and `model` are mappings there. `superpose init TABLE --targets A,B` writes a file with the
inferred kinds, and `superpose check FILE` names every fault of it at once, with its line. An
unknown key is an error.

- [Ten keys to begin with](#ten-keys-to-begin-with)
- [All keys](#all-keys): {sections}
- [Kinds of inputs](#kinds-of-inputs) and [kinds of targets](#kinds-of-targets), with their options

## Ten keys to begin with

Only `targets` is required; everything else has a default.

```yaml
data: station.csv
targets:
  - pm25
  - {{name: level, kind: ordinal, levels: [good, moderate, unhealthy]}}
inputs: auto
ignore: [station_id]
split: {{by: time, column: date}}
model: {{fusion: task-attention}}
training: {{epochs: 100, max_minutes: 30}}
proof: {{references: all}}
seed: 0
```

{first}

## All keys

{unset} stands for a key that is not set; its meaning says what happens then.{renamed}
"""

KINDS = """\
## Kinds of {role}s

{lead}

| kind | what it is |{more} options |
| --- | --- |{rule} --- |
{rows}
"""
INPUTS_LEAD = """\
A kind is what a column is. It is inferred from the values, shown with its reason by
`superpose init` and `superpose check`, and can be declared. Its options stand beside the name of
the column. An option that only one kind has tells the kind too; where several have it the values
decide, or an error names the kinds."""
TARGETS_LEAD = "The main metric is the one that the report and the screen show first."


def page() -> str:
    """The whole page."""
    schema = Config.model_json_schema()
    sections = _sections(schema)
    links = ", ".join(f"[`{key}`](#{_anchor(key)})" for key in sections)
    old = [f"`{'.'.join(key)}` (now `{key[0]}.{new}`)" for key, new in RENAMED.items()]
    renamed = f" Old names are read once more, with a warning: {', '.join(old)}." if old else ""
    first = _table([_first_row(key, schema, sections) for key in FIRST])
    parts = [HEAD.format(sections=links, first=first, unset=UNSET, renamed=renamed)]
    parts.append(_section("The file", schema))
    parts += [_section(f"`{key}`", schema["$defs"][name]) for key, name in sections.items()]
    parts += _kinds(INPUT_KINDS, "input", INPUTS_LEAD)
    parts += _kinds(TARGET_KINDS, "target", TARGETS_LEAD)
    return "\n".join(parts)


def _sections(schema: dict[str, Any]) -> dict[str, str]:
    """Key -> model of every key that holds keys of its own, columns first."""
    models = {"targets[]": "TargetConfig", "inputs[]": "InputConfig"}
    for key, field in schema["properties"].items():
        for option in field.get("anyOf", [field]):
            if "$ref" in option:
                models[key] = _name_of(option)
    return models


def _first_row(key: str, schema: dict[str, Any], sections: Mapping[str, str]) -> list[str]:
    """The row of a key among the first ten, whose sections have names of their own."""
    section, _, name = key.rpartition(".")
    home = schema["$defs"][sections[section]] if section else schema
    return _row(name, home, shown=key)


def _section(title: str, schema: dict[str, Any]) -> str:
    """One heading with a table of its keys."""
    lead = _sentence(schema["description"].split("\n", 1)[0])
    rows = [_row(name, schema) for name in schema["properties"]]
    return f"### {title}\n\n{lead}\n\n{_table(rows)}\n"


def _kinds(kinds: Mapping[str, type[InputKind | TargetKind]], role: str, lead: str) -> list[str]:
    """The kinds of a role in one table, then a table of options for each kind that has some."""
    rows, tables = [], []
    for name, kind in kinds.items():
        schema = kind.options.model_json_schema()
        metric = f" {kind.metric.replace('_', ' ')} |" if issubclass(kind, TargetKind) else ""
        title = f"Options of {role} `{name}`"
        listed = ", ".join(f"`{key}`" for key in schema["properties"])
        link = f"[{listed}](#{_anchor(title)})" if listed else ""
        rows.append(f"| `{name}` | {_first(kind)} |{metric} {link} |")
        if listed:
            tables.append(f"### {title}\n\n{_table(list(_option_rows(schema, schema)))}\n")
    more, rule = (" main metric |", " --- |") if role == "target" else ("", "")
    head = KINDS.format(role=role, lead=lead, more=more, rule=rule, rows="\n".join(rows))
    return [head, *tables]


def _option_rows(
    schema: dict[str, Any], root: dict[str, Any], *, within: str = ""
) -> Iterator[list[str]]:
    """The rows of options, those of a mapping behind the option that holds it."""
    for name, field in schema["properties"].items():
        yield _row(name, schema, shown=within + name)
        for option in field.get("anyOf", [field]):
            inner = option.get("items", option)
            if "$ref" in inner:
                dots = f"{within}{name}{'[]' if inner is not option else ''}."
                yield from _option_rows(root["$defs"][_name_of(inner)], root, within=dots)


def _table(rows: list[list[str]]) -> str:
    head = ["| key | default | type | meaning |", "| --- | --- | --- | --- |"]
    return "\n".join([*head, *(f"| {' | '.join(row)} |" for row in rows)])


def _row(name: str, schema: dict[str, Any], *, shown: str = "") -> list[str]:
    """Key, default, type and meaning."""
    field = schema["properties"][name]
    required = name in schema.get("required", [])
    meaning = _meanings(schema["description"])[name]
    default = "required" if required else _default(field)
    if name == "kind":
        role = "targets" if schema["title"] == "TargetConfig" else "inputs"
        allowed = f"name of a [kind](#kinds-of-{role})"
    else:
        allowed = _type(name, field)
    return [f"`{shown or name}`", default, allowed, meaning]


def _meanings(docstring: str) -> dict[str, str]:
    """The meaning of each setting, from the `Args:` of its model."""
    block = docstring.split("Args:\n", 1)[1].split("\n\n", 1)[0]
    arguments = re.findall(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", block, re.MULTILINE)
    return {name: _sentence(" ".join(text.split())) for name, text in arguments}


def _sentence(text: str) -> str:
    """A phrase as a sentence in a table."""
    text = text.rstrip(".")
    return text[:1].upper() + text[1:].replace("|", "\\|") + "."


def _default(field: dict[str, Any]) -> str:
    """The default as a settings file has it."""
    if "default" not in field and field.get("type") == "array":
        return "`[]`"
    value = field.get("default")
    if value is None:
        return UNSET
    if isinstance(value, dict) and value:
        return "that of each key"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if value == "":
        return "empty"
    return f"`{value}`".replace("'", "")


def _type(name: str, field: dict[str, Any]) -> str:
    """The values that a setting takes, in words."""
    options = field.get("anyOf", [field])
    if {"string", "number", "boolean"} <= {option.get("type") for option in options}:
        return "any value"
    return " or ".join(dict.fromkeys(word for option in options if (word := _one(name, option))))


def _one(name: str, option: dict[str, Any]) -> str:
    if "const" in option:
        return f"`{option['const']}`"
    if "enum" in option:
        return ", ".join(f"`{value}`" for value in option["enum"])
    if "$ref" in option:
        # Options of a kind stand in the same table, sections of the file under a heading.
        nested = _name_of(option).endswith("Options")
        return "mapping" if nested else f"[section](#{_anchor(name)})"
    match option.get("type"):
        case "array":
            return _array(option)
        case "object":
            values = {"number": "numbers", "string": "paths"}[
                option["additionalProperties"]["type"]
            ]
            return f"mapping from names to {values}"
        case "integer":
            return "whole number" + _bounds(option)
        case "number":
            return "number" + _bounds(option)
        case "boolean":
            return "`true`, `false`"
        case "string":
            return "text"
    return ""


def _array(option: dict[str, Any]) -> str:
    """A list by what it holds; one of a fixed length by that length."""
    items = option["items"]
    if "enum" in items:
        return "list of " + ", ".join(f"`{value}`" for value in items["enum"])
    plural = {"integer": "whole numbers", "number": "numbers", "string": "names"}
    if "$ref" in items:
        content = "columns" if _name_of(items).endswith("Config") else "mappings"
    elif items.get("type") == "array":
        content = "lists of names"
    else:
        content = plural.get(items.get("type", ""), "values")
    least, most = option.get("minItems"), option.get("maxItems")
    return f"{least} {content}" if least is not None and least == most else f"list of {content}"


def _bounds(option: dict[str, Any]) -> str:
    """The bounds of a number, such as ` (1 to 100)` or ` (above 0 and below 1)`."""
    low, high = option.get("minimum"), option.get("maximum")
    if low is not None and high is not None:
        return f" ({_plain(low)} to {_plain(high)})"
    words = {
        "minimum": "at least {}",
        "exclusiveMinimum": "above {}",
        "maximum": "at most {}",
        "exclusiveMaximum": "below {}",
    }
    limits = [text.format(_plain(option[key])) for key, text in words.items() if key in option]
    return f" ({' and '.join(limits)})" if limits else ""


def _plain(value: float) -> str:
    return f"{int(value):,}" if float(value).is_integer() else f"{value:f}".rstrip("0")


def _name_of(option: dict[str, Any]) -> str:
    return str(option["$ref"].rsplit("/", 1)[1])


def _anchor(title: str) -> str:
    """The anchor that a heading has: lower case, blanks as dashes, no other signs."""
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def _first(kind: type) -> str:
    """The first sentence of a kind's docstring."""
    text = inspect.cleandoc(kind.__doc__ or "").split("\n\n", 1)[0]
    return text.replace("\n", " ").replace("``", "`")


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
    print(f"Wrote {PAGE}")
