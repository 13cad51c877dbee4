"""Several networks of one architecture trained as one: the folds of a small table in one pass."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from ._dense_network import DenseNetwork, Outputs
from ._trunk import gradients_at_input

StateDict = dict[str, Tensor]
# Names of weights: those of a group, and those that its targets share.
GROUP = re.compile(r"networks\.\d+\.")
SHARED = re.compile(rf"({GROUP.pattern})?(encoders|trunk)\.")


class StackedNetworks(nn.Module):
    """Hold P networks that differ in their weights only and run them in one batched pass.

    Args:
        make: Builds one freshly initialised network.
        count: Number of networks P (at least 1).

    Shape:
        inputs: name -> (P, B, ...) -> (P, B, M, T, O), or the outputs of a dense network with the
        leading axis P; they end with the last location that a row of the batch has.

    Example:
        >>> from superpose.nn import Architecture, Network, NumberEncoder
        >>> def make():
        ...     encoders = {"numbers": NumberEncoder([[0.0, 1.0]], 4)}
        ...     return Network(encoders, {"weight": 1}, Architecture())
        >>> StackedNetworks(make, 3)({"numbers": torch.zeros(3, 5, 1)}).shape
        torch.Size([3, 5, 8, 1, 1])
    """

    def __init__(self, make: Callable[[], nn.Module], count: int) -> None:
        super().__init__()
        networks = [make() for _ in range(count)]
        self.count = count
        if count == 1:
            self.single = networks[0]
        else:
            weights, buffers = stack_module_state(networks)
            # Parameter names hold dots, which modules may not; the dictionary keeps them as given.
            self._names = list(weights)
            self.stacked = nn.ParameterList(nn.Parameter(w.detach()) for w in weights.values())
            for stacked, own in zip(self.stacked, networks[0].parameters(), strict=True):
                if hasattr(own, "rate"):  # its share of the learning rate
                    stacked.rate = own.rate
            self._buffer_names = list(buffers)
            for i, b in enumerate(buffers.values()):
                self.register_buffer(f"stacked_buffer{i}", b.detach())
            self._base = [networks[0].to("meta")]  # in a list: its weights are not ours

    @property
    def template(self) -> nn.Module:
        """One of the networks, to read their form from."""
        return self.single if self.count == 1 else self._base[0]

    def forward(self, inputs: StateDict, probe: Tensor | None = None) -> Tensor | Outputs:
        base = self.single if self.count == 1 else self._base[0].train(self.training)
        if isinstance(base, DenseNetwork):
            inputs = base.trimmed(inputs)
        if self.count == 1:
            row = {name: block[0] for name, block in inputs.items()}
            out = base(row, None if probe is None else probe[0])
            if isinstance(out, Tensor):
                return out[None]
            return Outputs(out.rows[None], {t: z[None] for t, z in out.dense.items()})

        def one(
            state: tuple[StateDict, StateDict], row: StateDict, own_probe: Tensor | None
        ) -> Tensor | Outputs:
            return functional_call(base, state, (row, own_probe))

        weights = dict(zip(self._names, self.stacked, strict=True))
        buffers = {n: getattr(self, f"stacked_buffer{i}") for i, n in enumerate(self._buffer_names)}
        axes = (0, 0, None if probe is None else 0)
        return vmap(one, axes, randomness="different")((weights, buffers), inputs, probe)

    def gradient_probe(self, rows: int) -> Tensor:
        """Return zeros (P, ...) to pass along with ``rows`` rows, whose gradient is to be read."""
        shape = (self.count, *self.template.probe_shape(rows))  # type: ignore[operator]
        return torch.zeros(shape, device=next(self.parameters()).device, requires_grad=True)

    @property
    def probe_to_trunk(self) -> Callable[[Tensor], Tensor] | None:
        """What turns the gradient of a probe at the states into each target's at the trunk.

        (P, B, M, T, D) -> (P, T, B, M, W); None where the probe is at the trunk's output already.
        """
        if not self.template.separate:
            return None
        weights = self._by_name()
        layer = {name: weights[f"states.{name}"].detach() for name in ("weight", "r", "s")}
        return partial(gradients_at_input, **layer)

    def shared(self) -> list[Tensor]:
        """Return the weights that all targets learn: of all networks, stacked if there are more.

        Those of a pretrained model that is not trained are none of them.
        """
        return [w for name, w in self._named() if SHARED.match(name) and w.requires_grad]

    @torch.no_grad()
    def ema_update(self, other: StackedNetworks, share: float) -> None:
        """Move all weights by a share of the way towards those of another."""
        torch._foreach_lerp_(list(self.parameters()), list(other.parameters()), share)

    def clip(self, largest: float) -> Tensor:
        """Scale each network's gradient down to the norm ``largest``; return the norms (P,).

        A network of groups is several: the gradients of one group shorten no other's step.
        """
        parts: dict[str, list[Tensor]] = {}
        for name, weight in self._named():
            if weight.grad is not None:
                group = GROUP.match(name)
                parts.setdefault(group[0] if group else "", []).append(weight)
        norms = torch.stack([self._clip(weights, largest) for weights in parts.values()])
        return norms.square().sum(0).sqrt() if len(norms) > 1 else norms[0]

    def _clip(self, weights: list[Tensor], largest: float) -> Tensor:
        if self.count == 1:  # torch's own works on all weights in one call
            return nn.utils.clip_grad_norm_(weights, largest)[None]
        grads = [w.grad for w in weights if w.grad is not None]
        squares = [g.reshape(len(g), -1).square().sum(1) for g in grads]
        norms = torch.stack(squares).sum(0).sqrt()
        scale = (largest / (norms + 1e-6)).clamp(max=1.0)
        for g in grads:
            g.mul_(scale.view(-1, *[1] * (g.ndim - 1)))
        return norms

    def _named(self) -> Iterator[tuple[str, nn.Parameter]]:
        """The weights by the network's own names; those of several networks are stacked."""
        if self.count == 1:
            return self.single.named_parameters()
        return zip(self._names, self.stacked, strict=True)

    def _by_name(self) -> StateDict:
        """The weights by the network's own names, with the leading axis P."""
        return {k: v[None] if self.count == 1 else v for k, v in self._named()}

    def snapshot(self) -> StateDict:
        """Copy all weights with the leading axis P, by the network's own names."""
        return {k: v.detach().cpu().clone() for k, v in self._by_name().items()}

    @torch.no_grad()
    def restore(self, state: StateDict) -> None:
        """Set all weights from a snapshot."""
        for name, weight in self._by_name().items():
            weight.copy_(state[name])
