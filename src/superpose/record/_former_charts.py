"""Charts of the facts that kinds give: plain values and arrays by name, under a word for the kind.

Bundles of format 2 hold them as they were given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ._charts import (
    ChartRecord,
    ClassesChart,
    CurveOfClass,
    ExampleRecord,
    ExamplesChart,
    ForecastChart,
    LabelSetsChart,
    MapsChart,
    MasksChart,
    ObjectClass,
    ObjectsChart,
    ObjectsRecord,
    RanksChart,
    SurvivalChart,
    SurvivalGroup,
    ValuesChart,
    WordRecord,
    WordsChart,
)
from ._models import DEPLOYED
from ._values import UNKNOWN

Facts = Mapping[str, Any]


def chart_of(facts: Facts) -> ChartRecord | None:
    """Returns the chart of what a kind gives to be drawn, None where it has no labels.

    Args:
        facts: By name; ``kind`` says which sort of chart. A kind that is not known has classes,
            if it gives a probability for each of its labels.

    Raises:
        KeyError, TypeError, ValueError: Facts that are not those of their kind.
    """
    kind = facts.get("kind")
    if "y" in facts and not len(facts["y"]):
        return None
    draw = CHARTS.get(str(kind))
    if draw is None and len(facts.get("labels") or ()):
        draw = _classes
    return draw(facts) if draw else None


def _numbers(values: Any) -> np.ndarray:
    return np.asarray(values, np.float64)


def _values(facts: Facts) -> ValuesChart:
    both = _numbers(facts["value"])
    ends = facts.get("interval")
    low, high = (None, None) if ends is None else _numbers(ends).T
    return ValuesChart(both[:, 0], both[:, 1], low, high)


def _classes(facts: Facts) -> ClassesChart:
    return ClassesChart(_labels(facts), _numbers(facts["y"]), _numbers(facts["prediction"]))


def _label_sets(facts: Facts) -> LabelSetsChart:
    return LabelSetsChart(_labels(facts), _numbers(facts["y"]), _numbers(facts["prediction"]))


def _labels(facts: Facts) -> list[str]:
    return [str(label) for label in facts.get("labels") or []]


def _survival(facts: Facts) -> SurvivalChart:
    groups = [
        SurvivalGroup(int(one["rows"]), _numbers(one["told"]), _numbers(one["seen"]))
        for one in facts["groups"]
    ]
    return SurvivalChart(_numbers(facts["at"]), groups)


def _forecast(facts: Facts) -> ForecastChart:
    names = {"shipped": DEPLOYED}
    errors = {names.get(name, name): _numbers(values) for name, values in facts["errors"].items()}
    return ForecastChart(_numbers(facts["ahead"]), errors)


def _ranks(facts: Facts) -> RanksChart:
    return RanksChart(_numbers(facts["ranks"]), int(facts["items"]), _examples(facts))


def _only_examples(facts: Facts) -> ExamplesChart:
    return ExamplesChart(_examples(facts))


def _examples(facts: Facts) -> list[ExampleRecord]:
    return [
        ExampleRecord(
            {str(name): str(value) for name, value in one["row"].items()},
            str(one["true"]),
            [str(text) for text, _ in one["told"]],
            [UNKNOWN if share is None else float(share) for _, share in one["told"]],
        )
        for one in facts.get("examples") or []
    ]


def _words(facts: Facts) -> WordsChart:
    sentences = [
        [WordRecord(str(word["word"] or ""), word["true"], word["told"]) for word in sentence]
        for sentence in facts["sentences"]
    ]
    return WordsChart(
        labels=_labels(facts),
        spans=bool(facts["spans"]),
        counts=_numbers(facts["counts"]),
        sentences=sentences,
        n_rows=int(facts["rows"]),
        n_wrong_rows=int(facts["wrong_rows"]),
    )


def _masks(facts: Facts) -> MasksChart:
    return MasksChart(
        labels=_labels(facts),
        counts=_numbers(facts["counts"]),
        pixels=np.asarray(facts["pixels"]),
        true=np.asarray(facts["true"]),
        pred=np.asarray(facts["told"]),
    )


def _maps(facts: Facts) -> MapsChart:
    return MapsChart(
        values=_numbers(facts["value"]).reshape(-1, 2),
        pixels=np.asarray(facts["pixels"]),
        true=_numbers(facts["true"]),
        pred=_numbers(facts["told"]),
    )


def _objects(facts: Facts) -> ObjectsChart:
    columns = (facts[name] for name in ("true_counts", "told_counts", "hit_counts"))
    classes = [
        ObjectClass(
            label=label,
            n_true=int(true),
            n_pred=int(pred),
            n_hits=int(hits),
            ap50=UNKNOWN if ap50 is None else float(ap50),
            curve=CurveOfClass(_numbers(curve["recall"]), _numbers(curve["precision"])),
        )
        for label, true, pred, hits, ap50, curve in zip(
            _labels(facts), *columns, facts["ap50"], facts["curves"], strict=True
        )
    ]
    objects = [ObjectsRecord(one["true"], one["told"]) for one in facts["objects"]]
    return ObjectsChart(classes, np.asarray(facts["pixels"]), objects)


CHARTS: dict[str, Callable[[Facts], ChartRecord]] = {
    "number": _values,
    "count": _values,
    "multilabel": _label_sets,
    "survival": _survival,
    "forecast": _forecast,
    "retrieval": _ranks,
    "generated-text": _only_examples,
    "vector": _only_examples,
    "tokens": _words,
    "mask": _masks,
    "map": _maps,
    "boxes": _objects,
}
