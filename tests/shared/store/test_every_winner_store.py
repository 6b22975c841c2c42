"""What is kept between two runs of a schedule, held with every database: winners, and why there is no newer forecast."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from shared.domain.jobs import JobState, QueueState
from shared.domain.recipes import Member, Part, Winner, search_of
from shared.domain.reports import RunFailure
from shared.domain.run_failures import failures_of
from shared.domain.runs import Run
from shared.store import Store
from tests.factories import MONDAY, a_forecast, a_job, a_report, a_request, a_score

HOUR = timedelta(hours=1)
BLEND = (Part(members=(Member(candidate=a_score().candidate, weight=0.75),), aim=0.5), Part(members=(), first_step=7))
WINNER = Winner(
    search="s",
    queue="root.etl",
    job_id="job-1",
    searched_at=MONDAY,
    created_at=MONDAY,
    score=a_score(),
    recipe=BLEND,
    company=BLEND,
)


def test_a_winner_comes_back_as_it_was_given_and_only_a_later_search_replaces_it(store: Store) -> None:
    assert store.winners.get("s", "root.etl") is None
    store.winners.save(WINNER)
    store.winners.save(replace(WINNER, searched_at=MONDAY - HOUR, job_id="slow"))
    assert store.winners.get("s", "root.etl") == WINNER
    later = replace(WINNER, searched_at=MONDAY + HOUR, job_id="job-2")
    store.winners.save(later)
    store.winners.forget(WINNER)
    assert store.winners.get("s", "root.etl") == later
    store.winners.forget(later)
    assert store.winners.get("s", "root.etl") is None


def test_winners_are_those_of_one_search_whatever_its_job_is_called() -> None:
    same = {search_of(a_request(user_name=name, queues=(name,), as_of=None)) for name in ("a", "b")}
    assert same == {search_of(a_request())}
    others = [a_request(target="used_memory_mb"), a_request(where={"partition": ("gpu",)}), a_request(project="another")]
    assert len({*same, *map(search_of, others)}) == 4


def test_a_forecast_tells_of_the_later_run_that_brought_none(store: Store) -> None:
    forecast = a_forecast()
    failure = RunFailure(
        series_id=forecast.series_id, job=forecast.job, job_id="later", at=forecast.created_at + HOUR, reason="the source is away"
    )
    assert store.run_failures.after(forecast) is None
    store.run_failures.save([failure])
    assert store.run_failures.after(forecast) == failure
    assert store.run_failures.after(replace(forecast, job="another")) is None
    assert store.run_failures.after(replace(forecast, job_id="later")) is None  # it was tried again
    assert store.run_failures.after(replace(forecast, created_at=failure.at + HOUR)) is None


def test_a_job_that_ended_before_it_named_its_queues_has_failed_them_all(store: Store) -> None:
    request, forecast = a_request(), a_forecast()
    forecast = replace(
        forecast, **{name: getattr(request.series(forecast.queue), name) for name in ("project", "cluster", "metric")}
    )
    job, at = a_job(job_id="later", request=replace(request, job_name=forecast.job)), forecast.created_at + HOUR
    ended = [*failures_of(job, [], JobState.FAILED, "no such file", at)]
    store.run_failures.save(ended)
    assert store.run_failures.after(forecast) == ended[0]
    one_failed = [a_report(queue="root.a"), a_report(queue="root.b", state=QueueState.FAILED, reason="too short")]
    of_two = replace(job, request=replace(job.request, queues=("root.a", "root.b")))  # another job of this name has the others
    named = {failure.series_id for failure in failures_of(of_two, [], JobState.FAILED, "no such file", at)}
    assert named == {job.request.series(name).series_id for name in ("root.a", "root.b")}
    assert [failure.reason for failure in failures_of(job, one_failed, JobState.PARTIAL, "1 of 2", at)] == ["too short"]
    assert [*failures_of(replace(job, run=Run.ACTUALS), one_failed, JobState.PARTIAL, "1 of 2", at)] == []
