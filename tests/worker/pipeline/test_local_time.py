"""A habit keeps its hour on the wall when the clocks change: whichever model wins, before the change and after it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from shared.domain.durations import Duration
from shared.domain.forecasts import Candidate
from shared.domain.search_space import grid_of
from tests.factories import a_job, a_request, a_spec
from tests.worker.models.histories import lasting_noise
from tests.worker.pipeline.factories import a_snapshot
from worker.job.catalogue import model_cards
from worker.models.base import FloatArray
from worker.pipeline.backtest import fold_at
from worker.pipeline.history import build, known_at, predict
from worker.pipeline.queue import run_queue
from worker.sources.base import Reading

BERLIN = "Europe/Berlin"
SPRING, AUTUMN = datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)
ENDS = [switch + timedelta(hours=hours) for switch in (SPRING, AUTUMN) for hours in (-13, 0, 1, 2, 37)]
CANDIDATES = [
    Candidate(model=card.name, hyperparameters={name: values[0] for name, values in grid_of(card, {}).items()})
    for card in model_cards()
    if card.members is None and card.name not in {"last_value", "recent_median"}  # which know no hours
]


def a_peak(times: pd.DatetimeIndex) -> FloatArray:
    """20, but 80 from nine to ten in Berlin."""
    return np.where(times.tz_convert(BERLIN).hour == 9, 80.0, 20.0)


def a_usage(end: datetime, *, days: int = 14) -> pd.Series:
    times = pd.date_range(end=end - timedelta(hours=1), periods=days * 24, freq="1h")
    return pd.Series(a_peak(times) + lasting_noise(len(times), 3) / 6, index=times, name="used_capacity")


@pytest.mark.parametrize("candidate", CANDIDATES, ids=lambda candidate: candidate.model)
def test_every_model_keeps_the_hour_of_a_peak(candidate: Candidate) -> None:
    for end in (ENDS[0], ENDS[-1]):
        usage = a_usage(end)
        other = pd.Series(np.random.default_rng(4).normal(8e9, 1e9, len(usage)), index=usage.index)
        snapshot = a_snapshot(usage, end=end, memory=other)
        known = known_at(snapshot, snapshot.length, 72, a_spec(timezone=BERLIN))
        forecast = predict(build(candidate), known, (0.0, None))
        times = pd.date_range(end, periods=72, freq="1h")
        assert a_peak(times)[np.argsort(forecast)[-3:]].tolist() == [80] * 3, end
        assert forecast[a_peak(times) == 80].min() > 35, end  # Prophet's season of a day is a smooth one


@pytest.mark.parametrize("end", ENDS)
def test_the_reference_forecast_and_the_scale_keep_it_too(end: datetime) -> None:
    usage = a_usage(end)
    snapshot = a_snapshot(usage, end=end)
    fold = fold_at(snapshot, snapshot.length - 24, a_spec(timezone=BERLIN))
    assert np.abs(fold.reference - fold.actual).max() < 4
    assert fold.scale < 1


def test_a_long_gap_is_filled_with_the_same_hour_on_the_wall() -> None:
    end = SPRING + timedelta(days=4)
    usage = a_usage(end)
    usage[SPRING + timedelta(hours=1) : SPRING + timedelta(hours=20)] = np.nan
    snapshot = a_snapshot(usage, end=end)
    history = known_at(snapshot, snapshot.length, 24, a_spec(timezone=BERLIN)).history
    seen = history.times[: history.length]
    assert history.target[seen.hour == 9].min() > 75
    assert history.target[seen.hour != 9].max() < 25


@pytest.mark.nightly
@pytest.mark.parametrize("hours", [24, 72])
@pytest.mark.parametrize("end", [ENDS[0], ENDS[-1]])
def test_auto_keeps_it_within_its_interval(end: datetime, hours: int) -> None:
    job = a_job(
        request=a_request(
            timezone=BERLIN,
            aggregation_time_period=Duration(1, "h"),
            future_prediction_time_period=Duration(hours, "h"),
        )
    )
    usage = a_usage(end)
    reading = Reading(frame=usage.to_frame(), rows=len(usage))
    run = run_queue(job, reading, queue="root.etl", issued_at=end, created_at=end, cards=model_cards())
    actual = a_peak(pd.DatetimeIndex(run.forecast.timestamps))
    assert np.abs(np.array(run.forecast.prediction) - actual).max() < 15
    inside = (np.array(run.forecast.lower_bound) <= actual) & (actual <= np.array(run.forecast.upper_bound))
    assert inside.mean() >= 0.9
