"""What every kind of column has to keep, whatever its values are."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial, update_wrapper
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from superpose.kinds import Column, InputKind, TargetKind
from superpose.nn import encoder_of, head_of

from ._checks import run_checks

WIDTH = 8  # of the tokens of an input
LONGEST_PHRASE = 200  # characters of a description in the report
TOLERANCE = 1e-5  # float32 against float64

InputCheck = Callable[[InputKind, Column], None]
TargetCheck = Callable[[TargetKind, Column], None]


def _same(actual: np.ndarray, expected: np.ndarray, claim: str) -> None:
    assert actual.shape == expected.shape, f"{claim}: shape {actual.shape}, not {expected.shape}"
    same = np.array_equal(actual, expected, equal_nan=actual.dtype.kind == "f")
    assert same, f"{claim}: the values differ"


def _restored(kind: Any) -> Any:
    """The kind as a bundle gives it back."""
    return type(kind).from_state(json.loads(json.dumps(kind.state())))


# Of inputs and targets alike.


def it_has_a_name_and_a_description(kind: InputKind | TargetKind, values: Column) -> None:
    """It has a name, a docstring, and one short phrase for the report."""
    assert kind.name, "no name"
    assert type(kind).__doc__, "no docstring"
    phrase = kind.describe()
    assert phrase, "`describe` says nothing"
    assert len(phrase) <= LONGEST_PHRASE, f"`describe` says {len(phrase)} characters"
    assert "\n" not in phrase, "`describe` says more than one line"


def its_state_travels_as_json(kind: InputKind | TargetKind, values: Column) -> None:
    """All that was fitted travels as JSON: what comes back encodes the same."""
    _same(_restored(kind).encode(values), kind.encode(values), "a restored kind")


def a_row_is_encoded_alone_as_in_a_table(kind: InputKind | TargetKind, values: Column) -> None:
    """One row alone is encoded as among others."""
    whole = kind.encode(values)
    assert len(whole) == len(values), f"{len(whole)} rows of {len(values)} values"
    for row in range(len(values)):
        _same(kind.encode(values.slice(row, 1)), whole[row : row + 1], f"row {row} alone")


# Of inputs.


def missing_values_are_encoded(kind: InputKind, values: Column) -> None:
    """A column without any value is encoded too: new rows may lack it."""
    gone = pa.chunked_array([pa.nulls(2, values.type)])
    encoded = kind.encode(gone)
    expected = (2, *kind.encode(values).shape[1:])
    assert encoded.shape == expected, (
        f"shape {encoded.shape} of rows without a value, not {expected}"
    )


def trees_get_named_columns(kind: InputKind, values: Column) -> None:
    """Trees get float32 columns, each with a name, NaN where a value is missing."""
    matrix, categorical, names = kind.features(values)
    assert matrix.dtype == np.float32, f"{matrix.dtype}, not float32"
    wanted = (len(values), len(names))
    assert matrix.shape == wanted, f"shape {matrix.shape}, not {wanted}"
    assert len(categorical) == len(names), "one mark of a category for each name"
    assert len(set(names)) == len(names), "two columns have one name"
    assert all(kind.column in name for name in names), "a name does not name the column"
    assert not np.isinf(matrix).any(), "an infinite number"


def its_encoder_makes_tokens(kind: InputKind, values: Column) -> None:
    """The module that reads it makes finite tokens (B, S, d), alone as in a batch."""
    torch.manual_seed(0)
    encoder = encoder_of([kind], WIDTH).eval()
    block = torch.from_numpy(np.array(kind.encode(values)))
    tokens = encoder(block)
    assert tokens.ndim == 3, f"{tokens.ndim} axes, not (B, S, d)"
    assert len(tokens) == len(values), f"{len(tokens)} rows of tokens for {len(values)}"
    width = tokens[0].numel()
    assert width == encoder.out_features, f"{width} numbers a row, not {encoder.out_features}"
    assert torch.isfinite(tokens).all(), "a token is not finite"
    torch.testing.assert_close(encoder(block[:1]), tokens[:1], atol=TOLERANCE, rtol=TOLERANCE)


INPUT_CHECKS: tuple[InputCheck, ...] = (
    it_has_a_name_and_a_description,
    its_state_travels_as_json,
    a_row_is_encoded_alone_as_in_a_table,
    missing_values_are_encoded,
    trees_get_named_columns,
    its_encoder_makes_tokens,
)


# Of targets.


def labels_fit_the_distribution(kind: TargetKind, values: Column) -> None:
    """Labels are float32 in the shape of the distribution, NaN where a value is missing."""
    y = kind.encode(values)
    assert y.dtype == np.float32, f"{y.dtype}, not float32"
    wanted = (len(values), *kind.distribution.label_shape)
    assert y.shape == wanted, f"shape {y.shape}, not {wanted}"
    gone = np.asarray(values.is_null())
    assert not kind.distribution.known(y)[gone].any(), "a missing value has a label"
    assert kind.distribution.known(y).any(), "no value has a label"
    assert kind.distribution.missing(2).shape == (2, *wanted[1:]), "`missing` has another shape"


def predictions_fit_the_distribution(kind: TargetKind, values: Column) -> None:
    """The baseline and the point mass are canonical predictions: K finite columns."""
    y, distribution = _known(kind, values)
    baseline = distribution.baseline(y)
    columns = (distribution.n_columns,)
    assert baseline.shape == columns, f"baseline {baseline.shape}, not {columns}"
    assert np.isfinite(baseline).all(), "the baseline is not finite"
    certain = distribution.point_mass(y)
    assert certain.shape == (len(y), *columns), f"point mass {certain.shape}"


def decoding_undoes_encoding(kind: TargetKind, values: Column) -> None:
    """The prediction that is certain of a label is decoded into a value that means the same."""
    y, distribution = _known(kind, values)
    certain = distribution.point_mass(y)
    decoded = kind.decode(certain)
    assert kind.column in decoded, f"`decode` gives {list(decoded)}, not {kind.column!r}"
    again = kind.encode(pa.chunked_array([decoded[kind.column]]))
    are_known = distribution.known(again)
    assert are_known.any(), "no label can be decoded"
    same = distribution.point_mass(again)[are_known]
    close = np.allclose(same, certain[are_known], atol=TOLERANCE, rtol=1e-3, equal_nan=True)
    assert close, "a decoded label means another one when it is encoded again"


def certainty_costs_least(kind: TargetKind, values: Column) -> None:
    """The row loss is finite, NaN where a label is missing, and least for certainty."""
    labels = kind.encode(values)
    y, distribution = _known(kind, values)
    baseline = np.broadcast_to(distribution.baseline(y), (len(y), distribution.n_columns))
    loss = distribution.row_loss(y, baseline)
    assert loss.shape == (len(y),), f"row loss {loss.shape}, not one number a row"
    assert np.isfinite(loss).all(), "the loss of the baseline is not finite"
    certain = distribution.row_loss(y, distribution.point_mass(y))
    assert (certain <= loss + TOLERANCE).all(), "the baseline costs less than certainty"
    every = np.broadcast_to(distribution.baseline(y), (len(labels), distribution.n_columns))
    gone = ~distribution.known(labels)
    assert np.isnan(distribution.row_loss(labels, every)[gone]).all(), "a missing label costs"
    likelihood = distribution.log_prob(y, baseline)
    assert np.isfinite(likelihood).all(), "the log-likelihood of the baseline is not finite"


def mixtures_are_predictions(kind: TargetKind, values: Column) -> None:
    """The mean of two predictions is one: it has a loss and can be decoded."""
    if not kind.distribution.is_mixable:
        return
    y, distribution = _known(kind, values)
    certain = np.asarray(distribution.point_mass(y), np.float64)
    baseline = np.where(np.isnan(certain), np.nan, distribution.baseline(y))
    mixture = distribution.mix({"a": certain, "b": baseline}, {"a": 0.5, "b": 0.5})
    assert np.isfinite(distribution.row_loss(y, mixture)).all(), "the loss is not finite"
    for name, column in {**kind.decode(mixture), **kind.decode_proba(mixture)}.items():
        assert len(column) == len(y), f"{len(column)} rows of {name!r}, not {len(y)}"


def latent_normals_give_labels_back(kind: TargetKind, values: Column) -> None:
    """Where it joins the copula, a label comes back from its score, and 0 and 1 change nothing."""
    y, distribution = _known(kind, values)
    latent = distribution.latent
    if latent is None:
        return
    pred = 0.5 * (distribution.point_mass(y) + distribution.baseline(y))
    scores = latent.to_normal(y, pred)
    wanted = (len(y), latent.n_latent)
    assert scores.shape == wanted, f"scores {scores.shape}, not {wanted}"
    assert (np.abs(scores[~np.isnan(scores)]) <= 6 + TOLERANCE).all(), "a score beyond 6"
    rest = np.zeros(wanted)
    same = latent.condition(pred, rest, sd=np.ones(wanted))
    assert np.allclose(same, pred, atol=1e-3, equal_nan=True), "standard normals change it"


def regions_contain_their_labels(kind: TargetKind, values: Column) -> None:
    """An interval or set that reaches as far as a label's score contains it; so does certainty."""
    y, distribution = _known(kind, values)
    conformity = distribution.conformity
    if conformity is None:
        return
    certain = np.asarray(distribution.point_mass(y), np.float64)
    baseline = np.where(np.isnan(certain), np.nan, distribution.baseline(y))
    mixture = distribution.mix({"a": certain, "b": baseline}, {"a": 0.5, "b": 0.5})
    score = conformity.score(y, mixture)
    assert score.shape == y.shape, f"scores {score.shape}, not {y.shape}"
    there = ~np.isnan(y)
    assert (score[there] >= 0).all(), "a score below 0, or none"
    furthest = np.nanmax(score.reshape(len(y), -1), axis=1) * (1 + TOLERANCE)
    for pred, quantile in ((mixture, furthest), (certain, np.zeros(len(y)))):
        inside = conformity.contains(conformity.region(pred, quantile), y)
        assert inside[there].all(), "a label lies outside of a region that reaches as far"
        for name, column in kind.decode(pred, None, quantile).items():
            assert len(column) == len(y), f"{len(column)} rows of {name!r}, not {len(y)}"


