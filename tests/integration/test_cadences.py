"""A schedule with three cadences on a real fleet: its series changes, its source breaks, and every run says what it did."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import numpy as np
import pandas as pd

from shared.domain.drift import DRIFTED
from shared.domain.durations import Duration
from shared.domain.forecasts import Forecast
from shared.domain.jobs import Job, JobState
from shared.domain.runs import Run
from shared.domain.schedules import Schedule, due_after
from shared.drivers.redis_server import redis_server
from shared.fleet.broker import enqueue_job, make_celery
from shared.store.schedules import SCHEDULES
from tests.factories import a_request, a_schedule
from tests.integration.fleet import Fleet
from worker.job.resources import Resources, use
from worker.reaper.schedules import fire_due

DAY = timedelta(days=1)
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
START, CHANGE = TODAY - 6 * DAY, TODAY - 5 * DAY
QUEUE = "root.etl"


def write(fleet: Fleet, until: datetime) -> None:
    """Busy days until the change, busy nights from then on."""
    times = pd.date_range(START - 14 * DAY, until, freq="h", inclusive="left")
    noise = np.random.default_rng(7).normal(0, 2, 10_000)[: len(times)]
    usual = 50 + 30 * np.sin(2 * np.pi * np.asarray(times.hour) / 24) + noise
    values = np.where(np.asarray(times >= pd.Timestamp(CHANGE)), 140 - usual, usual)
    assert fleet.settings.files_dir is not None
    load = pd.Series(values, index=times, name="used_capacity").rename_axis("timestamp")
    load.to_csv(fleet.settings.files_dir / f"{QUEUE}.csv")


def fired(fleet: Fleet, now: datetime) -> Job:
    """The job that the schedule makes at that moment, when it has ended."""
    send: Callable[[str], None] = partial(enqueue_job, make_celery(redis_server(fleet.settings), "api"))
    sent: list[str] = []
    with use(Resources(fleet.settings)) as here:
        fire_due(here, now, lambda job_id: (sent.append(job_id), send(job_id))[1])
        here.store.close()
    [job_id] = sent
    return fleet.ended(job_id)


def newest(fleet: Fleet) -> Forecast:
    [forecast] = fleet.store.forecasts.newest_of_each(QUEUE)
    return forecast


def test_search_refit_drift_actual_values_and_a_source_that_breaks(fleet: Fleet) -> None:
    request = a_request(as_of=None, queues=(QUEUE,), model=("hour_mean", "seasonal_naive"), deadline=Duration(30, "d"))
    crons = {"cron": f"0 0 {START.day} * *", "refit_cron": "0 0 * * *", "actuals_cron": "0 * * * *"}
    schedule = a_schedule(request=request, timezone="UTC", due_at=START, **crons)
    fleet.store.schedules.add(schedule)
    fleet.worker()

    write(fleet, START)
    search = fired(fleet, START)
    assert (search.run, search.state, newest(fleet).searched_at) == (Run.SEARCH, JobState.SUCCEEDED, None)

    write(fleet, START + timedelta(hours=3))
    before = newest(fleet)
    actuals = fired(fleet, START + timedelta(hours=3))
    assert (actuals.run, actuals.state, newest(fleet)) == (Run.ACTUALS, JobState.SUCCEEDED, before)
    assert len(fleet.store.actuals.get(before.series_id, START, TODAY)) == 3

    write(fleet, CHANGE)
    refit = fired(fleet, CHANGE)
    assert (refit.run, refit.state, refit.warnings) == (Run.REFIT, JobState.SUCCEEDED, ())
    assert (newest(fleet).job_id, newest(fleet).searched_at) == (refit.job_id, START)

    write(fleet, CHANGE + DAY)
    drifted = fired(fleet, CHANGE + DAY)
    assert (drifted.run, drifted.state, newest(fleet).searched_at) == (Run.REFIT, JobState.SUCCEEDED, None)
    assert any(DRIFTED in warning for warning in drifted.warnings)

    assert fleet.settings.files_dir is not None
    (fleet.settings.files_dir / f"{QUEUE}.csv").write_text("timestamp,used_capacity\nnever,nothing\n")
    good = newest(fleet)
    failed = fired(fleet, CHANGE + 2 * DAY)
    assert (failed.run, failed.state, newest(fleet)) == (Run.REFIT, JobState.FAILED, good)
    told = fleet.store.run_failures.after(good)
    assert told is not None
    assert told.job_id == failed.job_id

    kept: Schedule = fleet.store.get(SCHEDULES, "s-1")
    assert {run: last.job_id for run, last in kept.last.items()} == {
        Run.SEARCH: search.job_id,
        Run.REFIT: failed.job_id,
        Run.ACTUALS: actuals.job_id,
    }
    assert kept.due_at == due_after(kept, CHANGE + 2 * DAY)
