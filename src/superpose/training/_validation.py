"""What the averaged networks predict for validation rows, by target and part of them."""

from __future__ import annotations

import numpy as np

from superpose.models.network import Inputs, predict_rows
from superpose.nn import GIVEN

from ._jobs import heads_by_fold
from ._state import TrainState

ByPart = list[list[np.ndarray]]


def validation_predictions(state: TrainState) -> ByPart:
    """Predict the validation rows of each network, with no target given.

    Shape:
        For each target and part (n, K), where n is the number of the part's rows.
    """
    return _predict(state, state.loader.inputs)


def half_given_predictions(state: TrainState) -> ByPart | None:
    """Predict every target of the validation rows while about half of the others are given.

    None where networks read no targets.
    """
    if state.observed is None:
        return None
    first, second = (
        _predict(state, {**state.loader.inputs, GIVEN: block})
        for block in state.observed.half_blocks()
    )
    given = state.observed.shown_half.cpu().numpy()
    # Of each row the pass in which the target is hidden.
    return [
        [
            np.where(given[own, t, None], b, a)
            for own, a, b in zip(state.spec.parts, first[t], second[t], strict=True)
        ]
        for t in range(len(first))
    ]


def _predict(state: TrainState, inputs: Inputs) -> ByPart:
    kinds = state.spec.kinds
    pred = predict_rows(
        state.ema,
        inputs,
        [state.spec.folds[job.fold].validation for job in state.jobs],
        kinds=[[kinds[t] for t in job.targets] for job in state.jobs],
    )
    networks, heads = heads_by_fold(state.jobs)
    by_fold = [
        [pred[n][h] for n, h in zip(networks[:, t], heads[:, t], strict=True)]
        for t in range(len(kinds))
    ]
    return [state.spec.by_part(own) for own in by_fold]
