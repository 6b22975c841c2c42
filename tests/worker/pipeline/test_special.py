"""What people know of the calendar reaches the delivered forecast, whichever model wins."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from shared.domain.durations import Duration
from shared.domain.occasions import Event
from tests.factories import a_job, a_request, a_spec
from tests.worker.models.histories import lasting_noise
from tests.worker.pipeline.factories import a_covariate, a_snapshot
from worker.job.catalogue import model_cards
from worker.models.base import FloatArray
from worker.pipeline.backtest import backtest
from worker.pipeline.history import known_at
from worker.pipeline.queue import QueueRun, run_queue
from worker.sources.base import Reading

END = datetime(2026, 11, 26, tzinfo=UTC)  # Thanksgiving
PAST = (date(2026, 10, 12), date(2026, 10, 26), date(2026, 11, 11))
HOLIDAYS = (*PAST, END.date())
MODELS = ("prophet", "theta", "mstl", "hour_median")
CHEAP = ("theta", "hour_median")


def a_usage(level: float = 80.0, *, days: int = 46, wave: float = 0.0, weekend: float = 0.0) -> pd.Series:
    times = pd.date_range(end=END - timedelta(hours=1), periods=days * 24, freq="1h")
    season = wave * np.sin(times.hour / 24 * 2 * np.pi) - weekend * (times.dayofweek >= 5)
    return pd.Series(level + season + lasting_noise(len(times), 3) / 5, index=times, name="used_capacity")


def on(usage: pd.Series, value: float, days: tuple[date, ...] = PAST) -> pd.Series:
    draw = np.random.default_rng(5)
    there = pd.Series(usage.index.date, index=usage.index).isin(days)
    return usage.where(~there, value + draw.normal(0, 0.5, len(usage)))


def run(usage: pd.Series, *, hours: int = 24, **changes: Any) -> QueueRun:
    request = a_request(
        as_of=END, data_ingestion_time_period=Duration(60, "d"), future_prediction_time_period=Duration(hours, "h"), **changes
    )
    job, reading = a_job(request=request), Reading(frame=usage.to_frame(), rows=len(usage))
    return run_queue(job, reading, queue="root.etl", issued_at=END, created_at=END, cards=model_cards())


def band(found: QueueRun) -> tuple[FloatArray, FloatArray, FloatArray]:
    forecast = found.forecast
    return np.array(forecast.prediction), np.array(forecast.lower_bound), np.array(forecast.upper_bound)


def an_event(day: date, *, hour: int = 0, hours: int = 24, kind: str = "sale") -> Event:
    start = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
    return Event(name=f"{kind} of {day}", start=start, end=start + timedelta(hours=hours), kind=kind)


@pytest.mark.parametrize("model", MODELS)
def test_a_holiday_like_those_before_it_is_forecast_by_each_model(model: str) -> None:
    prediction, lower, upper = band(run(on(a_usage(), 5.0), model=(model,), holidays=HOLIDAYS))
    assert np.abs(prediction - 5).max() < 2
    assert (lower <= 5).all()
    assert (upper >= 5).all()
    assert (upper - lower).max() < 10


@pytest.mark.nightly
@pytest.mark.parametrize("hours", [24, 72])
def test_a_holiday_like_those_before_it_is_forecast_by_auto(hours: int) -> None:
    prediction, lower, upper = band(run(on(a_usage(), 5.0), hours=hours, holidays=HOLIDAYS))
    assert np.abs(prediction[:24] - 5).max() < 2
    assert ((lower <= 5) & (upper >= 5))[:24].all()
    assert hours == 24 or np.abs(prediction[24:] - 80).max() < 10


def test_a_country_s_holidays_are_known_by_their_names() -> None:
    past = (date(2026, 10, 12), date(2026, 11, 11))  # Columbus Day and Veterans Day
    found = run(on(a_usage(), 5.0, past), model=("theta",), holidays="US")
    prediction, lower, upper = band(found)
    assert prediction.max() < 15
    assert ((lower <= 5) & (upper >= 5)).all()
    assert any("Thanksgiving" in warning and "only twice" in warning for warning in found.prepared.quality.warnings)


def test_an_event_day_is_forecast_like_those_before_it() -> None:
    events = tuple(an_event(day) for day in HOLIDAYS)
    prediction, lower, upper = band(run(on(a_usage(50.0), 109.0), model=CHEAP, events=events))
    assert np.abs(prediction - 109).max() < 5
    assert ((lower <= 109) & (upper >= 109)).mean() >= 0.9


def test_an_event_of_three_hours_is_forecast_hour_by_hour_and_no_other_hour_changes() -> None:
    usage = a_usage(50.0)
    for day in PAST:
        start = datetime(day.year, day.month, day.day, 14, tzinfo=UTC)
        usage[start : start + timedelta(hours=2)] = [100.0, 120.0, 90.0]
    events = tuple(an_event(day, hour=14, hours=3, kind="backup") for day in HOLIDAYS)
    with_them, without = (band(run(usage, model=CHEAP, events=given))[0] for given in (events, events[:-1]))
    assert with_them[14:17] == pytest.approx([100, 120, 90], abs=3)
    assert np.delete(with_them, [14, 15, 16]).tolist() == np.delete(without, [14, 15, 16]).tolist()
    assert without[14:17].max() < 60


def test_kinds_are_learned_apart() -> None:
    usage = on(on(a_usage(50.0), 5.0, PAST), 109.0, (date(2026, 11, 5), date(2026, 11, 18), date(2026, 10, 20)))
    sales = tuple(an_event(day) for day in (date(2026, 11, 5), date(2026, 11, 18), date(2026, 10, 20), END.date()))
    assert np.abs(band(run(usage, model=CHEAP, events=sales, holidays=PAST))[0] - 109).max() < 5


def test_a_holiday_that_nothing_is_known_of_changes_nothing_and_says_so() -> None:
    usage = a_usage(wave=20.0)
    found, plain = (run(usage, model=CHEAP, holidays=given) for given in ((END.date(),), None))
    assert found.forecast.prediction == plain.forecast.prediction
    assert found.forecast.upper_bound == plain.forecast.upper_bound
    assert any("nothing is known of its effect" in warning for warning in found.prepared.quality.warnings)


def test_a_holiday_without_an_effect_changes_nothing() -> None:
    usage = a_usage(wave=20.0)
    found, plain = (run(usage, model=CHEAP, holidays=given) for given in (HOLIDAYS, None))
    assert np.abs(band(found)[0] - band(plain)[0]).max() < 1
    assert any("does not stand out from noise" in note for note in found.prepared.quality.notes)


def test_a_weekly_season_of_28_days_with_two_holidays_in_it() -> None:
    two = (date(2026, 11, 5), date(2026, 11, 18))
    usage = on(a_usage(60.0, days=28, wave=15.0, weekend=30.0), 10.0, two)
    found = run(usage, hours=72, model=("mstl", "theta", "hour_median"), holidays=(*two, date(2026, 11, 27)))
    prediction, lower, upper = band(found)
    assert prediction[24:48].max() < 20
    assert ((lower <= 10) & (upper >= 10))[24:48].all()
    assert prediction[:24].mean() == pytest.approx(60, abs=5)
    assert any("seen only twice" in warning for warning in found.prepared.quality.warnings)


def test_the_day_after_a_holiday_is_an_ordinary_one_for_every_model() -> None:
    usage = on(a_usage(wave=10.0), 5.0, (*PAST[:2], END.date() - timedelta(days=1)))
    holidays = (*PAST[:2], END.date() - timedelta(days=1))
    for model in ("last_value", "seasonal_naive", "hour_mean"):
        found = run(usage, model=(model,), holidays=holidays)
        assert np.mean(found.forecast.prediction) == pytest.approx(80, abs=6)


def test_a_fold_learns_only_from_what_was_before_it() -> None:
    usage = on(a_usage(days=30), 5.0, (date(2026, 11, 24), date(2026, 11, 25)))
    first, second, third = backtest(
        a_snapshot(usage, end=END),
        a_spec(holidays=(date(2026, 11, 24), date(2026, 11, 25))),
    )
    assert (first.known.effects, second.known.effects) == ({}, {})
    assert third.known.effects["holiday"].count == 1
    assert np.isfinite(first.actual).all()
    assert np.isnan(second.actual).all()  # nobody could have known
    assert np.isfinite(third.actual).all()


def test_companions_are_ordinary_where_the_target_is() -> None:
    usage = on(a_usage(days=30), 5.0)
    memory = on(a_covariate(hours=30 * 24).set_axis(usage.index), 0.0)
    snapshot = a_snapshot(usage, end=END, memory=memory)
    history = known_at(snapshot, snapshot.length, 24, a_spec(holidays=HOLIDAYS)).history
    assert history.target.min() > 70
    assert history.covariates.min() > 1e9


def test_a_holiday_on_a_weekend_tells_nothing_of_those_on_working_days() -> None:
    usage = on(a_usage(60.0, weekend=40.0), 20.0)  # holidays are like weekends
    saturday = date(2026, 10, 31)
    prediction, _, _ = band(run(usage, model=CHEAP, holidays=(*HOLIDAYS, saturday)))
    assert np.abs(prediction - 20).max() < 4


@pytest.mark.parametrize("earlier", [1, 3])
def test_load_that_is_planned_for_an_event_counts_once(earlier: int) -> None:
    times = pd.date_range(end=END + timedelta(hours=23), periods=47 * 24, freq="1h")
    draw = np.random.default_rng(4)
    planned = pd.Series(draw.choice([0.0, 10.0], len(times), p=[0.8, 0.2]), index=times)
    days = [END.date() - timedelta(days=9 * back) for back in range(earlier + 1)]
    is_release = pd.Series(times.date, index=times).isin(days) & (times.hour == 20)
    planned[is_release] = 40.0
    usage = (a_usage(20.0).reindex(times) + planned).rename("used_capacity")[: END - timedelta(hours=1)]
    request = a_request(
        as_of=END,
        data_ingestion_time_period=Duration(60, "d"),
        future_prediction_time_period=Duration(24, "h"),
        model=CHEAP,
        regressors=("planned",),
        events=tuple(an_event(day, hour=20, hours=1, kind="release") for day in days),
    )
    reading = Reading(frame=usage.to_frame(), rows=len(usage), regressors=planned.to_frame("planned"))
    found = run_queue(a_job(request=request), reading, queue="q", issued_at=END, created_at=END, cards=model_cards())
    assert band(found)[0][20] == pytest.approx(60, abs=5)