def its_head_learns_labels(kind: TargetKind, values: Column) -> None:
    """Its head has a finite loss, none where the label is missing, and gives predictions."""
    labels = torch.from_numpy(np.array(kind.encode(values)))
    head = head_of(kind)
    if kind.hints.custom_head or kind.locations is not None:
        return  # the raw outputs are made by a module that needs an input
    torch.manual_seed(0)
    out = torch.randn(len(labels), head.n_outputs, requires_grad=True)
    loss = head.loss(out, labels)
    assert loss.shape == (len(labels),), f"loss {tuple(loss.shape)}, not one number a row"
    assert torch.isfinite(loss).all(), "the loss is not finite"
    loss.sum().backward()
    grad = out.grad
    assert grad is not None, "no gradient"
    known = torch.from_numpy(kind.distribution.known(labels.numpy()))
    assert (loss[~known] == 0).all(), "a row without a label has a loss"
    assert (grad[~known] == 0).all(), "a row without a label has a gradient"
    assert grad[known].any(), "no label has a gradient"
    assert (head.nonnegative_loss(out, labels) >= 0).all(), "a loss below 0"
    pred = head.link(out.detach()).numpy()
    wanted = (len(labels), kind.distribution.n_columns)
    assert pred.shape == wanted, f"`link` gives {pred.shape}, not {wanted}"
    assert np.isfinite(pred).all(), "a prediction is not finite"


