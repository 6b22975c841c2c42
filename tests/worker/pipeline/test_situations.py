"""What queues are like in life, each from its samples to its forecast: source, snapshot, work, score, select, refit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from shared.connections.files import FilesConnection
from shared.domain.durations import Duration
from shared.domain.forecasts import Failure, Forecast
from shared.domain.lanes import Lane
from shared.domain.peaks import next_peak
from shared.domain.timegrid import TimeGrid
from tests.factories import MONDAY, a_job, a_load, a_request
from worker.job.catalogue import model_cards
from worker.job.ingestion import usage_query
from worker.pipeline.history import known_at
from worker.pipeline.queue import QueueRun, run_queue
from worker.sources import sources
from worker.sources.base import Reading

DAY = 24
BERLIN = "Europe/Berlin"
CARDS = tuple(card for card in model_cards() if card.lane is not Lane.HEAVY)
QUICK = tuple(card for card in CARDS if card.name not in {"ets", "prophet"})
BASELINES = {card.name for card in CARDS if card.is_baseline}


@dataclass(frozen=True)
class Told:
    """What a queue's owner gets."""

    run: QueueRun

    @property
    def forecast(self) -> Forecast:
        return self.run.forecast

    @property
    def warnings(self) -> tuple[str, ...]:
        return self.run.prepared.quality.warnings

    @property
    def tried(self) -> set[str]:
        return {candidate.model for candidate in self.run.prepared.work.candidates}

    @property
    def band(self) -> np.ndarray:
        return np.array([self.forecast.lower_bound, self.forecast.prediction, self.forecast.upper_bound])


def told(frame: pd.Series | pd.DataFrame, *, cards: Any = QUICK, at: datetime = MONDAY, **changes: Any) -> Told:
    """Everything that is done for one queue; whatever it is like, the forecast is whole, finite and within its bounds."""
    request = a_request(**({"as_of": at} | changes))
    issued_at, reading = request.grid.bucket_start(at), Reading(frame=pd.DataFrame(frame), rows=len(frame))
    job = a_job(request=request)
    found = Told(run_queue(job, reading, queue="root.etl", issued_at=issued_at, created_at=at, cards=cards))
    lower, prediction, upper = found.band
    assert found.forecast.timestamps[0] == issued_at
    assert len(prediction) == request.horizon_steps(issued_at)
    assert np.isfinite([lower, upper]).all()
    assert ((lower <= prediction) & (prediction <= upper)).all()
    return found


def with_last(load: pd.Series, steps: int, values: Any) -> pd.Series:
    """The load, with other values in its last steps."""
    changed = load.copy()
    changed.iloc[-steps:] = values
    return changed


# how long the history is


def test_a_history_of_three_days_has_one_window_and_says_for_whom_it_is_too_short() -> None:
    found = told(a_load(3 * DAY))
    assert {"theta", "ces"} <= found.tried
    assert "the history has only 72 steps: backtested on 1 window of 24 steps instead of 3 windows of 24 steps" in found.warnings
    assert "seasonal_naive days=7 is left out: it needs 168 steps of history, found 72" in found.warnings


@pytest.mark.parametrize("hours", [3, 5, 23, 25, 30, 47])
def test_after_a_cold_start_of_a_few_hours_baselines_answer_with_a_warning(hours: int) -> None:
    found = told(a_load(hours))
    assert {"last_value"} <= found.tried <= BASELINES
    assert found.forecast.horizon_steps == DAY
    assert ("seasonal_naive" in found.tried) == (hours > DAY)  # a whole day, and something to be scored on
    assert f"only {hours} hours of history, less than 2 days: only baselines are tried" in found.warnings


def test_a_queue_empty_until_yesterday_is_forecast_and_no_model_fails_the_others() -> None:
    """Its first training parts are constant: what cannot be fitted there is a failure, and the rest goes on."""
    load = with_last(a_load() * 0, 36, a_load().iloc[-36:])
    found = told(load, cards=CARDS)
    assert any(not isinstance(outcome, Failure) for outcome in found.run.selection.leaderboard)
    _, prediction, upper = found.band
    assert prediction.mean() > 5
    assert upper.max() > 40


