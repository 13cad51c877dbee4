"""Scores of a trained model for a table with labels."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import pyarrow as pa

from superpose.errors import listing, message, place
from superpose.kinds import Unknown, UnknownLabels

from ._predictor import Predictor
from ._target_findings import evaluate_target


def score_table(
    predictor: Predictor, table: pa.Table, given: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Score every target that is not given, each by the metrics of its kind.

    Labels that are no class of a target count as wrong, are warned of, and are counted under
    ``unknown_labels`` (rows).

    Args:
        predictor: What ships.
        table: Rows with labels.
        given: Targets that are read as measured.
    """
    codec = predictor.codec
    targets = [t for t in codec.target_kinds if t not in given]
    values = codec.target_values(table, targets)
    unknown = codec.unknown_labels(values)
    for target, found in unknown.items():
        warnings.warn(_as_wrong(target, found), stacklevel=3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnknownLabels)
        labels, answer = codec.labels(table), predictor.answer(table, given, True)
    bare = [
        t for t in targets if t not in unknown and not codec.target_kinds[t].known(labels[t]).any()
    ]
    if bare:
        what = f"no row has a label of {listing(bare)}"
        warnings.warn(message("labels", what, fix="their metrics are not defined"), stacklevel=3)
    return {
        t: evaluate_target(
            predictor,
            t,
            y=labels[t],
            pred=answer.told[t],
            half_width=answer.reach[t],
            unknown=unknown.get(t),
            values=values.get(t),
        )
        for t in targets
    }


def _as_wrong(target: str, unknown: Unknown) -> str:
    names = listing(map(repr, dict.fromkeys(unknown.names)), 4)
    count = len(unknown.names)
    given = f"{count} label{'s' * (count != 1)} that training did not have ({names})"
    fix = "they count as wrong; mend them if they are misspelled"
    return message(place(column=target, row=int(unknown.rows[0])), given, fix=fix)
