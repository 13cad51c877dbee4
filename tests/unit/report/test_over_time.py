"""Charts of targets over time: a line for each group and each forecast, none without rows."""

import numpy as np

from superpose.record import ForecastChart, SurvivalChart, SurvivalGroup
from superpose.report._figures import target_figures
from superpose.report._over_time import errors_ahead, survival_curves

GROUP = SurvivalGroup(10, np.array([1.0, 0.8, 0.5]), np.array([1.0, 0.9, 0.4]))
SURVIVAL = SurvivalChart(np.array([0.0, 5.0, 9.0]), [GROUP] * 4)
ERRORS = {"deployed": np.array([1.0, 1.5, 2.0]), "the last value": np.array([1.2, 2.4, 3.0])}
FORECAST = ForecastChart(np.array([1.0, 2.0, 3.0]), ERRORS)


def test_each_quarter_has_a_predicted_and_an_observed_line():
    svg = survival_curves(SURVIVAL, "days")
    assert svg.count('class="ln thin ') == 4
    assert "40 rows in quarters by risk" in svg
    assert "highest risk" in svg


def test_each_forecast_has_a_line():
    svg = errors_ahead(FORECAST, "load")
    assert svg.count('<path class="ln s') == 4  # two in the key, two in the plot
    assert "the last value" in svg


def test_without_rows_nothing_is_drawn():
    assert survival_curves(SurvivalChart(np.array([0.0, 1.0]), [])) == ""
    assert errors_ahead(ForecastChart(np.zeros(0), {})) == ""
    assert errors_ahead(ForecastChart(np.ones(1), {"deployed": np.array([np.nan])})) == ""


def test_a_target_shows_its_chart():
    assert [c.caption for c in target_figures("days", SURVIVAL).charts] == [
        "Survival by risk, predicted and (dashed) observed"
    ]
    assert [c.caption for c in target_figures("load", FORECAST).charts] == ["Error by steps ahead"]
