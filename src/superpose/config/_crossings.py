"""Faults between settings: columns that are two things at once, sections that contradict."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from superpose.errors import did_you_mean, key_path, listing
from superpose.kinds import TARGET_KINDS

from ._faults import Fault, Keys

_ROLES = {"targets": "a target", "ignore": "ignored", "inputs": "an input"}


def crossings(values: Mapping[str, Any]) -> list[Fault]:
    """Finds settings that contradict each other, such as a column that is two things at once.

    It reads the plain values, so that these faults are named beside those of pydantic.

    Args:
        values: the plain values of the settings.
    """
    roles: dict[str, str] = {}
    faults = list(_columns(values, roles))
    targets = [name for name, role in roles.items() if role == "a target"]
    faults += _groups(values.get("groups"), targets)
    faults += _sources(values)
    faults += _balance(values)
    faults += _forecasts(values)
    faults += _split(values, targets)
    return faults


def _plain(section: Any) -> Any:
    """A section as a mapping of what is set in it."""
    return section.model_dump(exclude_unset=True) if isinstance(section, BaseModel) else section


def _columns(values: Mapping[str, Any], roles: dict[str, str]) -> Iterator[Fault]:
    """Finds columns that are named twice, or as two things; notes what each is in `roles`."""
    for key, role in _ROLES.items():
        entries = values.get(key)
        for index, entry in enumerate(entries if isinstance(entries, list) else []):
            column = _plain(entry)
            name = column.get("name") if isinstance(column, Mapping) else column
            if not isinstance(name, str | int | float):
                continue
            name = str(name).strip()
            if name not in roles:
                roles[name] = role
            elif roles[name] == role:
                yield Fault((key, index), f"{name!r} stands twice", fix="remove one")
            else:
                fix = "a column is one thing; keep it under one key"
                yield Fault((key, index), f"{name!r} is also {roles[name]}", fix=fix)


def _sources(values: Mapping[str, Any]) -> Iterator[Fault]:
    """Finds one table beside several."""
    if values.get("data") is not None and values.get("sources") is not None:
        fix = "keep `data` for one table, or `sources` for several"
        yield Fault(("sources",), "given beside data", fix=fix)


def _balance(values: Mapping[str, Any]) -> Iterator[Fault]:
    """Finds a way to balance a single target."""
    balance = values.get("balance")
    if isinstance(balance, Mapping | BaseModel):
        balance = dict(balance).get("method", "sum")
    targets = values.get("targets")
    if isinstance(targets, list) and len(targets) == 1 and balance not in (None, "sum"):
        fix = "there is nothing to balance; remove it, or add a target"
        yield Fault(("balance",), f"{balance!r} given for one target", "sum", fix)


def _forecasts(values: Mapping[str, Any]) -> Iterator[Fault]:
    """Finds forecasts of windows that don't say how far they look ahead, and the reverse."""
    windows = _plain(values.get("windows"))
    targets = values.get("targets")
    if not isinstance(windows, Mapping) or not isinstance(targets, list):
        return
    entries = [_plain(entry) for entry in targets]
    kinds = [name for name, kind in TARGET_KINDS.items() if kind.hints.looks_ahead]
    forecasts = any(isinstance(e, Mapping) and e.get("kind") in kinds for e in entries)
    keys = ("windows", "ahead")
    if forecasts and windows.get("ahead") is None:
        allowed = "how many steps to look ahead, or a list of them"
        yield Fault(keys, f"not given beside a target of kind {listing(kinds)}", allowed)
    if not forecasts and windows.get("ahead") is not None:
        fix = (
            f"write `kind: {listing(kinds)}` for the targets that are to be foreseen, or remove it"
        )
        yield Fault(keys, f"given without a target of kind {listing(kinds)}", fix=fix)


def _split(values: Mapping[str, Any], targets: list[str]) -> Iterator[Fault]:
    """Finds splits that windows can't have, and splits by a target."""
    split = _plain(values.get("split"))
    if not isinstance(split, Mapping):
        return
    by = split.get("by")
    if values.get("windows") is not None and by in ("random", "stratified"):
        given = f"{by} given for windows, which overlap"
        fix = "remove it: windows are divided by their group, or by time without one"
        yield Fault(("split", "by"), given, "group, time, column", fix)
    for key in ("column", "groups") if by in ("group", "column") else ():
        name = "" if split.get(key) is None else str(split[key]).strip()
        # Parts made by a target's own values differ in them: nothing learned could be evaluated.
        if name in targets:
            fix = "split by another column, or take the target out"
            yield Fault(("split", key), f"{name!r} is also a target", fix=fix)


def _groups(groups: Any, targets: list[str]) -> list[Fault]:
    """Finds members of groups that are no targets, and targets that stand in two groups."""
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
