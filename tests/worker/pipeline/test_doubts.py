"""What makes a series doubtful is said, and what is usual is not."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from shared.domain.durations import Duration
from shared.domain.forecasts import Candidate
from tests.factories import MONDAY, a_job, a_load, a_request, a_spec
from tests.worker.pipeline.factories import a_covariate, a_snapshot
from worker.pipeline.backtest import backtest
from worker.pipeline.doubts import counter, doubts, drifted, level_since
from worker.pipeline.forecast import forecast_queue
from worker.pipeline.plan import forecast_spec
from worker.pipeline.score import score
from worker.pipeline.selection import choose

HOURS = np.arange(336)


@pytest.mark.parametrize("resets", [0, 1, 3])
def test_values_that_only_rise_and_begin_anew_are_told_as_a_counter(resets: int) -> None:
    added = np.random.default_rng(1).poisson(5, 336).astype(float)
    total, parts = [], np.array_split(added, resets + 1)
    for part in parts:
        total += np.cumsum(part).tolist()
    said = counter(np.array(total))
    assert said is not None
    assert "a counter" in said
    snapshot = a_snapshot(pd.Series(total, index=a_load().index))
    assert list(doubts(snapshot, snapshot.frame)) == [said]


@pytest.mark.parametrize(
    "values",
    [
        a_load().to_numpy(),
        50 + HOURS * 0.2 + np.random.default_rng(2).normal(0, 1, 336),  # a trend with noise
        np.repeat([10.0, 20.0, 30.0], 112),  # a capacity that was raised twice
        np.tile(np.arange(24.0), 14),  # rises all day and begins anew each night: a season
        np.arange(10.0),
    ],
    ids=["load", "trend", "steps", "season", "short"],
)
def test_what_rises_otherwise_is_no_counter(values: np.ndarray) -> None:
    assert counter(values) is None


def test_a_column_that_left_its_range_is_told_and_so_is_the_target() -> None:
    nodes, weeks = a_covariate(), a_load()
    weeks[weeks.index.weekday >= 5] /= 5
    snapshot = a_snapshot(weeks, nodes=nodes, memory=a_covariate(2))
    assert list(doubts(snapshot, snapshot.frame)) == []
    nodes.iloc[-24:] *= 3
    assert drifted(a_snapshot(weeks, nodes=nodes).frame, 3_600) == ["nodes"]
    weeks.iloc[-24:] = weeks.max() * 1.2
    snapshot = a_snapshot(weeks, nodes=nodes, memory=a_covariate(2))
    [warning] = doubts(snapshot, snapshot.frame)
    assert warning.startswith("on the last day 'used_capacity', 'nodes' left the range that models have learned from")


@pytest.mark.parametrize(("days", "is_narrow"), [(1, False), (5, True), (7, True)])
def test_bounds_come_from_after_a_change_of_capacity(days: int, is_narrow: bool) -> None:
    load = pd.Series(np.random.default_rng(1).normal(20, 1, 336), index=a_load().index)
    load.iloc[-24 * days :] += 40
    snapshot = a_snapshot(load)
    assert level_since(snapshot) == MONDAY - timedelta(days=days)
    assert level_since(a_snapshot()) is None
    spec = a_spec(horizon_steps=48, window_steps=48)
    selection = choose([score(Candidate(model="last_value"), backtest(snapshot, spec), spec)], {})
    forecast = forecast_queue(selection, snapshot, spec, job=a_job(), created_at=MONDAY)
    width = np.subtract(forecast.upper_bound, forecast.lower_bound).max()
    assert width < 20 if is_narrow else width > 60


def test_a_history_that_is_shorter_than_the_future_says_what_the_forecast_is_worth() -> None:
    request = a_request(future_prediction_time_period=Duration(3, "d"))
    _, (warning,) = forecast_spec(request, a_snapshot(a_load(6)), MONDAY)
    assert warning == (
        "the history has only 6 steps: backtested on 1 window of 2 steps instead of 3 windows of 72 steps; "
        "nothing is known of how good it is after step 2 of 72"
    )
