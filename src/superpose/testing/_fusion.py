"""What every fusion of task states has to keep, whatever it exchanges."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, update_wrapper

import torch
from torch import Tensor, nn

from superpose.methods import FUSION_METHODS
from superpose.nn import Fusion

from ._checks import run_checks

N_ROWS, N_MEMBERS, N_TARGETS, TASK_DIM, RANK = 7, 3, 5, 8, 4
HIDDEN_DIM = 12  # of the trunk, before task states are formed
TOLERANCE = 1e-5  # float32 sums in another order

FusionCheck = Callable[[type[Fusion]], None]


def _close(actual: Tensor, expected: Tensor, claim: str) -> None:
    torch.testing.assert_close(
        actual, expected, atol=TOLERANCE, rtol=TOLERANCE, msg=lambda detail: f"{claim}: {detail}"
    )


def _awake(fusion: type[Fusion], n_targets: int = N_TARGETS) -> Fusion:
    """A fusion away from its start, so that targets hear each other where they can."""
    torch.manual_seed(0)
    module = fusion(n_targets, TASK_DIM, rank=RANK)
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.5)
    return module


def states_keep_their_shape(fusion: type[Fusion]) -> None:
    """Task states (..., M, T, D) keep their shape, with any axes before M."""
    module = _awake(fusion)
    for leading in ((), (N_ROWS,), (2, N_ROWS)):
        shape = (*leading, N_MEMBERS, N_TARGETS, TASK_DIM)
        out = module(torch.randn(shape)).shape
        assert out == shape, f"{tuple(shape)} became {tuple(out)}"


def any_number_of_targets_goes_through(fusion: type[Fusion]) -> None:
    """One target, two and forty go through, and stay finite."""
    for n_targets in (1, 2, 40):
        states = torch.randn(N_ROWS, N_MEMBERS, n_targets, TASK_DIM)
        out = _awake(fusion, n_targets)(states)
        assert torch.isfinite(out).all(), f"not finite with {n_targets} targets"


def one_row_is_fused_as_in_a_batch(fusion: type[Fusion]) -> None:
    """Rows do not hear each other: one row alone is fused as in any batch."""
    module = _awake(fusion)
    states = torch.randn(N_ROWS, N_MEMBERS, N_TARGETS, TASK_DIM)
    _close(module(states[2]), module(states)[2], "a row depends on the other rows of its batch")


def the_same_input_gives_the_same_output(fusion: type[Fusion]) -> None:
    """Nothing random happens when the module predicts."""
    module = _awake(fusion).eval()
    states = torch.randn(N_ROWS, N_MEMBERS, N_TARGETS, TASK_DIM)
    assert torch.equal(module(states), module(states)), "two calls differ"


def gradients_reach_every_state(fusion: type[Fusion]) -> None:
    """Gradients are finite and reach the state of every target."""
    states = torch.randn(N_ROWS, N_MEMBERS, N_TARGETS, TASK_DIM, requires_grad=True)
    _awake(fusion)(states).square().sum().backward()
    grad = states.grad
    assert grad is not None, "no gradient at all"
    assert torch.isfinite(grad).all(), "a gradient is not finite"
    assert (grad.abs().sum(-1) > 0).all(), "the state of some target gets no gradient"


def gradients_reach_every_weight(fusion: type[Fusion]) -> None:
    """Every weight learns: none is left out of what forms the states and lets them exchange."""
    form = fusion.towers(HIDDEN_DIM, N_TARGETS, task_dim=TASK_DIM, n_members=N_MEMBERS)
    module = _awake(fusion)
    states = form(torch.randn(N_ROWS, N_MEMBERS, HIDDEN_DIM)).unflatten(-1, (N_TARGETS, TASK_DIM))
    module(states).square().sum().backward()
    weights = [*form.named_parameters(), *module.named_parameters()]
    idle = [name for name, w in weights if w.grad is None or not w.grad.any()]
    assert not idle, f"no gradient reaches {', '.join(idle)}"


def stacked_networks_equal_separate_ones(fusion: type[Fusion]) -> None:
    """It runs under ``torch.func.vmap``, as the folds of small tables are trained."""
    modules = [_awake(fusion) for _ in range(3)]
    if not any(True for _ in modules[0].parameters()):
        return
    states = torch.randn(3, N_ROWS, N_MEMBERS, N_TARGETS, TASK_DIM)
    stacked = torch.func.stack_module_state(modules)

    def one(weights: dict[str, Tensor], buffers: dict[str, Tensor], rows: Tensor) -> Tensor:
        out: Tensor = torch.func.functional_call(modules[0], (weights, buffers), (rows,))
        return out

    together = torch.func.vmap(one)(*stacked, states)
    apart = torch.stack([m(rows) for m, rows in zip(modules, states, strict=True)])
    _close(together, apart, "stacked networks differ from separate ones")


def attention_is_a_distribution(fusion: type[Fusion]) -> None:
    """Where it tells who listens to whom, each row of weights sums to 1, the sink last."""
    weights = _awake(fusion).attention(torch.randn(N_ROWS, N_MEMBERS, N_TARGETS, TASK_DIM))
    if weights is None:
        return
    allowed = [(N_ROWS, m, N_TARGETS, N_TARGETS + 1) for m in (1, N_MEMBERS)]
    assert tuple(weights.shape) in allowed, f"shape {tuple(weights.shape)}, not one of {allowed}"
    assert (weights >= 0).all(), "a weight is negative"
    _close(weights.sum(-1), torch.ones(weights.shape[:-1]), "weights do not sum to 1")


def task_states_are_formed(fusion: type[Fusion]) -> None:
    """What forms the states turns (B, M, hidden_dim) into (B, M, T * D)."""
    form = fusion.towers(HIDDEN_DIM, N_TARGETS, task_dim=TASK_DIM, n_members=N_MEMBERS)
    out = tuple(form(torch.randn(N_ROWS, N_MEMBERS, HIDDEN_DIM)).shape)
    expected = (N_ROWS, N_MEMBERS, N_TARGETS * TASK_DIM)
    assert out == expected, f"shape {out}, not {expected}"


def weights_are_kept_and_put_back(fusion: type[Fusion]) -> None:
    """Its weights are all that has to be stored: put into a fresh one they give the same."""
    module = _awake(fusion)
    fresh = fusion(N_TARGETS, TASK_DIM, rank=RANK)
    fresh.load_state_dict(module.state_dict())
    states = torch.randn(N_ROWS, N_MEMBERS, N_TARGETS, TASK_DIM)
    assert torch.equal(fresh(states), module(states)), "a fresh module with its weights differs"


def it_says_what_it_is(fusion: type[Fusion]) -> None:
    """It has a docstring, and where the table names it, the table says the same, and its paper."""
    assert fusion.__doc__, "no docstring"
    for name, method in FUSION_METHODS.items():
        if (method.module, method.class_name) == (fusion.__module__, fusion.__name__):
            first = fusion.__doc__.split("\n")[0]
            assert method.summary == first, (
                f"{name} is summed up as {method.summary!r}, not {first!r}"
            )
            assert method.paper, "no paper; say in the table where it is from, or what it is"


FUSION_CHECKS: tuple[FusionCheck, ...] = (
    states_keep_their_shape,
    any_number_of_targets_goes_through,
    one_row_is_fused_as_in_a_batch,
    the_same_input_gives_the_same_output,
    gradients_reach_every_state,
    gradients_reach_every_weight,
    stacked_networks_equal_separate_ones,
    attention_is_a_distribution,
    task_states_are_formed,
    weights_are_kept_and_put_back,
    it_says_what_it_is,
)


def check_fusion(fusion: type[Fusion]) -> None:
    """Check that a fusion keeps what networks, training and bundles rely on.

    Args:
        fusion: The class, as it stands in the table of fusions.

    Raises:
        AssertionError: Every claim that does not hold, with the reason.

    Example:
        >>> from superpose.nn import TaskAttention
        >>> check_fusion(TaskAttention)
    """
    run_checks(fusion.__name__, [update_wrapper(partial(c, fusion), c) for c in FUSION_CHECKS])
