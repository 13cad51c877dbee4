"""Facts of bundles as versions before this one wrote them, turned into those of today."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._names import COPULA, MULTI_TASK, SINGLE_TASK, TREES_ALL, TREES_SOME

FAMILIES = {
    MULTI_TASK: "network",
    SINGLE_TASK: "network",
    TREES_SOME: "conditional_trees",
    TREES_ALL: "conditional_trees",
}


def today(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts of a predictor in today's form.

    Up to 0.1 a model's name and target stood beside its facts, its family followed from the name,
    and the copula was a part of what predicts when targets are given.

    Raises:
        KeyError: A part is missing.
    """
    models = [_with_family(entry) for entry in facts["models"]]
    given = facts["given"]
    if given and given.get("copula"):
        base = given["base"]
        own = {"name": COPULA, "targets": list(base), **given["copula"], "base": base}
        models.append({"family": "copula", "group": None, "facts": own})
    if given:
        given = {key: value for key, value in given.items() if key not in ("copula", "base")}
    return {**facts, "models": models, "given": given}


def _with_family(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    if "family" in entry:
        return entry
    name = entry["name"]
    facts = {"name": name, **entry["facts"]}
    if entry["target"] is not None:
        facts["targets"] = [entry["target"]]
    return {"family": FAMILIES.get(name, "trees"), "group": entry["group"], "facts": facts}
