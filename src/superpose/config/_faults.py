"""Turning what pydantic finds into faults in the words and order of the house."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from superpose.errors import did_you_mean

Keys = tuple[str | int, ...]


class Fault(NamedTuple):
    """One fault in the settings.

    Args:
        keys: the way to the setting; from a validator, the way on from its own keys.
        given: what stands there.
        allowed: what may stand there.
        fix: what to do next.
    """

    keys: Keys
    given: str
    allowed: str = ""
    fix: str = ""


# Names that other tools have for a choice.
_SAME = {"gpu": "cuda", "nvidia": "cuda", "forest": "trees", "false": "none", "off": "none"}

# What pydantic expected, by the type of its error; {} is filled from the error's context.
_EXPECTED = {
    "bool_type": "true or false",
    "dict_type": "keys with values",
    "finite_number": "a finite number",
    "float_type": "a number",
    "greater_than": "above {gt}",
    "greater_than_equal": "{ge} or more",
    "int_type": "a whole number",
    "less_than": "below {lt}",
    "less_than_equal": "{le} or less",
    "list_type": "a list",
    "literal_error": "{expected}",
    "model_type": "keys with values",
    "string_too_short": "a name that is not empty",
    "string_type": "a word",
    "too_long": "a list of {max_length} or less",
    "too_short": "a list of {min_length} or more",
}


def report(error: ValidationError, values: Any, root: type[BaseModel]) -> list[Fault]:
    """Lists the faults of a validation, one for each setting, in the order of the file.

    Args:
        error: what pydantic raised.
        values: the plain values that were validated.
        root: the model that they were validated against.
    """
    faults: dict[Keys, Fault] = {}
    names = set(root.model_fields)
    names.update(*(part.model_fields for part in _sections(root).values()))
    for detail in error.errors(include_url=False):
        keys = _plain_keys(detail["loc"], values, names)
        for fault in _faults(detail, keys, root):
            # A value that may be of two types is refused by both; the two are one fault.
            before = faults.get(fault.keys)
            if before is None:
                faults[fault.keys] = fault
            elif fault.allowed and fault.allowed not in before.allowed:
                allowed = " or ".join(filter(None, (before.allowed, fault.allowed)))
                faults[fault.keys] = before._replace(allowed=allowed, fix=before.fix or fault.fix)
    # The refusal of a whole list says nothing once a fault inside the list is known.
    return [
        fault
        for keys, fault in faults.items()
        if not any(len(other) > len(keys) and other[: len(keys)] == keys for other in faults)
    ]


def _plain_keys(loc: Keys, values: Any, names: set[str]) -> Keys:
    """The way to a setting without the tags that pydantic adds for the members of a union."""
    keys: list[str | int] = []
    for key in loc:
        written = isinstance(values, Mapping) and key in values
        if isinstance(key, str) and key not in names and not written:
            continue  # neither a setting nor a key that was written: it can only be a tag
        keys.append(key)
        if isinstance(values, Mapping):
            values = values.get(key)
        elif isinstance(values, list) and isinstance(key, int) and key < len(values):
            values = values[key]
        else:
            values = None
    return tuple(keys)


def _faults(detail: Any, keys: Keys, root: type[BaseModel]) -> Iterator[Fault]:
    """The faults that one error of pydantic stands for."""
    kind = detail["type"]
    context = detail.get("ctx", {})
    if kind == "faults":
        for fault in context["faults"]:
            yield fault._replace(keys=(*keys, *fault.keys))
    elif kind == "value_error":
        yield Fault(keys, str(context["error"]))
    elif kind == "extra_forbidden":
        yield _unknown_key(keys, root)
    elif kind == "missing":
        yield Fault(keys, "the key is missing", fix="add it")
    else:
        # A bound of a float setting comes as 0.0, which nobody would write.
        bounds = {
            key: int(bound) if isinstance(bound, float) and bound.is_integer() else bound
            for key, bound in context.items()
        }
        of_keys = context.get("field_type") == "Dictionary"
        wanted = "{min_length} keys or more" if of_keys else _EXPECTED.get(kind, detail["msg"])
        allowed = wanted.format(**bounds)
        choices = re.findall(r"'([^']*)'", context.get("expected", ""))
        given = detail["input"]
        fix = ""
        if choices:
            allowed = ", ".join(choices)
            fix = meant(given, choices)
        yield Fault(keys, f"{shown(given)} given", allowed, fix)


def meant(given: Any, choices: list[str]) -> str:
    """What a word was meant to be: another name for the same, or a near one; empty if none is."""
    if not isinstance(given, str):
        return ""
    same = _SAME.get(given.lower().partition(":")[0])
    return f"did you mean {same!r}?" if same in choices else did_you_mean(given, choices)


def _unknown_key(keys: Keys, root: type[BaseModel]) -> Fault:
    """A key that does not exist: its nearest neighbour, or the section it belongs to."""
    word = str(keys[-1])
    sections = _sections(root)
    model = root
    for key in keys[:-1]:  # as deep as the key stands
        model = _sections(model).get(str(key), model)
    known = list(model.model_fields)
    fix = did_you_mean(word, known)
    if not fix:
        homes = [home for home, part in sections.items() if word in part.model_fields]
        if len(keys) == 1 and homes:
            fix = f"it belongs under {' or '.join(homes)}"
        elif len(keys) > 1 and word in root.model_fields:
            fix = "it belongs to the top of the settings"
    return Fault(keys, "unknown key", ", ".join(known), fix)


def _sections(root: type[BaseModel]) -> dict[str, type[BaseModel]]:
    """The model behind each key of the settings that has keys of its own."""
    sections = {}
    for name, field in root.model_fields.items():
        models = list(_models(field.annotation))
        if models:
            sections[name] = models[0]
    return sections


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models named anywhere in an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from _models(part)


def shown(value: Any) -> str:
    """A value as a message shows it: short, and never a whole structure."""
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple | set):
        return "an empty list" if not value else "a list"
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
