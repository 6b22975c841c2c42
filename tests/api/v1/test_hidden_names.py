"""Names of jobs that are hidden from lists, over HTTP and on the command line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from shared.domain.jobs import JobState
from shared.store import Store
from tests.api.scene import Granting
from tests.factories import MONDAY, a_forecast, a_job, a_request

OLD = {"job_name": "trial"}
LATER = datetime.now(UTC) + timedelta(days=1)


@pytest.fixture(autouse=True)
def two_names(store: Store) -> None:
    """Two jobs with a forecast each."""
    for number, name in enumerate(("trial", "daily")):
        of_name = a_request(job_name=name, project="etl")
        at = MONDAY + timedelta(minutes=number)
        store.jobs.add(a_job(job_id=f"job-{name}", request=of_name, state=JobState.SUCCEEDED, created_at=at, ended_at=at))
        store.forecasts.save(a_forecast(queue=f"root.{name}", job=name, job_id=f"job-{name}", project="etl"))


def jobs(client: FlaskClient, **query: Any) -> list[str]:
    return [job["job_id"] for job in client.get("/v1/jobs", query_string=query).json["jobs"]]


def queues(client: FlaskClient, **query: Any) -> list[str]:
    return [queue["queue"] for queue in client.get("/v1/queues", query_string=query).json["queues"]]


def test_a_name_of_another_project_is_answered_with_that(client: FlaskClient) -> None:
    refused = client.post("/v1/hidden-names", json={"job_name": "trial"})
    assert refused.status_code == 422
    assert "no job of the project '' is called so; of 'etl' there are some: name the project" in refused.json["detail"]
    assert "did you mean 'trial'?" in client.post("/v1/hidden-names", json={"job_name": "trail", "project": "etl"}).json["detail"]


def test_what_a_name_has_made_is_left_out_of_lists_until_it_is_shown_again(client: FlaskClient, store: Store) -> None:
    said = client.post("/v1/hidden-names", json={"job_name": "trial", "project": "etl"})
    assert (said.status_code, [name["job_name"] for name in said.json["hidden_names"]]) == (200, ["trial"])
    assert client.get("/v1/hidden-names").json == said.json
    assert (jobs(client), queues(client)) == (["job-daily"], ["root.daily"])
    assert jobs(client, hidden="true") == ["job-daily", "job-trial"]
    assert queues(client, hidden="true") == ["root.daily", "root.trial"]
    assert "root.trial" not in client.get("/").text
    assert "root.trial" in client.get("/queues/root.trial").text
    assert client.get("/v1/jobs/job-trial").status_code == 200
    assert "Show this name in lists again" in client.get("/jobs/job-trial").text
    assert ("job-trial" in client.get("/jobs").text, "job-trial" in client.get("/jobs?hidden=true").text) == (False, True)
    assert client.delete("/v1/hidden-names?job_name=trial&project=etl").status_code == 204
    assert client.delete("/v1/hidden-names?job_name=trial&project=etl").status_code == 204  # it is not hidden
    assert jobs(client) == ["job-daily", "job-trial"]


def test_what_is_made_later_or_has_not_ended_is_shown(client: FlaskClient, store: Store) -> None:
    of_name = a_request(job_name="trial", project="etl")
    client.post("/v1/hidden-names", json={"job_name": "trial", "project": "etl"})
    store.jobs.add(a_job(job_id="job-later", request=of_name, state=JobState.FAILED, created_at=LATER, ended_at=LATER))
    store.jobs.add(a_job(job_id="job-open", request=of_name, created_at=MONDAY))
    store.forecasts.save(a_forecast(queue="root.trial", job="trial", job_id="job-later", project="etl", created_at=LATER))
    assert sorted(jobs(client)) == ["job-daily", "job-later", "job-open"]
    assert queues(client) == ["root.daily", "root.trial"]


def test_pages_go_on_behind_many_that_are_hidden(client: FlaskClient, store: Store) -> None:
    of_name = a_request(job_name="trial", project="etl")
    for number in range(50):
        at = MONDAY + timedelta(hours=number + 1)
        store.jobs.add(a_job(job_id=f"job-{number}", request=of_name, state=JobState.FAILED, created_at=at, ended_at=at))
    client.post("/v1/hidden-names", json={"job_name": "trial", "project": "etl"})
    first = client.get("/v1/jobs?limit=1").json
    assert first["jobs"] == []  # after twenty looks, two jobs each
    second = client.get("/v1/jobs", query_string={"limit": 1, "cursor": first["next_cursor"]}).json
    assert [job["job_id"] for job in second["jobs"]] == ["job-daily"]
    seen, cursor = [], first["next_cursor"]
    while cursor:
        page = client.get("/v1/jobs", query_string={"limit": 1, "cursor": cursor, "hidden": "true"}).json
        seen += [job["job_id"] for job in page["jobs"]]
        cursor = page["next_cursor"]
    assert len(seen) == len(set(seen))
    assert seen[-2:] == ["job-daily", "job-trial"]


def test_a_name_is_hidden_for_its_project_alone(client: FlaskClient, store: Store, grant: Granting) -> None:
    ours, theirs = grant("write", "etl"), grant("write", "ml")
    assert client.post("/v1/hidden-names", json={**OLD, "project": "etl"}, headers=theirs).status_code == 403
    assert client.post("/v1/hidden-names", json=OLD, headers=grant("read", "etl")).status_code == 403
    assert client.post("/v1/hidden-names", json=OLD, headers=theirs).status_code == 422  # no job of theirs is called so
    store.jobs.add(a_job(job_id="job-ml", request=a_request(job_name="trial", project="ml")))
    assert client.post("/v1/hidden-names", json=OLD, headers=theirs).json["hidden_names"][0]["project"] == "ml"
    assert len(client.get("/v1/jobs", headers=ours).json["jobs"]) == 2
    assert client.post("/v1/hidden-names", json=OLD, headers=ours).json["hidden_names"][0]["project"] == "etl"
    assert len(client.get("/v1/jobs", headers=ours).json["jobs"]) == 1
    assert client.delete("/v1/hidden-names?job_name=trial&project=etl", headers=theirs).status_code == 403
    assert len(client.get("/v1/hidden-names", headers=theirs).json["hidden_names"]) == 1
