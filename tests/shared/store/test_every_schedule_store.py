"""The promises of shared/store/schedules.py, held with every database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.schedules import Last
from shared.errors import ScheduleNotFound
from shared.store import Store
from shared.store.schedules import SCHEDULES
from tests.factories import MONDAY, a_schedule


def test_a_schedule_comes_back_as_it_was_given(store: Store) -> None:
    last = Last(due_at=MONDAY, job_id="job-2", skip="because")
    cadences = {"refit_cron": "0 6 * * *", "last_refit": last, "actuals_cron": "0 * * * *", "last_actuals": Last(job_id="job-3")}
    whole = a_schedule(last_due_at=MONDAY, last_job_id="job-1", last_skip="because", is_paused=True, **cadences)
    store.schedules.add(whole)
    assert store.get(SCHEDULES, "s-1") == whole
    assert store.schedules.all() == [whole]


def test_schedules_come_by_their_id_and_go(store: Store) -> None:
    for schedule_id in ("b", "a"):
        store.schedules.add(a_schedule(schedule_id=schedule_id))
    assert [schedule.schedule_id for schedule in store.schedules.all()] == ["a", "b"]
    store.schedules.remove("a")
    store.schedules.remove("a")
    with pytest.raises(ScheduleNotFound, match="a"):
        store.get(SCHEDULES, "a")


def test_what_has_changed_meanwhile_is_neither_replaced_nor_added_again(store: Store) -> None:
    store.schedules.add(a_schedule())
    newer = a_schedule(due_at=MONDAY + timedelta(days=1))
    assert store.schedules.replace(a_schedule(), newer)
    assert not store.schedules.replace(a_schedule(), a_schedule(is_paused=True))
    store.schedules.add(a_schedule())
    assert store.get(SCHEDULES, "s-1") == newer
    assert not store.schedules.replace(a_schedule(schedule_id="gone"), a_schedule(schedule_id="gone"))


def test_of_many_that_replace_at_once_one_does(store: Store) -> None:
    store.schedules.add(a_schedule())
    schedules = [replace(a_schedule(), due_at=MONDAY + timedelta(days=n)) for n in range(1, 9)]
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda new: store.schedules.replace(a_schedule(), new), schedules))
    assert done.count(True) == 1
    assert store.get(SCHEDULES, "s-1") == schedules[done.index(True)]
