"""A queue's work as Celery messages: the only file that knows chords.

    ingest ──▶ chord( score block 1 | score block 2 | … ) ──▶ select
                        └── a header task fails ──▶ select_after_error ──▶ select

Truth is in the run state, which `select` reads; the chord only triggers it without delay.
"""

from __future__ import annotations

from textwrap import shorten

import celery

from shared.domain.forecasts import Block, QueueWork
from shared.domain.lanes import Lane
from shared.drivers.faults import translated
from shared.errors import BrokerAway
from shared.fleet.broker import TaskName
from shared.fleet.chords import chord_name
from shared.fleet.runstate.values import Reads
from worker.fleet.task_ids import apply_id, block_id, decide_id, ingest_id, plan_id, read_id, select_id, solo_id, verify_id

MAX_SHOWN_LENGTH = 160  # of a block's candidates; the message travels with it


def publish_queue(job_id: str, queue: str, work: QueueWork) -> None:
    """Send a queue's blocks, and `select` when all of them have run, at once where there are none. Sent twice it does no harm."""
    if not work.blocks:
        send_select(job_id, queue)
        return
    header = [_score_block(job_id, queue, block, work) for block in work.blocks]
    rescue = celery.signature(TaskName.SELECT_AFTER_ERROR.value, kwargs={"job_id": job_id, "queue": queue})
    chord = celery.chord(header, _select(job_id, queue, Lane.SELECT).on_error(rescue))
    _send(chord.set(task_id=chord_name(job_id, queue)))  # names the header only; a group's own name would get lost


def send_plan(job_id: str) -> None:
    """Wake somebody up to plan the job."""
    _send(_call(TaskName.PLAN, job_id, task_id=plan_id(job_id), lane=Lane.PLAN, shown=job_id))


def send_read(job_id: str, block: int) -> None:
    """Wake somebody up to read a block of the job's queues."""
    _send(_call(TaskName.READ, job_id, block, task_id=read_id(job_id, block), lane=Lane.PLAN, shown=f"block {block}"))


def begin_queue(job_id: str, queue: str, reads: Reads) -> None:
    """Send what follows when a queue has been let in: it is ingested, at once or by whoever has read its block."""
    for block in reads.begins:
        send_read(job_id, block)
    if reads.awaited is None:
        send_ingest(job_id, queue)


def send_ingest(job_id: str, queue: str) -> None:
    """Wake somebody up to read a queue."""
    _send(_call(TaskName.INGEST, job_id, queue, task_id=ingest_id(job_id, queue), lane=Lane.PLAN, shown=queue))


def send_solo(job_id: str, queue: str, index: int, lane: Lane) -> None:
    """Send one candidate outside its chord; recording the last outcome, it sends `select` itself."""
    shown = f"{queue} candidate {index}"
    task = _call(TaskName.SCORE, job_id, queue, index, index, True, task_id=solo_id(job_id, queue, index), lane=lane, shown=shown)
    _send(task)


def send_select(job_id: str, queue: str, lane: Lane = Lane.SELECT) -> None:
    """Wake somebody up to choose the queue's winner; in the heavy lane when its refit is heavy."""
    _send(_select(job_id, queue, lane))


def send_verify(job_id: str, first: int = 0) -> None:
    """Wake somebody up to verify earlier forecasts of the job's queues. A lost message is not sent again."""
    _send(_call(TaskName.VERIFY, job_id, first, task_id=verify_id(job_id, first), lane=Lane.PLAN, shown=job_id))


def send_decide(decision_id: str) -> None:
    """Wake somebody up to make a decision. A lost message is sent again by the reaper."""
    _send(_call(TaskName.DECIDE, decision_id, task_id=decide_id(decision_id), lane=Lane.PLAN, shown=decision_id))


def send_apply(decision_id: str) -> None:
    """Wake somebody up to put a decision into force, or to see what became of it. A lost message is sent again by the reaper."""
    _send(_call(TaskName.APPLY, decision_id, task_id=apply_id(decision_id), lane=Lane.PLAN, shown=decision_id))


def _send(signature: celery.Signature[object]) -> None:
    """A broker that is away, or that refuses, is waited for by whoever sends: it is no failure of the queue."""
    with translated(BrokerAway):
        signature.apply_async()


def _select(job_id: str, queue: str, lane: Lane) -> celery.Signature[object]:
    is_heavy = lane is Lane.HEAVY
    task_id = select_id(job_id, queue, is_heavy=is_heavy)
    return _call(TaskName.SELECT, job_id, queue, is_heavy, task_id=task_id, lane=lane, shown=queue)


def _score_block(job_id: str, queue: str, block: Block, work: QueueWork) -> celery.Signature[object]:
    labels = "; ".join(candidate.label for candidate in work.candidates[block.first : block.last + 1])
    shown = shorten(f"{queue} {labels}", MAX_SHOWN_LENGTH, placeholder=" …")
    task_id = block_id(job_id, queue, block)
    return _call(TaskName.SCORE, job_id, queue, block.first, block.last, False, task_id=task_id, lane=block.lane, shown=shown)


def _call(name: TaskName, *arguments: str | int, task_id: str, lane: Lane, shown: str) -> celery.Signature[object]:
    """By value, because Celery takes the enum's member for a task; immutable, so that no list of results travels.

    `shown` is what Flower lists as the task's arguments; what it searches has the job besides, which its list has no room for.
    """
    options = {"task_id": task_id, "queue": lane.value, "argsrepr": shown, "kwargsrepr": str(arguments[0])}
    return celery.signature(name.value, args=arguments, options=options, immutable=True)
