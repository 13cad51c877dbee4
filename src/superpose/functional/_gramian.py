"""Inner products between the gradients of several losses."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor


def probe_gramian(
    losses: Tensor, probe: Tensor, to_trunk: Callable[[Tensor], Tensor] | None = None
) -> Tensor:
    """Return the Gramian of the losses' gradients at a point in the network.

    Args:
        losses: One loss for each of P networks and T targets.
        probe: What was added there, P first; its values are zero, its gradient is read. The graph
            behind the losses is kept for the backward pass that follows.
        to_trunk: For a probe of which no loss reads another's share, so that all gradients come
            from one backward pass and not from T: turns the gradient of the probe into those of
            the targets at the point that is meant, (P, ...) -> (P, T, ...).

    Shape:
        losses (P, T), probe (P, ...) -> (P, T, T).

    Example:
        >>> probe = torch.zeros(1, 3, requires_grad=True)
        >>> other = probe * torch.tensor([1.0, -1.0, 0.0])
        >>> both = torch.stack([(probe * 2).sum(-1), other.sum(-1)], 1)
        >>> probe_gramian(both, probe).tolist()
        [[[12.0, 0.0], [0.0, 2.0]]]

    Source:
        Sener and Koltun, "Multi-Task Learning as Multi-Objective Optimization", NeurIPS 2018: the
        gradient with respect to what targets share in place of that of the shared weights.
    """
    if to_trunk is not None:
        (gradient,) = torch.autograd.grad(losses.sum(), probe, retain_graph=True)
        rows = to_trunk(gradient).flatten(2)
    else:
        rows = torch.stack(
            [
                torch.autograd.grad(column.sum(), probe, retain_graph=True)[0].flatten(1)
                for column in losses.unbind(1)
            ],
            dim=1,
        )
    return _inner_products(rows)


def weight_gramian(
    losses: Tensor,
    weights: Sequence[Tensor],
    mean: Callable[[Tensor], Tensor] = lambda rows: rows,
) -> Tensor:
    """Return the Gramian of the losses' gradients on weights, by a backward pass for each target.

    Args:
        losses: One loss for each of P networks and T targets.
        weights: Weights of all networks, P first; without that axis where there is one network.
        mean: Averages gradients over the parts of a batch, where it lies on several processes.

    Shape:
        losses (P, T), weights (P, ...) each -> (P, T, T).

    Example:
        >>> weight = torch.ones(1, 2, requires_grad=True)
        >>> both = torch.stack([(weight * 3).sum(-1), weight[:, 0]], 1)
        >>> weight_gramian(both, [weight]).tolist()
        [[[18.0, 3.0], [3.0, 1.0]]]
    """
    rows = []
    for column in losses.unbind(1):
        # Of weights that a loss does not read, such as another group's, the gradient is zero.
        parts = torch.autograd.grad(
            column.sum(), weights, retain_graph=True, materialize_grads=True
        )
        rows.append(torch.cat([part.reshape(len(losses), -1) for part in parts], dim=1))
    return _inner_products(mean(torch.stack(rows, dim=1)))


def _inner_products(rows: Tensor) -> Tensor:
    rows = rows.float()
    return rows @ rows.mT
