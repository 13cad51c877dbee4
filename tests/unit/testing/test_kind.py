"""Every kind passes the checks that are shipped, and each check finds what it is for."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from superpose.distributions import IntervalConformity, Normal
from superpose.kinds import INPUT_KINDS, TARGET_KINDS
from superpose.testing import INPUT_CHECKS, TARGET_CHECKS, check_kind

RED = {"class": "red", "box": [0.1, 0.1, 0.4, 0.4]}
WHITE = {"class": "white", "box": [0.5, 0.5, 0.9, 1.0]}
# Kinds that read files or a checkpoint are checked where their tests make those.
TARGETS = {
    "number": [1.5, None, 2.0, -3.0],
    "binary": ["no", "yes", None, "no"],
    "category": ["a", "b", None, "c", "a"],
    "ordinal": [1, 2, None, 3],
    "multilabel": [["a"], ["a", "b"], None, []],
    "count": [0, 3, None, 1, 7],
    "tokens": [["O", "B-x"], ["O"], None],
    "mask": ["1x2 0*1 3*1", "1x2 3*2", None],
    "boxes": [[RED], [WHITE], None],
    "survival": [1.0, 2.0, None, 3.0, 5.0],
    "forecast": [[1.0, 2.0], [3.0, 4.0], None],
    "map": [[[1.0, 2.0], [2.0, 4.0]], [[0.0, 1.0], [1.0, 2.0]], None],
    "retrieval": ["tea", "milk", "tea", None],
    "vector": [[1.0, 0.0], [0.0, 1.0], None],
}
INPUTS = {
    "number": [1.5, None, 2.0, -3.0],
    "binary": ["no", "yes", None, "no"],
    "category": ["a", "b", None, "c", "a"],
    "date": [dt.datetime(2020, 1, 1), None, dt.datetime(2021, 5, 3)],
    "text": ["hello world", "a b c", None, "hello"],
    "multicategory": [["a"], ["a", "b"], None, []],
    "sequence": [["a", "b"], ["b"], None],
    "embedding": [[1.0, 0.0], [0.0, 1.0], None],
    "series": [[1.0, 2.0, 3.0], [3.0, 4.0, 1.0], None],
}
FILES = {"image", "audio", "entity", "pretrained-text", "pretrained-image", "pretrained-audio"}


@pytest.mark.parametrize("name", TARGETS)
def test_every_target_kind_passes(name):
    check_kind(TARGET_KINDS[name], TARGETS[name])


@pytest.mark.parametrize("name", INPUTS)
def test_every_input_kind_passes(name):
    check_kind(INPUT_KINDS[name], INPUTS[name])


def test_no_kind_is_left_out():
    assert TARGET_KINDS.keys() == TARGETS.keys() | {"generated-text"}
    assert INPUT_KINDS.keys() == INPUTS.keys() | FILES


NumberTarget, NumberInput = TARGET_KINDS["number"], INPUT_KINDS["number"]


class Silent(NumberTarget):
    """Says nothing of itself."""

    def describe(self):
        return ""


class Forgetful(NumberTarget):
    """Comes back with another mean."""

    def state(self):
        return {**super().state(), "mean": self.mean + 1}


class Relative(NumberTarget):
    """Encodes a row by the others of its table."""

    def encode(self, values):
        y = super().encode(values)
        return y - np.nanmean(y)


class Filled(NumberTarget):
    """Takes a missing label for the mean."""

    def encode(self, values):
        return np.nan_to_num(super().encode(values))


def with_fault(name, fault):
    """A number target whose distribution has one method that is wrong."""
    family = type("Faulty", (Normal,), {name: fault})

    class Target(NumberTarget):
        """Has a distribution with a fault."""

        @property
        def distribution(self):
            return family(*vars(super().distribution).values())

    return Target


class Shifted(NumberTarget):
    """Decodes into other units than it reads."""

    def decode(self, pred, threshold=None, quantile=None):
        return {self.column: pa.array(super().decode(pred)[self.column].to_numpy() + 1)}


class Flat(NumberTarget):
    """Its measured value is read by one edge."""

    @property
    def observed(self):
        return replace(super().observed, edges=[[0.0]])


class Narrow(IntervalConformity):
    """Its intervals end before they reach the label."""

    def score(self, y, pred):
        return np.abs(y - pred[:, 0])

    def region(self, pred, quantile):
        return np.stack([pred[:, 0] - quantile / 2, pred[:, 0] + quantile / 2], axis=1)


class Unmeasured(NumberTarget):
    """Has no metric of the name that it promises."""

    metric = "mape"


FAULTY_TARGETS = {
    "it_has_a_name_and_a_description": Silent,
    "its_state_travels_as_json": Forgetful,
    "a_row_is_encoded_alone_as_in_a_table": Relative,
    "labels_fit_the_distribution": Filled,
    "predictions_fit_the_distribution": with_fault("baseline", lambda self, y: np.zeros(3)),
    "decoding_undoes_encoding": Shifted,
    "certainty_costs_least": with_fault("row_loss", lambda self, y, pred: -np.ones(len(y))),
    "mixtures_are_predictions": with_fault("mix", lambda self, preds, weights: preds["a"] * np.nan),
    "regions_contain_their_labels": with_fault("conformity", property(lambda self: Narrow())),
    "a_measured_value_can_be_read": Flat,
    "its_metrics_say_how_good_it_is": Unmeasured,
}


@pytest.mark.parametrize("name", FAULTY_TARGETS)
def test_a_check_of_targets_finds_what_it_is_for(name):
    check = next(check for check in TARGET_CHECKS if check.__name__ == name)
    values = pa.chunked_array([TARGETS["number"]])
    with pytest.raises((AssertionError, ValueError)):
        check(FAULTY_TARGETS[name].fit("y", values), values)


class Unnamed(NumberInput):
    """Gives trees a column without a name of its own."""

    def features(self, values):
        matrix, categorical, _ = super().features(values)
        return matrix, categorical, ["size"]


class Endless(NumberInput):
    """Gives its encoder what is not finite."""

    def encode(self, values):
        return np.full_like(super().encode(values), np.inf)


class Strict(NumberInput):
    """Refuses a column without a value."""

    def encode(self, values):
        if values.null_count == len(values):
            raise ValueError("no value")
        return super().encode(values)


FAULTY_INPUTS = {
    "trees_get_named_columns": Unnamed,
    "its_encoder_makes_tokens": Endless,
    "missing_values_are_encoded": Strict,
}


@pytest.mark.parametrize("name", FAULTY_INPUTS)
def test_a_check_of_inputs_finds_what_it_is_for(name):
    check = next(check for check in INPUT_CHECKS if check.__name__ == name)
    values = pa.chunked_array([INPUTS["number"]])
    with pytest.raises((AssertionError, ValueError)):
        check(FAULTY_INPUTS[name].fit("x", values), values)


def test_all_that_is_wrong_is_named_at_once():
    class Both(Silent, Unmeasured):
        """Two faults."""

    with pytest.raises(AssertionError, match=r"Both \('number'\): 2 checks failed"):
        check_kind(Both, TARGETS["number"])
