"""A schedule's due times become jobs, each once, through weeks of restarts, races and missed hours."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from contextvars import copy_context
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.config.settings import Settings
from shared.domain.jobs import JobFilter, JobState
from shared.domain.runs import Run
from shared.domain.schedules import paused, resumed
from shared.drivers.redis_server import redis_client, redis_server
from shared.fleet.runstate import RunState
from shared.store import Store
from shared.store.schedules import SCHEDULES
from tests.factories import MONDAY, a_job, a_request, a_schedule
from worker.job.resources import Resources, current_resources, use
from worker.reaper.reaper import run_reaper
from worker.reaper.schedules import fire_due

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def store(settings: Settings, run_state: RunState) -> Iterator[Store]:
    """The store behind what fires; with one schedule."""
    with use(Resources(settings)) as here:
        here.store.schedules.add(a_schedule())
        yield here.store


def fire(now: datetime) -> list[str]:
    """What is sent to be planned."""
    sent: list[str] = []
    fire_due(current_resources(), now, sent.append)
    return sent


def end_all(store: Store, at: datetime) -> None:
    for job in store.jobs.open():
        store.jobs.move(job.job_id, [JobState.QUEUED], JobState.FAILED, "no data", at)


def all_jobs(store: Store) -> list[str]:
    return sorted(job.job_id for job in store.jobs.find(JobFilter(), 1_000))


def test_a_week_through_a_change_of_clocks_makes_a_job_a_day(store: Store) -> None:
    start = datetime(2026, 3, 26, tzinfo=UTC)
    store.schedules.replace(a_schedule(), a_schedule(due_at=start + 5 * HOUR))
    fired = []
    for quarter in range(7 * 24 * 4):
        now = start + quarter * timedelta(minutes=15)
        fired += fire(now)
        end_all(store, now)
    assert [job_id[:11] for job_id in fired] == [
        *("20260326T05", "20260327T05", "20260328T05"),
        *("20260329T04", "20260330T04", "20260331T04", "20260401T04"),
    ]


def with_cadences(store: Store) -> None:
    three = {"cron": "0 6 * * 1", "refit_cron": "0 6 * * *", "actuals_cron": "0 * * * *"}
    store.schedules.replace(a_schedule(), a_schedule(**three, request=a_request(as_of=None)))


def test_each_cadence_makes_jobs_of_its_kind_and_waits_for_fuller_ones_alone(store: Store) -> None:
    with_cadences(store)
    [search] = fire(MONDAY + 5 * HOUR)
    [actuals] = fire(MONDAY + 6 * HOUR)  # whatever else runs, values are read
    assert fire(MONDAY + 7 * HOUR) == []
    store.jobs.move(actuals, [JobState.QUEUED], JobState.FAILED, "no data", MONDAY + 7 * HOUR)
    assert fire(MONDAY + DAY + 5 * HOUR) == []  # a refit would come between the search
    schedule = store.get(SCHEDULES, "s-1")
    assert schedule.last[Run.REFIT].skip == f"its job {search} of the time before had not ended"
    assert [store.jobs.get(each).run for each in (search, actuals)] == [Run.SEARCH, Run.ACTUALS]
    end_all(store, MONDAY + DAY + 6 * HOUR)
    [refit] = fire(MONDAY + 2 * DAY + 5 * HOUR)
    job = store.jobs.get(refit)
    assert (job.run, job.keeps_winners, job.schedule_id) == (Run.REFIT, True, "s-1")
    assert store.get(SCHEDULES, "s-1").last[Run.REFIT].skip is None


def test_a_crash_makes_no_second_search_though_values_have_been_due_since(store: Store) -> None:
    with_cadences(store)
    before = store.get(SCHEDULES, "s-1")
    [search] = fire(MONDAY + 5 * HOUR)
    store.schedules.replace(store.get(SCHEDULES, "s-1"), before)  # as if it had never been told
    assert fire(MONDAY + 7 * HOUR) == [search]
    assert all_jobs(store) == [search]
    assert store.get(SCHEDULES, "s-1").due_at == MONDAY + 8 * HOUR


def test_a_search_waits_for_no_other_kind(store: Store) -> None:
    with_cadences(store)
    store.schedules.replace(store.get(SCHEDULES, "s-1"), replace(store.get(SCHEDULES, "s-1"), due_at=MONDAY + 6 * HOUR))
    [_values] = fire(MONDAY + 6 * HOUR)
    [_refit] = fire(MONDAY + DAY + 5 * HOUR)
    [search] = fire(MONDAY + 7 * DAY + 5 * HOUR)
    assert store.jobs.get(search).run is Run.SEARCH


def test_what_was_missed_is_made_up_for_once(store: Store) -> None:
    assert [job_id[:8] for job_id in fire(MONDAY + 3 * DAY + 12 * HOUR)] == ["20260108"]
    assert fire(MONDAY + 3 * DAY + 13 * HOUR) == []
    assert store.get(SCHEDULES, "s-1").due_at == MONDAY + 4 * DAY + 5 * HOUR


def test_a_job_that_has_not_ended_lets_the_next_due_time_be_skipped_and_that_is_told(store: Store) -> None:
    [first] = fire(MONDAY + 5 * HOUR)
    assert fire(MONDAY + DAY + 5 * HOUR) == []
    assert store.get(SCHEDULES, "s-1").last_skip == f"its job {first} of the time before had not ended"
    end_all(store, MONDAY + DAY + 6 * HOUR)
    assert len(fire(MONDAY + 2 * DAY + 5 * HOUR)) == 1
    assert store.get(SCHEDULES, "s-1").last_skip is None


def test_a_due_time_above_the_allowance_is_skipped_and_that_is_told(settings: Settings, run_state: RunState) -> None:
    with use(Resources(settings.model_copy(update={"most_open_jobs": 1}))) as here:
        store = here.store
        store.schedules.add(a_schedule())
        store.jobs.add(a_job())
        assert fire(store.get(SCHEDULES, "s-1").due_at) == []
        assert "1 of 1 are used; wait until one ends" in (store.get(SCHEDULES, "s-1").last_skip or "")
        end_all(store, MONDAY)
        assert len(fire(store.get(SCHEDULES, "s-1").due_at)) == 1


def test_a_crash_after_the_job_was_stored_makes_no_second_one(store: Store) -> None:
    before = store.get(SCHEDULES, "s-1")
    [job_id] = fire(MONDAY + 5 * HOUR)
    store.schedules.replace(store.get(SCHEDULES, "s-1"), before)  # as if it had never been told
    assert fire(MONDAY + 5 * HOUR + timedelta(minutes=1)) == [job_id]
    assert all_jobs(store) == [job_id]
    store.jobs.move(job_id, [JobState.QUEUED], JobState.FAILED, "no data", MONDAY + 6 * HOUR)
    store.schedules.replace(store.get(SCHEDULES, "s-1"), before)
    assert fire(MONDAY + 6 * HOUR) == []  # it was planned, and has ended
    assert store.get(SCHEDULES, "s-1").last_job_id == job_id


def test_two_that_fire_at_once_make_one_job(store: Store) -> None:
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(copy_context().run, fire, MONDAY + 5 * HOUR) for _ in range(2)]
        sent = [job_id for each in both for job_id in each.result()]
    assert len(set(sent)) == 1
    assert all_jobs(store) == [sent[0]]


def test_a_paused_schedule_makes_nothing_and_a_resumed_one_nothing_of_what_it_missed(store: Store) -> None:
    store.schedules.replace(a_schedule(), paused(a_schedule()))
    assert fire(MONDAY + 9 * DAY) == []
    store.schedules.replace(paused(a_schedule()), resumed(paused(a_schedule()), MONDAY + 9 * DAY))
    assert fire(MONDAY + 9 * DAY + HOUR) == []
    assert len(fire(MONDAY + 9 * DAY + 5 * HOUR)) == 1


def test_a_schedule_that_cannot_fire_keeps_no_other_from_its_job(store: Store) -> None:
    store.schedules.add(replace(a_schedule(), schedule_id="a", cron="broken by hand"))
    assert len(fire(MONDAY + 5 * HOUR)) == 1


def test_the_reaper_works_on_while_keys_of_the_lanes_hold_something_else(store: Store, settings: Settings) -> None:
    with closing(redis_client(redis_server(settings).broker, is_patient=False)) as broker:
        broker.set("score", "somebody else's")
        broker.set("unacked_index", "somebody else's")
    run_reaper(settings, once=True)
    assert store.get(SCHEDULES, "s-1").last_job_id is not None


def test_the_reaper_fires_what_is_due(store: Store, settings: Settings, run_state: RunState, tmp_path: Path) -> None:
    run_reaper(settings, once=True)
    schedule = store.get(SCHEDULES, "s-1")
    assert schedule.due_at > datetime.now(UTC)
    assert schedule.last_job_id in run_state.active()
    assert store.jobs.get(schedule.last_job_id or "").request_id == "schedule-s-1"
