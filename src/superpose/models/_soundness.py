"""Whether what came out of a bundle can predict: its parts fit together, and a row is tried."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, NonNegativeFloat

from superpose.errors import BundleError, SuperposeError, listing
from superpose.kinds import TargetKind
from superpose.stored import damaged, restored

from ._names import LEVELS
from ._observed import Observed

if TYPE_CHECKING:
    from ._predictor import Predictor

ROWS = 2  # that are tried: as many as tell a row from a batch


class PredictorFacts(BaseModel):
    """What stands in a bundle beside the codec and the models."""

    model_config = ConfigDict(extra="ignore")

    shipped: dict[str, dict[str, float]]
    thresholds: dict[str, float | list[float]]
    spread: dict[str, NonNegativeFloat]
    floors: dict[str, list[float]]


class GivenFacts(BaseModel):
    """What stands in a bundle of the mixtures that predict where targets are given."""

    model_config = ConfigDict(extra="forbid")

    weights: dict[str, dict[str, dict[str, float]]]
    factors: dict[str, dict[str, float]]
    spread: dict[str, dict[str, NonNegativeFloat]]


def require_facts(facts: Any) -> None:
    """Makes sure that the mixtures, thresholds and intervals of a bundle are finite numbers.

    Raises:
        BundleError: the first that is not.
    """
    names = PredictorFacts.model_fields
    own = {name: facts[name] for name in names}
    stored = restored(PredictorFacts, own, "model")
    if facts["given"]:
        given = restored(GivenFacts, facts["given"], "given")
        for part in (given.weights, given.factors, given.spread):
            if part.keys() != set(LEVELS):
                raise damaged("given", (), f"not of the levels {listing(LEVELS)}")
    for target, weights in stored.shipped.items():
        if min(weights.values(), default=-1.0) < 0 or sum(weights.values()) <= 0:
            raise damaged("model", ("shipped", target), "weights below 0, or none")


def require_sound(predictor: Predictor) -> None:
    """Makes sure that all targets can be predicted from what a bundle contains.

    Raises:
        BundleError: a part that is missing, does not fit, or predicts what is no number.
    """
    kinds = predictor.codec.target_kinds
    for name, level in predictor.levels.items():
        if level.weights.keys() != kinds.keys():
            raise damaged("model", (name,), "not one mixture for each target")
        _require_targets((*level.quantiles, *level.factors), kinds, name)
    _require_targets(predictor.thresholds, kinds, "thresholds")
    _require_targets(predictor.baselines, kinds, "floors")
    for target, baseline in predictor.baselines.items():
        if baseline.shape != (kinds[target].distribution.n_columns,):
            raise damaged("model", ("floors", target), f"{baseline.shape} numbers given")
    for model in predictor.models:
        _require_targets(model.targets, kinds, model.name)
        model.require_sound(predictor.codec)
    # A pretrained model is loaded, from wherever it lies, when it is used.
    skipping = [kind.column for kind in predictor.codec.input_kinds if kind.skip_cross_fitting]
    if skipping or any(kind.hints.skip_cross_fitting for kind in kinds.values()):
        return
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            _try(predictor)
    except SuperposeError as error:
        if isinstance(error, ImportError | BundleError):
            raise
        raise damaged("model", (), str(error)) from error
    except Exception as error:  # whatever a wrong value leads to, it is the bundle's
        raise damaged("model", (), f"it can't predict ({type(error).__name__})") from error


def _require_targets(names: Iterable[str], kinds: Mapping[str, TargetKind], part: str) -> None:
    strange = sorted(set(names) - kinds.keys())
    if strange:
        raise damaged("model", (part, strange[0]), "no target of this model")


def _try(predictor: Predictor) -> None:
    """Predicts rows without a value, with every model and in every way that a user can."""
    codec = predictor.codec
    table = pa.table({spec.name: pa.nulls(ROWS) for spec in codec.schema.inputs})
    each = predictor.each(predictor.rows(table), codec.target_kinds)
    prediction = predictor.predict(table)
    for target, kind in codec.target_kinds.items():
        every = [*each[target].values(), prediction.pred[target]]
        if any(z.shape != (ROWS, kind.distribution.n_columns) for z in every):
            raise damaged("model", (), f"predictions of {target!r} have another shape")
        # Where there are predictions for each location, a row without an image has none.
        if kind.locations is None and not all(np.isfinite(z).all() for z in every):
            raise damaged("model", (), f"predictions of {target!r} are not finite")
        threshold = predictor.thresholds.get(target)
        codec.decode(
            target,
            prediction.pred[target],
            table,
            threshold=threshold,
            quantile=prediction.quantile[target],
        )
        kind.decode_proba(prediction.pred[target])
    if predictor.takes_given:
        _try_given(predictor, table)


def _try_given(predictor: Predictor, table: pa.Table) -> None:
    codec = predictor.codec
    plain = [t for t, kind in codec.target_kinds.items() if not kind.hints.reads_input]
    events = [spec.options.get("event") for spec in codec.schema.targets]
    for name in (*plain, *filter(None, events)):
        table = table.append_column(name, pa.nulls(ROWS))
    predictor.predict(table, plain)
    rows = predictor.rows(table)
    labels = {
        t: np.zeros_like(kind.distribution.missing(ROWS)) for t, kind in codec.target_kinds.items()
    }
    for level in predictor.levels:
        predictor.conditional(rows, Observed(codec.target_kinds, labels), level=level)
