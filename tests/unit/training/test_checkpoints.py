"""Checkpoints: what is written is what is read, and a kill leaves the old one whole."""

import math

import pytest
import torch

from superpose.training import _checkpoints
from superpose.training._checkpoints import (
    load_checkpoint,
    optimizer_tensors,
    restore_optimizer,
    save_checkpoint,
)

FACTS = {"epoch": 3, "names": ["a", "ä"], "loss": math.inf, "deep": {"x": [1.5, None]}}


@pytest.fixture
def tensors():
    torch.manual_seed(0)
    return {
        "weights/a.b": torch.randn(3, 4),
        "turned": torch.randn(4, 3).T,
        "double": torch.randn(2, dtype=torch.float64),
        "step": torch.tensor(7.0),
        "none": torch.zeros(0, 2),
    }


def test_what_is_written_is_what_is_read(tmp_path, tensors):
    path = tmp_path / "new" / "folder" / "joint.checkpoint"
    save_checkpoint(path, FACTS, tensors)
    facts, found = load_checkpoint(path)
    assert facts == FACTS
    assert found.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor)


def test_a_newer_checkpoint_replaces_the_older_and_leaves_nothing_else(tmp_path, tensors):
    path = tmp_path / "joint.checkpoint"
    for epoch in (1, 2):
        save_checkpoint(path, {"epoch": epoch}, tensors)
    assert load_checkpoint(path)[0] == {"epoch": 2}
    assert [file.name for file in tmp_path.iterdir()] == ["joint.checkpoint"]


def test_a_kill_while_writing_leaves_the_old_one_whole(tmp_path, tensors, monkeypatch):
    path = tmp_path / "joint.checkpoint"
    save_checkpoint(path, {"epoch": 1}, tensors)

    def killed(tensors, file, metadata):
        file.write_bytes(b"half of it")
        raise KeyboardInterrupt

    monkeypatch.setattr(_checkpoints, "save_file", killed)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(path, {"epoch": 2}, tensors)
    assert load_checkpoint(path)[0] == {"epoch": 1}


@pytest.mark.parametrize("fused", [False, True])
def test_an_optimizer_goes_on_where_it_was(fused):
    torch.manual_seed(0)
    first = torch.nn.ParameterList(torch.randn(3, 2) for _ in range(3))
    optimizer = torch.optim.AdamW(first, 0.1, fused=fused)

    def step(parameters, by, seed):
        torch.manual_seed(seed)
        for parameter in parameters:
            parameter.grad = torch.randn_like(parameter)
        by.step()

    step(first, optimizer, 1)
    second = torch.nn.ParameterList(p.detach().clone() for p in first)
    other = torch.optim.AdamW(second, 0.1, fused=fused)
    restore_optimizer(other, {k: v.clone() for k, v in optimizer_tensors(optimizer).items()})
    for seed in (2, 3):
        step(first, optimizer, seed)
        step(second, other, seed)
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_an_optimizer_that_has_not_stepped_is_restored_too():
    optimizer = torch.optim.AdamW([torch.zeros(2, requires_grad=True)])
    restore_optimizer(optimizer, optimizer_tensors(optimizer))
    assert optimizer_tensors(optimizer) == {}
