"""Each method of the literature against its formula, written out with loops."""

import torch
import torch.nn.functional as F

from superpose.nn import FUSIONS

W, T, D, M, B = 9, 3, 5, 2, 4


def towers(name, n_layers=1):
    """Towers with random parameters, and hidden vectors that they read."""
    torch.manual_seed(0)
    module = FUSIONS[name].towers(W, T, task_dim=D, n_members=M, n_layers=n_layers)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return module, torch.randn(B, M, W)


def test_cross_stitch_is_a_linear_mixture_for_each_channel():
    torch.manual_seed(0)
    fuse, states = FUSIONS["cross-stitch"](T, D), torch.randn(B, T, D)
    assert fuse.mixing[0, 0, 0] == torch.tensor(0.9)
    torch.testing.assert_close(fuse.mixing.sum(1), torch.ones(T, D))
    torch.nn.init.normal_(fuse.mixing)
    for k in range(T):
        expected = sum(fuse.mixing[k, j] * states[:, j] for j in range(T))
        torch.testing.assert_close(fuse(states)[:, k], expected)


def test_mmoe_mixes_shared_experts_by_each_targets_gate():
    module, h = towers("mmoe")
    experts = F.relu(module.experts(h)).unflatten(-1, (-1, D))
    for k in range(T):
        gate = (h @ module.choose[k].T + module.choose_bias[k]).softmax(-1)
        expected = sum(gate[..., e, None] * experts[..., e, :] for e in range(experts.shape[-2]))
        torch.testing.assert_close(module(h).unflatten(-1, (T, D))[..., k, :], expected)


def expert(weight, bias, x):
    return F.relu(x @ weight.T + bias)


def mixture(scores, experts):
    gate = torch.stack(scores, -1).softmax(-1)
    return sum(gate[..., e, None] * one for e, one in enumerate(experts))


def test_ple_gates_own_and_shared_experts_layer_by_layer():
    module, h = towers("ple", n_layers=2)
    own, shared = [h] * T, h
    for number, level in enumerate(module.levels):
        mine = [[expert(*p, own[k]) for p in zip(level.own[k], level.own_bias[k], strict=True)]
                for k in range(T)]  # fmt: skip
        ours = [expert(*p, shared) for p in zip(level.shared, level.shared_bias, strict=True)]
        new = [mixture([own[k] @ v for v in level.choose[k]], [*mine[k], *ours]) for k in range(T)]
        if number == 0:
            everyone = [one for k in range(T) for one in mine[k]]
            scores = [shared @ v for k in range(T) for v in level.pool_own[k]]
            scores += [shared @ v for v in level.pool_shared]
            shared = mixture(scores, [*everyone, *ours])
        own = new
    torch.testing.assert_close(module(h), torch.cat(own, -1))


def test_adatt_hears_the_experts_of_all_and_its_own_once_more():
    module, h = towers("adatt", n_layers=2)
    own = [h] * T
    for level in module.levels:
        experts = [[expert(*p, own[k]) for p in zip(level.own[k], level.own_bias[k], strict=True)]
                   for k in range(T)]  # fmt: skip
        everyone = [one for k in range(T) for one in experts[k]]
        own = [
            mixture([own[k] @ v for j in range(T) for v in level.listen[k, j]], everyone)
            + sum(v * one for v, one in zip(level.native[k], experts[k], strict=True))
            for k in range(T)
        ]
    torch.testing.assert_close(module(h), torch.cat(own, -1))


def test_mtan_masks_what_is_shared_for_each_target():
    module, h = towers("mtan")
    masks = module.masks(h)
    assert ((masks > 0) & (masks < 1)).all()
    for k in range(T):
        expected = (masks[..., k, :] * h) @ module.project[k].T + module.project_bias[k]
        torch.testing.assert_close(module(h).unflatten(-1, (T, D))[..., k, :], expected)


def test_born_weights_are_squared_complex_amplitudes():
    torch.manual_seed(0)
    fuse, u = FUSIONS["born"](T, D, rank=4), torch.randn(B, T, D)
    query = torch.complex(*(fuse.query(u) + fuse.query_of).chunk(2, -1))
    key = torch.complex(*(fuse.key(u) + fuse.key_of).chunk(2, -1))
    for k in range(T):
        sizes = [
            torch.zeros(B) if j == k else (query[:, k].conj() * key[:, j]).sum(-1).abs() ** 2 / 8
            for j in range(T)
        ] + [fuse.sink[k].square().expand(B)]
        expected = torch.stack(sizes, -1) / torch.stack(sizes, -1).sum(-1, keepdim=True)
        torch.testing.assert_close(fuse.weights(u)[:, k], expected)


def test_a_common_phase_of_query_and_key_changes_no_born_weight():
    torch.manual_seed(0)
    fuse, u = FUSIONS["born"](T, D, rank=4), torch.randn(B, T, D)
    before = fuse.weights(u)
    with torch.no_grad():
        for part in (fuse.query.weight, fuse.key.weight, fuse.query_of.T, fuse.key_of.T):
            real, imaginary = part.chunk(2, 0)
            turned = torch.complex(real, imaginary) * torch.exp(torch.tensor(0.7j))
            part.copy_(torch.cat([turned.real, turned.imag]))
    torch.testing.assert_close(fuse.weights(u), before)


def test_born_and_its_controls_have_equal_parameters():
    sizes = {
        name: sorted(p.shape for p in FUSIONS[name](T, D, rank=4).parameters())
        for name in ("born", "born-real", "signed")
    }
    assert sizes["born"] == sizes["born-real"] == sizes["signed"]


def test_static_weights_are_the_same_for_all_rows_and_task_attentions_are_not():
    torch.manual_seed(0)
    states = torch.randn(B, 1, T, D)
    same = FUSIONS["static"](T, D, rank=4).attention(states)
    assert torch.equal(same, same[:1].expand_as(same))
    looks = FUSIONS["task-attention"](T, D, rank=4).attention(states)
    assert not torch.isclose(looks[0], looks[1]).all()


def test_inducing_tokens_never_hold_anything_of_targets_times_targets():
    targets = 1000
    fuse = FUSIONS["inducing"](targets, D, rank=4)
    torch.nn.init.ones_(fuse.gate)
    largest = []
    hook = torch.autograd.graph.saved_tensors_hooks(
        lambda x: (largest.append(x.numel()), x)[1], lambda x: x
    )
    with hook:
        fuse(torch.randn(2, targets, D, requires_grad=True)).sum().backward()
    assert max(largest) <= 2 * targets * 20
