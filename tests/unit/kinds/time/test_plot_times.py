"""What the report is told of targets over time."""

import numpy as np
import pyarrow as pa
import pytest

from superpose.kinds import TARGET_KINDS
from superpose.kinds.time._plot_times import forecast_facts, survival_facts


def test_quarters_go_from_the_lowest_risk_to_the_highest():
    rng = np.random.default_rng(0)
    y = rng.exponential(1.0, 200)
    kind = TARGET_KINDS["survival"].fit("t", pa.chunked_array([y]))
    facts = survival_facts(
        kind, np.append(y, np.nan), kind.distribution.point_mass(np.append(y, 1.0))
    )
    assert [g["rows"] for g in facts["groups"]] == [50] * 4
    middle = len(facts["at"]) // 2
    seen = [g["seen"][middle] for g in facts["groups"]]
    assert seen == sorted(seen, reverse=True)
    assert seen[0] > seen[-1]
    np.testing.assert_allclose([g["told"][middle] for g in facts["groups"]], seen, atol=0.05)


def test_naive_answers_repeat_the_last_value_and_the_last_period():
    past = pa.chunked_array([[[[1.0], [2.0], [3.0], [4.0]], [[5.0], [6.0], [7.0], [None]]]])
    rows = pa.chunked_array([[[1.0, 2.0, 3.0], [6.0, 7.0, 8.0]]])
    options = {"past": "window", "channel": 0, "season": 2, "ahead": [1, 2, 3]}
    kind = TARGET_KINDS["forecast"].fit("y", rows, **options)
    y = kind.encode(rows)
    facts = forecast_facts(kind, past, y=y, pred=kind.distribution.point_mass(y))
    assert facts["errors"]["shipped"] == pytest.approx([0, 0, 0], abs=1e-6)
    # The second row has no value a period before its second step: that step is left out.
    assert facts["errors"]["the last value"] == pytest.approx([2.0, 2.0, 1.0])
    assert facts["errors"]["a period before"] == pytest.approx([1.5, 2.0, 0.5])


def test_without_a_past_only_what_ships_is_shown():
    rows = pa.chunked_array([[[1.0, 2.0], [6.0, 7.0]]])
    kind = TARGET_KINDS["forecast"].fit("y", rows)
    y = kind.encode(rows)
    assert list(
        forecast_facts(kind, None, y=y, pred=kind.distribution.point_mass(y))["errors"]
    ) == ["shipped"]
