"""The joint loss: well scaled, blind to missing labels, the same as each target's own."""

import numpy as np
import pyarrow as pa
import pytest
import torch

from superpose.data import Fold
from superpose.kinds import TARGET_KINDS
from superpose.models.network import predictions
from superpose.nn import Outputs, head_of
from superpose.nn.augment._augment import AugmentRecord, Pieces
from superpose.training import Batch, multi_task_jobs, single_task_jobs
from superpose.training._objective import Objective

# Text is written by a checkpoint, which its own tests make.
NAMES = [name for name in TARGET_KINDS if name != "generated-text"]
ROWS = 60
ALL = np.arange(ROWS)


def box(x, y):
    """An object somewhere in an image."""
    return {"class": "thing", "box": [0.7 * x, 0.7 * y, 0.7 * x + 0.3, 0.7 * y + 0.3]}


def column(name, seed, scale=1.0, gaps=0.2):
    """A fitted target of a kind and its labels."""
    rng = np.random.default_rng(seed)
    values = {
        "number": lambda: (scale * rng.normal(size=ROWS)).tolist(),
        "binary": lambda: rng.choice(["no", "yes"], ROWS).tolist(),
        "count": lambda: rng.poisson(3 * scale, ROWS).tolist(),
        "category": lambda: rng.choice(["a", "b", "c"], ROWS).tolist(),
        "retrieval": lambda: rng.choice(["a", "b", "c"], ROWS).tolist(),
        "ordinal": lambda: rng.integers(0, 3, ROWS).tolist(),
        "multilabel": lambda: [["p", "q"][: k + 1] for k in rng.integers(0, 2, ROWS)],
        "tokens": lambda: [rng.choice(["x", "y"], k).tolist() for k in rng.integers(1, 4, ROWS)],
        "mask": lambda: [f"1x4 0*{k} 1*{4 - k}" for k in rng.integers(1, 4, ROWS)],
        "survival": lambda: (rng.exponential(scale, ROWS) * rng.choice([1, 1, -1], ROWS)).tolist(),
        "vector": lambda: (scale * rng.normal(size=(ROWS, 4))).tolist(),
        "forecast": lambda: (scale * rng.normal(size=(ROWS, 3))).tolist(),
        "map": lambda: (scale * rng.normal(size=(ROWS, 2, 2))).tolist(),
        "boxes": lambda: [[box(*rng.random(2))] * k for k in rng.integers(0, 2, ROWS)],
    }[name]()
    keep = rng.random(ROWS) >= gaps
    rows = pa.chunked_array(
        [pa.array([v if k else None for v, k in zip(values, keep, strict=True)])]
    )
    kind = TARGET_KINDS[name].fit(f"{name}{seed}", rows)
    return kind, kind.encode(rows)


def raw_size(kind):
    """Raw outputs of a row: of all of its locations where each has an answer."""
    return head_of(kind).n_outputs * (kind.locations.count if kind.locations else 1)


def outputs(kinds, networks=2, members=3, batch=20, seed=0):
    torch.manual_seed(seed)
    size = max(raw_size(k) for k in kinds)
    return (
        torch.randn(networks, batch, members, len(kinds), size, requires_grad=True),
        torch.randint(0, ROWS, (networks, batch)),
    )


def objective(kinds, labels, rows, networks=2, single=False, **more):
    """The objective of networks that all learn from the same rows."""
    folds = [Fold(rows, rows[:0])] * networks
    jobs = single_task_jobs(kinds, labels, folds) if single else multi_task_jobs(len(kinds), folds)
    return Objective(kinds, labels, jobs, rows=rows, **more)


def of(out, kinds):
    """The outputs of a network with these targets: those with many places stand apart."""
    places = {k.column: out[..., :1, t, : raw_size(k)] for t, k in enumerate(kinds) if k.locations}
    return Outputs(out, places) if places else out


@pytest.mark.parametrize("name", NAMES)
def test_two_targets_of_one_kind_are_learned_as_if_each_were_alone(name):
    pairs = [column(name, seed=1), column(name, seed=2, scale=50.0)]
    kinds, labels = [k for k, _ in pairs], [y for _, y in pairs]
    out, rows = outputs(kinds)
    together = objective(kinds, labels, ALL).losses(of(out, kinds), Batch(rows))
    for t, (kind, y) in enumerate(pairs):
        mine = of(out[:, :, :, t : t + 1, : raw_size(kind)], [kind])
        alone = objective([kind], [y], ALL).losses(mine, Batch(rows))
        torch.testing.assert_close(together[:, t], alone[:, 0])


