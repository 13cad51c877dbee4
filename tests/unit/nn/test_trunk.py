"""The trunk: members that share their matrices and still differ."""

import torch
import torch.nn.functional as F

from superpose.nn import MemberLinear, Trunk


def test_a_member_layer_is_one_matrix_per_member_with_scaled_rows_and_columns():
    layer, x = MemberLinear(5, 4, members=3), torch.randn(7, 3, 5)
    torch.nn.init.normal_(layer.r)
    torch.nn.init.normal_(layer.s)
    for m in range(3):
        matrix = layer.s[m][:, None] * layer.weight * layer.r[m]
        torch.testing.assert_close(layer(x)[:, m], F.linear(x[:, m], matrix, layer.bias[m]))


def test_one_member_is_a_plain_network():
    trunk = Trunk(6, 8, depth=2, members=1, dropout=0.0)
    x = torch.randn(5, 6)
    hidden = F.relu(F.linear(x, trunk.first.weight, trunk.bias[0]))
    layer = trunk.layers[0]
    expected = F.relu(F.linear(hidden, layer.weight, layer.bias[0]))
    torch.testing.assert_close(trunk(x)[:, 0], expected)


def test_members_differ_from_the_start():
    out = Trunk(6, 8, depth=1, members=4, dropout=0.0)(torch.randn(5, 6))
    for a in range(4):
        for b in range(a):
            assert not torch.allclose(out[:, a], out[:, b])


def test_depth_counts_hidden_layers():
    for depth in (1, 2, 4):
        assert len(Trunk(6, 8, depth=depth, members=2, dropout=0.0).layers) == depth - 1


def test_dropout_rests_in_evaluation_and_keeps_the_mean_in_training():
    torch.manual_seed(0)
    trunk = Trunk(6, 8, depth=1, members=2, dropout=0.4)
    x = torch.randn(1, 6)
    calm = trunk.eval()(x)
    assert torch.equal(trunk(x), calm)
    noisy = trunk.train()(x.expand(20_000, -1))
    torch.testing.assert_close(noisy.mean(0), calm[0], atol=0.03, rtol=0.03)


def test_dropout_differs_by_row_and_is_shared_by_members():
    trunk = Trunk(6, 64, depth=1, members=3, dropout=0.5)
    with torch.no_grad():
        trunk.bias.fill_(100.0)  # no unit is off by itself
    gone = trunk.train()(torch.randn(4, 6)) == 0
    assert (gone == gone[:, :1]).all()
    assert 0.3 < gone.float().mean() < 0.7
    assert not torch.equal(gone[0], gone[1])
