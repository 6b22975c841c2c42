"""A queue that is gone from its cluster is told and not forecast, and one that goes on from it has its history."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from shared.domain.aliases import Alias
from shared.domain.configuration_change import GONE
from shared.domain.jobs import JobRequest, QueueState
from shared.errors import QueueGone
from shared.fleet.runstate import RunState
from tests.api.a_cluster import a_change
from tests.factories import MONDAY, a_job, let_in
from tests.worker.job.yarn_jobs import QUEUE, STOPPED, a_request_of, here, kept
from worker.job import steps
from worker.job.former_names import with_former_names
from worker.job.ingestion import usage_query
from worker.job.resources import Resources
from worker.job.validation import validate

__all__ = ["here", "kept"]  # fixtures
WENT = a_change(queue=QUEUE, changed_at=MONDAY - timedelta(minutes=3), state=GONE)
TOLD = f"gone since {WENT.changed_at:%Y-%m-%d %H:%M} UTC"
NEW = "root.successor"


def reasons(here: Resources, run_state: RunState, request: JobRequest) -> dict[str, tuple[QueueState, str | None]]:
    """What a job says of each queue, once all are read."""
    job = here.store.jobs.add(a_job(request=request, created_at=datetime.now(UTC)))
    run_state.begin_job(job.job_id, job.deadline_at)
    steps.plan(job.job_id)
    for queue in let_in(run_state, job.job_id, 30):
        steps.ingest(job.job_id, queue)
    return {report.queue: (report.state, report.reason) for report in here.store.reports.of_job(job.job_id)}


def test_a_queue_that_went_after_its_last_whole_step_is_skipped(here: Resources, run_state: RunState) -> None:
    here.store.changes.save([WENT])
    found = reasons(here, run_state, a_request_of())
    assert found[QUEUE] == (QueueState.SKIPPED, TOLD)
    assert found["root"][0] is QueueState.RUNNING
    assert found[STOPPED][1].startswith("stopped since")  # type: ignore[union-attr]
    [problem] = validate(a_request_of(queues=(QUEUE,)), datetime.now(UTC)).problems
    assert TOLD in problem.message


def test_a_queue_that_was_stopped_and_removed_is_gone_rather_than_stopped(here: Resources, run_state: RunState) -> None:
    here.store.changes.save([replace(WENT, queue=STOPPED)])
    assert reasons(here, run_state, a_request_of())[STOPPED] == (QueueState.SKIPPED, TOLD)


def test_what_went_later_than_the_moment_that_is_asked_for_is_forecast(here: Resources, run_state: RunState) -> None:
    here.store.changes.save([replace(WENT, changed_at=MONDAY + timedelta(minutes=1))])
    assert reasons(here, run_state, a_request_of())[QUEUE][0] is QueueState.RUNNING


def test_a_renamed_queue_is_told_as_such_and_its_stopped_history_goes_on(here: Resources, run_state: RunState) -> None:
    here.store.changes.save([replace(WENT, queue=STOPPED)])
    here.store.aliases.add(Alias(cluster="prod", old=STOPPED, new=NEW, renamed_at=None, stated_at=MONDAY, stated_by="ops"))
    found = reasons(here, run_state, a_request_of())
    assert found[STOPPED] == (QueueState.SKIPPED, f"renamed: it is {NEW} now, which goes on from its history")
    request = a_request_of(queues=(NEW,))
    read = with_former_names(here, request, NEW, partial(here.read, project=request.project))
    assert len(read(usage_query(request, NEW, MONDAY)).frame.demand_memory_mb.dropna()) > 7 * 24


def test_a_queue_that_is_gone_does_not_go_on_from_its_former_name(here: Resources) -> None:
    here.store.aliases.add(Alias(cluster="prod", old=QUEUE, new=STOPPED, renamed_at=None, stated_at=MONDAY, stated_by="ops"))
    request = a_request_of(queues=(STOPPED,))
    read = with_former_names(here, request, STOPPED, partial(here.read, project=request.project))
    with pytest.raises(QueueGone, match="stopped since"):
        read(usage_query(request, STOPPED, MONDAY))
