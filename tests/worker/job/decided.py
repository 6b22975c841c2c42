"""Queues that decisions are made on: four weeks of values, a forecast for each of these days, and the newest one with paths."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from math import pi, sin
from statistics import NormalDist

import numpy as np

from shared.domain.distribution import LEVELS, Origin, Paths, Quantiles, block_name
from shared.domain.forecasts import Forecast
from shared.domain.jobs import Job, JobState
from shared.domain.reports import Point
from shared.domain.units import Unit
from shared.store import Store
from tests.factories import MONDAY, a_forecast, a_job, a_request

DAYS, STEPS = 35, 24
MB = 1_024.0
NOW = MONDAY + timedelta(minutes=3)
PATHS = 28


def demand(hour: int, mean: float, seed: int) -> float:
    """Highest in the morning, and no day like another."""
    noise = float(np.random.default_rng((seed, 10_000 + hour)).normal())
    return max(0.0, mean * (1 + 0.3 * sin(2 * pi * (hour % STEPS) / STEPS) + 0.1 * noise))


def shape(mean: float) -> tuple[float, ...]:
    """What a forecast that knows it would say."""
    return tuple(mean * (1 + 0.3 * sin(2 * pi * hour / STEPS)) for hour in range(STEPS))


def issued(queue: str, mean: float, at: datetime, **others: object) -> Forecast:
    """A forecast of the next day, without paths."""
    prediction, spread = shape(mean), 0.1 * mean
    values = tuple(tuple(max(0.0, each + _normal(level) * spread) for each in prediction) for level in LEVELS)
    quantiles = Quantiles(levels=LEVELS, values=values)
    made = a_forecast(
        queue=queue,
        metric="memory_mb",
        unit=Unit.MEGABYTES,
        issued_at=at,
        created_at=at + timedelta(minutes=2),
        job_id=f"job-{at:%Y%m%d}",
        prediction=prediction,
        lower_bound=quantiles.at(0.05),
        upper_bound=quantiles.at(0.95),
        quantiles=quantiles,
    )
    return replace(made, **others)  # type: ignore[arg-type] # fields of a forecast


def with_paths(forecast: Forecast, mean: float, seed: int) -> Forecast:
    """The same with as many paths as there are days, of blocks that all queues have."""
    hours = [[demand(STEPS * day + hour, mean, seed) for hour in range(STEPS)] for day in range(-PATHS, 0)]
    names = [block_name(Origin.MISSES, forecast.issued_at + timedelta(days=day)) for day in range(-PATHS, 0)]
    return replace(forecast, paths=Paths.of(hours, blocks=PATHS, windows=0, drawn_from=names))


def keep_queue(
    store: Store,
    queue: str,
    mean: float,
    has: float,
    *,
    told: int = DAYS,
    seed: int = 1,
    at: datetime = MONDAY,
    said: float | None = None,
    **others: object,
) -> Forecast:
    """A queue in the store, of which so many days were forecast; its newest forecast, which knows what it has.

    said: the mean that was forecast; None = the right one.
    """
    limits = {"guaranteed": has, **others}
    told_mean = mean if said is None else said
    newest = with_paths(issued(queue, told_mean, at, **limits), told_mean, seed)
    hours = range(-DAYS * STEPS, 0)
    points = [Point(timestamp=at + timedelta(hours=hour), value=demand(hour, mean, seed)) for hour in hours]
    store.actuals.save(newest.series, points)
    for day in range(1, told):
        store.forecasts.save(issued(queue, told_mean, at - timedelta(days=day), **limits))
    store.forecasts.save(newest)
    return newest


def ended_job(store: Store, at: datetime = MONDAY, **changes: object) -> Job:
    """The job that has made the newest forecasts; what its end asks for is kept."""
    request = a_request(project="capacity forecasting", cluster="files:", job_name="Resource Forecasting", target="memory_mb")
    job = replace(a_job(job_id=f"job-{at:%Y%m%d}", request=request, issued_at=at), **changes)  # type: ignore[arg-type]
    store.jobs.add(job)
    store.decision_requests.add_for(job, JobState.SUCCEEDED, at + (NOW - MONDAY))
    return job


def _normal(level: float) -> float:
    return NormalDist().inv_cdf(level)
