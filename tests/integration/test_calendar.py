"""What people know of the calendar reaches the forecast of "auto" through the whole stack."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from shared.domain.durations import Duration
from shared.domain.jobs import JobState
from tests.integration.fleet import Fleet

Load = Callable[[pd.DatetimeIndex], np.ndarray]
FREE = (date(2026, 10, 12), date(2026, 11, 11), date(2026, 11, 26))  # in the United States


def of_days(count: int) -> dict[str, Any]:
    """A request for a history of so many days."""
    return {"data_ingestion_time_period": Duration(count, "d")}


def free_days(local: pd.DatetimeIndex) -> np.ndarray:
    """80 by day, and 5 on weekends and holidays."""
    is_free = np.isin(local.date, FREE) | (local.dayofweek >= 5)
    return np.where(is_free, 5.0, np.where((local.hour >= 8) & (local.hour < 18), 80.0, 20.0))


def midnight_peak(local: pd.DatetimeIndex) -> np.ndarray:
    """A peak at midnight that lasts three hours on either side."""
    return np.clip(90.0 - 20.0 * np.minimum(local.hour, 24 - local.hour), 10.0, None)


def moved(local: pd.DatetimeIndex) -> np.ndarray:
    """From a level about 76 to one about 42, a day before the forecast begins."""
    level = np.where(local >= pd.Timestamp("2026-04-27", tz=local.tz), 42.0, 76.0)
    return np.asarray(level + 5 * np.sin(local.hour / 12 * np.pi))


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("load", "timezone", "as_of", "own"),
    [
        (free_days, "America/New_York", "2026-11-25T17:00Z", of_days(60) | {"holidays": "US"}),
        (midnight_peak, "Europe/Berlin", "2026-10-24T22:00Z", of_days(28)),
        (midnight_peak, "Europe/Berlin", "2026-03-28T23:00Z", of_days(28)),
        (midnight_peak, "America/New_York", "2026-11-01T04:00Z", of_days(28)),
        (moved, "UTC", "2026-04-28T00:00Z", of_days(5)),
    ],
)
def test_auto_follows_the_calendar(fleet: Fleet, load: Load, timezone: str, as_of: str, own: dict[str, Any]) -> None:
    end, days = pd.Timestamp(as_of), own["data_ingestion_time_period"].count
    hours = pd.date_range(end - pd.Timedelta(days=days), end + pd.Timedelta(days=2), freq="1h", inclusive="left")
    usage = pd.Series(load(hours.tz_convert(timezone)), index=hours)
    noise = np.random.default_rng(7).normal(0, 1, len(hours))
    assert fleet.settings.files_dir is not None
    samples = (usage + noise).clip(lower=0)[: end - pd.Timedelta(seconds=1)]
    samples.rename("used_capacity").rename_axis("timestamp").to_csv(fleet.settings.files_dir / "root.known.csv")
    ahead = Duration(48, "h")
    fleet.worker()
    job = fleet.ended(
        fleet.submit(
            queues=("root.known",),
            model="auto",
            timezone=timezone,
            as_of=datetime.fromisoformat(as_of),
            future_prediction_time_period=ahead,
            **own,
        )
    )
    assert (job.state, job.reason) == (JobState.SUCCEEDED, None)
    [forecast] = fleet.store.forecasts.find("root.known")
    assert np.abs(np.array(forecast.prediction) - usage[end:]).max() < 8
