"""The fleet at one glance: jobs, the next schedule, workers, when each cluster was read."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta
from importlib.metadata import version

from flask.testing import FlaskClient

from api.edge.context import EXTENSION, Services
from shared.config.settings import Settings
from shared.domain.jobs import JobState
from shared.fleet.runstate import RunState
from shared.fleet.runstate.values import LivingWorker
from tests.api.a_cluster import PROD, a_tree
from tests.api.scene import Granting, MakeApp
from tests.factories import a_job, a_request, a_schedule

HOUR = timedelta(hours=1)


def words(client: FlaskClient, path: str = "/glance", **headers: str) -> str:
    """What it says, without its tags."""
    text = client.get(path, headers=headers).text
    found = re.search(r'<section id="glance".*?</section>', text, re.DOTALL)
    assert found is not None
    return (
        " ".join(html.unescape(re.sub(r"<[^>]+>", " ", found[0])).split())
        .replace("\u202f", " ")
        .replace(" ,", ",")
        .replace(" :", ":")
    )


def test_with_nothing_there_it_says_what_to_do_next(client: FlaskClient) -> None:
    assert words(client) == "Jobs none runs Next schedule none yet, make one Workers none: queuecast work starts one"
    assert words(client, "/") == "Jobs none runs Next schedule none yet, make one Workers –"  # the broker is not waited for


def test_it_tells_jobs_schedules_workers_and_readings(
    run_state: RunState, settings: Settings, make_app: MakeApp, grant: Granting
) -> None:
    app = make_app(Settings(**settings.model_dump() | {"connections": {"hadoop": PROD, "new": PROD | {"cluster": "new"}}}))
    services: Services = app.extensions[EXTENSION]
    store, now, client = services.store, datetime.now(UTC), app.test_client()
    long_ago = {"created_at": now - 30 * HOUR, "state": JobState.FAILED}
    states = [JobState.RUNNING, JobState.QUEUED, JobState.FAILED, JobState.FAILED, JobState.PARTIAL, JobState.SUCCEEDED]
    for number, state in enumerate(states):
        store.jobs.add(a_job(job_id=f"job-{number}", created_at=now - HOUR, state=state))
    store.jobs.add(a_job(job_id="old", **long_ago))
    store.schedules.add(a_schedule(due_at=now + 3 * HOUR + timedelta(minutes=1)))
    store.schedules.add(a_schedule(schedule_id="s-2", name="later", due_at=now + 9 * HOUR))
    run_state.members.announce(LivingWorker(worker_id="w1", lanes=("plan",), slots=2, version=version("queuecast")))
    store.trees.put("prod", a_tree(), now - timedelta(seconds=45))
    told = words(client)
    assert told == (
        "Jobs 1 running: Resource Forecasting, 1 queued, 2 failed, 1 failed in part in 24 h Next schedule every morning in 3 h "
        "Workers 1 with 2 slots prod read just now new read never: queuecast collect reads it"
    )
    store.trees.put("prod", a_tree(), now - timedelta(seconds=40))
    assert "prod read just now" in words(client, "/")


def test_jobs_that_have_brought_no_forecast_are_told_so(client: FlaskClient) -> None:
    services: Services = client.application.extensions[EXTENSION]
    services.store.jobs.add(a_job(state=JobState.FAILED, created_at=datetime.now(UTC)))
    assert "No job has brought a forecast" in client.get("/").text
    services.store.jobs.add(a_job(job_id="job-2", created_at=datetime.now(UTC)))
    assert "as soon as its forecast is delivered" in client.get("/").text


def test_a_project_sees_its_own_jobs_and_schedules(client: FlaskClient, grant: Granting) -> None:
    services: Services = client.application.extensions[EXTENSION]
    for project in ("etl", "bi"):
        job = a_job(job_id=project, request=a_request(project=project), created_at=datetime.now(UTC), state=JobState.FAILED)
        services.store.jobs.add(job)
    services.store.schedules.add(a_schedule(request=a_request(project="bi"), is_paused=True))
    assert "1 failed in 24 h Next schedule none yet" in words(client, **grant("read", "etl"))
    assert "2 failed in 24 h Next schedule none: 1 rests, resume one" in words(client, **grant("read"))
