"""Whose turn it is: queues are let in from projects in turn, counted over all jobs, on a real server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.fleet.runstate import RunState
from shared.fleet.runstate.values import Room, ToCome
from tests.factories import DEADLINE, MONDAY, a_work

TWO, FOUR = (Room(always=number, few=4, few_tasks=0, score_tasks=0, heavy_tasks=0) for number in (2, 4))
THREE = ("root.a", "root.b", "root.c")


def plan(run_state: RunState, job_id: str, project: str = "", queues: Sequence[str] = THREE, *, heavy: int = 0) -> None:
    """A job whose queues wait for their turn."""
    run_state.begin_job(job_id, DEADLINE)
    run_state.name_queues(job_id, queues, MONDAY, planned=5, heavy=heavy, project=project)


def turns(run_state: RunState, number: int) -> list[str]:
    """The jobs of the next queues, when each ends before the next one comes; those that run have room for one more."""
    let_in = []
    for _ in range(number):
        [(job_id, queue)] = run_state.turns.let_in(TWO)
        assert run_state.end_queue(job_id, queue)
        let_in.append(job_id)
    return let_in


def fill_up(run_state: RunState, number: int = 1) -> list[tuple[str, str]]:
    """Take so many places with a job that stays."""
    plan(run_state, "stays", "stays", [f"root.q{place}" for place in range(number)])
    return run_state.turns.let_in(Room(always=number, few=4, few_tasks=0, score_tasks=0, heavy_tasks=0))


def test_what_runs_is_counted_over_all_jobs(run_state: RunState) -> None:
    for number in range(60):
        plan(run_state, f"job-{number:02}")
    assert len(run_state.turns.let_in(FOUR)) == 4
    assert run_state.turns.let_in(FOUR) == []


def test_projects_take_turns_whatever_they_have_asked_for(run_state: RunState) -> None:
    for number in range(3):
        plan(run_state, f"greedy-{number}", "greedy")
    plan(run_state, "modest", "modest", [*THREE, "root.d"])
    for _ in range(2):
        let_in = run_state.turns.let_in(FOUR)
        assert [job.partition("-")[0] for job, _ in let_in] == ["greedy", "modest"] * 2
        for job_id, queue in let_in:
            run_state.end_queue(job_id, queue)


def test_within_a_project_its_jobs_take_turns_the_oldest_first(run_state: RunState) -> None:
    fill_up(run_state)
    for number in range(3):
        plan(run_state, f"job-{number}")
    assert turns(run_state, 9) == ["job-0", "job-1", "job-2"] * 3


def test_a_job_that_comes_later_stands_behind_those_that_wait(run_state: RunState) -> None:
    fill_up(run_state)
    plan(run_state, "job-0")
    plan(run_state, "job-1")
    assert turns(run_state, 1) == ["job-0"]
    plan(run_state, "job-2")
    assert turns(run_state, 4) == ["job-1", "job-0", "job-2", "job-1"]


def test_a_project_of_which_none_runs_has_room_for_one(run_state: RunState) -> None:
    plan(run_state, "greedy", "greedy", [f"root.q{place}" for place in range(9)])
    assert Counter(job for job, _ in run_state.turns.let_in(FOUR)) == {"greedy": 4}
    plan(run_state, "modest", "modest")
    assert run_state.turns.let_in(FOUR) == [("modest", "root.a")]
    assert run_state.turns.let_in(FOUR) == []


def test_jobs_with_heavy_candidates_hold_up_none_without(run_state: RunState) -> None:
    for number in range(4):
        plan(run_state, f"heavy-{number}", heavy=1)
    assert len(run_state.turns.let_in(FOUR)) == 4
    plan(run_state, "light")
    assert {job for job, _ in run_state.turns.let_in(FOUR)} == {"light"}


def test_a_queue_that_waits_for_a_service_holds_up_no_other_job(run_state: RunState) -> None:
    plan(run_state, "waits", queues=[f"root.q{place}" for place in range(9)])
    for job_id, queue in run_state.turns.let_in(FOUR):
        run_state.note_waiting(job_id, queue, "the source is away")
    plan(run_state, "works")
    assert run_state.turns.let_in(FOUR) == [("works", queue) for queue in THREE]  # and of `waits` there are enough that wait
    run_state.keep_work("waits", "root.q0", b"data", a_work())  # its source has come back
    assert run_state.turns.let_in(FOUR) == []
    run_state.end_queue("waits", "root.q0")
    assert run_state.turns.let_in(FOUR) == [("waits", "root.q4")]


def test_what_a_job_holds_is_free_when_it_has_ended(run_state: RunState) -> None:
    plan(run_state, "job-0")
    plan(run_state, "job-1")
    assert len(run_state.turns.let_in(FOUR)) == 4
    run_state.drop_job("job-0")
    assert run_state.turns.let_in(FOUR) == [("job-1", "root.c")]
    run_state.drop_job("job-1")
    assert run_state.client.keys("*") == []


@pytest.mark.parametrize("project", ["", "capacity forecasting", "a:b"])
def test_jobs_that_end_without_a_turn_leave_nothing_behind(run_state: RunState, project: str) -> None:
    fill_up(run_state, 2)
    plan(run_state, "job-0", project)
    run_state.drop_job("job-0")
    run_state.drop_job("stays")
    assert run_state.client.keys("*") == []


def test_jobs_whose_run_state_is_lost_keep_nobody_waiting(run_state: RunState) -> None:
    plan(run_state, "job-0")
    plan(run_state, "job-1")
    assert len(run_state.turns.let_in(FOUR)) == 4
    run_state.client.delete("job:job-0")  # as it expires
    assert {job for job, _ in run_state.turns.let_in(FOUR)} == {"job-1"}


def test_a_job_that_the_release_before_has_planned_joins_the_row(run_state: RunState) -> None:
    plan(run_state, "job-0")
    run_state.client.delete("turns:score", "turns:score:", "project:job-0")
    assert run_state.turns.let_in(FOUR) == []
    for _ in range(2):
        run_state.turns.enlist("job-0", "etl")
    assert run_state.turns.let_in(FOUR) == [("job-0", queue) for queue in THREE]
    run_state.turns.enlist("job-0", "etl")
    assert run_state.client.exists("turns:score") == 0


def test_many_that_fill_at_once_let_each_queue_in_once_and_no_more_than_have_room(run_state: RunState) -> None:
    for number in range(20):
        plan(run_state, f"job-{number:02}", f"project-{number % 2}")
    with ThreadPoolExecutor(8) as pool:
        let_in = [queue for part in pool.map(lambda _: run_state.turns.let_in(FOUR), range(16)) for queue in part]
    assert len(let_in) == len(set(let_in)) == 4


def test_what_waits_to_be_let_in_is_counted_over_all_jobs(run_state: RunState) -> None:
    assert run_state.turns.to_come() == ToCome(queues=0, heavy_tasks=0)
    run_state.begin_job("not planned", DEADLINE)
    plan(run_state, "job-0")
    plan(run_state, "job-1")
    run_state.turns.let_in(TWO)
    assert run_state.turns.to_come() == ToCome(queues=4, heavy_tasks=0)
    plan(run_state, "heavy", heavy=5)
    assert run_state.turns.to_come() == ToCome(queues=7, heavy_tasks=15)
