"""Networks that go on learning from all rows are whole: what is stored can be read again."""

import numpy as np
import pytest

from superpose.models.network import NetworkModel
from superpose.training import TrainingSpec, fit_multi_task, fit_single_task, refit_networks


@pytest.fixture
def model(spec: TrainingSpec) -> NetworkModel:
    return fit_multi_task(spec).model


def test_epochs_that_nothing_reads_are_dropped_and_the_rest_still_fits(
    spec: TrainingSpec, model: NetworkModel
) -> None:
    rows = np.arange(len(next(iter(spec.labels.values()))))
    for kept in model.snapshots:
        refitted = refit_networks(spec, model, rows, epochs={kept})
        assert set(refitted.snapshots) == {kept}
        assert {*refitted.best, refitted.given_epoch} == {kept}
        facts, arrays = refitted.to_state()
        again = NetworkModel.from_state(facts, {k: v.numpy() for k, v in arrays.items()})
        assert again.best == refitted.best


def test_weights_move_and_the_same_seed_moves_them_alike(spec: TrainingSpec) -> None:
    target = spec.targets[0]
    (fitted,) = fit_single_task(spec, [target])
    rows = np.arange(len(spec.labels[target]))
    first, second = (refit_networks(spec, fitted.model, rows) for _ in range(2))
    for epoch, before in fitted.model.snapshots.items():
        for name, weights in first.snapshots[epoch].items():
            assert weights.equal(second.snapshots[epoch][name])
        assert any(not before[name].equal(w) for name, w in first.snapshots[epoch].items())
