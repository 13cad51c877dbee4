"""Balancing through the public class: it learns, and bundle and report have the weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from superpose import Superpose

ROWS = 400


def table() -> pd.DataFrame:
    """Two targets that share their inputs, one of them with gaps and in millions."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(ROWS, 3))
    frame = pd.DataFrame(x, columns=list("abc"))
    frame["price"] = 1e6 * (x[:, 0] + x[:, 1] + 0.3 * rng.normal(size=ROWS))
    frame["sick"] = np.where(x[:, 0] - x[:, 2] + 0.3 * rng.normal(size=ROWS) > 0, "yes", "no")
    frame.loc[rng.random(ROWS) < 0.4, "price"] = np.nan
    return frame


@pytest.mark.parametrize("method", ["upgrad", "famo", "gradnorm"])
def test_a_balanced_model_learns_and_says_how_it_weighed(tmp_path: Path, method: str) -> None:
    frame = table()
    model = Superpose(
        ["price", "sick"],
        balance={"method": method, "every": 2},
        references="none",
        model={"fusion": "none"},
        training={"epochs": 15, "patience": 15},
        proof={"folds": 2},
    ).fit(frame)
    for metrics in model.record.metrics.values():
        assert metrics["deployed"]["score"] > 0.4
    loaded = Superpose.load(model.save(tmp_path / "bundle"))
    weights = loaded.record.balance.weights
    assert weights.shape[1] == 2
    np.testing.assert_allclose(weights.mean(1), 1, atol=1e-5)
    assert [look.epoch for look in loaded.record.balance.gradients] == [0, 1, 4]
    page = loaded.report(tmp_path / "report.html").read_text(encoding="utf-8")
    assert f"weighed against each other by {method}" in page
