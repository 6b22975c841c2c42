"""Values for tests: valid by default; a test overrides the one thing it is about."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from shared.domain.accuracy import Accuracy, ErrorSums
from shared.domain.calibration import ClaimSums, OutlookScore
from shared.domain.distribution import LEVELS, Paths, Quantiles, bounds_of
from shared.domain.durations import Duration
from shared.domain.forecasts import Block, Candidate, Failure, Forecast, ForecastSpec, Measures, QueueWork, Score, WindowForecast
from shared.domain.jobs import DataPlaces, Job, JobRequest, Place, QueueState
from shared.domain.lanes import Lane
from shared.domain.losses import Loss
from shared.domain.reports import QualityReport, QueueReport
from shared.domain.samples import Aggregation
from shared.domain.schedules import Schedule
from shared.domain.series import Series
from shared.domain.units import Unit
from shared.fleet.runstate import RunState
from shared.fleet.runstate.values import Room

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)  # a fixed clock: tests never ask for the time
DEADLINE = MONDAY + timedelta(days=36_500)  # the server's own clock decides when a key expires
MEMORY: dict[str, Any] = {"metric": "used_memory_mb", "unit": Unit.MEGABYTES, "guaranteed": None}  # of a forecast
JOB, QUEUE = "job-1", "root.etl"  # what the values below belong to


def a_request(**changes: Any) -> JobRequest:
    """The sample payload's request, over files."""
    values: dict[str, Any] = {
        "job_name": "Resource Forecasting",
        "user_name": "Bob",
        "project": "capacity forecasting",
        "owner": "ui-service",
        "data": DataPlaces(source=Place(name="files", path="*.csv"), destination=Place(name="files")),
        "aggregation_time_period": Duration(1, "h"),
        "data_ingestion_time_period": Duration(14, "d"),
        "future_prediction_time_period": Duration(1, "d"),
        "as_of": MONDAY,
    }
    return JobRequest(**(values | changes))


def a_job(**changes: Any) -> Job:
    """A queued job."""
    values: dict[str, Any] = {"job_id": "job-1", "request": a_request(), "created_at": MONDAY}
    return Job(**(values | changes))


def let_in(run_state: RunState, job_id: str, queues: int = 9) -> list[str]:
    """Let queues in while fewer than `queues` run; returns those of the job."""
    room = Room(always=queues, few=queues, few_tasks=0, score_tasks=0, heavy_tasks=0)
    return [queue for job, queue in run_state.turns.let_in(room) if job == job_id]


def a_spec(**changes: Any) -> ForecastSpec:
    """Three windows of a day, forecasting a day of hours."""
    values: dict[str, Any] = {
        "target": "used_capacity",
        "step_seconds": 3_600,
        "horizon_steps": 24,
        "window_steps": 24,
        "windows": 3,
        "every_steps": 24,
        "interval": 0.9,
        "bounds": (0.0, None),
        "timezone": "UTC",
    }
    return ForecastSpec(**(values | changes))


def a_work(*candidates: Candidate) -> QueueWork:
    """One block of candidates: if not said otherwise the two simplest."""
    simple = (Candidate(model="last_value"), Candidate(model="seasonal_naive", hyperparameters={"days": 1}))
    wanted = candidates or simple
    return QueueWork(spec=a_spec(), candidates=wanted, blocks=(Block(first=0, last=len(wanted) - 1, lane=Lane.SCORE),))


def a_forecast(**changes: Any) -> Forecast:
    """Three hourly steps of queue `root.etl`."""
    values: dict[str, Any] = {
        "queue": "root.etl",
        "metric": "used_capacity",
        "project": "capacity forecasting",
        "cluster": "files:",
        "job": "Resource Forecasting",
        "job_id": "job-1",
        "issued_at": MONDAY,
        "created_at": MONDAY + timedelta(minutes=2),
        "step_seconds": 3_600,
        "aggregation": Aggregation.MEAN,
        "model": "seasonal_naive",
        "hyperparameters": {"days": 1},
        "mape": 7.5,
        "skill": 0.2,
        "seconds": 1.5,
        "prediction": (50.0, 60.0, 55.0),
        "lower_bound": (40.0, 45.0, 41.0),
        "upper_bound": (60.0, 75.0, 70.0),
        "interval": 0.9,
        "unit": Unit.PERCENT,
        "guaranteed": 100.0,
    }
    return Forecast(**(values | changes))


def with_distribution(forecast: Forecast, *, blocks: int = 14) -> Forecast:
    """The same with quantiles, peaks and paths: each as far from its middle as the level says, up to 30 away."""
    offsets = [60.0 * (level - 0.5) for level in LEVELS]
    days = [max(forecast.prediction[start : start + 24]) + 10.0 for start in range(0, forecast.horizon_steps, 24)]
    steps, peaks = (
        Quantiles(levels=LEVELS, values=tuple(tuple(value + offset for value in middle) for offset in offsets))
        for middle in (forecast.prediction, days)
    )
    rows = [[value + 60.0 * (n / 63 - 0.5) for value in forecast.prediction] for n in range(64)]
    lower, upper = map(steps.at, bounds_of(forecast.interval))
    paths = Paths.of(rows, blocks=blocks, windows=7)
    return replace(forecast, quantiles=steps, peaks=peaks, paths=paths, lower_bound=lower, upper_bound=upper)


