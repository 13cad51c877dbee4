"""Groups of targets in training: apart in every step, together in folds, states and answers."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from superpose.data import Fold
from superpose.models import Observed, Rows, group_indices
from superpose.models.network import NetworkModel, build, heads_of
from superpose.nn import Grouped, Network, StackedNetworks
from superpose.training import fit_multi_task

GROUPS = [["calls", "weight"], ["sick", "sort"]]  # level and tags are alone
INDICES = [[0, 2], [1, 3], [4], [5]]


@pytest.fixture
def grouped(spec):
    return replace(spec, groups=GROUPS)


@pytest.fixture
def make(spec):
    heads = heads_of(spec.codec, list(spec.codec.target_kinds))
    return build(
        spec.codec,
        heads,
        spec.architecture,
        embedding=spec.embedding,
        given=True,
        groups=INDICES,
    )


def rows_of(spec):
    """All rows, encoded as the networks read them."""
    return Rows.of_arrays(spec.codec, spec.inputs)


def test_indices_are_those_of_the_heads_and_who_is_not_named_is_alone(spec):
    assert group_indices(GROUPS, list(spec.labels)) == INDICES
    assert group_indices([], list(spec.labels)) == []


def test_one_group_of_all_trains_the_same_network_as_no_group(spec):
    plain, whole = (
        fit_multi_task(spec).model,
        fit_multi_task(replace(spec, groups=[list(spec.labels)])).model,
    )
    assert plain.best == whole.best
    for epoch, state in plain.snapshots.items():
        assert state.keys() == whole.snapshots[epoch].keys()
        for name, weight in state.items():
            assert torch.equal(weight, whole.snapshots[epoch][name]), name


@pytest.mark.parametrize("folds", [1, 3])
def test_a_group_learns_the_same_whatever_the_labels_of_the_others_are(grouped, folds):
    plain = replace(grouped, given=False, folds=grouped.folds[:folds])
    settings = plain.settings.model_copy(update={"clip": 0.05})  # every step is clipped
    plain = replace(plain, settings=settings)
    order = np.random.default_rng(0).permutation(90)
    mixed = {t: y[order] if t in ("sick", "sort") else y for t, y in plain.labels.items()}
    one, other = fit_multi_task(plain), fit_multi_task(replace(plain, labels=mixed))
    for target, a in one.oof_predictions.items():
        b = other.oof_predictions[target]
        assert np.array_equal(a, b, equal_nan=True) == (target not in ("sick", "sort")), target


def test_the_groups_of_a_step_are_clipped_one_by_one(spec, make):
    torch.manual_seed(0)
    for count in (1, 2):
        networks = StackedNetworks(make, count)
        for weight in networks.parameters():
            weight.grad = torch.ones_like(weight)
        networks.clip(1.0)
        named = dict(networks._named())
        for number in range(len(INDICES)):
            own = [w.grad for n, w in named.items() if n.startswith(f"networks.{number}.")]
            squares = sum(g.reshape(count, -1).square().sum(1) for g in own)
            torch.testing.assert_close(squares, torch.ones(count), rtol=1e-4, atol=1e-4)


def test_what_is_shared_is_in_every_group(make):
    for count in (1, 2):
        networks = StackedNetworks(make, count)
        shared = {id(w) for w in networks.shared()}
        names = [name for name, w in networks._named() if id(w) in shared]
        assert {name.split(".")[1] for name in names} == {"0", "1", "2", "3"}
        assert {name.split(".")[2] for name in names} == {"encoders", "trunk"}


def test_grouped_networks_in_one_pass_predict_what_each_predicts_alone(spec, make):
    torch.manual_seed(0)
    networks = [make().eval() for _ in range(3)]
    assert all(isinstance(network, Grouped) for network in networks)
    blocks = {name: torch.as_tensor(np.array(b)) for name, b in spec.inputs.items()}
    columns = sum(kind.observed.n_columns for kind in spec.codec.target_kinds.values())
    blocks["given"] = torch.full((90, columns), torch.nan)
    blocks["given"][::3, 0] = 0.5
    alone = [network(blocks) for network in networks]
    together = StackedNetworks(iter(networks).__next__, 3).eval()  # takes the first one apart
    pred = together({name: torch.stack([block] * 3) for name, block in blocks.items()})
    torch.testing.assert_close(pred, torch.stack(alone), rtol=1e-5, atol=1e-6)


def test_states_travel_and_tell_the_same(grouped):
    fitted = fit_multi_task(grouped).model
    facts, tensors = fitted.to_state()
    again = NetworkModel.from_state(json.loads(json.dumps(facts)), tensors)
    assert again.groups == GROUPS
    expected = fitted.predict(rows_of(grouped))
    for target, pred in again.predict(rows_of(grouped)).items():
        np.testing.assert_array_equal(pred, expected[target])


def test_a_state_from_before_there_were_groups_is_one_network(spec):
    facts, tensors = fit_multi_task(spec).model.to_state()
    del facts["groups"]
    again = NetworkModel.from_state(facts, tensors)
    assert all(isinstance(network, Network) for network in again._each_network(spec.codec))


def test_a_measured_target_is_read_by_the_groups_it_is_not_in(grouped):
    fitted = fit_multi_task(grouped).model
    kinds = grouped.codec.target_kinds
    hidden = {t: np.full_like(y, np.nan) for t, y in grouped.labels.items()}
    shown = {**hidden, "weight": np.full_like(hidden["weight"], 2.0)}
    plain = fitted.predict(rows_of(grouped), Observed(kinds, hidden))
    pred = fitted.predict(rows_of(grouped), Observed(kinds, shown))
    for target in set(fitted.targets) - {"weight"}:
        assert (plain[target] != pred[target]).any(), target


def test_the_map_of_a_fitted_network_has_nothing_between_groups(grouped):
    fold = Fold(np.arange(60), np.arange(60, 90))
    fitted = fit_multi_task(replace(grouped, folds=[fold])).model
    weights = fitted.attention(rows_of(grouped))
    for number, own in enumerate(INDICES):
        others = [t for other in INDICES[:number] + INDICES[number + 1 :] for t in other]
        assert weights[np.ix_(own, others)].sum() == 0
    np.testing.assert_allclose(weights.sum(1), 1.0, atol=1e-5)
