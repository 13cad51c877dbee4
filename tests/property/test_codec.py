"""What holds for any labels: decoding undoes encoding, and a missing label teaches nothing."""

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from superpose.columns import mask_array
from superpose.columns._masks import as_runs
from superpose.kinds import TARGET_KINDS
from superpose.nn import head_of

# The first torch call of a process can take seconds; the examples themselves are quick.
quick = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))

words = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp")),
    min_size=1,
    max_size=6,
)
numbers = st.floats(-1e9, 1e9, allow_subnormal=False)
labels = st.one_of(words, st.integers(-(2**53), 2**53))


def gappy(values):
    """Lists with at least two labels and any number of gaps."""
    return st.lists(st.one_of(st.none(), values), min_size=2, max_size=30).filter(
        lambda rows: sum(row is not None for row in rows) >= 2
    )


def of_one_type(rows):
    return len({type(row) for row in rows if row is not None}) == 1


CELL = {"class": "red", "box": [0.1, 0.1, 0.4, 0.4]}
BLOB = {"class": "white", "box": [0.5, 0.5, 0.9, 1.0]}
columns = {
    "number": gappy(numbers),
    "binary": st.lists(labels, min_size=2, max_size=2, unique=True).flatmap(
        lambda pair: gappy(st.sampled_from(pair))
    ),
    "category": gappy(labels),
    "ordinal": gappy(st.integers(-20, 20)),
    "retrieval": gappy(labels),
    "multilabel": gappy(st.lists(words, max_size=4, unique=True)),
    "tokens": gappy(st.lists(st.one_of(st.none(), words), min_size=1, max_size=4)),
    "mask": gappy(
        st.lists(st.sampled_from(["0*1", "2*1", "-*1"]), min_size=4, max_size=4).map(
            lambda runs: as_runs(mask_array(" ".join(["2x2", *runs])))
        )
    ),
    "boxes": gappy(st.sampled_from([[], [CELL], [CELL, BLOB]])),
    "survival": st.lists(
        st.one_of(st.none(), st.floats(-1e6, 1e6, width=32).filter(lambda t: abs(t) > 1e-3)),
        min_size=2,
        max_size=30,
    ).filter(lambda rows: sum(r is not None and r > 0 for r in rows) >= 2),
    "forecast": st.lists(
        st.lists(st.one_of(st.none(), numbers), min_size=2, max_size=2), min_size=2, max_size=20
    ).filter(lambda rows: sum(any(v is not None for v in row) for row in rows) >= 2),
    "vector": st.lists(st.lists(numbers, min_size=3, max_size=3), min_size=2, max_size=20),
    "map": gappy(
        st.lists(
            st.lists(st.one_of(st.none(), numbers), min_size=2, max_size=2), min_size=2, max_size=2
        )
    ).filter(lambda rows: any(v is not None for row in rows for line in row or () for v in line)),
    "count": gappy(st.integers(0, 2**24)),  # float32 holds every count up to here
}
# Text is written by a checkpoint, which its own tests make.
every_kind = pytest.mark.parametrize("name", [k for k in TARGET_KINDS if k != "generated-text"])


def raw_size(kind):
    """Raw outputs of a row: of all of its locations where each has an answer."""
    return head_of(kind).n_outputs * (kind.locations.count if kind.locations else 1)


def fitted(name, rows):
    if name in ("binary", "category", "retrieval"):
        assume(of_one_type(rows))
    if name in ("binary", "ordinal", "retrieval"):
        assume(len({row for row in rows if row is not None}) >= 2)
    if name == "multilabel":
        assume(any(rows))
    if name == "boxes":
        assume(any(rows))
    if name == "mask":
        assume(any(set(row) & set("02") for row in map(runs_of, rows)))
    if name == "tokens":
        assume(sum(any(row or ()) for row in rows) >= 2)
    column = pa.chunked_array([pa.array(rows)])
    return TARGET_KINDS[name].fit("y", column), column


