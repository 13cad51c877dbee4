"""Mixtures of training rows: inputs and losses of two rows in the same shares."""

import numpy as np
import pytest
import torch

from superpose.audit import prepare
from superpose.data import Config
from superpose.errors import ConfigError
from superpose.nn import MIXED, Architecture, Network, NumberEncoder
from superpose.training import Settings
from superpose.training._mixup import Mixed, mixture
from superpose.training._objective import Objective

ROWS = torch.arange(24).reshape(2, 12)


def test_rows_are_mixed_in_pairs_and_mostly_stay_themselves():
    torch.manual_seed(0)
    found = mixture(ROWS, 1.0)
    for partner in found.partner:
        assert sorted(partner.tolist()) == list(range(12)), "each is the partner of one"
        assert (partner != torch.arange(12)).all()
    assert found.share.min() >= 0.5
    assert found.share.max() <= 1
    torch.manual_seed(0)
    again = mixture(ROWS, 1.0)
    assert torch.equal(again.partner, found.partner)
    assert torch.equal(again.share, found.share)


def test_rows_that_are_told_something_are_left_alone():
    shown = torch.zeros(2, 12, 3, dtype=torch.bool)
    shown[0, ::2, 1] = shown[1, :, 0] = True
    found = mixture(ROWS, 1.0, shown)
    told = shown.any(-1)
    assert (found.share[told] == 1).all()
    assert torch.equal(found.partner[told], torch.arange(12).expand(2, 12)[told])
    assert (found.partner[0, 1::2] % 2 == 1).all(), "nor do they stand in for others"


def test_a_network_reads_the_mixture_of_encoded_rows():
    torch.manual_seed(0)
    edges = [[-1.0, 1.0]] * 2
    net = Network({"numbers": NumberEncoder(edges, 4)}, [1, 2], Architecture(dropout=0.0)).eval()
    rows, partner = torch.randn(3, 2), torch.tensor([1, 2, 0])
    share = torch.tensor([0.7, 1.0, 0.5])
    told = net.hidden({"numbers": rows, MIXED: Mixed(partner, share).block})
    flat = net.encoders["numbers"](rows).flatten(-2)
    expected = net.trunk(share[:, None] * flat + (1 - share[:, None]) * flat[partner])
    torch.testing.assert_close(told, expected)
    alone = net.hidden({"numbers": rows})
    torch.testing.assert_close(told[1], alone[1])
    assert not torch.allclose(told[0], alone[0])


@pytest.mark.parametrize("solo", [False, True])
def test_losses_of_both_labels_count_by_their_shares_and_a_missing_one_not(codec, table, solo):
    names = ["weight", "sick"]
    kinds = [codec.target_kinds[name] for name in names]
    labels = [codec.labels(table)[name] for name in names]
    objective = Objective(kinds, labels, np.arange(table.num_rows), solo=solo)
    torch.manual_seed(0)
    networks = 4 if solo else 2
    rows = torch.arange(60).reshape(2, 30).repeat(networks // 2, 1)
    out = torch.randn(networks, 30, 2, 1 if solo else 2, max(kind.size for kind in kinds))
    mixed = mixture(rows, 1.0)

    def weighed(share):
        return objective.losses(out, rows, mixed=Mixed(mixed.partner, share))

    def of_partners():
        return objective.losses(out, rows.gather(1, mixed.partner))

    whole = torch.ones_like(mixed.share)
    torch.testing.assert_close(weighed(whole), objective.losses(out, rows))
    torch.testing.assert_close(weighed(0 * whole), of_partners())
    torch.testing.assert_close(
        weighed(0.75 * whole), 0.75 * objective.losses(out, rows) + 0.25 * of_partners()
    )


def test_training_with_it_is_the_same_twice_and_another_one(run, assert_same):
    def trained(mixup):
        settings = Settings(epochs=1, batch_size=32, mixup=mixup)
        return run(("weight", "sick"), given=True, settings=settings)

    one = trained(0.4)
    assert_same(one, trained(0.4))
    assert one.curves != trained(0.0).curves


def test_words_with_labels_of_their_own_are_not_mixed(make_utterances):
    config = Config.from_arguments(targets=["intent", "slots"], training={"mixup": 0.2})
    with pytest.raises(ConfigError, match=r"training\.mixup: given beside slots, .*; remove it"):
        prepare(make_utterances(60), config)
