"""Every fusion passes the checks that are shipped, and each check finds what it is for."""

import pytest
import torch

from superpose.nn import FUSIONS, Fusion
from superpose.testing import FUSION_CHECKS, check_fusion


@pytest.mark.parametrize("check", FUSION_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", FUSIONS)
def test_every_fusion_keeps(name, check):
    check(FUSIONS[name])


class Mean(Fusion):
    """Every target gets the mean of all: a fusion as simple as one can be."""

    def forward(self, states):
        return states + states.mean(-2, keepdim=True)


def test_a_fusion_from_outside_passes():
    check_fusion(Mean)


class Drops(Mean):
    """Loses a target."""

    def forward(self, states):
        return states[..., 1:, :]


class OneTargetOnly(Mean):
    """Divides by the number of other targets."""

    def forward(self, states):
        return states / (states.shape[-2] - 1)


class Crosstalk(Mean):
    """Rows of a batch hear each other."""

    def forward(self, states):
        return states + states.mean(0, keepdim=True)


class Random(Mean):
    """Adds noise when it predicts."""

    def forward(self, states):
        return states + torch.randn_like(states)


class Deaf(Mean):
    """Passes nothing of the first target on."""

    def forward(self, states):
        return torch.cat([states[..., :1, :].detach(), states[..., 1:, :]], -2)


class Idle(Mean):
    """Has a weight that nothing reads."""

    def __init__(self, *sizes, **more):
        super().__init__(*sizes, **more)
        self.unused = torch.nn.Parameter(torch.ones(3))


class Branches(Mean):
    """Looks at the data in Python, which vmap can't."""

    def __init__(self, *sizes, **more):
        super().__init__(*sizes, **more)
        self.gain = torch.nn.Parameter(torch.ones(1))

    def forward(self, states):
        return states * self.gain if states.sum() > 0 else states * 2 * self.gain


class Leaks(Mean):
    """Its weights of attention are no distribution."""

    def attention(self, states):
        return torch.ones(*states.shape[:-1], states.shape[-2] + 1)


class Narrow(Mean):
    """Forms states of another width."""

    @classmethod
    def towers(cls, hidden_dim, n_targets, **more):
        return torch.nn.Linear(hidden_dim, n_targets)


class Forgets(Mean):
    """Keeps a weight outside of what is stored."""

    def __init__(self, *sizes, **more):
        super().__init__(*sizes, **more)
        self.shift = torch.randn(1)

    def forward(self, states):
        return states + self.shift


class Nameless(Mean):
    pass


FAULTY = {
    "states_keep_their_shape": Drops,
    "any_number_of_targets_goes_through": OneTargetOnly,
    "one_row_is_fused_as_in_a_batch": Crosstalk,
    "the_same_input_gives_the_same_output": Random,
    "gradients_reach_every_state": Deaf,
    "gradients_reach_every_weight": Idle,
    "stacked_networks_equal_separate_ones": Branches,
    "attention_is_a_distribution": Leaks,
    "task_states_are_formed": Narrow,
    "weights_are_kept_and_put_back": Forgets,
    "it_says_what_it_is": Nameless,
}


@pytest.mark.parametrize("check", FUSION_CHECKS, ids=lambda check: check.__name__)
def test_a_check_finds_what_it_is_for(check):
    with pytest.raises((AssertionError, RuntimeError)):
        check(FAULTY[check.__name__])


def test_all_that_is_wrong_is_named_at_once():
    class Both(Leaks, Nameless):
        pass

    with pytest.raises(AssertionError, match="Both: 2 checks failed") as caught:
        check_fusion(Both)
    assert "not one of" in str(caught.value) or "sum to 1" in str(caught.value)
    assert "no docstring" in str(caught.value)
