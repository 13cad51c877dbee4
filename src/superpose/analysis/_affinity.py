"""Affinity: which targets help each other, by several measures side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from superpose.errors import DataError, SuperposeError, message
from superpose.evaluation import Prepared, Progress, spec_of
from superpose.training import look_ahead

from ._findings import Facts, groups_of
from ._grouping import suggested

# Networks that are trained side by side: enough to see what is chance, and all in one pass.
MOST_NETWORKS = 5
MEASURES = ("lookahead", "cosine", "residual", "bits")


def affinity(prepared: Prepared, facts: Facts, epochs: int, progress: Progress) -> Facts:
    """Measure who helps whom in a short training of all targets, beside what a run has found.

    Test rows are not read, but for the bits, which the run has measured on them.

    Args:
        prepared: The table of the run, divided as it was.
        facts: What the run has found out.
        epochs: Epochs of the short training (at least 1).
        progress: Called with the name of the stage and the share that is done.

    Returns:
        ``targets``; (T, T) lists, row from, column to: ``lookahead`` (share of the held-out loss
        that a step saves), ``cosine``, ``residual`` and ``bits``, None where the run has none;
        ``alone``: whether residuals are those of single-task models;
        ``transfer``: for each target what sharing did to it; ``set``: the groups of the run;
        ``groups``: the suggestion, and what was read for it: ``looks``, ``networks``, ``epochs``.

    Raises:
        SuperposeError: The run has one target.
        DataError: The table is not that of the run, or there are no epochs.
    """
    targets = prepared.targets
    if epochs < 1:
        raise DataError(message("epochs", f"{epochs} given", "1 or more"))
    require_same(prepared, facts)
    if len(targets) < 2:
        fix = "train with two or more"
        raise SuperposeError(message("affinity", "the run has one target", fix=fix))
    stage = "short training of all targets"
    progress(stage, 0.0)
    recipe = spec_of(prepared)
    recipe = replace(recipe, folds=recipe.folds[:MOST_NETWORKS])
    found = look_ahead(recipe, epochs, lambda share: progress(stage, share))
    looks, networks = found.lookahead.shape[:2]
    entangled, residual = facts.get("entanglement") or {}, facts.get("residuals") or {}
    return {
        "targets": targets,
        "lookahead": _mean(found.lookahead).tolist(),
        "cosine": _mean(found.cosine).tolist(),
        "residual": residual.get("correlation"),
        "alone": residual.get("alone", True),
        "bits": entangled.get("bits"),
        "transfer": [
            {key: row.get(key) for key in ("target", "delta", "interval", "verdict")}
            for row in facts.get("transfer") or []
        ],
        "set": groups_of(prepared),
        "groups": names(targets, suggested(_over_networks(found.lookahead)).groups),
        "looks": looks,
        "networks": networks,
        "epochs": min(epochs, recipe.settings.epochs),
    }


def affinity_pairs(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Turn what ``affinity`` found into one record for each ordered pair, the best first."""
    out = []
    for a, giver in enumerate(found["targets"]):
        for b, receiver in enumerate(found["targets"]):
            if a != b:
                told = {m: _number(found[m][a][b]) if found[m] else None for m in MEASURES}
                out.append({"from": giver, "to": receiver, **told})
    return sorted(out, key=lambda pair: -(pair["lookahead"] or 0.0))


def require_same(prepared: Prepared, facts: Facts) -> None:
    """Refuse a table that does not divide as that of the run did."""
    split = prepared.split
    rows = {"train": len(split.train), "validation": len(split.validation), "test": len(split.test)}
    before = (facts.get("data") or {}).get("rows")
    if before and before != rows:
        given, allowed = (
            ", ".join(f"{count} {part}" for part, count in parts.items())
            for parts in (rows, before)
        )
        fix = "name the table that the run was trained on"
        raise DataError(message("table", f"its rows divide into {given}", allowed, fix=fix))


def names(targets: Sequence[str], groups: Sequence[Sequence[int]]) -> list[list[str]]:
    """Return groups of places as groups of names."""
    return [[targets[place] for place in group] for group in groups]


def _over_networks(looks: np.ndarray) -> np.ndarray:
    """Average over the networks, (N, P, T, T) -> (N, T, T); NaN where none has a value."""
    known = ~np.isnan(looks)
    total = np.where(known, looks, 0.0).sum(1)
    return np.where(known.any(1), total / np.maximum(known.sum(1), 1), np.nan)


def _mean(looks: np.ndarray) -> np.ndarray:
    """Average over looks and networks, (N, P, T, T) -> (T, T)."""
    return _over_networks(looks.reshape(1, -1, *looks.shape[2:]))[0]


def _number(value: Any) -> float | None:
    return None if value is None or np.isnan(value) else float(value)