def test_the_loss_of_a_target_is_its_kinds_loss_over_that_of_the_baseline():
    kind, y = column("category", seed=1)
    out, rows = outputs([kind])
    found = objective([kind], [y], ALL).losses(out, Batch(rows))
    known = kind.distribution.known(y)
    constant = kind.distribution.row_loss(y, np.tile(kind.distribution.baseline(y), (ROWS, 1)))
    labels = torch.as_tensor(y)[rows][:, :, None]
    plain = head_of(kind).loss(out[..., 0, :], labels).mean((1, 2))
    expected = plain / (np.nanmean(constant) * known.mean())
    torch.testing.assert_close(found[:, 0], expected.float(), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_a_masked_label_carries_no_gradient(name):
    kind, y = column(name, seed=3, gaps=0.5)
    out, rows = outputs([kind])
    objective([kind], [y], ALL).losses(of(out, [kind]), Batch(rows)).sum().backward()
    gone = torch.as_tensor(~kind.distribution.known(y))[rows]
    assert (out.grad[gone] == 0).all()
    assert (out.grad[~gone].abs().amax((1, 2, 3)) > 0).all()
    assert torch.isfinite(out.grad).all()


def test_a_batch_without_any_label_of_a_target_is_harmless():
    kind, y = column("number", seed=4)
    out, rows = outputs([kind])
    empty = torch.as_tensor(np.flatnonzero(np.isnan(y)))[rows % int(np.isnan(y).sum())]
    losses = objective([kind], [y], ALL).losses(out, Batch(empty))
    assert (losses == 0).all()


def test_targets_a_million_apart_in_scale_weigh_the_same():
    base = np.random.default_rng(0).normal(size=ROWS)
    pairs = []
    for scale in (1e-3, 1.0, 1e3):
        rows = pa.chunked_array([pa.array(base * scale)])
        kind = TARGET_KINDS["number"].fit("y", rows)
        pairs.append((kind, kind.encode(rows)))
    kinds, labels = zip(*pairs, strict=True)
    out, rows = outputs(kinds)
    with torch.no_grad():
        out.copy_(out[..., :1, :].expand_as(out))  # the same raw outputs for each
    losses = objective(kinds, labels, ALL).losses(out, Batch(rows))
    losses.sum().backward()
    for t in (1, 2):
        torch.testing.assert_close(losses[:, t], losses[:, 0], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(out.grad[..., t, :], out.grad[..., 0, :], atol=1e-6, rtol=1e-3)


def test_counts_a_million_apart_pull_about_equally_hard():
    pairs = [column("count", seed=1, scale=s, gaps=0) for s in (1.0, 1e6)]
    kinds, labels = zip(*pairs, strict=True)
    out, rows = outputs(kinds, batch=60)
    objective(kinds, labels, ALL).losses(out, Batch(rows)).sum().backward()
    rare, frequent = out.grad.abs().mean((0, 1, 2, 4))
    assert 0.1 < rare / frequent < 10


def test_every_kind_starts_at_about_one():
    pairs = [column(name, seed=5) for name in NAMES]
    kinds, labels = zip(*pairs, strict=True)
    out, rows = outputs(kinds, batch=500)
    losses = objective(kinds, labels, ALL).losses(of(out * 0, kinds), Batch(rows)).mean(0)
    assert ((losses > 0.2) & (losses < 5)).all(), losses


def test_a_target_that_is_nearly_always_the_same_gets_no_runaway_weight():
    y = np.zeros(10_000)
    y[0] = 1
    kind = TARGET_KINDS["binary"].fit("y", pa.chunked_array([pa.array(y.astype(int))]))
    out = torch.zeros(1, 100, 1, 1, 1)
    rows = torch.zeros(1, 100, dtype=torch.long)  # the one positive row, again and again
    assert objective([kind], [y], np.arange(10_000)).losses(out, Batch(rows)).item() < 10


def test_rare_labels_weigh_as_much_as_frequent_ones():
    kind, y = column("number", seed=6, gaps=0)
    few = y.copy()
    few[: ROWS // 2] = np.nan
    out, _ = outputs([kind], batch=ROWS)
    every = torch.arange(ROWS).expand(2, -1)
    half = objective([kind], [few], ALL).losses(out, Batch(every))
    own = objective([kind], [few], np.arange(ROWS // 2, ROWS)).losses(
        out[:, ROWS // 2 :], Batch(every[:, ROWS // 2 :])
    )
    torch.testing.assert_close(half, own)


def test_the_weight_of_a_target_multiplies_its_loss():
    pairs = [column("number", seed=1), column("binary", seed=2)]
    kinds, labels = zip(*pairs, strict=True)
    out, rows = outputs(kinds)
    plain = objective(kinds, labels, ALL).losses(out, Batch(rows))
    weighed = objective(kinds, labels, ALL, weights=[1.0, 3.0]).losses(out, Batch(rows))
    torch.testing.assert_close(weighed, plain * torch.tensor([1.0, 3.0]))


def test_rows_outside_training_set_no_weights():
    kind, y = column("number", seed=7)
    out, rows = outputs([kind])
    other = y.copy()
    other[40:] = 1000.0
    rows = rows % 40
    first = objective([kind], [y], np.arange(40)).losses(out, Batch(rows))
    assert torch.equal(objective([kind], [other], np.arange(40)).losses(out, Batch(rows)), first)


def test_single_task_networks_each_have_the_loss_of_their_own_target():
    pairs = [column(name, seed=8, gaps=0) for name in ("number", "count", "category")]
    kinds, labels = zip(*pairs, strict=True)
    out, rows = outputs(kinds, networks=6)  # three targets, two folds each
    alone = out[:, :, :, :1]
    found = objective(kinds, labels, ALL, single=True).losses(alone, Batch(rows))
    assert found.shape == (6, 1)
    for t, (kind, y) in enumerate(pairs):
        own = slice(2 * t, 2 * t + 2)
        expected = objective([kind], [y], ALL).losses(
            alone[own][..., : raw_size(kind)], Batch(rows[own])
        )
        torch.testing.assert_close(found[own], expected)


def test_a_single_task_network_sees_labelled_rows_only_and_needs_no_weight_for_rarity():
    kind, y = column("number", seed=6, gaps=0.5)
    known = np.flatnonzero(kind.distribution.known(y))
    out, rows = outputs([kind])
    rows = torch.as_tensor(known)[rows % len(known)]
    with_gaps = objective([kind], [y], ALL, single=True).losses(out, Batch(rows))
    without = objective([kind], [y], known, single=True).losses(out, Batch(rows))
    assert torch.equal(with_gaps, without)


@pytest.mark.parametrize("name", NAMES)
def test_members_are_averaged_as_predictions_not_as_raw_outputs(name):
    kind, _ = column(name, seed=9)
    out, _ = outputs([kind])
    out = out.detach()
    (found,) = predictions(of(out, [kind]), [kind])
    # The members have one answer together where a target has many places.
    members = range(1 if kind.locations else 3)
    each = torch.stack([head_of(kind).link(out[:, :, m, 0, : raw_size(kind)]) for m in members])
    torch.testing.assert_close(found, each.mean(0))


@pytest.mark.parametrize("name", NAMES)
def test_an_observed_target_carries_no_loss_and_no_gradient(name):
    pairs = [column(name, seed=1, gaps=0), column("number", seed=2, gaps=0)]
    kinds, labels = zip(*pairs, strict=True)
    out, rows = outputs(kinds)
    shown = torch.zeros(*rows.shape, 2, dtype=torch.bool)
    shown[:, ::2, 0] = True
    joint = objective(kinds, labels, ALL)
    losses = joint.losses(of(out, kinds), Batch(rows, observed=shown))
    losses.sum().backward()
    assert (out.grad[:, ::2, :, 0] == 0).all()
    size = raw_size(kinds[0])
    assert (out.grad[:, 1::2, :, 0, :size].abs().amax((2, 3)) > 0).all()
    assert torch.isfinite(out.grad).all()
    with torch.no_grad():
        plain = joint.losses(of(out, kinds), Batch(rows))
        torch.testing.assert_close(losses[:, 1], plain[:, 1])  # of the others nothing changes
        shown[..., 0] = True
        assert (joint.losses(of(out, kinds), Batch(rows, observed=shown))[:, 0] == 0).all()


def test_what_is_observed_weighs_as_a_missing_label_does():
    kind, y = column("multilabel", seed=3, gaps=0)
    out, rows = outputs([kind], batch=ROWS)
    rows = torch.arange(ROWS).expand(2, -1)
    shown = torch.zeros(2, ROWS, 1, dtype=torch.bool)
    shown[:, :20] = True
    gappy = y.copy()
    gappy[:20] = np.nan
    pred = objective([kind], [y], ALL).losses(out, Batch(rows, observed=shown))
    missing = objective([kind], [gappy], ALL).losses(out, Batch(rows))
    rate = objective([kind], [gappy], ALL).groups[0][0].weights
    own = objective([kind], [y], ALL).groups[0][0].weights
    torch.testing.assert_close(pred / own, missing / rate)


def test_of_a_mixed_image_only_the_locations_are_learned_from():
    mask, y = column("mask", seed=1, gaps=0)
    number, z = column("number", seed=2, gaps=0)
    out, rows = outputs([mask, number])
    whole = torch.zeros(*rows.shape, 2)
    high = torch.zeros(*rows.shape, 2)
    high[:, ::2] = 0.5
    still, other = torch.ones_like(high), rows.new_zeros(rows.shape)
    records = {"image": AugmentRecord(still, whole, Pieces(other, whole, high))}
    joint = objective([mask, number], [y, z], ALL)
    joint.losses(of(out, [mask, number]), Batch(rows, augmented=records)).sum().backward()
    assert (out.grad[:, ::2, :, 1] == 0).all()
    assert (out.grad[:, 1::2, :, 1, :1] != 0).all()
    assert (out.grad[:, :, :, 0].abs().amax((2, 3)) > 0).all()


def test_observed_by_nobody_is_the_plain_loss():
    pairs = [column(name, seed=5) for name in NAMES]
    kinds, labels = zip(*pairs, strict=True)
    out, rows = outputs(kinds)
    joint = objective(kinds, labels, ALL)
    nobody = torch.zeros(*rows.shape, len(kinds), dtype=torch.bool)
    out = of(out, kinds)
    assert torch.equal(
        joint.losses(out, Batch(rows, observed=nobody)), joint.losses(out, Batch(rows))
    )
