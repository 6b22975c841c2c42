"""What the pages of jobs tell of time: what is left of a job that runs, and what its queues have taken."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask.testing import FlaskClient

from shared.domain.jobs import JobState, Progress, QueueState, Tally
from shared.store import Store
from tests.api.scene import a_report
from tests.factories import a_job


def test_the_list_tells_the_time_that_is_left_of_a_job_that_runs(client: FlaskClient, store: Store) -> None:
    began = datetime.now(UTC) - timedelta(minutes=6)
    half = Progress(queues=Tally(total=12, done=6), candidates=Tally(total=24, done=12))
    store.jobs.add(a_job(state=JobState.RUNNING, created_at=began, started_at=began, progress=half))
    assert "about 6 min left" in " ".join(client.get("/jobs").text.split())


def test_of_each_queue_the_time_is_told_that_it_has_taken(client: FlaskClient, store: Store) -> None:
    store.jobs.add(a_job(state=JobState.PARTIAL))
    store.reports.save(a_report(queue="root.a", state=QueueState.SUCCEEDED, seconds=75.0))
    store.reports.save(a_report(queue="root.b", state=QueueState.FAILED, winner=None, seconds=0.0))
    told = {queue["queue"]: queue["seconds"] for queue in client.get("/v1/jobs/job-1").json["queues"]}
    assert told == {"root.a": 75.0, "root.b": 0.0}
    page = " ".join(client.get("/jobs/job-1").text.split())
    assert page.count('data-label="CPU time" class="figure">–') == 1
    assert page.count('data-label="CPU time"') == 2


def test_one_reason_that_names_each_of_its_queues_is_told_once(client: FlaskClient, store: Store) -> None:
    ended = Progress(queues=Tally(total=3, done=3, failed=3))
    store.jobs.add(a_job(state=JobState.FAILED, progress=ended))
    for queue in ("root.a", "root.b", "root.c"):
        reason = f"Too much of the data was lost (queue {queue}): 1 of 7 files"
        store.reports.save(a_report(queue=queue, state=QueueState.FAILED, winner=None, reason=reason))
    page = client.get("/jobs/job-1").text
    assert page.count("Too much of the data was lost") == 1
    assert ("3 queues: " in page, "Retry these 3" in page) == (True, True)
