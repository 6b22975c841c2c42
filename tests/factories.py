"""Values for tests: valid by default; a test overrides the one thing it is about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from shared.durations import Duration
from shared.forecasts import Forecast
from shared.jobs import DataPlaces, Job, JobRequest, Place
from shared.running import Room
from shared.runstate import RunState
from shared.schedules import Schedule

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)  # a fixed clock: tests never ask for the time


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
    return [queue for job, queue in run_state.let_in(room) if job == job_id]


def a_forecast(**changes: Any) -> Forecast:
    """Three hourly steps of queue `root.etl`."""
    values: dict[str, Any] = {
        "queue": "root.etl",
        "metric": "used_capacity",
        "job": "Resource Forecasting",
        "job_id": "job-1",
        "issued_at": MONDAY,
        "created_at": MONDAY + timedelta(minutes=2),
        "step_seconds": 3_600,
        "model": "seasonal_naive",
        "hyperparameters": {"days": 1},
        "mape": 7.5,
        "skill": 0.2,
        "seconds": 1.5,
        "prediction": (50.0, 60.0, 55.0),
        "lower_bound": (40.0, 45.0, 41.0),
        "upper_bound": (60.0, 75.0, 70.0),
    }
    return Forecast(**(values | changes))


def a_load(hours: int = 14 * 24, *, seed: int = 7, end: datetime = MONDAY, step_seconds: int = 3_600) -> pd.Series:
    """A lifelike usage series that ends with the step before `end`: a daily wave, quieter weekends, noise; never zero."""
    steps = hours * 3_600 // step_seconds
    times = pd.date_range(end=end - timedelta(seconds=step_seconds), periods=steps, freq=f"{step_seconds}s")
    hour = (times.hour + times.minute / 60).to_numpy()
    wave = 50 + 20 * np.sin((hour - 9) / 24 * 2 * np.pi) - 10 * (times.dayofweek >= 5)
    noise = np.random.default_rng(seed).normal(0, 3, steps)
    return pd.Series(np.maximum(wave + noise, 1.0), index=times, name="used_capacity")


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
