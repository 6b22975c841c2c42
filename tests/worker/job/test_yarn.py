"""A whole job over a cluster, from samples that the real sampler has taken of a made-up one to its forecasts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.durations import Duration
from shared.domain.jobs import JobState, QueueState
from shared.domain.runs import Run
from shared.domain.samples import Aggregation
from shared.domain.units import Unit
from shared.fleet.runstate import RunState
from tests.factories import MONDAY, a_job, let_in
from tests.worker.job.yarn_jobs import DAYS, QUEUE, STOPPED, STOPPED_AT, a_request_of, here, kept, samples
from worker.job import steps
from worker.job.blocks import read_block
from worker.job.ingestion import first_query
from worker.job.resources import Resources
from worker.job.validation import validate

__all__ = ["here", "kept"]  # fixtures


def test_a_job_forecasts_demand_and_tells_which_queue_is_stopped(here: Resources, run_state: RunState) -> None:
    job = here.store.jobs.add(a_job(request=a_request_of(), created_at=datetime.now(UTC)))
    run_state.begin_job(job.job_id, job.deadline_at)
    steps.plan(job.job_id)
    queues = let_in(run_state, job.job_id, 30)
    assert {"root", QUEUE, STOPPED} <= set(queues)
    read_block(job.job_id, 0)
    for queue in queues:
        work = steps.ingest(job.job_id, queue)
        if work is not None:
            steps.score(job.job_id, queue, range(len(work.candidates)))
            steps.select(job.job_id, queue, is_heavy=True)
    here.lifecycle.finish(job.job_id, datetime.now(UTC))
    assert here.store.jobs.get(job.job_id).state is JobState.SUCCEEDED
    report = here.store.reports.get(job.job_id, STOPPED)
    assert (report.state, report.reason) == (QueueState.SKIPPED, f"stopped since {STOPPED_AT:%Y-%m-%d %H:%M} UTC")
    [forecast] = here.store.forecasts.newest_of_each(QUEUE, metric="demand_memory_mb")
    newest = max((each for each in samples() if each.queue == QUEUE), key=lambda each: each.timestamp)
    assert (forecast.unit, forecast.guaranteed, forecast.cluster) == (Unit.MEGABYTES, newest.guaranteed_memory_mb, "prod")
    quality = here.store.reports.get(job.job_id, QUEUE).quality
    assert quality is not None
    assert forecast.basis is not None
    assert (forecast.basis.p95_to_mean or 0) >= 1
    assert quality.notes[0].startswith("read from five minutes (yarn_queue_5m), as the history begins")


def test_a_look_before_says_the_same(here: Resources) -> None:
    found = validate(a_request_of(queues=(QUEUE,)), datetime.now(UTC))
    assert found.problems == ()
    assert any("read from five minutes" in warning for warning in found.warnings)
    [problem] = validate(a_request_of(queues=(STOPPED,)), datetime.now(UTC)).problems
    assert "stopped since" in problem.message
    [refused] = validate(replace(a_request_of(), project="sales"), datetime.now(UTC)).problems
    assert "prod" not in refused.message.replace("'prod'", "")


@pytest.mark.parametrize("aggregation", [Aggregation.P95, Aggregation.MEAN])
def test_actual_values_are_what_was_wanted_in_every_kind_of_run(
    here: Resources, run_state: RunState, aggregation: Aggregation
) -> None:
    """A run that reads the newest days alone knows what lies before them, too."""
    request, kept = a_request_of(aggregation=aggregation, data_ingestion_time_period=Duration(9, "d")), {}
    span = (MONDAY - timedelta(days=DAYS), MONDAY)
    for run in (Run.SEARCH, Run.ACTUALS):
        job = here.store.jobs.add(a_job(job_id=f"{aggregation}-{run}", request=request, run=run, created_at=datetime.now(UTC)))
        run_state.begin_job(job.job_id, job.deadline_at)
        steps.plan(job.job_id)
        for queue in let_in(run_state, job.job_id, 30):
            steps.ingest(job.job_id, queue)
        names = {report.queue for report in here.store.reports.of_job(job.job_id)} - {STOPPED}
        kept[run] = {name: here.store.actuals.get(request.series(name).series_id, *span) for name in names}
    assert len(kept[Run.SEARCH]) >= 4
    assert kept[Run.ACTUALS] == kept[Run.SEARCH]


def test_the_newest_demand_is_read_with_the_four_weeks_that_say_what_it_is_taken_for() -> None:
    job = a_job(request=a_request_of(data_ingestion_time_period=Duration(90, "d")), run=Run.ACTUALS)
    query = first_query(job, QUEUE, MONDAY)
    assert (MONDAY - query.start, query.columns) == (timedelta(days=31), None)
    assert query.history_start == MONDAY - timedelta(days=90)
    used = first_query(replace(job, request=replace(job.request, target="used_memory_mb")), QUEUE, MONDAY)
    assert (MONDAY - used.start, used.columns) == (timedelta(days=3), ())
