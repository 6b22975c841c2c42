"""The winner, fitted again: what is delivered."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from shared.domain.codec import from_document, to_json
from shared.domain.forecasts import Candidate, Forecast
from shared.domain.peaks import next_peak
from shared.domain.samples import Fill, FillMethod
from shared.domain.search_space import REFERENCE
from shared.errors import BadForecast
from tests.factories import MONDAY, a_job, a_load, a_request, a_spec
from tests.worker.pipeline.factories import a_snapshot, answering, offering
from worker.pipeline.backtest import backtest
from worker.pipeline.ensembles.recipe import alone
from worker.pipeline.forecast import forecast_queue
from worker.pipeline.score import score
from worker.pipeline.selection.choose import Selection, Terms, choose
from worker.pipeline.snapshot import Snapshot

SNAPSHOT = a_snapshot()
LATER = MONDAY + timedelta(minutes=3)


def a_selection(candidate: Candidate = REFERENCE) -> Selection:
    return choose([score(candidate, backtest(SNAPSHOT, a_spec()), a_spec())], Terms())


def delivered(selection: Selection | None = None, *, snapshot: Snapshot = SNAPSHOT, **changes: Any) -> Forecast:
    job = a_job(request=a_request(job_name="tomorrow"))
    return forecast_queue(selection or a_selection(), snapshot, a_spec(**changes), job=job, created_at=LATER)


def test_the_first_step_follows_the_last_complete_one() -> None:
    forecast = delivered()
    assert forecast.issued_at == MONDAY
    assert forecast.timestamps == [MONDAY + timedelta(hours=hour) for hour in range(24)]
    assert forecast.prediction == tuple(SNAPSHOT.frame["used_capacity"].iloc[-24:])


def test_a_forecast_tells_whose_it_is_and_how_good_it_was() -> None:
    selection = a_selection(Candidate(model="hour_mean", hyperparameters={"days": 7}))
    forecast, winner = delivered(selection), selection.winner
    assert (forecast.queue, forecast.metric, forecast.job, forecast.job_id) == ("root.etl", "used_capacity", "tomorrow", "job-1")
    assert (forecast.model, forecast.hyperparameters) == ("hour_mean", {"days": 7})
    assert (forecast.mape, forecast.skill) == (winner.measures.mape, winner.measures.skill)
    assert forecast.created_at == LATER
    assert forecast.seconds > sum(outcome.seconds for outcome in selection.leaderboard)


def test_the_horizon_may_be_longer_than_the_backtested_windows() -> None:
    forecast = delivered(horizon_steps=72)
    widths = np.subtract(forecast.upper_bound, forecast.prediction)
    assert forecast.horizon_steps == 72
    assert widths[71] > widths[23]


def test_a_gap_before_the_issue_time_does_not_move_the_first_step() -> None:
    assert delivered(snapshot=a_snapshot(a_load().iloc[:-5])).timestamps[0] == MONDAY


def test_a_gap_that_is_not_filled_is_looked_over_and_nothing_is_made_up() -> None:
    late = a_snapshot(a_load().iloc[:-5])
    honest, usual = (delivered(snapshot=late, fill=fill) for fill in (Fill(method=FillMethod.NONE), Fill()))
    assert honest.timestamps == usual.timestamps
    known = SNAPSHOT.frame["used_capacity"]
    assert honest.prediction[:3] == tuple(known.iloc[-24:-21])  # the day before, also for the five steps not known
    assert len(honest.prediction) == len(honest.lower_bound) == len(honest.upper_bound) == 24


@pytest.mark.parametrize(("answer", "error"), [(np.nan, BadForecast), (np.linalg.LinAlgError("singular"), np.linalg.LinAlgError)])
def test_a_winner_that_cannot_be_fitted_again_is_left_to_the_caller(answer: object, error: type[Exception]) -> None:
    selection = replace(a_selection(), recipe=alone(Candidate(model="answering")))
    with offering(answering=answering(answer)), pytest.raises(error):
        delivered(selection)


def test_bounds_are_two_of_the_quantiles_and_those_that_are_asked_for_are_there() -> None:
    forecast = delivered(interval=0.8, quantiles=(0.975, 0.333))
    assert forecast.quantiles.levels == (0.01, 0.05, 0.1, 0.25, 0.333, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99)
    assert forecast.lower_bound == forecast.quantiles.values[2]
    assert forecast.upper_bound == forecast.quantiles.values[7]
    assert forecast.peaks.levels == forecast.quantiles.levels
    assert [len(values) for values in forecast.peaks.values] == [1] * 11  # one day
    assert forecast.paths is not None
    assert {len(path) for path in forecast.paths.rows()} == {24}
    assert len(forecast.paths.drawn_from) == forecast.paths.count
    assert delivered(horizon_steps=500).paths is None  # they would be larger than all else


def test_a_forecast_of_an_earlier_release_has_no_quantiles() -> None:
    document = json.loads(to_json(delivered()))
    for name in ("quantiles", "peaks", "paths", "claims"):
        del document[name]
    old = from_document(Forecast, document)
    assert not old.quantiles
    assert not old.peaks
    assert next_peak(old, MONDAY).prediction == max(old.prediction)
