"""What an account may have, counted exactly by every store."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.domain.allowances import Allowance
from shared.domain.jobs import Job, JobState
from shared.errors import AllowanceUsedUp, KeyReused
from shared.store import Store
from tests.factories import MONDAY, a_job, a_request, a_schedule

TOKEN = "a token"
THREE = Allowance(open_jobs=3)


def a_job_of(project: str, number: int, client: str = TOKEN, **changes: int) -> Job:
    return a_job(job_id=f"{project}-{client}-{number}", client=client, request=a_request(project=project, **changes))


def is_let_in(store: Store, job: Job, allowance: Allowance = THREE) -> bool:
    try:
        store.jobs.add(job, allowance)
    except AllowanceUsedUp:
        return False
    return True


def test_of_four_clients_at_once_none_gets_more_than_there_is(store: Store) -> None:
    jobs = [a_job_of("etl", number) for number in range(24)]
    with ThreadPoolExecutor(4) as pool:
        let_in = list(pool.map(lambda job: is_let_in(store, job, Allowance(open_jobs=10)), jobs))
    assert sum(let_in) == len(store.jobs.open()) == 10


def test_the_candidates_that_open_jobs_may_ask_for_are_counted(store: Store) -> None:
    allowance = Allowance(candidates=5_000)
    jobs = [a_job_of("etl", number, max_candidates=2_000) for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(lambda job: is_let_in(store, job, allowance), jobs)) == 2
    with pytest.raises(AllowanceUsedUp, match=r"may ask for: 4,000 of 5,000 are used, 1,001 more .* max_candidates"):
        store.jobs.add(a_job_of("etl", 9, max_candidates=1_001), allowance)
    assert is_let_in(store, a_job_of("etl", 10, max_candidates=1_000), allowance)


def test_each_project_has_its_own(store: Store) -> None:
    for number in range(3):
        assert is_let_in(store, a_job_of("etl", number))
    with pytest.raises(AllowanceUsedUp, match="open jobs of project 'etl': 3 of 3 are used; wait until one ends"):
        store.jobs.add(a_job_of("etl", 3), THREE)
    assert is_let_in(store, a_job_of("ads", 3))


def test_whoever_has_no_token_or_names_no_project_shares_one(store: Store) -> None:
    assert is_let_in(store, a_job_of("etl", 0, client="local"))
    assert is_let_in(store, a_job_of("ads", 0, client="local"))
    assert is_let_in(store, a_job_of("", 0))
    assert not is_let_in(store, a_job_of("yet another", 0, client="local"))
    assert not is_let_in(store, a_job_of("", 1))
    assert is_let_in(store, a_job_of("etl", 1))


def test_a_job_that_ends_makes_room_and_a_retry_needs_it(store: Store) -> None:
    for number in range(3):
        store.jobs.add(a_job_of("etl", number), THREE)
    first = a_job_of("etl", 0).job_id
    assert store.jobs.move(first, {JobState.QUEUED}, JobState.CANCELLED, None, MONDAY)
    assert is_let_in(store, a_job_of("etl", 3))
    with pytest.raises(AllowanceUsedUp):
        store.jobs.reopen(first, {JobState.CANCELLED}, MONDAY, allowance=THREE)
    assert store.jobs.get(first).state is JobState.CANCELLED
    assert not store.jobs.reopen(first, {JobState.FAILED}, MONDAY, allowance=THREE)  # it is not refused for what it is not
    assert store.jobs.move(a_job_of("etl", 3).job_id, {JobState.QUEUED}, JobState.CANCELLED, None, MONDAY)
    assert store.jobs.reopen(first, {JobState.CANCELLED}, MONDAY, allowance=THREE)
    assert not is_let_in(store, a_job_of("etl", 4))


def test_a_job_that_is_there_is_given_again_however_many_there_are(store: Store) -> None:
    keyed = a_job(job_id="keyed", client=TOKEN, idempotency_key="key", fingerprint="print", request=a_request(project="etl"))
    plain = a_job_of("etl", 1)
    two = Allowance(open_jobs=2)
    for _ in range(2):
        assert store.jobs.add(keyed, two) == keyed
        assert store.jobs.add(plain, two) == plain
    again = a_job(job_id="again", client=TOKEN, idempotency_key="key", fingerprint="print", request=a_request(project="etl"))
    assert store.jobs.add(again, two) == keyed
    with pytest.raises(KeyReused):
        store.jobs.add(a_job(job_id="other", client=TOKEN, idempotency_key="key", fingerprint="another"), two)


def test_schedules_are_counted_by_project_also_of_many_at_once(store: Store) -> None:
    allowance = Allowance(schedules=5)

    def add(number: int) -> bool:
        schedule = a_schedule(schedule_id=f"s-{number}", client=TOKEN, request=a_request(project="etl"))
        try:
            store.schedules.add(schedule, allowance)
        except AllowanceUsedUp:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(add, range(12))) == len(store.schedules.all()) == 5
    store.schedules.add(a_schedule(schedule_id="local", request=a_request(project="etl")), allowance)
    store.schedules.remove(store.schedules.all()[-1].schedule_id)
    assert add(20)
