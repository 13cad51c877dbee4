"""Charts of targets over time: a line for each group and each answer, none without rows."""

from superpose.report._figures import target_figures
from superpose.report._over_time import errors_ahead, survival_curves

GROUP = {"rows": 10, "told": [1.0, 0.8, 0.5], "seen": [1.0, 0.9, 0.4]}
SURVIVAL = {"chart": "survival", "y": [1.0], "at": [0.0, 5.0, 9.0], "groups": [GROUP] * 4}
FORECAST = {
    "chart": "errors ahead",
    "y": [[1.0]],
    "ahead": [1, 2, 3],
    "errors": {"shipped": [1.0, 1.5, 2.0], "the last value": [1.2, 2.4, 3.0]},
}


def test_each_quarter_has_a_line_told_and_one_seen():
    svg = survival_curves(SURVIVAL, "days")
    assert svg.count('class="ln thin ') == 4
    assert "40 rows in quarters by risk" in svg
    assert "highest risk" in svg


def test_each_answer_has_a_line():
    svg = errors_ahead(FORECAST, "load")
    assert svg.count('<path class="ln s') == 4  # two in the key, two in the plot
    assert "the last value" in svg


def test_without_rows_nothing_is_drawn():
    assert survival_curves({"at": [0.0, 1.0], "groups": []}) == ""
    assert errors_ahead({"ahead": [], "errors": {}}) == ""
    assert errors_ahead({"ahead": [1], "errors": {"shipped": [float("nan")]}}) == ""


def test_a_target_shows_its_chart():
    assert [c.caption for c in target_figures("days", SURVIVAL).charts] == [
        "Survival by risk, told and (dashed) seen"
    ]
    assert [c.caption for c in target_figures("load", FORECAST).charts] == ["Error by steps ahead"]
