"""The promises of the store's parts, held with every database."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any

import pytest

from shared.domain.distribution import Paths
from shared.domain.forecasts import Candidate, Forecast
from shared.domain.jobs import Job, JobFilter, JobState, Progress, QueueState, Tally
from shared.domain.reports import Point, QueueReport
from shared.domain.samples import Aggregation
from shared.domain.series import UNASSIGNED
from shared.errors import JobNotFound, KeyReused, QueueNotFound
from shared.store import Store
from shared.store.actuals import Actuals
from shared.store.forecasts import Forecasts
from shared.store.jobs import Jobs
from shared.store.reports import Reports
from tests.factories import MONDAY, a_forecast, a_job, a_report, a_request, a_series
from tests.shared.store import crowd

HOUR = timedelta(hours=1)


# Jobs


def test_a_job_comes_back_as_it_was_given(store: Store) -> None:
    job = a_job(
        request=a_request(hyperparameters={"prophet": {"scale": (0.5, 1.0), "growth": ("flat",)}}, holidays="DE", columns=("a",)),
        created_at=MONDAY + timedelta(microseconds=123_457),
        state=JobState.RUNNING,
        reason="because",
        warnings=("ä warning", 'a "quoted" one'),
        progress=Progress(queues=Tally(total=3, done=1), candidates=Tally(total=9, done=4, failed=1), replans=1),
        started_at=MONDAY + timedelta(microseconds=1),
        ended_at=MONDAY + HOUR,
        issued_at=MONDAY,
        request_id="r-1",
        client="bob",
        idempotency_key="k",
        fingerprint="f",
        queued_at=MONDAY + timedelta(microseconds=3),
    )
    assert store.jobs.add(job) == job
    assert store.jobs.get("job-1") == job
    assert store.jobs.find(JobFilter(), 10) == [job]
    store.check()
    store.jobs.add(a_job(job_id="job-2", created_at=datetime(2026, 1, 5, 9, tzinfo=timezone(timedelta(hours=9)))))
    assert store.jobs.get("job-2").created_at == MONDAY  # in whatever zone it is told


def test_the_same_job_again_is_kept_as_it_has_become(store: Store) -> None:
    store.jobs.add(a_job())
    store.jobs.move("job-1", [JobState.QUEUED], JobState.RUNNING, None, MONDAY)
    assert store.jobs.add(a_job()).state is JobState.RUNNING
    assert store.jobs.get("job-1").state is JobState.RUNNING


def test_a_key_gives_the_first_job_and_with_another_body_is_refused(store: Store) -> None:
    first = store.jobs.add(a_job(client="bob", idempotency_key="k", fingerprint="f"))
    assert store.jobs.add(a_job(job_id="job-2", client="bob", idempotency_key="k", fingerprint="f")) == first
    with pytest.raises(KeyReused, match="idempotency_key k"):
        store.jobs.add(a_job(job_id="job-2", client="bob", idempotency_key="k", fingerprint="g"))
    assert store.jobs.find(JobFilter(), 10) == [first]


def test_a_key_belongs_to_its_client_and_no_key_to_nobody(store: Store) -> None:
    for number, (client, key) in enumerate([("bob", "k"), ("eve", "k"), ("bob", "l"), ("bob", None), ("bob", None)]):
        store.jobs.add(a_job(job_id=f"job-{number}", client=client, idempotency_key=key, fingerprint="f"))
    assert len(store.jobs.find(JobFilter(), 10)) == 5


def test_one_key_used_by_eight_threads_at_once_makes_one_job(store: Store) -> None:
    def add(number: int) -> str:
        return store.jobs.add(a_job(job_id=f"job-{number}", idempotency_key="k", fingerprint="f")).job_id

    assert len(set(at_once(8, add))) == 1
    assert len(store.jobs.find(JobFilter(), 10)) == 1


def test_jobs_are_listed_newest_first_and_those_of_one_moment_page_without_loss(store: Store) -> None:
    for number in range(7):
        store.jobs.add(a_job(job_id=f"job-{number}", created_at=MONDAY + (number // 3) * timedelta(microseconds=1)))
    seen: list[str] = []
    before = None
    while page := store.jobs.find(JobFilter(), 2, before):
        assert len(page) <= 2
        seen += [job.job_id for job in page]
        before = page[-1].created_at, page[-1].job_id
    assert seen == ["job-6", "job-5", "job-4", "job-3", "job-2", "job-1", "job-0"]


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        (JobFilter(), ["job-2", "job-1", "job-0"]),
        (JobFilter(state=JobState.RUNNING), ["job-1"]),
        (JobFilter(owner="hers"), ["job-2", "job-1"]),
        (JobFilter(project="p"), ["job-2"]),
        (JobFilter(user_name="Ann"), ["job-1"]),
        (JobFilter(owner="hers", user_name="Bob"), ["job-2"]),
        (JobFilter(owner="nobody's"), []),
        (JobFilter(queue="root.etl"), ["job-1", "job-0"]),
        (JobFilter(model="var"), ["job-1"]),
        (JobFilter(queue="root.etl", model="prophet"), ["job-0"]),
        (JobFilter(queue="root.etl", model="var"), []),  # var won, but another queue
        (JobFilter(owner="hers", queue="root.etl"), ["job-1"]),
        (JobFilter(queue="root.etl' OR '1'='1"), []),
    ],
)
def test_jobs_are_found_by_what_they_are(store: Store, asked: JobFilter, names: list[str]) -> None:
    requests = [a_request(), a_request(owner="hers", user_name="Ann"), a_request(owner="hers", project="p")]
    for number, request in enumerate(requests):
        store.jobs.add(a_job(job_id=f"job-{number}", request=request, created_at=MONDAY + number * HOUR))
    store.jobs.move("job-1", [JobState.QUEUED], JobState.RUNNING, None, MONDAY)
    store.reports.save(a_report(job_id="job-0"))
    store.reports.save(a_report(job_id="job-1", state=QueueState.FAILED, outcomes=(), winner=None))
    store.reports.save(a_report(job_id="job-1", queue="root.adhoc", winner=Candidate(model="var")))
    assert [job.job_id for job in store.jobs.find(asked, 10)] == names


def test_open_jobs_are_those_that_have_not_ended_oldest_first(store: Store) -> None:
    for number in range(4):
        store.jobs.add(a_job(job_id=f"job-{number}", created_at=MONDAY - number * HOUR))
    store.jobs.move("job-1", [JobState.QUEUED], JobState.RUNNING, None, MONDAY)
    store.jobs.move("job-2", [JobState.QUEUED], JobState.CANCELLED, None, MONDAY)
    assert [job.job_id for job in store.jobs.open()] == ["job-3", "job-1", "job-0"]


def test_jobs_are_found_by_their_ids_as_far_as_they_are_kept(store: Store) -> None:
    for number in range(3):
        store.jobs.add(a_job(job_id=f"job-{number}"))
    asked = ["job-0", "job-2", *(f"forgotten-{number}" for number in range(1_000))]  # as many as there may be schedules
    assert {job.job_id for job in store.jobs.of_ids(asked)} == {"job-0", "job-2"}
    assert store.jobs.of_ids([]) == []


# A job's moves


def test_a_move_sets_state_reason_and_the_time_of_its_kind(store: Store) -> None:
    store.jobs.add(a_job())
    start, end = MONDAY + timedelta(microseconds=5), MONDAY + timedelta(microseconds=7)
    assert store.jobs.move("job-1", [JobState.QUEUED], JobState.RUNNING, "waiting for data", start)
    assert store.jobs.get("job-1") == a_job(state=JobState.RUNNING, reason="waiting for data", started_at=start)
    assert store.jobs.move("job-1", [JobState.QUEUED, JobState.RUNNING], JobState.SUCCEEDED, None, end)
    assert store.jobs.get("job-1") == a_job(state=JobState.SUCCEEDED, started_at=start, ended_at=end)

    store.jobs.add(a_job(job_id="never ran"))
    assert store.jobs.move("never ran", [JobState.QUEUED], JobState.FAILED, "no such file", end)
    assert (store.jobs.get("never ran").started_at, store.jobs.get("never ran").ended_at) == (None, end)


def test_an_unexpected_move_does_nothing_and_one_that_no_job_may_make_is_refused(store: Store) -> None:
    store.jobs.add(a_job())
    assert not store.jobs.move("job-1", [JobState.RUNNING], JobState.SUCCEEDED, None, MONDAY)
    assert not store.jobs.move("job-1", [], JobState.SUCCEEDED, None, MONDAY)
    with pytest.raises(ValueError, match="a job that is cancelled or failed cannot become running"):
        store.jobs.move("job-1", [JobState.QUEUED, JobState.FAILED, JobState.CANCELLED], JobState.RUNNING, None, MONDAY)
    assert store.jobs.get("job-1") == a_job()


def test_eight_threads_that_end_a_job_end_it_once(store: Store) -> None:
    for number in range(20):
        store.jobs.add(a_job(job_id=f"job-{number}"))

    def end_all(thread: int) -> int:
        return sum(store.jobs.move(f"job-{n}", [JobState.QUEUED], JobState.SUCCEEDED, str(thread), MONDAY) for n in range(20))

    assert sum(at_once(8, end_all)) == 20


# Processes


def test_of_four_processes_that_end_a_job_one_does(store: Store, url: str) -> None:
    store.jobs.add(a_job())
    assert sorted(crowd.in_processes(crowd.claim, [(url, "job-1")] * 4)) == [False, False, False, True]
    assert store.jobs.get("job-1").state is JobState.SUCCEEDED


def test_two_processes_that_write_at_once_lose_nothing(store: Store, url: str) -> None:
    store.jobs.add(a_job(job_id="shared"))
    crowd.in_processes(crowd.write_much, [(url, writer, 50) for writer in range(2)])
    assert len(store.jobs.find(JobFilter(), 1_000)) == 101
    assert len(store.forecasts.find()) == 100
    written = {f"warning {writer}-{number}" for writer in range(2) for number in range(50)}
    assert set(store.jobs.get("shared").warnings) == {"said by all"} | written


def test_a_store_used_before_a_fork_serves_both_sides(url: str) -> None:
    (warnings,) = crowd.in_processes(crowd.use_fork_and_use, [(url,)])
    assert warnings == ["from the child", "from the parent"]


# The way back

ENDED = a_job(
    state=JobState.PARTIAL,
    reason="1 of 2 queues have no forecast",
    warnings=("of the data",),
    progress=Progress(queues=Tally(total=2, done=2, failed=1), replans=1),
    started_at=MONDAY,
    ended_at=MONDAY + HOUR,
    issued_at=MONDAY,
    idempotency_key="k",
    fingerprint="f",
)
LATER = MONDAY + timedelta(hours=2, microseconds=7)


def test_a_reopened_job_keeps_what_it_was_planned_for_and_may_run_and_end_again(store: Store) -> None:
    store.jobs.add(ENDED)
    assert store.jobs.reopen("job-1", [JobState.FAILED, JobState.PARTIAL], LATER, to_forget="all", warnings=["of the request"])
    reopened = store.jobs.get("job-1")
    assert reopened == a_job(
        warnings=("of the request",),
        issued_at=MONDAY,
        idempotency_key="k",
        fingerprint="f",
        queued_at=LATER,
        to_forget="all",
    )
    assert reopened.deadline_at == LATER + HOUR  # it has its whole time again
    assert store.jobs.open() == [reopened]
    assert store.jobs.move("job-1", [JobState.QUEUED], JobState.RUNNING, None, LATER)
    assert store.jobs.move("job-1", [JobState.RUNNING], JobState.SUCCEEDED, None, LATER + HOUR)
    ended = store.jobs.get("job-1")
    assert (ended.started_at, ended.ended_at, ended.queued_at) == (LATER, LATER + HOUR, LATER)


def test_what_is_in_another_state_than_the_expected_or_has_not_ended_is_not_reopened(store: Store) -> None:
    store.jobs.add(ENDED)
    assert not store.jobs.reopen("job-1", [JobState.FAILED], LATER)
    assert not store.jobs.reopen("job-1", [], LATER)
    assert store.jobs.get("job-1") == ENDED
    with pytest.raises(ValueError, match="a job that is queued or running has not ended"):
        store.jobs.reopen("job-1", [JobState.RUNNING, JobState.PARTIAL, JobState.QUEUED], LATER)
    assert store.jobs.get("job-1") == ENDED


def test_a_value_that_is_not_finite_is_not_kept(store: Store) -> None:
    with pytest.raises(ValueError, match="not finite"):
        store.actuals.save(a_series(), [Point(timestamp=MONDAY, value=float("inf"))])
    assert store.actuals.get(a_series().series_id, MONDAY, LATER) == []


def test_eight_threads_that_reopen_a_job_reopen_it_once(store: Store) -> None:
    store.jobs.add(ENDED)
    done = at_once(8, lambda number: store.jobs.reopen("job-1", [JobState.PARTIAL], LATER + number * HOUR))
    assert sorted(done) == [False] * 7 + [True]


def test_a_job_that_was_tried_again_is_left_alone_by_whoever_saw_it_before(store: Store) -> None:
    store.jobs.add(ENDED)
    store.jobs.reopen("job-1", [JobState.PARTIAL], LATER)
    again = store.jobs.get("job-1")
    assert not store.jobs.move("job-1", [JobState.QUEUED], JobState.FAILED, "too late", LATER, seen=ENDED)
    assert not store.jobs.update("job-1", seen=ENDED, warnings=["too late"])
    assert store.jobs.get("job-1") == again
    assert store.jobs.update("job-1", seen=again, to_forget="")
    assert store.jobs.move("job-1", [JobState.QUEUED], JobState.RUNNING, None, LATER, seen=again)
    assert store.jobs.get("job-1") == replace(again, state=JobState.RUNNING, started_at=LATER, to_forget="")


def test_a_key_that_is_freed_makes_a_new_job(store: Store) -> None:
    first = store.jobs.add(a_job(job_id="job-1", idempotency_key="k", fingerprint="f"))
    store.jobs.free_key("job-1")
    assert store.jobs.get("job-1") == replace(first, idempotency_key=None)
    assert store.jobs.add(a_job(job_id="job-2", idempotency_key="k", fingerprint="g")).job_id == "job-2"
    store.jobs.free_key("job-1")
    assert store.jobs.get("job-2").idempotency_key == "k"


def test_an_update_sets_what_is_given_and_leaves_the_rest(store: Store) -> None:
    store.jobs.add(a_job())
    progress = Progress(queues=Tally(total=4, done=1))
    store.jobs.update("job-1", issued_at=MONDAY)
    store.jobs.update("job-1", progress=progress, warnings=["b", "a"])
    store.jobs.update("job-1", warnings=["a", "c", "c"])
    assert store.jobs.get("job-1") == a_job(issued_at=MONDAY, progress=progress, warnings=("b", "a", "c"))


def test_warnings_of_eight_threads_are_all_kept_each_once(store: Store) -> None:
    store.jobs.add(a_job())
    at_once(8, lambda thread: [store.jobs.update("job-1", warnings=["of all", f"{thread}-{n}"]) for n in range(10)])
    warnings = store.jobs.get("job-1").warnings
    assert warnings[0] == "of all"
    assert set(warnings) == {"of all"} | {f"{thread}-{n}" for thread in range(8) for n in range(10)}
    assert len(warnings) == 81


@pytest.mark.parametrize(
    "ask",
    [
        lambda store: store.jobs.get("no-such"),
        lambda store: store.jobs.move("no-such", [JobState.QUEUED], JobState.RUNNING, None, MONDAY),
        lambda store: store.jobs.update("no-such", warnings=["w"]),
        lambda store: store.jobs.reopen("no-such", [JobState.FAILED], MONDAY),
        lambda store: store.jobs.free_key("no-such"),
    ],
    ids=["job", "move_job", "update_job", "reopen_job", "free_key"],
)
def test_a_job_that_is_not_there_is_said_so(store: Store, ask: Callable[[Store], object]) -> None:
    with pytest.raises(JobNotFound, match="job_id no-such"):
        ask(store)


# Reports

FAILED: dict[str, Any] = {"state": QueueState.FAILED, "reason": "no data", "winner": None}


def test_a_report_comes_back_with_its_leaderboard_and_only_goes_forward(store: Store) -> None:
    running = QueueReport(job_id="job-1", queue="root.etl", state=QueueState.RUNNING)
    shorter = a_report(outcomes=a_report().outcomes[1:2], winner=None, state=QueueState.FAILED, reason="r")
    reports = [replace(running, state=QueueState.WAITING), running, replace(running, seconds=1.0), a_report(**FAILED), shorter]
    reports += [a_report(), a_report(outcomes=shorter.outcomes)]
    for number, report in enumerate(reports):
        assert store.reports.save(report)
        assert not any(store.reports.save(late) for late in reports[:number] if late.state is not report.state)
        assert store.reports.get("job-1", "root.etl") == report


def test_reports_of_a_job_are_listed_by_name_without_outcomes(store: Store) -> None:
    for queue in ("root.b", "root.a"):
        store.reports.save(a_report(queue=queue))
    store.reports.save(a_report(job_id="job-2"))
    assert store.reports.of_job("job-1") == [a_report(queue=queue, outcomes=()) for queue in ("root.a", "root.b")]
    assert store.reports.of_job("no-such") == []


def test_reports_are_forgotten_by_state_with_outcomes_and_those_of_other_jobs_stay(store: Store) -> None:
    for changes in (
        {"queue": "a"},
        {"queue": "b"} | FAILED,
        {"queue": "c", "state": QueueState.RUNNING},
        {"job_id": "job-2"} | FAILED,
    ):
        store.reports.save(a_report(**changes))
    store.reports.forget("job-1", [QueueState.FAILED, QueueState.RUNNING])
    assert [report.queue for report in store.reports.of_job("job-1")] == ["a"]
    assert store.reports.get("job-1", "a") == a_report(queue="a")
    assert len(store.reports.of_job("job-2")) == 1
    store.reports.forget("job-1", [])
    store.reports.forget("no-such", list(QueueState))
    assert len(store.reports.of_job("job-1")) == 1
    store.reports.forget("job-1", list(QueueState))
    assert store.reports.of_job("job-1") == []
    again = a_report(queue="b", outcomes=a_report().outcomes[:1])
    store.reports.save(again)
    assert store.reports.get("job-1", "b") == again


@pytest.mark.parametrize(("job_id", "queue"), [("job-1", "no.such"), ("no-such", "root.etl")])
def test_a_report_that_is_not_there_is_said_so(store: Store, job_id: str, queue: str) -> None:
    store.reports.save(a_report())
    with pytest.raises(QueueNotFound, match=queue):
        store.reports.get(job_id, queue)


# Forecasts


def test_a_forecast_comes_back_as_it_was_given_and_is_replaced_whole(store: Store) -> None:
    forecast = a_forecast(
        hyperparameters={"a": 1, "b": 1.0, "c": True, "d": "x"},
        mape=None,
        skill=None,
        created_at=MONDAY + timedelta(microseconds=1),
    )
    store.forecasts.save(forecast)
    [found] = store.forecasts.find()
    assert found == forecast
    assert [type(value) for value in found.hyperparameters.values()] == [int, float, bool, str]
    shorter = a_forecast(model="var", prediction=(1.0,), lower_bound=(0.5,), upper_bound=(2.0,))
    store.forecasts.save(shorter)
    assert store.forecasts.find() == [store.forecasts.newest(shorter.series_id, shorter.job)] == [shorter]


def test_the_newest_forecast_that_matches_is_given(store: Store) -> None:
    old, new = a_forecast(issued_at=MONDAY - HOUR), a_forecast()
    others = [a_forecast(metric="memory", issued_at=MONDAY + HOUR), a_forecast(job="weekly", issued_at=MONDAY + HOUR)]
    for forecast in (new, *others, old):
        store.forecasts.save(forecast)
    newest = partial(store.forecasts.newest, new.series_id)
    assert newest(new.job) == new
    assert newest("weekly") == others[1]
    assert newest(new.job, MONDAY - HOUR) == old
    assert newest(new.job, MONDAY + HOUR) is newest("no such") is store.forecasts.newest("no such", new.job) is None


def test_paths_are_kept_of_the_newest_forecast_of_a_series_and_job_alone(store: Store) -> None:
    old, new = (a_forecast(issued_at=MONDAY + hours * HOUR, paths=Paths.of([[1.0, hours]])) for hours in (0, 1))
    for forecast in (new, old):  # one that was late takes nothing away
        store.forecasts.save(forecast)
    kept = [store.forecasts.newest(each.series_id, each.job, each.issued_at) for each in (old, new)]
    assert kept == [replace(each, paths=None) for each in (old, new)]  # lists of forecasts read no paths
    assert [store.forecasts.with_paths(each).paths for each in kept if each] == [None, new.paths]
    newest = replace(new, issued_at=MONDAY + 2 * HOUR, paths=None)
    store.forecasts.save(newest)
    assert [store.forecasts.with_paths(each).paths for each in (*(each for each in kept if each), newest)] == [None, None, None]


def test_what_the_same_run_has_forecast_of_other_queues_is_given_with_its_paths(store: Store) -> None:
    def of(queue: str, **changes: Any) -> Forecast:
        store.forecasts.save(forecast := a_forecast(queue=queue, paths=Paths.of([[1.0, 2.0]], blocks=9), **changes))
        return forecast

    parent, first = of("root.etl"), of("root.etl.a")
    second = of("root.etl.b")
    of("root.etl.b", issued_at=MONDAY + HOUR, job_id="job-2")
    of("root.etl.c", job_id="job-2")
    of("root.etl.d", metric="memory")
    lost = replace(parent, paths=parent.paths and replace(parent.paths, is_calibrated=False))
    names = [f"root.etl.{name}" for name in "abcde"]
    assert store.forecasts.beside(parent, names) == [first, replace(second, paths=None)]
    assert [each.paths and each.paths.is_calibrated for each in store.forecasts.beside(lost, names)] == [False, None]
    assert store.forecasts.beside(parent, []) == []


def test_two_jobs_of_one_name_and_moment_have_a_forecast_each_the_later_is_newest(store: Store) -> None:
    first = a_forecast()
    second = a_forecast(job_id="job-2", created_at=first.created_at + timedelta(microseconds=1))
    for forecast in (second, first):
        store.forecasts.save(forecast)
    assert store.forecasts.newest(first.series_id, first.job) == second
    assert store.forecasts.newest_of_each() == [second]
    assert store.forecasts.find(job_id="job-1") == [first]
    assert [issue.job_id for issue in store.forecasts.issues(first.series_id, limit=9)] == ["job-2", "job-1"]


def test_forecasts_are_listed_by_queue_and_time_and_found_by_queue_and_job(store: Store) -> None:
    listed = [
        a_forecast(queue="a", metric="m", issued_at=MONDAY - HOUR, job_id="job-1"),
        a_forecast(queue="a", metric="m", issued_at=MONDAY, job_id="job-2"),
        a_forecast(queue="a", metric="n", job="a job", job_id="job-2"),
        a_forecast(queue="b", metric="a", job_id="job-2"),
    ]
    for forecast in reversed(listed):
        store.forecasts.save(forecast)
    assert store.forecasts.find() == listed
    assert store.forecasts.find(queue="a") == listed[:3]
    assert store.forecasts.find(job_id="job-2") == listed[1:]
    assert store.forecasts.find(queue="a", job_id="job-2") == listed[1:3]
    assert store.forecasts.find(queue="c") == []


def test_the_newest_forecast_of_each_series_and_job_is_found(store: Store) -> None:
    assert store.forecasts.newest_of_each() == []
    newest, other = a_forecast(model="var"), a_forecast(queue="root.adhoc", job="weekly")
    clusters = [a_forecast(queue="root.etl", cluster=cluster) for cluster in ("a", "b")]
    for forecast in (newest, a_forecast(issued_at=MONDAY - HOUR), other, *clusters, a_forecast(cluster=UNASSIGNED)):
        store.forecasts.save(forecast)
    assert store.forecasts.newest_of_each() == [other, *clusters, newest]
    assert store.forecasts.newest_of_each("root.etl", cluster="b") == [clusters[1]]
    assert store.forecasts.newest_of_each("root.etl", metric="memory") == store.forecasts.newest_of_each(job="daily") == []


# Actual values


def test_actual_values_come_back_by_time_from_start_until_before_end(store: Store) -> None:
    points = [Point(timestamp=MONDAY + n * HOUR, value=float(n)) for n in range(5)]
    store.actuals.save(a_series(), points[::-1])
    assert store.actuals.get(a_series().series_id, MONDAY + HOUR, MONDAY + 4 * HOUR) == points[1:4]


def test_actual_values_are_kept_apart_by_all_that_makes_a_series(store: Store) -> None:
    parts: dict[str, Any] = {"metric": "n", "project": "p", "cluster": "c", "step_seconds": 60, "aggregation": Aggregation.MAX}
    every = [a_series(), a_series("b"), *(a_series(**{name: value}) for name, value in parts.items())]
    for number, series in enumerate(every):
        store.actuals.save(series, [Point(timestamp=MONDAY, value=float(number))])
    values = [store.actuals.get(series.series_id, MONDAY, MONDAY + HOUR)[0].value for series in every]
    assert values == list(range(len(every)))
    assert store.actuals.get(a_series("c").series_id, MONDAY, MONDAY + HOUR) == []


def test_actual_values_of_many_series_are_read_at_once_those_without_any_left_out(store: Store) -> None:
    points = [Point(timestamp=MONDAY + n * HOUR, value=float(n)) for n in range(3)]
    a, b, c, other = (a_series(queue) for queue in ("a", "b", "c", "not asked for"))
    for series in (b, a, other):
        store.actuals.save(series, points)
    found = store.actuals.of_series([series.series_id for series in (a, b, c)], MONDAY, MONDAY + 2 * HOUR)
    assert found == {a.series_id: points[:2], b.series_id: points[:2]}
    assert store.actuals.of_series([], MONDAY, MONDAY + HOUR) == {}


def test_a_new_actual_value_replaces_the_old_one_and_a_gap_is_not_kept(store: Store) -> None:
    def keep(*values: float | None) -> None:
        store.actuals.save(a_series(), [Point(timestamp=MONDAY + n * HOUR, value=value) for n, value in enumerate(values)])

    keep(1.0, 2.0, None)
    keep(9.0, None, None)
    assert [point.value for point in store.actuals.get(a_series().series_id, MONDAY, MONDAY + 9 * HOUR)] == [9.0, 2.0]


def test_more_actual_values_than_one_transaction_takes_are_all_kept(store: Store) -> None:
    points = [Point(timestamp=MONDAY + n * timedelta(minutes=1), value=float(n)) for n in range(5_001)]
    store.actuals.save(a_series(), points)
    assert store.actuals.get(a_series().series_id, MONDAY, MONDAY + timedelta(days=7)) == points


# All of it

WRITES: dict[str, Callable[[Store], object]] = {
    "jobs.add": lambda store: store.jobs.add(a_job(idempotency_key="k", fingerprint="f")),
    "jobs.move": lambda store: store.jobs.move("job-1", [JobState.QUEUED], JobState.RUNNING, "r", MONDAY),
    "jobs.update": lambda store: store.jobs.update("job-1", issued_at=MONDAY, progress=Progress(replans=1), warnings=["a", "b"]),
    "reports.save": lambda store: store.reports.save(a_report()),
    "forecasts.save": lambda store: store.forecasts.save(a_forecast()),
    "actuals.save": lambda store: store.actuals.save(a_series(), [Point(timestamp=MONDAY, value=1.0)]),
    "jobs.reopen": lambda store: (
        store.jobs.add(a_job(job_id="job-2", state=JobState.FAILED)),
        store.jobs.reopen("job-2", [JobState.FAILED], LATER),
    ),
    "jobs.free_key": lambda store: (store.jobs.add(a_job(job_id="job-3", idempotency_key="l")), store.jobs.free_key("job-3")),
    "reports.forget": lambda store: store.reports.forget("job-1", [QueueState.FAILED]),
}


def everything(store: Store) -> list[object]:
    jobs: list[Job] = store.jobs.find(JobFilter(), 100)
    reports = [store.reports.get(job.job_id, report.queue) for job in jobs for report in store.reports.of_job(job.job_id)]
    return [jobs, reports, store.forecasts.find(), store.actuals.get(a_series().series_id, MONDAY, MONDAY + HOUR)]


def test_repeating_any_write_changes_nothing(store: Store) -> None:
    for write in WRITES.values():
        write(store)
        once = everything(store)
        write(store)
        assert everything(store) == once
    at_the_end = everything(store)
    for write in reversed(WRITES.values()):  # late redeliveries
        write(store)
    assert everything(store) == at_the_end
    assert all(at_the_end)


def test_every_write_of_the_promise_is_repeated_above() -> None:
    verbs = ("add", "move", "reopen", "free", "update", "save", "forget")
    parts = {"jobs": Jobs, "reports": Reports, "forecasts": Forecasts, "actuals": Actuals}
    writing = {f"{name}.{verb}" for name, part in parts.items() for verb in vars(part) if verb.startswith(verbs)}
    assert writing == set(WRITES)


def at_once(count: int, work: Callable[[int], Any]) -> list[Any]:
    """What `work` returns in each of `count` threads that begin together."""
    together = threading.Barrier(count)

    def start(number: int) -> Any:
        together.wait(60)
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(start, range(count)))
