"""A token that is limited to projects: what it sees, what it may start, and that the rest does not exist for it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from shared.domain.jobs import JobState
from shared.store import Store
from tests.api.bodies import a_body
from tests.api.scene import Granting
from tests.factories import MONDAY, a_forecast, a_job, a_request


@pytest.fixture
def two_projects(store: Store) -> None:
    """Jobs of `etl` and `ml`, each with a forecast of a queue of its own; and both have forecast `shared`."""
    for number, project in enumerate(("etl", "ml")):
        at = MONDAY + timedelta(hours=number)
        store.jobs.add(a_job(job_id=project, request=a_request(project=project, job_name=project), created_at=at))
        for queue in (f"root.{project}", "root.shared"):
            forecast = a_forecast(queue=queue, project=project, job=project, job_id=project, issued_at=at, created_at=at)
            store.forecasts.save(forecast)


def test_jobs_are_filtered_before_they_are_paged(two_projects: None, client: FlaskClient, grant: Granting, store: Store) -> None:
    for number in range(5):
        store.jobs.add(a_job(job_id=f"ml-{number}", request=a_request(project="ml"), created_at=MONDAY + timedelta(days=1)))
    page = client.get("/v1/jobs?limit=1", headers=grant("read", "etl")).json
    assert ([job["job_id"] for job in page["jobs"]], page["next_cursor"]) == (["etl"], None)


def test_of_its_projects_all_are_seen_and_of_others_nothing(two_projects: None, client: FlaskClient, grant: Granting) -> None:
    assert client.get("/v1/jobs?project=ml", headers=grant("read", "etl")).json["jobs"] == []
    jobs = client.get("/v1/jobs", headers=grant("read", "etl", "ml", "x")).json["jobs"]
    assert [job["job_id"] for job in jobs] == ["ml", "etl"]


@pytest.mark.parametrize("path", ["/v1/jobs/ml", "/v1/jobs/ml/queues", "/v1/jobs/ml/queues/root.ml"])
def test_a_job_of_another_project_is_not_there(two_projects: None, client: FlaskClient, grant: Granting, path: str) -> None:
    answer = client.get(path, headers=grant("read", "etl"))
    assert answer.status_code == 404
    assert answer.json == client.get("/v1/jobs/none", headers=grant("read", "etl")).json | {
        "detail": "No job has this id (job_id ml)",
        "instance": path,
    }


@pytest.mark.parametrize("verb", ["cancel", "retry"])
def test_it_is_not_changed_either(two_projects: None, client: FlaskClient, grant: Granting, store: Store, verb: str) -> None:
    assert client.post(f"/v1/jobs/ml/{verb}", headers=grant("write", "etl")).status_code == 404
    assert store.jobs.get("ml").state is JobState.QUEUED


def test_queues_are_those_with_forecasts_of_its_jobs(two_projects: None, client: FlaskClient, grant: Granting) -> None:
    queues = client.get("/v1/queues", headers=grant("read", "etl")).json["queues"]
    assert [(queue["queue"], queue["job"]) for queue in queues] == [("root.etl", "etl"), ("root.shared", "etl")]
    assert len(client.get("/v1/queues", headers=grant("read")).json["queues"]) == 4


def seen(answer: Any) -> Any:
    """The answer about a queue, or the only issue that it lists."""
    return answer["forecasts"][0] if "forecasts" in answer else answer


@pytest.mark.parametrize("path", ["series", "accuracy", "forecasts", "outlook"])
def test_a_queue_of_two_projects_is_to_each_of_them_its_own(
    two_projects: None, client: FlaskClient, grant: Granting, path: str
) -> None:
    address = f"/v1/queues/root.shared/{path}"
    for project in ("etl", "ml"):
        assert seen(client.get(address, headers=grant("read", project)).json)["job"] == project
        assert seen(client.get(f"{address}?project={project}", headers=grant("read")).json)["job"] == project
    both = client.get(address, headers=grant("read"))
    assert (both.status_code, both.json["choices"]) == (409, [{"project": "etl"}, {"project": "ml"}])


@pytest.mark.parametrize(
    "path",
    ["root.ml/series", "root.shared/series?job=ml", "root.shared/accuracy?project=ml", "root.ml/forecasts", "root.ml/outlook"],
)
def test_a_queue_of_another_project_is_not_there(two_projects: None, client: FlaskClient, grant: Granting, path: str) -> None:
    assert client.get(f"/v1/queues/{path}", headers=grant("read", "etl")).status_code == 404


def test_a_forecast_whose_job_is_gone_is_still_its_projects(client: FlaskClient, grant: Granting, store: Store) -> None:
    store.forecasts.save(a_forecast(queue="root.old", project="etl", job_id="gone"))
    for projects, status in ((("etl",), 200), (("ml",), 404), ((), 200)):
        assert client.get("/v1/queues/root.old/series", headers=grant("read", *projects)).status_code == status


@pytest.mark.parametrize("path", ["/v1/jobs", "/v1/jobs/validate"])
def test_a_job_of_another_project_is_not_started(client: FlaskClient, grant: Granting, store: Store, path: str) -> None:
    answer = client.post(path, json=a_body("project", "ml"), headers=grant("write", "etl", "ops"))
    assert answer.status_code == 403
    assert answer.json["type"] == "urn:queuecast:project-forbidden"
    assert "found 'ml', accepted are etl, ops" in answer.json["detail"]


def test_a_job_is_of_the_project_that_it_names_or_else_of_the_only_one(
    client: FlaskClient, grant: Granting, store: Store
) -> None:
    named = client.post("/v1/jobs", json=a_body("project", "etl"), headers=grant("write", "etl", "ops"))
    unnamed = client.post("/v1/jobs", json=a_body(), headers=grant("write", "etl"))
    assert [store.jobs.get(answer.json["job_id"]).request.project for answer in (named, unnamed)] == ["etl", "etl"]
    assert client.post("/v1/jobs", json=a_body(), headers=grant("write", "etl", "ops")).status_code == 403


def test_a_token_of_all_projects_may_name_any_and_none(client: FlaskClient, grant: Granting) -> None:
    for body in (a_body(), a_body("project", "anything")):
        assert client.post("/v1/jobs", json=body, headers=grant("write")).status_code == 202