def a_measured_value_can_be_read(kind: TargetKind, values: Column) -> None:
    """What other targets read of it has a column for each list of edges, NaN where missing."""
    y = kind.encode(values)
    encoded = kind.observed.encode(y)
    expected = (len(y), kind.observed.n_columns)
    assert encoded.shape == expected, f"shape {encoded.shape}, not {expected}"
    for edges in kind.observed.edges:
        assert len(edges) > 1, "fewer than two edges"
        assert (np.diff(edges) > 0).all(), "edges that do not increase"
    assert np.isnan(encoded[~kind.distribution.known(y)]).all(), "a missing value is read"


def its_metrics_say_how_good_it_is(kind: TargetKind, values: Column) -> None:
    """Its main metric is among its metrics, and the score of certainty is above the baseline's."""
    y, distribution = _known(kind, values)
    baseline = np.broadcast_to(distribution.baseline(y), (len(y), distribution.n_columns))
    certain = kind.metrics(y, distribution.point_mass(y), distribution.baseline(y))
    ignorant = kind.metrics(y, baseline, distribution.baseline(y))
    assert kind.metric in certain, f"no {kind.metric!r} in {list(certain)}"
    if np.isnan(ignorant["score"]):
        return  # all labels are the same: nothing can be gained
    assert abs(ignorant["score"]) < TOLERANCE, f"the baseline has score {ignorant['score']:g}"
    assert certain["score"] > 0, f"certainty has score {certain['score']:g}"


TARGET_CHECKS: tuple[TargetCheck, ...] = (
    it_has_a_name_and_a_description,
    its_state_travels_as_json,
    a_row_is_encoded_alone_as_in_a_table,
    labels_fit_the_distribution,
    predictions_fit_the_distribution,
    decoding_undoes_encoding,
    certainty_costs_least,
    mixtures_are_predictions,
    latent_normals_give_labels_back,
    regions_contain_their_labels,
    its_head_learns_labels,
    a_measured_value_can_be_read,
    its_metrics_say_how_good_it_is,
)


def _known(kind: TargetKind, values: Column) -> tuple[np.ndarray, Any]:
    """The labels of the rows that have one, and the distribution."""
    y = kind.encode(values)
    return y[kind.distribution.known(y)], kind.distribution


def check_kind(
    kind: type[InputKind] | type[TargetKind], values: Column | Sequence[Any], **options: Any
) -> None:
    """Check that a kind keeps what reading, networks, trees, tests and bundles rely on.

    Args:
        kind: The class, as it stands in the table of kinds.
        values: A column of it, with a value that is missing and at least two different ones, all of
            which can be predicted: of times until an event those that have ended.
        options: What `fit` is given beside them.

    Raises:
        AssertionError: Every claim that does not hold, with the reason.

    Example:
        >>> from superpose.kinds import TARGET_KINDS
        >>> check_kind(TARGET_KINDS["count"], [0, 3, None, 1, 7])
    """
    column = values if isinstance(values, pa.ChunkedArray) else pa.chunked_array([pa.array(values)])
    kind.check("column", column, **options)
    fitted = kind.fit("column", column, **options)
    checks: Sequence[Callable[..., None]] = (
        INPUT_CHECKS if isinstance(fitted, InputKind) else TARGET_CHECKS
    )
    named = [update_wrapper(partial(check, fitted, column), check) for check in checks]
    run_checks(f"{kind.__name__} ({kind.name!r})", named)
