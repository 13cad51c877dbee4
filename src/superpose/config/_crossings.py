"""Faults between settings: columns that are two things at once, sections that contradict."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from superpose.errors import did_you_mean, key_path, listing

from ._faults import Fault, Keys


def crossings(values: Mapping[str, Any]) -> list[Fault]:
    """Finds columns that are named twice, or as two things at once.

    It reads the plain values, so that these faults are found beside those of pydantic.

    Args:
        values: the plain values of the settings.
    """
    faults: list[Fault] = []
    taken: dict[str, str] = {}
    roles = {"targets": "a target", "ignore": "ignored", "inputs": "an input"}
    for key, role in roles.items():
        entries = values.get(key)
        for index, entry in enumerate(entries if isinstance(entries, list) else []):
            if isinstance(entry, BaseModel):
                entry = entry.model_dump()
            name = entry.get("name") if isinstance(entry, Mapping) else entry
            if not isinstance(name, str | int | float):
                continue
            name = str(name).strip()
            before = taken.get(name)
            if before == role:
                faults.append(Fault((key, index), f"{name!r} stands twice", fix="remove one"))
            elif before is not None:
                fix = "a column is one thing; keep it in one place"
                faults.append(Fault((key, index), f"{name!r} is also {before}", fix=fix))
            taken.setdefault(name, role)
    faults += _groups(values.get("groups"), [n for n, role in taken.items() if role == "a target"])
    if values.get("data") is not None and values.get("sources") is not None:
        fix = "keep `data` for one table, or `sources` for several"
        faults.append(Fault(("sources",), "given beside data", fix=fix))
    balance = values.get("balance")
    if isinstance(balance, Mapping | BaseModel):
        balance = dict(balance).get("method", "sum")
    targets = values.get("targets")
    if isinstance(targets, list) and len(targets) == 1 and balance not in (None, "sum"):
        given = f"{balance!r} given for one target"
        fix = "there is nothing to balance; remove it, or add a target"
        faults.append(Fault(("balance",), given, "sum", fix))
    split = values.get("split")
    split = split.model_dump(exclude_unset=True) if isinstance(split, BaseModel) else split
    by = split.get("by") if isinstance(split, Mapping) else None
    faults += _forecasts(values)
    if values.get("windows") is not None and by in ("random", "stratified"):
        given = f"{by} given for windows, which overlap"
        fix = "remove it: windows are divided by their group, or by time without one"
        faults.append(Fault(("split", "by"), given, "group, time, column", fix))
    if isinstance(split, Mapping) and split.get("by") in ("group", "column"):
        for key in ("column", "groups"):
            name = "" if split.get(key) is None else str(split[key]).strip()
            # Parts made by a target's own values differ in them: nothing learned could be judged.
            if taken.get(name) == "a target":
                fix = "split by another column, or take the target out"
                faults.append(Fault(("split", key), f"{name!r} is also a target", fix=fix))
    return faults


def _forecasts(values: Mapping[str, Any]) -> list[Fault]:
    """Finds forecasts of windows that don't say how far they look ahead, and the reverse."""
    windows, targets = values.get("windows"), values.get("targets")
    windows = windows.model_dump() if isinstance(windows, BaseModel) else windows
    if not isinstance(windows, Mapping) or not isinstance(targets, list):
        return []
    entries = [entry.model_dump() if isinstance(entry, BaseModel) else entry for entry in targets]
    asked = any(isinstance(e, Mapping) and e.get("kind") == "forecast" for e in entries)
    if asked and windows.get("ahead") is None:
        return [Fault(("windows", "ahead"), "not given beside a target of kind forecast",
                      "how many steps to look ahead, or a list of them")]  # fmt: skip
    if not asked and windows.get("ahead") is not None:
        fix = "write `kind: forecast` for the targets that are to be foreseen, or remove it"
        return [Fault(("windows", "ahead"), "given without a target of kind forecast", fix=fix)]
    return []


def _groups(groups: Any, targets: list[str]) -> list[Fault]:
    """Finds members of groups that are no targets, and targets that stand in two places."""
    faults: list[Fault] = []
    seen: dict[str, Keys] = {}
    for number, group in enumerate(groups if isinstance(groups, list) else []):
        for index, entry in enumerate(group if isinstance(group, list) else []):
            if not isinstance(entry, str | int | float):
                continue
            name = str(entry).strip()
            keys = ("groups", number, index)
            if name not in targets:
                fix = did_you_mean(name, targets)
                faults.append(Fault(keys, f"{name!r} given", listing(targets), fix))
            elif name in seen:
                given = f"{name!r} stands in {key_path(seen[name])} too"
                faults.append(Fault(keys, given, fix="a target is in one group; keep it in one"))
            seen.setdefault(name, keys)
    return faults
