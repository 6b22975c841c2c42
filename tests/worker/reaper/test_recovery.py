"""What is seen → what is done: every row of the reaper's table, without a clock or a server."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.domain.forecasts import Block
from shared.domain.jobs import JobState, Progress
from shared.domain.lanes import Lane
from shared.fleet.runstate.values import RunningJob, RunningQueue
from tests.factories import MONDAY
from worker.reaper.reaper import Casebook
from worker.reaper.recovery import Action, ActionKind, JobView, TasksView, actions_for

JOB = "job-1"
QUEUE = "root.etl"
NOW = MONDAY
BLOCKS = (Block(first=0, last=1, lane=Lane.SCORE), Block(first=2, last=2, lane=Lane.HEAVY))


def a_running_job(**changes: Any) -> RunningJob:
    values: dict[str, Any] = {"queues": 1, "next": 1, "done": 0, "issued_at": MONDAY}
    return RunningJob(job_id=JOB, progress=Progress(), deadline_at=NOW + timedelta(hours=1), **(values | changes))


def a_job_view(**changes: Any) -> JobView:
    values: dict[str, Any] = {
        "state": JobState.RUNNING,
        "deadline_at": NOW + timedelta(hours=1),
        "running": a_running_job(),
        "queues": (RunningQueue(queue=QUEUE, blocks=BLOCKS, outcomes=frozenset()),),
    }
    return JobView(job_id=JOB, **(values | changes))


def a_tasks_view(**changes: Any) -> TasksView:
    values: dict[str, Any] = {"waiting": frozenset(), "held": {}, "working": frozenset(), "broker_uptime_seconds": 1_000}
    return TasksView(**(values | changes))


def seen(job: JobView, tasks: TasksView | None = None) -> list[Action]:
    return list(actions_for(job, tasks or a_tasks_view(), NOW))


def one_queue(**changes: Any) -> JobView:
    """A job whose one queue was let in."""
    return a_job_view(queues=(RunningQueue(queue=QUEUE, **({"blocks": BLOCKS, "outcomes": frozenset()} | changes)),))


NEVER_PLANNED = a_job_view(running=a_running_job(queues=None, next=0), queues=())
HALF_SCORED = one_queue(outcomes=frozenset({0}))


@pytest.mark.parametrize(
    ("job", "waiting", "done"),
    [
        # jobs that have ended, or that nobody knows: their run state is cleaned up
        (a_job_view(state=None), (), [ActionKind.CLEAN_UP]),
        (a_job_view(state=JobState.SUCCEEDED), (), [ActionKind.CLEAN_UP]),
        (a_job_view(state=JobState.CANCELLED), (), [ActionKind.CLEAN_UP]),
        (a_job_view(state=JobState.FAILED, running=None), (), []),
        # the deadline goes before everything else
        (a_job_view(deadline_at=NOW), (), [ActionKind.PASS_DEADLINE]),
        (a_job_view(deadline_at=NOW, running=None), (), [ActionKind.PASS_DEADLINE]),
        # open jobs
        (a_job_view(running=None), (), [ActionKind.REPLAN]),
        (a_job_view(running=a_running_job(done=1)), (), [ActionKind.FINISH]),
        (NEVER_PLANNED, (), [ActionKind.SEND_PLAN]),
        (NEVER_PLANNED, ("job-1.plan",), []),
        (a_job_view(running=a_running_job(queues=9, next=0), queues=()), (), []),  # its queues wait for their turn
        # queues that are read together with others: their block first, which has them ingested
        (one_queue(blocks=None, awaited=3), (), [ActionKind.SEND_READ]),
        (one_queue(blocks=None, awaited=3), ("job-1.3.read",), []),
        # queues that were let in
        (one_queue(blocks=None), (), [ActionKind.SEND_INGEST]),
        (one_queue(blocks=None), ("job-1.root.etl.ingest",), []),
        (one_queue(), ("job-1.root.etl.0-1", "job-1.root.etl.2.solo"), []),
        (one_queue(), ("job-1.root.etl.ingest",), []),  # its chord may still be on its way
        (HALF_SCORED, (), [ActionKind.SEND_SOLO, ActionKind.SEND_SOLO]),
        (one_queue(outcomes=frozenset({0, 1, 2})), (), [ActionKind.SEND_SELECT]),
        (one_queue(outcomes=frozenset({0, 1, 2})), ("job-1.root.etl.select.heavy",), []),
    ],
)
def test_what_is_seen_is_mended_unless_a_message_waits(job: JobView, waiting: tuple[str, ...], done: list[ActionKind]) -> None:
    assert [action.kind for action in seen(job, a_tasks_view(waiting=frozenset(waiting)))] == done


def test_candidates_whose_messages_are_gone_are_sent_alone_in_their_lane() -> None:
    assert [(action.index, action.lane) for action in seen(HALF_SCORED)] == [(1, Lane.SCORE), (2, Lane.HEAVY)]


HELD = "job-1.root.etl.ingest"


@pytest.mark.parametrize(
    ("since_seconds", "working", "uptime", "is_alive"),
    [
        (5, set(), 1_000, True),  # taken a moment ago: whoever took it has had no time to say so
        (60, {HELD}, 1_000, True),
        (60, {"job-1.root.etl.0-1"}, 1_000, False),  # its worker is dead, or has lost it with its connection
        (60, set(), 5, True),  # the broker has just started: living workers have not announced themselves yet
    ],
)
def test_a_message_that_is_held_lives_as_long_as_a_worker_says_so(
    since_seconds: int, working: set[str], uptime: int, is_alive: bool
) -> None:
    tasks = a_tasks_view(held={HELD: NOW.timestamp() - since_seconds}, working=frozenset(working), broker_uptime_seconds=uptime)
    assert tasks.is_alive(HELD, NOW) is is_alive


def test_what_is_sent_again_is_told_by_its_id_and_by_that_of_what_was_lost() -> None:
    [first, second] = seen(HALF_SCORED)
    about = {"job_id": JOB, "queue": QUEUE, "lost": "job-1.root.etl.0-1", "task_id": "job-1.root.etl.1.solo", "index": 1}
    assert first.about() == about
    assert second.lost == "job-1.root.etl.2-2"
    [plan] = seen(NEVER_PLANNED)
    assert plan.about() == {"job_id": JOB, "lost": "job-1.plan", "task_id": "job-1.plan"}


CASE = Action(kind=ActionKind.SEND_PLAN, job_id=JOB)


def test_a_case_is_treated_when_two_looks_agree_and_then_with_growing_pauses() -> None:
    casebook = Casebook(agree_seconds=10)
    treated_at = [second for second in range(0, 200, 5) if casebook.due({CASE}, {JOB}, second)]
    assert treated_at == [10, 20, 40, 80, 140]


def test_a_case_that_was_not_seen_in_between_must_be_seen_twice_again() -> None:
    casebook = Casebook(agree_seconds=10)
    assert casebook.due({CASE}, {JOB}, 0) == []
    assert casebook.due(set(), {JOB}, 5) == []
    assert casebook.due({CASE}, {JOB}, 10) == []
    assert casebook.due({CASE}, {JOB}, 20) == [CASE]


def test_a_case_of_an_earlier_run_of_the_job_says_nothing_of_a_later_one() -> None:
    casebook, again = Casebook(agree_seconds=10), replace(CASE, queued_at=NOW)
    assert casebook.due({CASE}, {JOB}, 0) == []
    assert casebook.due({again}, {JOB}, 10) == []
    assert casebook.due({again}, {JOB}, 20) == [again]
    assert casebook.treated == {again: 1}


def test_how_often_a_case_was_treated_is_remembered_as_long_as_its_job() -> None:
    casebook = Casebook(agree_seconds=0)
    casebook.due({CASE}, {JOB}, 0)
    casebook.due(set(), {JOB}, 5)
    casebook.due({CASE}, {JOB}, 10)
    assert casebook.treated[CASE] == 2
    casebook.due(set(), set(), 15)
    assert casebook.treated[CASE] == 0
