"""After a change of level the forecast joins the last values, whichever model wins, and the job says so."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from shared.domain.durations import Duration
from tests.factories import MONDAY, a_job, a_load, a_request, a_spec
from tests.worker.pipeline.factories import a_snapshot
from worker.job.catalogue import model_cards
from worker.pipeline.backtest import backtest
from worker.pipeline.queue import QueueRun, run_queue
from worker.sources.base import Reading

HOURS = 30  # since the change


def a_usage(days: int) -> pd.Series:
    index = a_load(days * 24).index
    noise = np.random.default_rng(1).normal(0, 1.5, len(index))
    usage = pd.Series(42 + 8 * np.sin((index.hour - 9) / 24 * 2 * np.pi) + noise, index=index, name="used_capacity")
    usage.iloc[-HOURS:] += 34
    return usage


def run(usage: pd.Series, days: int, model: str) -> QueueRun:
    request = a_request(
        data_ingestion_time_period=Duration(days, "d"),
        future_prediction_time_period=Duration(3, "d"),
        model="auto" if model == "auto" else (model,),
    )
    reading = Reading(frame=usage.to_frame(), rows=len(usage))
    return run_queue(a_job(request=request), reading, queue="root.etl", issued_at=MONDAY, created_at=MONDAY, cards=model_cards())


@pytest.mark.parametrize("days", [5, 14])
@pytest.mark.parametrize(
    "model", ["prophet", "theta", "ces", "hour_median", "seasonal_naive", pytest.param("auto", marks=pytest.mark.nightly)]
)
def test_the_forecast_joins_the_new_level(days: int, model: str) -> None:
    usage = a_usage(days)
    found = run(usage, days, model)
    forecast = found.forecast
    wave = 76 + 8 * np.sin((pd.DatetimeIndex(forecast.timestamps).hour.to_numpy() - 9) / 24 * 2 * np.pi)
    assert abs(forecast.prediction[0] - wave[0]) < 6  # the recent spread
    assert np.abs(np.array(forecast.prediction) - wave).mean() < 9
    inside = (np.array(forecast.lower_bound) <= wave) & (wave <= np.array(forecast.upper_bound))
    assert inside.mean() > 0.7
    assert np.subtract(forecast.upper_bound, forecast.lower_bound).max() < 40  # nobody expects the change again
    since = MONDAY - timedelta(hours=HOURS)
    assert any(
        warning.startswith(f"the level has changed: since {since:%Y-%m-%d %H:%M} UTC values are about 7")
        for warning in found.prepared.quality.warnings
    )


def test_a_fold_knows_of_a_change_only_when_it_has_happened() -> None:
    *early, late = backtest(a_snapshot(a_usage(14)), a_spec(window_steps=12))
    assert [fold.known.shift for fold in early] == [None, None]  # before it, and with six hours of it
    assert late.known.shift is not None
    assert late.known.shift_at == MONDAY - timedelta(hours=HOURS)
    assert late.known.history.target[:24].mean() > 70 > late.known.seen[:24].mean()
