"""Runs between two searches: the last winner is fitted again, drift brings a search, and values are read without a forecast."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from shared.domain.accuracy import AccuracyFilter
from shared.domain.drift import DRIFTED
from shared.domain.durations import Duration
from shared.domain.forecasts import Candidate, Forecast
from shared.domain.jobs import Job, JobState, QueueState
from shared.domain.recipes import Member, Part, search_of
from shared.domain.runs import Run
from shared.store import Store
from tests.factories import MONDAY, a_job, a_request, let_in
from worker.fleet import tasks
from worker.job import steps
from worker.job.refits import NO_WINNER
from worker.job.resources import Resources
from worker.models.base import FloatArray

DAY = timedelta(days=1)
QUEUE = "root.etl"
Load = Callable[[pd.DatetimeIndex], FloatArray]


def usual(times: pd.DatetimeIndex) -> FloatArray:
    """Days that repeat, with noise that is the same whenever it is asked for."""
    noise: FloatArray = np.random.default_rng(7).normal(0, 2, 10_000)[: len(times)]
    return 50 + 30 * np.sin(2 * np.pi * np.asarray(times.hour) / 24) + noise


def turned(times: pd.DatetimeIndex) -> FloatArray:
    """As usual until Tuesday; then nights are busy and days are quiet, and all is higher."""
    return np.where(np.asarray(times >= pd.Timestamp(MONDAY + DAY)), 140 - usual(times), usual(times))


def write(here: Resources, until: datetime, load: Load = usual, queue: str = QUEUE) -> None:
    """The queue's file as it is at that moment."""
    times = pd.date_range(MONDAY - 21 * DAY, until, freq="h", inclusive="left")
    assert here.settings.files_dir is not None
    pd.Series(load(times), index=times, name="used_capacity").rename_axis("timestamp").to_csv(
        here.settings.files_dir / f"{queue}.csv"
    )


def run(here: Resources, at: datetime, kind: Run, **changes: Any) -> Job:
    """A job of a schedule, done in this process."""
    request = a_request(**{"model": ("hour_mean", "seasonal_naive", "theta"), "queues": (QUEUE,), "as_of": None} | changes)
    job = a_job(job_id=f"{kind}-{at:%d%H}", request=request, created_at=at, run=kind, keeps_winners=True)
    job = here.store.jobs.add(job)
    here.run_state.begin_job(job.job_id, job.created_at + 36_500 * DAY)
    with tasks._unit(job.job_id):
        steps.plan(job.job_id)
    for queue in let_in(here.run_state, job.job_id):
        go_through(job.job_id, queue)
    here.lifecycle.finish(job.job_id, datetime.now(UTC))
    return here.store.jobs.get(job.job_id)


def go_through(job_id: str, queue: str) -> None:
    """What the tasks of a queue do, and what an error of it ends."""
    with tasks._unit(job_id, queue):
        work = steps.ingest(job_id, queue)
        if work is None:
            return
        assert steps.score(job_id, queue, range(len(work.candidates))) == []
        if steps.select(job_id, queue, is_heavy=True) is steps.Selecting.STARTS_OVER:
            go_through(job_id, queue)


def newest(store: Store) -> Forecast:
    """Of the one series and job that there is."""
    [found] = store.forecasts.newest_of_each(QUEUE)
    return store.forecasts.with_paths(found)


def searched(here: Resources, **changes: Any) -> Forecast:
    """What a search on Monday has brought."""
    write(here, MONDAY)
    assert run(here, MONDAY, Run.SEARCH, **changes).state is JobState.SUCCEEDED
    return newest(here.store)


@pytest.mark.parametrize("model", ["auto", ("hour_mean", "seasonal_naive", "theta")], ids=["a blend", "a single candidate"])
def test_on_the_same_history_a_refit_forecasts_what_the_search_did(here: Resources, model: str | tuple[str, ...]) -> None:
    first = searched(here, model=model)
    job = run(here, MONDAY, Run.REFIT, model=model)
    again = newest(here.store)
    assert again.job_id == job.job_id
    alike = (
        "model",
        "hyperparameters",
        "prediction",
        "lower_bound",
        "upper_bound",
        "quantiles",
        "peaks",
        "paths",
        "mape",
        "wape",
    )
    assert [getattr(again, name) for name in alike] == [getattr(first, name) for name in alike]
    assert (first.searched_at, again.searched_at) == (None, MONDAY)
    report = here.store.reports.get(job.job_id, QUEUE)
    assert [outcome.candidate for outcome in report.outcomes] == [report.winner]
    assert report.explanation is not None
    assert "won the search of 2026-01-05 00:00 UTC" in report.explanation
    assert job.progress.candidates.total == 0


def test_a_refit_learns_from_what_came_since_and_so_do_its_intervals(here: Resources) -> None:
    first = searched(here)
    for day in (1, 2, 3):
        write(here, MONDAY + day * DAY, lambda times: np.where(times >= pd.Timestamp(MONDAY), usual(times) + 2, usual(times)))
        run(here, MONDAY + day * DAY, Run.REFIT)
    last = newest(here.store)
    assert (last.issued_at, last.searched_at) == (MONDAY + 3 * DAY, MONDAY)
    assert sum(last.prediction) > sum(first.prediction) + 5
    series_id = last.series_id
    assert len(here.store.actuals.get(series_id, MONDAY, MONDAY + 9 * DAY)) == 3 * 24
    since = AccuracyFilter(since=MONDAY, until=MONDAY + 9 * DAY)
    assert here.store.accuracy.by_series([series_id], since)[series_id].steps == 3 * 24


