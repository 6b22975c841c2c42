"""A queue that is gone is skipped, told once and fails nothing, however often its job is tried and whatever is lost meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.jobs import JobState, QueueState
from shared.errors import DataError, StateForbids
from shared.fleet.runstate import RunState
from tests.factories import MONDAY, a_job, a_load, a_request, let_in
from worker.job import steps
from worker.job.resources import Resources

JOB, GONE, LIVE = "job-1", "root.gone", {"root.adhoc", "root.etl"}


def write_gone(here: Resources) -> None:
    """A queue whose last value is four days old."""
    assert here.settings.files_dir is not None
    load = a_load(end=MONDAY - timedelta(days=4)).rename_axis("timestamp")
    load.to_csv(here.settings.files_dir / f"{GONE}.csv")


def work(here: Resources, *, until: str = "") -> None:
    """Let the job run to its end, or to where it has read this queue."""
    steps.plan(JOB)
    for queue in let_in(here.run_state, JOB):
        try:
            work = steps.ingest(JOB, queue)
        except DataError as error:  # as the task does
            here.lifecycle.fail_queue(JOB, queue, error.public)
            continue
        if queue == until:
            return
        if work is not None:
            steps.score(JOB, queue, range(len(work.candidates)))
            steps.select(JOB, queue, is_heavy=True)
    here.lifecycle.finish(JOB, datetime.now(UTC))


def begin(here: Resources) -> None:
    request = a_request(model=("hour_mean",))
    job = here.store.jobs.add(a_job(job_id=JOB, request=request, created_at=datetime.now(UTC)))
    here.run_state.begin_job(JOB, job.deadline_at)


def retry(here: Resources, queues: str) -> None:
    here.lifecycle.retry(JOB, queues, datetime.now(UTC), lambda _: None, warnings=(), allowance=here.settings.allowance)


def check(here: Resources) -> None:
    """The job has succeeded, and says once that one queue is gone."""
    job = here.store.jobs.get(JOB)
    assert (job.state, job.reason) == (JobState.SUCCEEDED, None)
    assert [warning for warning in job.warnings if GONE in warning] == [f"inactive since 2026-01-01: {GONE}"]
    states = {report.queue: report.state for report in here.store.reports.of_job(JOB)}
    assert states == dict.fromkeys(LIVE, QueueState.SUCCEEDED) | {GONE: QueueState.SKIPPED}
    assert {forecast.queue for forecast in here.store.forecasts.find(job_id=JOB)} == LIVE


def test_a_retry_skips_it_again_and_finds_nothing_that_has_failed(here: Resources) -> None:
    write_gone(here)
    begin(here)
    work(here)
    check(here)
    with pytest.raises(StateForbids):
        retry(here, "failed")
    for _ in range(2):
        retry(here, "all")
        work(here)
        check(here)


def test_a_retry_of_what_has_failed_goes_on_where_the_data_are_there_by_then(here: Resources) -> None:
    write_gone(here)
    assert here.settings.files_dir is not None
    etl = here.settings.files_dir / "root.etl.csv"
    whole = etl.read_text()
    etl.write_text("timestamp,used_capacity\n" + "\n".join(f"{MONDAY - timedelta(hours=h):%Y-%m-%dT%H:%MZ},no" for h in range(9)))
    begin(here)
    work(here)
    assert here.store.jobs.get(JOB).state is JobState.PARTIAL
    etl.write_text(whole)
    retry(here, "failed")
    work(here)
    check(here)


@pytest.mark.parametrize("until", [GONE, "root.etl"])
def test_a_broker_that_lost_everything_changes_nothing_of_it(here: Resources, run_state: RunState, until: str) -> None:
    write_gone(here)
    begin(here)
    work(here, until=until)
    run_state.client.flushall()
    here.lifecycle.replan(JOB, datetime.now(UTC), lambda _: None)
    work(here)
    check(here)