def an_outlook_score(**changes: Any) -> OutlookScore:
    """A quarter was said, and it came, for two hours; of the first day of a forecast of `root.etl` that was issued on Monday."""
    values: dict[str, Any] = {
        "series_id": a_series().series_id,
        "job": "Resource Forecasting",
        "day": MONDAY,
        "about": "limit",
        "project": "capacity forecasting",
        "issued_at": MONDAY,
        "created_at": MONDAY,
        "cell": "limit:1",
        "sums": ClaimSums(days=1, probability=0.25, happened=1, squared=0.5625, expected_hours=0.5, real_hours=2.0),
    }
    return OutlookScore(**(values | changes))


def a_score(**changes: Any) -> Score:
    """Of a candidate with every kind of hyperparameter, over two windows with a gap."""
    measures = Measures(mape=7.5, wape=7.0, smape=None, mase=0.8, rmse=3.25, skill=0.2, steps=3, skipped_steps=1)
    window = WindowForecast(origin_at=MONDAY, actual=(1.0, None, 3.0), prediction=(1.5, 2.5, 3.5), measures=measures)
    values: dict[str, Any] = {
        "candidate": Candidate(model="prophet", hyperparameters={"growth": "flat", "scale": 1.0, "order": 3, "daily": True}),
        "measures": measures,
        "windows": (window, window),
        "seconds": 1.25,
    }
    return Score(**(values | changes))


def a_report(**changes: Any) -> QueueReport:
    """Two scores and a failure of `root.etl`."""
    naive = a_score(candidate=Candidate(model="seasonal_naive", hyperparameters={"days": 1}))
    failure = Failure(candidate=Candidate(model="var"), error="NeedsMoreHistory", reason="found 3 steps", seconds=0.5)
    values: dict[str, Any] = {
        "job_id": "job-1",
        "queue": "root.etl",
        "state": QueueState.SUCCEEDED,
        "quality": QualityReport(
            rows=100, steps=336, start_at=MONDAY - timedelta(days=14), end_at=MONDAY, dropped_columns={"x": "constant"}
        ),
        "outcomes": (a_score(), naive, failure),
        "winner": a_score().candidate,
        "explanation": "lowest MAPE",
        "seconds": 4.5,
    }
    return QueueReport(**(values | changes))


def a_loss(**changes: Any) -> Loss:
    """A tenth of the cells of `used_capacity`: too much to go on with."""
    values: dict[str, Any] = {"what": "cells with text instead of a number", "count": 34, "total": 336, "column": "used_capacity"}
    hours = {"first_at": MONDAY - timedelta(days=9), "last_at": MONDAY - timedelta(days=7)}
    return Loss(**(values | hours | {"example": "1,024.5", "advice": "say how they are written in `csv`"} | changes))


SUMS = ErrorSums(
    forecasts=1,
    steps=6,
    error=30.0,
    size=300.0,
    surplus=6.0,
    relative_steps=6,
    relative_error=60.0,
    bounded_steps=6,
    covered_steps=5,
)


def a_series(queue: str = QUEUE, **changes: Any) -> Series:
    """That of a queue of `a_request()`."""
    return replace(a_request().series(queue), **changes)


def an_accuracy(**changes: Any) -> Accuracy:
    """Of the first six steps of `a_forecast()`, all of them known."""
    forecast = a_forecast()
    names = ("series_id", "job", "issued_at", "created_at", "job_id", "model", "interval")
    values = {name: getattr(forecast, name) for name in names}
    return Accuracy(**(values | {"first_step": 1, "is_final": True, "sums": SUMS} | changes))


def a_load(hours: int = 14 * 24, *, seed: int = 7, end: datetime = MONDAY, step_seconds: int = 3_600) -> pd.Series:
    """A lifelike usage series that ends with the step before `end`: a daily wave, quieter weekends, noise; never zero."""
    steps = hours * 3_600 // step_seconds
    times = pd.date_range(end=end - timedelta(seconds=step_seconds), periods=steps, freq=f"{step_seconds}s")
    hour = (times.hour + times.minute / 60).to_numpy()
    wave = 50 + 20 * np.sin((hour - 9) / 24 * 2 * np.pi) - 10 * (times.dayofweek >= 5)
    noise = np.random.default_rng(seed).normal(0, 3, steps)
    return pd.Series(np.maximum(wave + noise, 1.0), index=times, name="used_capacity")


def write_loads(folder: Path, *queues: str) -> None:
    """A CSV file of 14 days for each queue, in a folder that is made."""
    folder.mkdir(parents=True)
    for seed, queue in enumerate(queues):
        a_load(seed=seed).rename_axis("timestamp").to_csv(folder / f"{queue}.csv")


def documents_of(*queues: str, **common: Any) -> list[dict[str, Any]]:
    """Six days of each queue, a document a sample, as a collection has them."""
    loads = {queue: a_load(6 * 24, seed=seed) for seed, queue in enumerate(queues)}
    samples = [(queue, at, value) for queue, load in loads.items() for at, value in zip(load.index, load, strict=True)]
    return [{**common, "queue": queue, "timestamp": at.to_pydatetime(), "used_capacity": value} for queue, at, value in samples]


def a_schedule(**changes: Any) -> Schedule:
    """Every day at six, Berlin time; made on Monday at midnight UTC."""
    values: dict[str, Any] = {
        "schedule_id": "s-1",
        "name": "every morning",
        "cron": "0 6 * * *",
        "timezone": "Europe/Berlin",
        "request": a_request(),
        "created_at": MONDAY,
        "due_at": MONDAY + timedelta(hours=5),
    }
    return Schedule(**(values | changes))


def a_calendar(*entries: str) -> bytes:
    """An iCal file with these entries, properties separated by |."""
    told = ("\r\n".join(["BEGIN:VEVENT", "UID:1", *entry.split("|"), "END:VEVENT"]) for entry in entries)
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", *told, "END:VCALENDAR", ""]).encode()