# what it is like


@pytest.mark.parametrize("value", [0.0, 42.0, 137.5])
def test_an_idle_queue_and_one_that_never_changes_get_their_constant_and_say_so(value: float) -> None:
    load = a_load() * 0 + value
    load.iloc[5] = np.nan
    found = told(load)
    assert [set(each.tolist()) for each in found.band] == [{value}] * 3
    assert (found.forecast.model, found.tried) == ("last_value", {"last_value"})
    assert ["nothing else is tried" in warning for warning in found.warnings] == [True]
    assert found.forecast.mape == (0.0 if value else None)


@pytest.mark.parametrize("hours", [2, 5, 7])
def test_a_flat_queue_that_stands_at_a_new_value_for_hours_is_forecast_to_stay_there(hours: int) -> None:
    found = told(with_last(a_load() * 0 + 30.0, hours, 45.0))
    assert set(found.forecast.prediction) == {45.0}
    since = MONDAY - timedelta(hours=hours)
    assert any(f"since {since:%Y-%m-%d %H:%M} UTC values are about 45" in each for each in found.warnings)


def test_a_queue_that_runs_once_a_day_is_ranked_by_wape_and_its_hour_is_found() -> None:
    load = a_load() * 0
    load.iloc[9::DAY] = 30.0
    found = told(load + np.abs(np.sin(np.arange(len(load)))) * (load > 0), cards=CARDS)
    assert "MAPE says little, since 161 of 168 steps are near zero" in found.run.selection.explanation
    assert next_peak(found.forecast, MONDAY).step == 10


def test_of_a_queue_with_a_clear_day_and_quiet_nights_no_flat_line_is_written() -> None:
    """Each night a MAPE of hundreds says that low flat lines are best."""
    load, noise = a_load(), np.random.default_rng(4).lognormal(0, 0.8, len(a_load()))
    load[:] = np.where((load.index.hour >= 9) & (load.index.hour < 17), 60.0, 0.5) * noise
    found = told(load, cards=CARDS)
    assert found.forecast.ranked_by == "wape"
    assert np.median(found.forecast.prediction[10:16]) > 30
    assert max(found.forecast.prediction[:8]) < 5


@pytest.mark.parametrize("factor", [3.0, 0.2])
def test_after_a_shift_of_level_the_forecast_stays_on_the_new_one_with_wide_bounds(factor: float) -> None:
    load = a_load()
    shifted, steady = (told(each) for each in (with_last(load, 2 * DAY, load.iloc[-2 * DAY :] * factor), load))
    new, old = load.iloc[-2 * DAY :].mean() * factor, load.iloc[: -2 * DAY].mean()
    lower, prediction, upper = shifted.band
    assert any(warning.startswith("the level has changed: since 2026-01-03 00:00 UTC") for warning in shifted.warnings)
    assert abs(prediction.mean() - new) < abs(prediction.mean() - old)
    assert (upper - lower).mean() / new > (steady.band[2] - steady.band[0]).mean() / old


def test_at_saturation_nothing_is_above_the_upper_bound_of_the_request() -> None:
    found = told((a_load() * 1.9).clip(upper=100.0), cards=CARDS, bounds=(0.0, 100.0))
    lower, _, upper = found.band
    assert upper.max() == 100.0
    assert lower.min() >= 0.0
    scored = [outcome for outcome in found.run.selection.leaderboard if not isinstance(outcome, Failure)]
    assert max(max(window.prediction) for outcome in scored for window in outcome.windows) == 100.0


def test_usage_above_100_percent_is_borrowing_and_is_not_cut_off() -> None:
    found = told(a_load() * 2.5)
    _, prediction, upper = found.band
    assert prediction.max() > 130
    assert upper.max() > prediction.max()


# what is missing


