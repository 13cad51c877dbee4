"""Checkpoints of a training under way: tensors as safetensors, the rest as JSON, one file each."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor


def save_checkpoint(path: Path, facts: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    """Write a checkpoint so that a kill at any moment leaves the old or the new one whole.

    Args:
        path: The file to write; its folder is made if need be.
        facts: Anything JSON can hold.
        tensors: Name to tensor.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    save_file(
        {k: v.cpu().contiguous() for k, v in tensors.items()},
        fresh,
        metadata={"facts": json.dumps(facts)},
    )
    os.replace(fresh, path)


def load_checkpoint(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Read what ``save_checkpoint`` wrote."""
    with safe_open(path, "pt") as file:
        facts = json.loads(file.metadata()["facts"])
        return facts, {k: file.get_tensor(k) for k in file.keys()}  # noqa: SIM118 (not a dict)


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Flatten an optimizer's state to named tensors."""
    state = optimizer.state_dict()["state"]
    return {f"{i}.{k}": torch.as_tensor(v) for i, s in state.items() for k, v in s.items()}


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Put back what ``optimizer_tensors`` flattened."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        index, key = name.split(".", 1)
        state.setdefault(int(index), {})[key] = value
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