def test_drift_brings_a_search_and_says_so_once(here: Resources) -> None:
    searched(here)
    told = []
    for day in range(1, 6):
        write(here, MONDAY + day * DAY, turned)
        job = run(here, MONDAY + day * DAY, Run.REFIT)
        quality = here.store.reports.get(job.job_id, QUEUE).quality
        assert quality is not None
        told.append((newest(here.store).searched_at, DRIFTED in quality.warnings, any(DRIFTED in each for each in job.warnings)))
        if DRIFTED in quality.warnings:
            assert "the search of 2026-01-05 00:00 UTC expected 1.681, at worst 1.929" in quality.notes[0]
    drifted_at = MONDAY + 2 * DAY
    assert told == [(MONDAY, False, False), (None, True, True), *[(drifted_at, False, False)] * 3]


def test_a_queue_without_a_winner_of_the_same_search_is_searched(here: Resources) -> None:
    write(here, MONDAY)
    job = run(here, MONDAY, Run.REFIT)
    quality = here.store.reports.get(job.job_id, QUEUE).quality
    assert quality is not None
    assert quality.notes[0] == NO_WINNER
    assert newest(here.store).searched_at is None
    assert run(here, MONDAY + timedelta(hours=1), Run.REFIT).state is JobState.SUCCEEDED
    assert newest(here.store).searched_at == MONDAY
    run(
        here,
        MONDAY + timedelta(hours=2),
        Run.REFIT,
        data_ingestion_time_period=Duration(13, "d"),
    )
    assert newest(here.store).searched_at is None  # of the same name, and another search


def test_a_winner_that_cannot_be_fitted_again_gives_way_to_a_search(here: Resources) -> None:
    searched(here)
    winner = here.store.winners.get(search_of(a_request(model=("hour_mean", "seasonal_naive", "theta"))), QUEUE)
    assert winner is not None
    gone = Part(members=(Member(candidate=Candidate(model="of a release before")),))
    here.store.winners.save(replace(winner, recipe=(gone,)))
    write(here, MONDAY + DAY)
    job = run(here, MONDAY + DAY, Run.REFIT)
    assert (job.state, job.progress.candidates.total) == (JobState.SUCCEEDED, 5)
    assert newest(here.store).searched_at is None
    known = here.store.winners.get(winner.search, QUEUE)
    assert known is not None
    assert known.job_id == job.job_id


def test_reading_actual_values_forecasts_nothing_and_loses_nothing(here: Resources) -> None:
    first = searched(here)
    write(here, MONDAY + timedelta(hours=6))
    job = run(here, MONDAY + timedelta(hours=6), Run.ACTUALS)
    assert (job.state, job.progress.queues.done, job.progress.candidates.total) == (JobState.SUCCEEDED, 1, 0)
    assert newest(here.store) == first
    assert len(here.store.actuals.get(first.series_id, MONDAY, MONDAY + DAY)) == 6
    since = AccuracyFilter(since=MONDAY, until=MONDAY + DAY)
    assert here.store.accuracy.by_series([first.series_id], since)[first.series_id].steps == 6
    assert here.store.reports.of_job(job.job_id) == []


def test_a_queue_whose_values_cannot_be_read_is_told_and_keeps_what_it_has(here: Resources) -> None:
    first = searched(here)
    before = here.store.actuals.get(first.series_id, MONDAY - 30 * DAY, MONDAY)
    assert here.settings.files_dir is not None
    (here.settings.files_dir / f"{QUEUE}.csv").write_text("timestamp,used_capacity\nnever,nothing\n")
    job = run(here, MONDAY + timedelta(hours=6), Run.ACTUALS)
    assert job.state is JobState.FAILED
    assert [report.state for report in here.store.reports.of_job(job.job_id)] == [QueueState.FAILED]
    assert here.store.actuals.get(first.series_id, MONDAY - 30 * DAY, MONDAY) == before
    assert here.store.run_failures.after(newest(here.store)) is None  # it is the forecast that this tells of


@pytest.mark.parametrize("is_there", [True, False], ids=["the queue fails", "the source is gone"])
def test_where_nothing_ends_well_the_last_good_forecast_stays_and_that_is_told(here: Resources, is_there: bool) -> None:
    first = searched(here)
    assert here.settings.files_dir is not None
    file = here.settings.files_dir / f"{QUEUE}.csv"
    file.write_text("timestamp,used_capacity\nnever,nothing\n")
    if not is_there:
        for each in here.settings.files_dir.iterdir():
            each.unlink()
    job = run(here, MONDAY + DAY, Run.REFIT)
    assert job.state is JobState.FAILED
    assert newest(here.store) == first
    failure = here.store.run_failures.after(first)
    assert failure is not None
    assert (failure.job_id, failure.at) == (job.job_id, job.ended_at)
    assert failure.reason
    write(here, MONDAY + 2 * DAY)
    run(here, MONDAY + 2 * DAY, Run.REFIT)
    assert here.store.run_failures.after(newest(here.store)) is None
