"""Several processes train what one would have trained: same weights, same Gramian."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

SCRIPT = Path(__file__).with_name("worker.py")


def trained(folder, size, method, at):
    """What each process of a training by ``size`` processes has seen."""
    started = [
        subprocess.Popen(
            [sys.executable, str(SCRIPT), str(rank), str(size), str(folder / f"meet{size}"),
             str(folder / f"out{size}"), method, at],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        for rank in range(size)
    ]  # fmt: skip
    assert [process.wait(120) for process in started] == [0] * size
    return [json.loads((folder / f"out{size}.{rank}").read_text()) for rank in range(size)]


@pytest.mark.parametrize(("method", "at"), [("upgrad", "trunk"), ("mgda", "parameters")])
def test_two_processes_end_where_one_ends(tmp_path, method, at):
    (alone,) = trained(tmp_path, 1, method, at)
    both = trained(tmp_path, 2, method, at)
    assert both[0] == both[1]
    for one, two in zip(alone["curves"], both[0]["curves"], strict=True):
        np.testing.assert_allclose(two["validation"], one["validation"], rtol=2e-3)
        np.testing.assert_allclose(two["train"], one["train"], rtol=2e-3)
    for one, two in zip(alone["balance"]["weights"], both[0]["balance"]["weights"], strict=True):
        np.testing.assert_allclose(two, one, rtol=2e-2)
    for one, two in zip(alone["balance"]["looks"], both[0]["balance"]["looks"], strict=True):
        np.testing.assert_allclose(two["cosines"], one["cosines"], atol=1e-2)
