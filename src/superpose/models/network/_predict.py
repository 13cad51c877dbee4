"""What networks predict: raw outputs of heads, canonical predictions, and means over folds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from superpose.kinds import TargetKind
from superpose.nn import Outputs, StackedNetworks, head_of

Inputs = dict[str, Tensor]
Kinds = Sequence[TargetKind]

# Numbers of inputs and canonical predictions of the rows that are read at once. With five times as
# many a hundred images of 160 x 120 take 2.5 seconds instead of 1.6: what layers hold of them is
# larger than a cache.
MOST_CELLS = 4_000_000


@torch.no_grad()
def predict_rows(
    networks: StackedNetworks,
    inputs: Inputs,
    rows: Sequence[np.ndarray],
    *,
    kinds: Sequence[Kinds],
    size: int = 4096,
) -> list[list[np.ndarray]]:
    """Predict rows with each network.

    Args:
        networks: P networks.
        inputs: Inputs of all N rows.
        rows: For each network the indices of its rows.
        kinds: For each network its targets, in the order of its heads.
        size: Rows at a time, all networks together; fewer where a row has many cells.

    Shape:
        P index arrays (n,) -> for each network and each of its targets a canonical prediction
        (n, K), float64, or float32 where a target has many locations.
    """
    networks.eval()
    groups = list(_same_targets(kinds))
    cells = sum(block[0].numel() for block in inputs.values())
    cells += sum(kind.distribution.n_columns for own, _ in groups for kind in own)
    size = min(size, max(1, MOST_CELLS // cells)) // networks.count
    longest = max(map(len, rows))
    device = next(iter(inputs.values())).device
    padded = torch.from_numpy(np.stack([np.resize(r, longest) for r in rows])).to(device)
    chunks = []
    for chunk in padded.split(max(1, size), dim=1):
        out = networks({name: block[chunk] for name, block in inputs.items()})
        chunks.append([_on_host(out, own, where) for own, where in groups])
    pred = []
    for (own, where), parts in zip(groups, zip(*chunks, strict=True), strict=True):
        whole = [torch.cat(part, 1).numpy() for part in zip(*parts, strict=True)]
        for n, network in enumerate(range(where.start, where.stop)):
            pred.append([whole[slot][n, : len(rows[network])] for slot in range(len(own))])
    return pred


def _same_targets(kinds: Sequence[Kinds]) -> Iterator[tuple[Kinds, slice]]:
    """Yield the networks that stand side by side and have the same targets."""
    for _, group in groupby(enumerate(kinds), lambda item: [id(kind) for kind in item[1]]):
        members = list(group)
        yield members[0][1], slice(members[0][0], members[-1][0] + 1)


def _on_host(out: Tensor | Outputs, kinds: Kinds, networks: slice) -> list[Tensor]:
    pred = zip(predictions(out, kinds, networks), kinds, strict=True)
    return [(p.double() if kind.distribution.dtype is np.float64 else p).cpu() for p, kind in pred]


def predictions(out: Tensor | Outputs, kinds: Kinds, networks: slice = slice(None)) -> list[Tensor]:
    """Average the members' canonical predictions.

    Args:
        out: What the networks gave.
        kinds: The targets of some of the networks, in the order of their heads.
        networks: Which of them.

    Shape:
        out (P, ..., M, T, O), or outputs of a dense network -> for each target (P, ..., K).
    """
    pred = [
        head_of(kind).link(raw_outputs(out, [slot], kind)[networks].squeeze(-2)).mean(-2)
        for slot, kind in enumerate(kinds)
    ]
    # The outputs of a dense network end with the last location that a row of the batch has.
    missing = [
        kind.distribution.n_columns - z.shape[-1] for z, kind in zip(pred, kinds, strict=True)
    ]
    return [
        F.pad(z, (0, columns), value=torch.nan) if columns else z
        for z, columns in zip(pred, missing, strict=True)
    ]


def raw_outputs(out: Tensor | Outputs, heads: Sequence[int], kind: TargetKind) -> Tensor:
    """Pick the raw outputs of targets of one kind.

    Shape:
        out (..., M, T, O), or outputs of a dense network -> (..., M, G, O).
    """
    if isinstance(out, Outputs) and kind.column in out.dense:
        return out.dense[kind.column].unsqueeze(-2).float()
    rows = out.rows if isinstance(out, Outputs) else out
    return rows[..., list(heads), : head_of(kind).n_outputs].float()


def as_tensors(inputs: Mapping[str, np.ndarray]) -> dict[str, Tensor]:
    """Turn encoded inputs into tensors, copying only those that Arrow keeps read-only."""
    return {
        name: torch.from_numpy(np.require(block, requirements=["C", "W"]))
        for name, block in inputs.items()
    }


def average_rows(n: int, rows: Sequence[np.ndarray], pred: Sequence[np.ndarray]) -> np.ndarray:
    """Average what several models predict for rows that may overlap.

    Shape:
        rows P times (r,), pred P times (r, K) -> (N, K), NaN for rows that no model predicts.

    Example:
        >>> average_rows(3, [np.array([0, 1]), np.array([1])], [np.zeros((2, 1)), np.ones((1, 1))])
        array([[0. ],
               [0.5],
               [nan]])
    """
    # Predictions of many locations are float32 to begin with, and stay so.
    total = np.zeros((n, pred[0].shape[1]), pred[0].dtype)
    count = np.zeros((n, 1), pred[0].dtype)
    for chosen, own in zip(rows, pred, strict=True):
        total[chosen] += own
        count[chosen] += 1
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
