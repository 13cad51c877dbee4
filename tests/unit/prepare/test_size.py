"""A bound from above that needs no torch stands before the count of weights."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from superpose.config import Config
from superpose.evaluation import spec_of
from superpose.methods import FUSION_METHODS
from superpose.prepare import Prepared, _size, prepare, surely_fits
from superpose.training import count_weights

N = 90
ROWS = np.arange(N)
TABLE = pa.table(
    {
        "number": ROWS % 13.0,
        "word": [f"w{i % 31}" for i in ROWS],
        "tags": [["a", "b"] if i % 2 else ["c"] for i in ROWS],
        "amount": ROWS * 1.5,
        "level": [f"l{i % 5}" for i in ROWS],
        "events": ROWS % 7,
    }
)


def prepared_with(**model: Any) -> Prepared:
    targets = {"amount": "number", "level": "category", "events": "count"}
    return prepare(TABLE, Config.from_arguments(targets=targets, model=model))


@pytest.mark.parametrize("fusion", FUSION_METHODS)
@given(
    width=st.integers(1, 96),
    members=st.integers(1, 9),
    depth=st.integers(1, 4),
    state=st.integers(1, 40),
    rank=st.integers(1, 16),
    blocks=st.integers(1, 3),
)
@settings(max_examples=6, deadline=None)
def test_no_network_over_columns_has_more_weights_than_the_bound(fusion: str, **sizes: int) -> None:
    prepared = prepared_with(fusion=fusion, **sizes)
    assert count_weights(spec_of(prepared)).all <= _size.weights_at_most(prepared)


def test_an_ordinary_table_surely_fits_and_a_giant_network_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_size, "available_memory", lambda: 4 << 30)
    assert surely_fits(prepared_with())
    assert not surely_fits(prepared_with(width=16_384, depth=128))


def test_where_the_system_does_not_tell_nothing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_size, "available_memory", lambda: None)
    assert surely_fits(prepared_with(width=16_384, depth=128))