@every_kind
@quick
@given(data=st.data())
def test_decoding_undoes_encoding(name, data):
    rows = data.draw(columns[name])
    kind, column = fitted(name, rows)
    back = kind.decode(kind.distribution.point_mass(kind.encode(column)))["y"].to_pylist()
    if name in ("number", "forecast", "vector", "map"):
        if name == "map":
            rows, back = (
                [row and [v for line in row for v in line] for row in z] for z in (rows, back)
            )
        if name != "number":  # a list in which nothing is known is no list
            rows = [row or [] for row in rows]
            gone = [row is None for row in back]
            assert gone == [all(v is None for v in row) for row in rows]
            rows = [v for row, g in zip(rows, gone, strict=True) if not g for v in row]
            back = [v for row in back if row is not None for v in row]
        known = np.array([row for row in rows if row is not None])
        # float32 keeps 24 bits of the distance from the mean, in units of the scale.
        room = 1e-6 * (kind.scale + np.abs(known - kind.mean).max() + np.abs(known).max())
        assert [b is None for b in back] == [row is None for row in rows]
        np.testing.assert_allclose([b for b in back if b is not None], known, atol=room)
    elif name == "multilabel":
        assert [None if b is None else set(b) for b in back] == [
            None if row is None else set(row) for row in rows
        ]
    elif name == "tokens":
        assert back == [trimmed(row) for row in rows]
    elif name == "boxes":
        for boxes, row in zip(back, rows, strict=True):
            assert (boxes is None) == (row is None)
            in_order = sorted(boxes or [], key=lambda x: x["class"])
            assert [x["class"] for x in in_order] == [x["class"] for x in row or []]
            for one, true in zip(in_order, row or [], strict=True):
                np.testing.assert_allclose(one["box"], true["box"], atol=1e-6)
    elif name == "mask":
        # A mask without any class is a row without labels.
        assert back == [row if set(runs_of(row)) & set("02") else None for row in rows]
    elif name == "survival":
        assert_in_its_interval(kind, rows, back)
    else:
        assert back == rows


def runs_of(row):
    """The ids of a mask, without its size."""
    return [run.split("*")[0] for run in (row or "").split()[1:]]


def assert_in_its_interval(kind, rows, back):
    """An event is decoded within its interval; one not seen, later than that or never."""
    for row, decoded in zip(rows, back, strict=True):
        if row is None or (decoded is None and row < 0):
            assert decoded is None
        elif row < 0:
            assert decoded >= -row * (1 - 1e-6)
        else:
            k = int(np.searchsorted(kind.uppers, np.float32(row)))
            assert kind.distribution.lowers[k] <= decoded <= kind.uppers[k]


def trimmed(row):
    """The labels of words up to the last that has one; without any, as a row without labels."""
    known = [index for index, label in enumerate(row or ()) if label is not None]
    return row[: known[-1] + 1] if known else None


@every_kind
@quick
@given(data=st.data(), seed=st.integers(0, 2**31), scale=st.sampled_from([0.1, 1.0, 30.0, 1e4]))
def test_a_missing_label_carries_no_gradient(name, data, seed, scale):
    rows = data.draw(columns[name])
    kind, column = fitted(name, rows)
    y = torch.as_tensor(kind.encode(column))
    noise = torch.randn(len(rows), raw_size(kind), generator=torch.Generator().manual_seed(seed))
    out = (noise * scale).requires_grad_()
    loss = head_of(kind).loss(out, y)
    loss.sum().backward()
    gone = torch.as_tensor(~kind.distribution.known(kind.encode(column)))
    assert (loss[gone] == 0).all()
    assert (out.grad[gone] == 0).all()
    assert torch.isfinite(out.grad).all()


@every_kind
@quick
@given(data=st.data(), seed=st.integers(0, 2**31))
def test_blends_of_predictions_are_predictions(name, data, seed):
    kind, _ = fitted(name, data.draw(columns[name]))
    generator = torch.Generator().manual_seed(seed)
    first, second = (
        head_of(kind).link(torch.randn(4, raw_size(kind), generator=generator)) for _ in range(2)
    )
    blend = (0.3 * first + 0.7 * second).double().numpy()
    assert np.isfinite(blend).all()
    if name in ("binary", "category", "ordinal", "retrieval", "tokens", "mask", "survival"):
        shares = blend.reshape(4, -1, len(kind.labels) or kind.distribution.n_columns)
        np.testing.assert_allclose(shares.sum(axis=-1), 1, rtol=1e-5)
    assert len(next(iter(kind.decode(blend).values()))) == 4
