"""The winner, fitted again: what is delivered."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from shared.cards import FLOOR
from shared.errors import BadForecast
from shared.forecasts import Candidate, Score
from tests.factories import MONDAY, a_job, a_load, a_request
from tests.worker.pipeline.factories import a_snapshot, a_spec, answering
from worker.pipeline.backtest import backtest
from worker.pipeline.forecast import forecast_queue, refit
from worker.pipeline.history import Offered
from worker.pipeline.score import score

SNAPSHOT = a_snapshot()


def a_winner(candidate: Candidate = FLOOR) -> Score:
    outcome = score(candidate, backtest(SNAPSHOT, a_spec()), a_spec())
    assert isinstance(outcome, Score)
    return outcome


def test_the_first_step_follows_the_last_complete_one() -> None:
    forecast = forecast_queue(a_winner(), SNAPSHOT, a_spec(), job=a_job())
    assert forecast.issued_at == MONDAY
    assert forecast.timestamps == [MONDAY + timedelta(hours=hour) for hour in range(24)]
    assert forecast.prediction == tuple(SNAPSHOT.frame["used_capacity"].iloc[-24:])


def test_a_forecast_tells_whose_it_is_and_how_good_it_was() -> None:
    winner = a_winner(Candidate(model="hour_mean", hyperparameters={"days": 7}))
    forecast = forecast_queue(winner, SNAPSHOT, a_spec(), job=a_job(request=a_request(job_name="tomorrow")), spent_seconds=5.0)
    assert (forecast.queue, forecast.metric, forecast.job, forecast.job_id) == ("root.etl", "used_capacity", "tomorrow", "job-1")
    assert (forecast.model, forecast.hyperparameters) == ("hour_mean", {"days": 7})
    assert (forecast.mape, forecast.skill) == (winner.measures.mape, winner.measures.skill)
    assert forecast.seconds >= 5.0


def test_the_bounds_enclose_the_prediction_within_the_physical_range() -> None:
    forecast = forecast_queue(a_winner(), SNAPSHOT, a_spec(bounds=(0.0, 60.0)), job=a_job())
    lower, prediction, upper = (np.array(each) for each in (forecast.lower_bound, forecast.prediction, forecast.upper_bound))
    assert (lower <= prediction).all()
    assert (prediction <= upper).all()
    assert lower.min() >= 0
    assert upper.max() == 60


def test_the_horizon_may_be_longer_than_the_backtested_windows() -> None:
    forecast = forecast_queue(a_winner(), SNAPSHOT, a_spec(horizon_steps=72), job=a_job())
    widths = np.subtract(forecast.upper_bound, forecast.prediction)
    assert forecast.horizon_steps == 72
    assert widths[71] > widths[23]


def test_a_gap_before_the_issue_time_does_not_move_the_first_step() -> None:
    snapshot = a_snapshot(a_load().iloc[:-5])
    assert forecast_queue(a_winner(), snapshot, a_spec(), job=a_job()).timestamps[0] == MONDAY


@pytest.mark.parametrize(("answer", "error"), [(np.nan, BadForecast), (np.linalg.LinAlgError("singular"), np.linalg.LinAlgError)])
def test_a_winner_that_cannot_be_fitted_again_is_left_to_the_caller(answer: object, error: type[Exception]) -> None:
    offered: Offered = {"answering": answering(answer)}
    with pytest.raises(error):
        refit(replace(a_winner(), candidate=Candidate(model="answering")), SNAPSHOT, a_spec(), offered)
