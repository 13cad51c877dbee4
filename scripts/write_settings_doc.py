"""Writes docs/settings.md from the settings themselves; run it after a change of a setting.

python scripts/write_settings_doc.py

Names, defaults and bounds come from the models that check a settings file, meanings from their
docstrings, so that the page can't say anything else than the code. A contract test compares them.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from superpose.config import Config
from superpose.kinds import INPUT_KINDS, TARGET_KINDS, InputKind, TargetKind

PAGE = Path(__file__).parents[1] / "docs" / "settings.md"

HEAD = """\
<!-- Written by scripts/write_settings_doc.py; change the docstrings of the settings instead. -->

# Settings

Every key of `superpose.yaml`. The same keys are arguments of `Superpose(...)`: the sections
`split`, `model`, `training`, `balance` and `proof` are mappings there. `superpose init TABLE
--targets A,B` writes a file with the inferred kinds; `superpose check FILE` names every fault of it
at once, with its line. An unknown key is an error.

Only `targets` is required. A file with everything that is usually set:

```yaml
data: station.csv
targets:
  - pm25
  - {name: level, kind: ordinal, levels: [good, moderate, unhealthy]}
ignore: [station_id]
split: {by: time, column: date, validation: 0.15, test: 0.15}
model: {fusion: task-attention}
training: {epochs: 100}
proof: {references: all, alpha: 0.05}
seed: 0
```
"""

KINDS = """\
## Kinds

A kind is what a column is. It is inferred from the values, shown with its reason by
`superpose init` and `superpose check`, and can be declared.

| input | what it is |
| --- | --- |
{inputs}

| target | what it is | main metric |
| --- | --- | --- |
{targets}

Some kinds have options, which stand beside the name of the column. An option that only one kind
has tells the kind too; where several have it the values decide, or an error names the kinds.

| option | of | allowed | meaning |
| --- | --- | --- | --- |
{options}
"""


def page() -> str:
    """The whole page."""
    schema = Config.model_json_schema()
    sections = schema["$defs"]
    own = {key: name for key, field in schema["properties"].items() if (name := _model(field))}
    top = {key: field for key, field in schema["properties"].items() if key not in own}
    parts = [HEAD, _section("The file", schema | {"properties": top})]
    for key, name in (("targets[]", "TargetConfig"), ("inputs[]", "InputConfig")):
        parts.append(_section(f"`{key}`", sections[name]))
    parts += [_section(f"`{key}`", sections[name]) for key, name in own.items()]
    inputs = "\n".join(f"| `{name}` | {_first(kind)} |" for name, kind in INPUT_KINDS.items())
    targets = "\n".join(
        f"| `{name}` | {_first(kind)} | {kind.metric.replace('_', ' ')} |"
        for name, kind in TARGET_KINDS.items()
    )
    options = [
        *_options(INPUT_KINDS, "input"),
        *_options(TARGET_KINDS, "target"),
    ]
    parts.append(KINDS.format(inputs=inputs, targets=targets, options="\n".join(options)))
    return "\n".join(parts)


def _options(kinds: Mapping[str, type[InputKind | TargetKind]], role: str) -> list[str]:
    """The rows of the options of all kinds of a role."""
    rows = []
    for name, kind in kinds.items():
        schema = kind.options.model_json_schema()
        meanings = _meanings(schema["description"]) if schema["properties"] else {}
        rows += [
            f"| `{key}` | {role} `{name}` | {_allowed(field)} | {meanings[key]} |"
            for key, field in schema["properties"].items()
        ]
    return rows


def _model(field: dict[str, Any]) -> str:
    """The model of a key that holds keys of its own; empty for any other key."""
    options = field.get("anyOf", [field])
    return next((o["$ref"].rsplit("/", 1)[1] for o in options if "$ref" in o), "")


def _section(title: str, schema: dict[str, Any]) -> str:
    """One heading with a table of its keys."""
    text = schema["description"]
    meanings = _meanings(text)
    required = set(schema.get("required", []))
    rows = []
    for name, field in schema["properties"].items():
        default = "required" if name in required else _default(name, field)
        rows.append(f"| `{name}` | {default} | {_allowed(field)} | {meanings[name]} |")
    lead = _sentence(text.split("\n", 1)[0])
    table = "\n".join(["| key | default | allowed | meaning |", "| --- | --- | --- | --- |", *rows])
    return f"## {title}\n\n{lead}\n\n{table}\n"


def _meanings(docstring: str) -> dict[str, str]:
    """The meaning of each setting, from the `Args:` of its model."""
    block = docstring.split("Args:\n", 1)[1].split("\n\n", 1)[0]
    found = re.findall(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", block, re.MULTILINE)
    return {name: _sentence(" ".join(text.split())) for name, text in found}


def _sentence(text: str) -> str:
    """A phrase as a sentence in a table."""
    text = re.sub(r"a key of `\w+_KINDS`", "one of the [kinds](#kinds)", text.rstrip("."))
    return text[:1].upper() + text[1:].replace("|", "\\|") + "."


def _default(name: str, field: dict[str, Any]) -> str:
    value = field.get("default")
    if value is None:
        return "inferred" if name == "kind" else "none"
    return f"`{value}`".replace("'", "")


def _allowed(field: dict[str, Any]) -> str:
    """The values that a setting takes, in words."""
    options = field.get("anyOf", [field])
    words = [word for option in options if (word := _one(option))]
    return " or ".join(words)


def _one(option: dict[str, Any]) -> str:
    if "const" in option:
        return f"`{option['const']}`"
    if "enum" in option:
        return ", ".join(f"`{value}`" for value in option["enum"])
    kind = option.get("type")
    if kind == "array":
        items = option["items"]
        if "enum" in items:
            return "list of " + ", ".join(f"`{value}`" for value in items["enum"])
        if items.get("type") == "array":
            return "list of lists of columns"
        return "list of values" if "anyOf" in items else "list of columns"
    if kind in ("integer", "number"):
        return ("whole number" if kind == "integer" else "number") + _bounds(option)
    if kind == "object":
        return "numbers by name"
    return {"string": "text", "boolean": "true or false", "null": ""}.get(str(kind), "")


def _bounds(option: dict[str, Any]) -> str:
    words = {
        "minimum": "from {}",
        "exclusiveMinimum": "above {}",
        "maximum": "to {}",
        "exclusiveMaximum": "below {}",
    }
    found = [text.format(_plain(option[key])) for key, text in words.items() if key in option]
    return (" " + ", ".join(found)) if found else ""


def _plain(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else str(value)


def _first(kind: type) -> str:
    """The first sentence of a kind's docstring."""
    text = inspect.cleandoc(kind.__doc__ or "").split("\n\n", 1)[0]
    return text.replace("\n", " ").replace("``", "`")


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
    print(f"Wrote {PAGE}")
