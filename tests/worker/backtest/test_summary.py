"""How good a replay was: measured over all steps of a queue, medians and ratios over queues."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from shared.domain.distribution import Quantiles
from tests.factories import a_forecast
from worker.backtest.report import NOTE, TITLES
from worker.backtest.summary import CutoffResult, overall_summary, queue_summary


def a_result(*, error: float = 5.0, naive_error: float = 10.0, model: str = "theta") -> CutoffResult:
    """Three steps around 50–60 that miss by `error`, where the naive misses by `naive_error`."""
    forecast = a_forecast(model=model)
    spread = Quantiles(levels=(0.1, 0.5, 0.9), values=(forecast.lower_bound, forecast.prediction, forecast.upper_bound))
    forecast = replace(forecast, quantiles=spread)
    actual = np.array(forecast.prediction) + error
    return CutoffResult(
        forecast=forecast,
        actual=actual,
        reference=actual - naive_error,
        scale=10.0,
        level=0.9,
        seconds=1.5,
        seconds_by_model={model: 1.0, "ces": 0.2},
    )


def test_a_queue_is_measured_over_all_steps_of_all_origins() -> None:
    found = queue_summary([a_result(model="theta"), a_result(error=0.0, model="ets"), a_result(model="theta")])
    assert found.steps == 9
    assert found.origins == 3
    assert found.seconds == 4.5
    assert found.models == {"theta": 2, "ets": 1}
    assert found.skill == pytest.approx(1 - 10 / 30)
    assert found.mase == pytest.approx((0.5 + 0 + 0.5) / 3)
    assert found.wape_ratio == pytest.approx(10 / 30)
    assert found.mape_shown == 7.5
    assert found.seconds_by_model == pytest.approx({"theta": 2.0, "ets": 1.0, "ces": 0.6})
    assert list(found.seconds_by_model) == ["theta", "ets", "ces"]


def test_the_pinball_loss_is_the_mean_of_both_bounds_at_their_own_levels() -> None:
    """Each value is as far from both bounds as it costs to be there: 5 % of the way on the right side, 95 % on the wrong one."""
    inside = queue_summary([a_result(error=0.0)])
    assert inside.pinball == pytest.approx(0.05 * (10 + 15 + 14 + 10 + 15 + 15) / 6)
    outside = queue_summary([a_result(error=50.0)])
    assert outside.pinball == pytest.approx((0.05 * (60 + 65 + 64) + 0.95 * (40 + 35 + 35)) / 6)


def test_the_loss_of_quantiles_is_below_that_of_the_point_where_they_know_more() -> None:
    near, exact, far = (queue_summary([a_result(error=error)]) for error in (5.0, 0.0, 50.0))
    assert 0 < near.crps < near.wape
    assert exact.wape == 0.0 < exact.crps < near.wape
    assert 0.6 * far.wape < far.crps < far.wape
    assert far.crps_ratio == pytest.approx(5.0 * far.crps / far.wape)


def test_coverage_counts_the_actual_values_within_the_bounds() -> None:
    assert queue_summary([a_result(error=0.0)]).coverage == 100.0
    assert queue_summary([a_result(error=50.0)]).coverage == 0.0


def test_overall_is_the_median_and_the_geometric_mean_of_ratios() -> None:
    queues = [queue_summary([a_result(error=error)]) for error in (1.0, 5.0, 20.0)]
    found = overall_summary(queues)
    assert found.mape == queues[1].mape
    assert found.wape_ratio == pytest.approx(math.prod([0.1, 0.5, 2.0]) ** (1 / 3))
    assert found.crps == queues[1].crps
    assert found.crps_ratio == pytest.approx(math.prod(queue.crps_ratio for queue in queues) ** (1 / 3))
    assert (found.queues, found.origins, found.models) == (3, 3, {"theta": 3})
    assert found.seconds == 4.5
    assert found.seconds_by_model == pytest.approx({"theta": 3.0, "ces": 0.6})


def test_coverage_is_pooled_over_steps_and_not_over_queues() -> None:
    many, few = queue_summary([a_result(error=0.0)] * 3), queue_summary([a_result(error=50.0)])
    assert overall_summary([many, few]).coverage == 75.0


def test_where_nothing_is_defined_nothing_is_claimed() -> None:
    found = overall_summary([])
    assert found.wape_ratio is found.mape is found.coverage is None


def test_a_perfect_queue_has_no_ratio() -> None:
    """Its logarithm would be minus infinity: the median tells of it, the geometric mean cannot."""
    assert overall_summary([queue_summary([a_result(error=0.0)])]).wape_ratio is None


def test_the_legend_below_the_table_says_what_every_column_means() -> None:
    legend = NOTE.lower()
    assert [title for title in TITLES if title.removesuffix(" %").lower() not in legend] == []
    assert "models:" in legend
