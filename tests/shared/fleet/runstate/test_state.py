"""The run state on a real server: what is atomic, what happens twice, and what is left behind."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from shared.config.settings import Settings
from shared.domain.codec import to_json
from shared.domain.forecasts import Failure
from shared.domain.jobs import Progress, QueueState, Tally
from shared.domain.lanes import MAX_TASK_SECONDS, Lane
from shared.domain.model_cards import ModelCard
from shared.errors import BrokerAway, MessageLost
from shared.fleet.runstate import RunState
from shared.fleet.runstate.values import LivingWorker
from tests.factories import DEADLINE, JOB, MONDAY, QUEUE, a_work, let_in

WORK = a_work()
FAILURE = Failure(candidate=WORK.candidates[0], error=MessageLost.__name__, reason="lost")


@pytest.fixture
def job(run_state: RunState) -> RunState:
    """A run state in which one job with two queues is planned."""
    run_state.begin_job(JOB, DEADLINE)
    run_state.name_queues(JOB, [QUEUE, "root.adhoc"], MONDAY, planned=5)
    return run_state


def test_a_job_is_known_from_its_beginning_to_its_end(run_state: RunState) -> None:
    run_state.begin_job(JOB, DEADLINE)
    running = run_state.running_job(JOB)
    assert running is not None
    assert not running.is_planned
    assert running.deadline_at == DEADLINE
    assert run_state.active() == {JOB}
    run_state.drop_job(JOB)
    assert run_state.running_job(JOB) is None
    assert run_state.active() == set()


def test_a_run_state_that_cannot_be_read_is_as_good_as_lost(job: RunState) -> None:
    [job_id] = job.active()
    assert job.running_job(job_id) is not None
    job.client.hset(f"job:{job_id}", "deadline_at", b"\xffgarbage")
    assert job.running_job(job_id) is None


def test_the_queues_are_named_once(job: RunState) -> None:
    job.name_queues(JOB, ["another"], MONDAY + timedelta(hours=1), planned=99)
    running = job.running_job(JOB)
    assert running is not None
    assert list(job.queue_states(JOB)) == [QUEUE, "root.adhoc"]
    assert (running.queues, running.issued_at) == (2, MONDAY)
    assert running.progress == Progress(queues=Tally(total=2), candidates=Tally(total=10))


def test_the_window_lets_queues_in_one_by_one(job: RunState) -> None:
    assert let_in(job, JOB, 1) == [QUEUE]
    assert let_in(job, JOB, 1) == []
    assert job.end_queue(JOB, QUEUE)
    assert let_in(job, JOB, 1) == ["root.adhoc"]
    assert job.queue_states(JOB) == {QUEUE: (QueueState.SUCCEEDED, None), "root.adhoc": (QueueState.RUNNING, None)}


def test_many_processes_that_let_queues_in_let_each_in_once(run_state: RunState) -> None:
    names = [f"root.q{number}" for number in range(40)]
    run_state.begin_job(JOB, DEADLINE)
    run_state.name_queues(JOB, names, MONDAY, planned=1)
    with ThreadPoolExecutor(8) as pool:
        released = [name for part in pool.map(lambda _: let_in(run_state, JOB, 40), range(8)) for name in part]
    assert sorted(released) == sorted(names)


def test_the_first_work_of_a_queue_counts(job: RunState) -> None:
    other = a_work(WORK.candidates[0])
    assert job.keep_work(JOB, QUEUE, b"first", WORK) == WORK
    assert job.keep_work(JOB, QUEUE, b"second", other) == WORK
    assert (job.work_and_snapshot(JOB, QUEUE) or ())[1] == b"first"


def test_progress_counts_what_there_really_is_once_the_data_are_seen(job: RunState) -> None:
    job.keep_work(JOB, QUEUE, b"data", WORK)  # two candidates instead of the five that were planned
    job.attempts.record(JOB, QUEUE, 0, FAILURE)
    job.end_queue(JOB, "root.adhoc", "no data")  # none instead of five
    running = job.running_job(JOB)
    assert running is not None
    assert running.progress == Progress(queues=Tally(total=2, done=1, failed=1), candidates=Tally(total=2, done=1, failed=1))


def test_attempts_are_counted_by_candidate_and_not_by_message(job: RunState) -> None:
    assert [job.attempts.begin(JOB, QUEUE, "0") for number in range(3)] == [1, 2, 3]
    assert job.attempts.begin(JOB, QUEUE, "1") == 1
    job.attempts.forgive(JOB, QUEUE, "0")
    job.attempts.forgive(JOB, QUEUE, "2")  # what was not counted is not forgiven
    assert [job.attempts.begin(JOB, QUEUE, what) for what in ("0", "2")] == [3, 1]


def test_the_first_outcome_counts_and_nothing_begins_where_it_is(job: RunState) -> None:
    later = Failure(candidate=WORK.candidates[0], error="Other", reason="too late")
    assert job.attempts.record(JOB, QUEUE, 0, FAILURE) == 1
    assert job.attempts.record(JOB, QUEUE, 0, later) == 1
    assert job.attempts.outcomes(JOB, QUEUE) == {0: FAILURE}
    assert job.attempts.begin(JOB, QUEUE, "0") == 0


def test_a_queue_ends_once(job: RunState) -> None:
    assert job.queue_end(JOB, QUEUE) is None
    assert job.end_queue(JOB, QUEUE, "no data")
    assert not job.end_queue(JOB, QUEUE)
    assert job.queue_end(JOB, QUEUE) == "no data"
    assert job.queue_states(JOB)[QUEUE] == (QueueState.FAILED, "no data")


def test_a_queue_is_not_given_up_while_anybody_delivers_it(job: RunState) -> None:
    first, second = job.begin_delivery(JOB, QUEUE), job.begin_delivery(JOB, QUEUE)
    assert first is not None
    assert second is not None
    job.end_delivery(JOB, first)
    assert job.delivering(JOB) == {QUEUE}
    assert not job.end_queue(JOB, QUEUE, "too late")
    job.client.hset(f"delivering:{JOB}", second, int(time.time()) - MAX_TASK_SECONDS - 1)  # its task has died
    assert job.end_queue(JOB, QUEUE, "too late")
    assert job.begin_delivery(JOB, QUEUE) is None


def test_a_queue_that_is_delivered_has_ended(job: RunState) -> None:
    assert job.begin_delivery(JOB, QUEUE) is not None
    assert job.end_queue(JOB, QUEUE)


def test_a_queue_that_has_ended_leaves_its_end_only(job: RunState) -> None:
    let_in(job, JOB, 2)
    work_on(job, QUEUE)
    work_on(job, "root.adhoc")
    job.end_queue(JOB, QUEUE)
    of_the_job = {f"{kind}:{JOB}".encode() for kind in ("job", "queues", "released", "done", "project")}
    of_the_other = {f"{kind}:{JOB}:root.adhoc".encode() for kind in ("candidates", "data", "outcome", "attempt")}
    assert set(everything(job)) == {b"active", b"let_in:score", *of_the_job, *of_the_other}
    job.end_queue(JOB, "root.adhoc", "no data")
    assert set(everything(job)) == {b"active", b"let_in:score", *of_the_job}
    running = job.running_job(JOB)
    assert running is not None  # and what was counted stays
    assert running.progress == Progress(queues=Tally(total=2, done=2, failed=1), candidates=Tally(total=4, done=2, failed=2))


def test_late_tasks_of_a_queue_that_has_ended_leave_nothing_behind(job: RunState) -> None:
    work_on(job, QUEUE)
    job.end_queue(JOB, QUEUE, "no data")
    changes_nothing(job)
    assert (job.work(JOB, QUEUE), job.work_and_snapshot(JOB, QUEUE), job.attempts.outcomes(JOB, QUEUE)) == (None, None, {})


def test_late_tasks_of_a_job_that_has_ended_leave_nothing_behind(job: RunState) -> None:
    work_on(job, QUEUE)
    job.drop_job(JOB)
    assert let_in(job, JOB, 4) == []
    job.name_queues(JOB, [QUEUE], MONDAY, planned=1)
    changes_nothing(job)
    assert everything(job) == {}


def test_a_task_of_an_earlier_run_writes_nothing_into_the_one_that_has_begun_since(job: RunState) -> None:
    with job.within_run(JOB):
        job.drop_job(JOB)
        begin_again(job)
        before = everything(job)
        assert job.running_job(JOB) is None
        assert let_in(job, JOB, 4) == []
        changes_nothing(job)
        job.note_waiting(JOB, QUEUE, "the source is away")
        job.name_queues(JOB, ["another"], MONDAY, planned=1)
        job.drop_job(JOB)
        assert everything(job) == before
    assert job.running_job(JOB) is not None
    job.drop_job(JOB)
    assert everything(job) == {}


def test_whoever_began_when_the_job_had_no_run_belongs_to_none(run_state: RunState) -> None:
    with run_state.within_run(JOB):
        begin_again(run_state)
        assert run_state.attempts.begin(JOB, QUEUE, "0") == 0
        run_state.drop_job(JOB)
    assert run_state.active() == {JOB}


def test_a_task_works_in_the_run_in_which_it_began(job: RunState) -> None:
    with job.within_run(JOB):
        job.begin_job(JOB, DEADLINE)  # repeating it changes nothing
        assert job.attempts.begin(JOB, QUEUE, "0") == 1
        assert job.attempts.record(JOB, QUEUE, 0, FAILURE) == 1
        assert job.end_queue(JOB, QUEUE)
        job.drop_job(JOB)
    assert everything(job) == {}


def work_on(run_state: RunState, queue: str) -> None:
    """Everything that a queue has while it runs."""
    run_state.keep_work(JOB, queue, b"data", WORK)
    run_state.attempts.begin(JOB, queue, "0")
    run_state.attempts.record(JOB, queue, 0, FAILURE)


def changes_nothing(run_state: RunState) -> None:
    """Whatever a task does for a queue that has ended, or of a run that has."""
    before = everything(run_state)
    assert run_state.attempts.begin(JOB, QUEUE, "0") == run_state.attempts.begin(JOB, QUEUE, "1") == 0
    assert run_state.attempts.record(JOB, QUEUE, 1, FAILURE) == -1
    assert run_state.attempts.record_and_begin(JOB, QUEUE, 0, FAILURE, then=1) == 0
    assert run_state.keep_work(JOB, QUEUE, b"data", WORK) is None
    assert not run_state.end_queue(JOB, QUEUE)
    run_state.attempts.forgive(JOB, QUEUE, "0")
    assert everything(run_state) == before


def begin_again(run_state: RunState) -> None:
    run_state.begin_job(JOB, DEADLINE)
    run_state.name_queues(JOB, [QUEUE], MONDAY, planned=5)


def everything(run_state: RunState) -> dict[bytes, bytes]:
    """Every key with what it holds."""
    return {key: run_state.client.dump(key) for key in run_state.client.keys("*")}


def test_one_candidate_is_recorded_and_the_next_begun_in_one_step(job: RunState) -> None:
    job.attempts.begin(JOB, QUEUE, "0")
    assert job.attempts.record_and_begin(JOB, QUEUE, 0, FAILURE, then=1) == 1
    assert job.attempts.record_and_begin(JOB, QUEUE, 0, FAILURE, then=1) == 2  # the message came again
    assert job.attempts.record(JOB, QUEUE, 1, FAILURE) == 2
    assert job.attempts.record_and_begin(JOB, QUEUE, 2, FAILURE, then=1) == 0  # that one has its outcome
    running = job.running_job(JOB)
    assert running is not None
    assert (running.progress.candidates.done, running.progress.candidates.failed) == (3, 3)
    job.end_queue(JOB, QUEUE)
    assert job.attempts.record_and_begin(JOB, QUEUE, 3, FAILURE, then=4) == 0
    job.drop_job(JOB)
    assert job.attempts.record_and_begin(JOB, QUEUE, 4, FAILURE, then=5) == 0


def test_every_key_of_a_job_expires_a_day_after_its_deadline(job: RunState) -> None:
    let_in(job, JOB, 4)
    job.keep_work(JOB, QUEUE, b"data", WORK)
    job.attempts.begin(JOB, QUEUE, "0")
    job.attempts.record(JOB, QUEUE, 0, FAILURE)
    job.end_queue(JOB, "root.adhoc")
    job.readings.keep(JOB, {"root.ml": b"read"})
    job.readings.mark_read(JOB, 0)
    expiries = {key: job.client.expiretime(key) for key in job.client.keys(f"*{JOB}*")}
    assert len(expiries) == 11
    assert set(expiries.values()) == {int((DEADLINE + timedelta(days=1)).timestamp())}


def test_the_reaper_sees_what_is_done_of_the_queues_that_run(job: RunState) -> None:
    let_in(job, JOB, 2)
    job.keep_work(JOB, QUEUE, b"data", WORK)
    job.attempts.begin(JOB, QUEUE, "1")
    job.attempts.record(JOB, QUEUE, 0, FAILURE)
    etl, adhoc = job.running_queues(JOB)
    assert (etl.queue, etl.blocks, etl.outcomes) == (QUEUE, WORK.blocks, frozenset({0}))
    assert (adhoc.queue, adhoc.blocks) == ("root.adhoc", None)


def test_a_worker_is_known_while_it_announces_itself(run_state: RunState) -> None:
    worker = LivingWorker(worker_id="a", lanes=("select", "score"), slots=2, tasks=frozenset({"job-1.root.etl.0-1"}))
    run_state.members.announce(worker)
    assert run_state.members.workers() == [worker]
    assert 0 < run_state.client.ttl("worker:a") <= 8
    run_state.client.delete("worker:a")  # as time does
    assert run_state.members.workers() == []
    assert not run_state.client.exists("workers")


def test_a_worker_of_the_release_before_is_known_once_the_reaper_has_looked(run_state: RunState) -> None:
    worker = LivingWorker(worker_id="a", lanes=("score",), slots=2)
    run_state.client.set("worker:a", to_json(worker), ex=8)
    run_state.members.enlist_unlisted()
    assert run_state.members.workers() == [worker]
    assert run_state.members.slots() == {"score": 2}


def test_the_catalogue_is_none_until_a_worker_publishes(run_state: RunState) -> None:
    card = ModelCard(name="last_value", summary="The last value.", lane=Lane.SCORE, cost=1, is_baseline=True)
    assert run_state.members.cards() is None
    run_state.members.publish([card])
    assert run_state.members.cards() == (card,)


def test_a_role_is_held_by_one_process_at_a_time(run_state: RunState) -> None:
    first, second = run_state.members.lock("reaper", 30), run_state.members.lock("reaper", 30)
    assert run_state.members.holds(first)
    assert not run_state.members.holds(second)
    assert run_state.members.holds(first)
    first.release()
    assert run_state.members.holds(second)


def test_a_stopped_server_is_broker_away() -> None:
    settings = Settings(broker_url="redis://127.0.0.1:1/0")
    with pytest.raises(BrokerAway, match="refused"):
        RunState.open(settings, is_patient=False).ping()


def test_what_a_queue_waits_for_is_remembered_until_the_job_ends(job: RunState) -> None:
    job.note_waiting(JOB, QUEUE, "the source is away")
    job.note_waiting(JOB, "", "the store is away")
    assert job.waiting_for(JOB) == {QUEUE: "the source is away", "": "the store is away"}
    job.drop_job(JOB)
    job.note_waiting(JOB, QUEUE, "too late")
    assert job.waiting_for(JOB) == {}
