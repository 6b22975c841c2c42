"""What a forecast is made of adds up to it, whoever won, and says what is known of the history."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from shared.domain.components import Components
from shared.domain.forecasts import Candidate, Forecast
from shared.domain.occasions import Event
from tests.factories import MONDAY, a_job, a_load, a_spec
from tests.worker.pipeline.factories import a_snapshot
from worker.pipeline.backtest import backtest
from worker.pipeline.forecast import forecast_queue
from worker.pipeline.score import score
from worker.pipeline.selection.choose import Terms, choose
from worker.pipeline.snapshot import Snapshot

HOURS = np.arange(28 * 24)
NAIVE = Candidate(model="seasonal_naive", hyperparameters={"days": 7})


def a_history(weekend: float = 0.0, noise: float = 0.0) -> pd.Series:
    """Four weeks around 50, ten up at noon, on weekends so much more or less."""
    index = pd.date_range(end=MONDAY - timedelta(hours=1), periods=len(HOURS), freq="1h")
    wave = 10 * np.sin((index.hour - 6) / 24 * 2 * np.pi)
    values = 50 + wave + weekend * (index.dayofweek >= 5) + np.random.default_rng(1).normal(0, noise, len(HOURS))
    return pd.Series(values, index=index)


def forecast_of(load: pd.Series | Snapshot, candidate: Candidate = NAIVE, **changes: Any) -> Forecast:
    snapshot, spec = load if isinstance(load, Snapshot) else a_snapshot(load), a_spec(**({"horizon_steps": 72} | changes))
    selection = choose([score(candidate, backtest(snapshot, spec), spec)], Terms())
    return forecast_queue(selection, snapshot, spec, job=a_job(), created_at=MONDAY)


@pytest.mark.parametrize("model", ["seasonal_naive", "last_value", "theta", "hour_mean"])
@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_they_add_up_to_the_forecast_of_any_model(model: str, zone: str) -> None:
    events = tuple(
        Event(name="release", start=MONDAY + timedelta(days=day, hours=9), end=MONDAY + timedelta(days=day, hours=12))
        for day in (-14, -7, 1)
    )
    load = a_history(weekend=-20, noise=2)
    for event in events[:2]:
        load[(load.index >= event.start) & (load.index < event.end)] += 30
    forecast = forecast_of(load, Candidate(model=model), timezone=zone, events=events, bounds=(0.0, 61.0))
    parts = forecast.components.of(forecast.prediction)
    assert np.sum([*parts.values()], axis=0) == pytest.approx(forecast.prediction, rel=1e-9)
    assert forecast.components.kinds == ("release",)
    assert {step for step, value in enumerate(parts["occasions"]) if value} <= {33, 34, 35}


def test_level_day_and_week_are_those_of_the_history() -> None:
    forecast = forecast_of(a_history(weekend=-20), horizon_steps=168)
    parts = forecast.components.of(forecast.prediction)
    assert set(parts) == {"level", "day", "week", "remainder"}
    assert parts["level"][0] == pytest.approx(np.median(a_history(weekend=-20)), abs=1e-4)
    assert parts["day"][12] - parts["day"][0] == pytest.approx(20, abs=2.5)
    assert np.mean(parts["week"][5 * 24 : 7 * 24]) == pytest.approx(-20, abs=1)  # from Monday on: the weekend
    assert parts["remainder"] == pytest.approx(np.zeros(168), abs=1e-3)


def test_a_change_of_level_is_a_component() -> None:
    load = a_history(noise=0.5)
    load.iloc[-36:] += 30
    parts = forecast_of(load).components
    assert parts.level == pytest.approx(50, abs=1)
    assert parts.shift == pytest.approx(30, abs=1.5)


def test_what_is_planned_is_a_component() -> None:
    load = a_history(noise=0.5)
    plan = pd.Series(0.0, index=pd.date_range(load.index[0], periods=len(load) + 72, freq="1h"), name="plan")
    plan[(plan.index.dayofyear % 5 == 0) & (plan.index.hour >= 18)] = 10.0
    snapshot = replace(a_snapshot(load + 2 * plan[load.index]), regressors=plan.to_frame())
    parts = forecast_of(snapshot).components
    apart = np.ptp(parts.regressors)
    assert (apart, parts.occasions) == (pytest.approx(20, abs=1.5), ())


def test_of_two_weeks_or_less_no_day_of_the_week_is_told() -> None:
    assert forecast_of(a_load()[-200:], Candidate(model="last_value")).components.week == ()


def test_an_earlier_release_s_forecast_has_none() -> None:
    assert Components().of((1.0, 2.0)) == {}


def test_no_occasion_is_told_as_larger_than_the_physical_range() -> None:
    events = tuple(
        Event(name="stop", start=MONDAY + timedelta(days=day), end=MONDAY + timedelta(days=day, hours=12)) for day in (-14, -7, 1)
    )
    load = a_history(noise=2)
    for event in events[:2]:
        load[(load.index >= event.start) & (load.index < event.end)] = 0.0
    forecast = forecast_of(load, events=events, bounds=(0.0, 100.0))
    parts = forecast.components.of(forecast.prediction)
    assert np.sum([*parts.values()], axis=0) == pytest.approx(forecast.prediction, abs=1e-9)
    assert -100.0 <= min(parts["occasions"][24:36]) < max(parts["occasions"][24:36]) < -20.0
