"""What a store gives to whoever is limited to projects; the same on every store."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.domain.jobs import JobFilter, JobState
from shared.store import Store
from tests.factories import MONDAY, a_forecast, a_job, a_request, a_schedule


@pytest.fixture(autouse=True)
def _three_projects(store: Store) -> None:
    """Three jobs of the projects a, b and c, an hour apart, with a forecast of one queue each."""
    for number, project in enumerate("abc"):
        at = MONDAY + number * timedelta(hours=1)
        store.jobs.add(a_job(job_id=f"job-{project}", request=a_request(project=project, owner="one"), created_at=at))
        store.forecasts.save(a_forecast(job_id=f"job-{project}", project=project, issued_at=at, created_at=at))


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


@pytest.mark.parametrize(("projects", "open_jobs", "failed"), [(None, 2, 1), (("a", "c"), 1, 1), (("c",), 0, 1), (("x",), 0, 0)])
def test_jobs_are_counted_by_state(store: Store, projects: tuple[str, ...] | None, open_jobs: int, failed: int) -> None:
    at = MONDAY + timedelta(hours=2)
    store.jobs.move("job-c", {JobState.QUEUED}, JobState.FAILED, "why", at)
    store.jobs.add(a_job(job_id="old", request=a_request(project="c"), state=JobState.FAILED, created_at=at - timedelta(days=2)))
    counts = {JobState.QUEUED: open_jobs, JobState.FAILED: failed}
    found = store.jobs.counts(projects, since=MONDAY)  # of those that have not ended all
    assert found == {state: count for state, count in counts.items() if count}


def test_pages_go_on_within_the_projects(store: Store) -> None:
    [first] = store.jobs.find(JobFilter(projects=("a", "c")), 1)
    [second] = store.jobs.find(JobFilter(projects=("a", "c")), 5, (first.created_at, first.job_id))
    assert [first.job_id, second.job_id] == ["job-c", "job-a"]


@pytest.mark.parametrize(
    ("projects", "jobs"),
    [(None, ["job-a", "job-b", "job-c"]), (("a", "c"), ["job-a", "job-c"]), (("a", "x"), ["job-a"]), (("x",), []), ((), [])],
)
def test_forecasts_and_names_of_queues_are_those_of_the_projects(
    store: Store, projects: tuple[str, ...] | None, jobs: list[str]
) -> None:
    assert [forecast.job_id for forecast in store.forecasts.newest_of_each(projects=projects)] == jobs
    names = store.forecasts.queues("used_capacity", cluster="files:", projects=projects)
    assert names == (["root.etl"] if jobs else [])


def test_schedules_of_projects_are_found(store: Store) -> None:
    for project in "ab":
        store.schedules.add(a_schedule(schedule_id=project, request=a_request(project=project)))
    assert [schedule.schedule_id for schedule in store.schedules.all(("b", "x"))] == ["b"]
    assert [schedule.schedule_id for schedule in store.schedules.all()] == ["a", "b"]