def test_the_gap_rules_reach_the_report_and_a_missed_scrape_is_never_an_idle_queue() -> None:
    load = a_load()
    load.iloc[[40, 41, 100, 101, 102, 103, 104, 105, 106, 107]] = np.nan
    load.iloc[-12:-2] = np.nan
    found = told(load)
    assert (found.run.prepared.quality.filled_steps, found.run.prepared.quality.longest_gap_steps) == (20, 10)
    assert found.forecast.prediction[-1] > 5
    snapshot = found.run.prepared.snapshot
    history = known_at(snapshot, snapshot.length, DAY, found.run.prepared.work.spec).history
    assert history.target.min() > 5
    assert history.target[100:108] == pytest.approx(load.iloc[76:84].to_numpy())
    assert history.target[40] == pytest.approx(load.iloc[39] + (load.iloc[42] - load.iloc[39]) / 3)


@pytest.mark.parametrize("minute", [1, 31, 59])
def test_the_incomplete_last_bucket_is_dropped_and_step_1_is_the_one_it_lies_in(tmp_path: Path, minute: int) -> None:
    """Samples of every minute up to `as_of`; those of the broken hour would look like a drop in load."""
    at = MONDAY + timedelta(minutes=minute)
    samples = a_load(5 * DAY + 1, end=MONDAY + timedelta(hours=1)).resample("1min").ffill()
    samples[samples.index >= MONDAY] = 0.0
    samples[samples.index < at].rename_axis("timestamp").to_csv(tmp_path / "root.etl.csv")
    query = usage_query(a_request(as_of=at), "root.etl", TimeGrid(3_600).bucket_start(at))
    frame = sources["files"](FilesConnection(path=tmp_path)).read(query).frame
    found = told(frame, at=at)
    assert found.run.prepared.snapshot.end_at == found.forecast.issued_at == MONDAY
    assert found.run.prepared.snapshot.frame["used_capacity"].min() > 0


# the clock and the calendar


def office(times: pd.DatetimeIndex, zone: str, quiet: tuple[date, ...] = ()) -> pd.Series:
    """Busiest at 14 o'clock on the wall, but for the quiet days."""
    local = times.tz_convert(zone)
    wave = 40 + 20 * np.cos((local.hour - 14) / 24 * 2 * np.pi) + np.random.default_rng(3).normal(0, 0.5, len(times))
    return pd.Series(np.where(np.isin(local.date, quiet), 20.0, wave), index=times, name="used_capacity")


def prophet_alone(load: pd.Series, at: datetime, **changes: Any) -> np.ndarray:
    """The refit of Prophet, which follows clock and calendar; whether it wins is not the point here."""
    cards = tuple(card for card in CARDS if card.name == "prophet")
    found = told(load, cards=cards, at=at, hyperparameters={"prophet": {"growth": ("flat",)}}, **changes)
    return found.band[1]


@pytest.mark.parametrize("at", [datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)])
def test_when_summer_time_begins_or_ends_nine_o_clock_stays_nine_o_clock(at: datetime) -> None:
    told_zone, told_utc = (
        prophet_alone(
            office(a_load(10 * DAY, end=at).index, BERLIN), at, timezone=zone, future_prediction_time_period=Duration(2, "d")
        )
        for zone in (BERLIN, "UTC")
    )
    truth = office(pd.date_range(at, periods=2 * DAY, freq="1h"), BERLIN).to_numpy()
    assert np.abs(told_zone - truth)[DAY:].mean() < 1
    assert np.abs(told_utc - truth)[DAY:].mean() > 2.5


@pytest.mark.parametrize("holidays", ["DE", (date(2025, 12, 25), date(2025, 12, 26), date(2026, 1, 1))])
def test_a_holiday_ahead_is_as_quiet_as_those_in_the_history_by_country_or_by_date(holidays: Any) -> None:
    quiet = (date(2025, 12, 25), date(2025, 12, 26))
    at = datetime(2026, 1, 1, tzinfo=UTC)
    load = office(a_load(12 * DAY, end=at).index, "UTC", quiet)
    with_them, without = (prophet_alone(load, at, holidays=given) for given in (holidays, None))
    assert without.mean() > 35
    assert with_them.mean() < 25
