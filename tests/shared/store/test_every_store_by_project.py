"""What a store gives to whoever is limited to projects; the same on every store."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.domain.jobs import JobFilter
from shared.errors import QueueNotFound
from shared.store import Store
from tests.factories import MONDAY, a_forecast, a_job, a_request, a_schedule


@pytest.fixture(autouse=True)
def _three_projects(store: Store) -> None:
    """Three jobs of the projects a, b and c, an hour apart, with a forecast of one queue each; and a forecast without a job."""
    for number, project in enumerate("abc"):
        at = MONDAY + number * timedelta(hours=1)
        store.jobs.add(a_job(job_id=f"job-{project}", request=a_request(project=project, owner="one"), created_at=at))
        store.forecasts.save(a_forecast(job_id=f"job-{project}", issued_at=at, created_at=at))
    store.forecasts.save(a_forecast(job_id="gone", issued_at=MONDAY + timedelta(hours=9)))


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        (JobFilter(projects=("a", "c")), ["job-c", "job-a"]),
        (JobFilter(projects=("b",), owner="one"), ["job-b"]),
        (JobFilter(projects=("a", "b"), project="b"), ["job-b"]),
        (JobFilter(projects=("a", "b"), project="c"), []),
        (JobFilter(projects=("x", "' OR '1'='1")), []),
        (JobFilter(projects=()), []),
        (JobFilter(projects=None), ["job-c", "job-b", "job-a"]),
    ],
)
def test_jobs_of_several_projects_are_found(store: Store, asked: JobFilter, names: list[str]) -> None:
    assert [job.job_id for job in store.jobs.find(asked, 10)] == names


def test_pages_go_on_within_the_projects(store: Store) -> None:
    [first] = store.jobs.find(JobFilter(projects=("a", "c")), 1)
    [second] = store.jobs.find(JobFilter(projects=("a", "c")), 5, (first.created_at, first.job_id))
    assert [first.job_id, second.job_id] == ["job-c", "job-a"]


@pytest.mark.parametrize(
    ("projects", "newest"), [(None, "gone"), (("a", "b", "c"), "job-c"), (("a", "b"), "job-b"), (("a", "x"), "job-a")]
)
def test_the_newest_forecast_is_that_of_their_jobs(store: Store, projects: tuple[str, ...] | None, newest: str) -> None:
    assert store.forecasts.newest("root.etl", projects=projects).job_id == newest
    assert [outlook.job_id for outlook in store.forecasts.newest_of_each(projects)] == [newest]


@pytest.mark.parametrize("projects", [(), ("x",)])
def test_whoever_has_no_forecast_sees_none(store: Store, projects: tuple[str, ...]) -> None:
    assert store.forecasts.newest_of_each(projects) == []
    with pytest.raises(QueueNotFound):
        store.forecasts.newest("root.etl", projects=projects)


def test_a_forecast_that_is_named_must_be_theirs_too(store: Store) -> None:
    assert store.forecasts.newest("root.etl", issued_at=MONDAY, projects=("a",)).job_id == "job-a"
    with pytest.raises(QueueNotFound):
        store.forecasts.newest("root.etl", issued_at=MONDAY, projects=("b",))


def test_issues_and_names_of_queues_are_those_of_their_jobs(store: Store) -> None:
    assert [issue.job_id for issue in store.forecasts.issues("root.etl", projects=("a", "c"), limit=9)] == ["job-c", "job-a"]
    assert [issue.job_id for issue in store.forecasts.issues("root.etl", projects=("a", "c"), limit=1)] == ["job-c"]
    assert store.forecasts.queues("used_capacity", ("b",)) == ["root.etl"]
    assert store.forecasts.queues("used_capacity", ("x",)) == store.forecasts.queues("another") == []


def test_schedules_of_projects_are_found(store: Store) -> None:
    for project in "ab":
        store.schedules.add(a_schedule(schedule_id=project, request=a_request(project=project)))
    assert [schedule.schedule_id for schedule in store.schedules.all(("b", "x"))] == ["b"]
    assert [schedule.schedule_id for schedule in store.schedules.all()] == ["a", "b"]
