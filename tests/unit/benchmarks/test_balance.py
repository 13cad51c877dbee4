"""The benchmark of balancing: methods change the network and nothing else."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from _sharing import make_ready
from _table import Table, name_parts
from balance import METHODS, RAW, run_balanced
from superpose.balance import BALANCERS


@pytest.fixture(scope="module")
def made():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(240, 3))
    frame = pd.DataFrame(x, columns=list("abc"))
    frame["u"] = x[:, 0] + 0.2 * rng.normal(size=240)
    frame["v"] = x[:, 1] + 0.2 * rng.normal(size=240)
    turn = np.arange(240)

    def split(table: Table, seed: int) -> np.ndarray:
        return name_parts(240, (turn >= 140) & (turn < 190), turn >= 190)

    table = Table("made", frame, {"u": "number", "v": "number"}, split, "by position")
    return make_ready(table, 0)


def test_every_method_stands_twice_beside_the_single_task_nets():
    assert len(METHODS) == 1 + 2 * len(BALANCERS)


def test_bad_scales_starve_a_target_under_the_plain_sum_and_not_under_log_loss(made):
    def worst(method: str) -> float:
        run = run_balanced(made, method)
        test = made.rows("test")
        frame = made.table.frame
        return max(
            float(np.var(run.targets[t].test[:, 0] - frame[t].to_numpy()[test]) / np.var(frame[t]))
            for t in ("u", "v")
        )

    plain, stressed, log = worst("sum"), worst(f"{RAW}sum"), worst(f"{RAW}log")
    assert plain < 0.5
    assert log < 0.5
    assert stressed > 1.5 * max(plain, log)
