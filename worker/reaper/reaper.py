"""The reaper: a process of its own that makes sure every job ends: it looks every few seconds and does what recovery.py says.

One at a time by a lock; two at once do no harm. What it sees and cannot reach, it looks at again.
"""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version

import structlog
from redis.lock import Lock

from shared.config.settings import Settings
from shared.config.settings_file import SettingsFile
from shared.domain.jobs import Job
from shared.drivers.redis_server import redis_server
from shared.errors import FleetDiffers, JobNotFound, MessageLost, RecordUnreadable, ServiceError
from shared.fleet.broker import make_celery
from shared.fleet.chords import Chords
from shared.fleet.lanes import Lanes, LanesView
from shared.fleet.membership import Membership, membership
from shared.fleet.runstate import RunState
from shared.fleet.runstate.members import REAPER
from shared.fleet.runstate.values import RunningQueue
from shared.lifecycle import Lifecycle
from shared.telemetry import metrics
from shared.telemetry.said_once import Outage
from worker.fleet import workflow
from worker.fleet.after import after_end
from worker.fleet.failure_events import tell_lost
from worker.job.attempts import record_failure
from worker.job.cold_start import unheld_queues
from worker.job.concurrency import fill
from worker.job.resources import Resources, current_resources, provide
from worker.reaper import decisions, notices, retention, schedules
from worker.reaper.recovery import Action, ActionKind, JobView, TasksView, actions_for, orphans

AGREE_SECONDS = 10.0  # a case counts when two looks this far apart agree
PERIOD_SECONDS, LOCK_SECONDS, MAX_PAUSE_SECONDS = 5.0, 30, 60.0
MAX_SENT = 3  # so often a candidate's message may be lost
SUSPICIOUS = 5  # a case treated so often does not heal: an operator should look

log = structlog.get_logger(__name__)


@dataclass
class Casebook:
    """Since when each case was seen and how often it was treated: first after AGREE_SECONDS, then with growing pauses."""

    agree_seconds: float = AGREE_SECONDS
    due_at: dict[Action, float] = field(default_factory=dict)
    treated: Counter[Action] = field(default_factory=Counter)
    rounds: decisions.Rounds = field(default_factory=decisions.Rounds)
    forget_at: float = 0.0  # by the monotonic clock: when old records are forgotten next

    def due(self, seen: set[Action], jobs: Collection[str], now: float) -> list[Action]:
        """The cases to treat at `now` (epoch seconds).

        A case that is not seen any more must be seen twice again; how often it was treated is forgotten with its job only.
        """
        self.due_at = {action: at for action, at in self.due_at.items() if action in seen}
        self.treated = Counter({action: times for action, times in self.treated.items() if action.job_id in jobs})
        due = []
        for action in sorted(seen, key=lambda action: (action.job_id, action.queue, action.index)):
            if now >= self.due_at.setdefault(action, now + self.agree_seconds):
                self.treated[action] += 1
                self.due_at[action] = now + min(MAX_PAUSE_SECONDS, self.agree_seconds * 2 ** (self.treated[action] - 1))
                due.append(action)
        return due


def run_reaper(settings: Settings, *, once: bool = False, period: float = PERIOD_SECONDS, agree: float = AGREE_SECONDS) -> None:
    """Look and treat until SIGTERM or SIGINT; with `once`, one look only, and every case it sees is treated at once."""
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    make_celery(redis_server(settings), "api").set_current()
    resources = Resources(settings, file=SettingsFile())
    provide(resources)  # to what carries the actions out
    lanes, chords, casebook = Lanes.open(settings), Chords.open(settings), Casebook(agree_seconds=0.0 if once else agree)
    look = partial(_look, resources, lanes, chords, casebook)
    metrics.expect_reaps(ActionKind)
    lock = resources.run_state.members.lock(REAPER, LOCK_SECONDS)
    outage = Outage(log, "the reaper waits", "the reaper goes on")
    with membership(settings, REAPER) as mine:
        log.info("the reaper has begun", every_seconds=period)
        while not stopped.is_set():
            try:
                _turn(resources, mine, lock, look)
                outage.over()
            except ServiceError as error:
                outage.met(error)
            except FleetDiffers:
                raise
            except Exception:  # keys that somebody else has written, or a bug of ours: the next look may do better
                log.exception("a look of the reaper failed")
                if once:
                    raise
            if once:
                return
            stopped.wait(period)


def _turn(resources: Resources, mine: Membership, lock: Lock, look: Callable[[], None]) -> None:
    resources.follow_file()
    with suppress(ServiceError):
        mine.beat()
    if resources.run_state.members.holds(lock):
        look()


def _look(resources: Resources, lanes: Lanes, chords: Chords, casebook: Casebook) -> None:
    resources.run_state.members.announce_version(REAPER, version("queuecast"))
    _pass(resources, lanes, casebook)
    chords.sweep(partial(_open_jobs, resources))
    schedules.fire_due(resources, datetime.now(UTC), workflow.send_plan)
    decisions.look(resources, datetime.now(UTC), casebook.rounds)
    notices.send_due(resources, datetime.now(UTC))
    casebook.forget_at = _forget_old(resources, casebook.forget_at)


def _forget_old(resources: Resources, due_at: float) -> float:
    """Forget what is too old, and enlist workers of an older release, when that is due; returns when it is next (monotonic)."""
    if time.monotonic() < due_at:
        return due_at
    retention.forget_old(resources, datetime.now(UTC))
    resources.run_state.members.enlist_unlisted()
    return time.monotonic() + retention.PERIOD_SECONDS


def _pass(resources: Resources, lanes: Lanes, casebook: Casebook) -> None:
    now = datetime.now(UTC)
    view = lanes.look()
    tasks = _tasks_view(resources.run_state, view)
    jobs = _job_views(resources)
    seen = {replace(action, queued_at=job.queued_at) for job in jobs for action in actions_for(job, tasks, now)}
    for action in casebook.due(seen, {job.job_id for job in jobs}, now.timestamp()):
        _treat(action, casebook.treated[action])
    _let_in(resources.run_state, jobs)
    if lost := orphans(tasks, {job.job_id for job in jobs} | resources.run_state.active(), now):
        lanes.forget([view.held[task_id] for task_id in lost])
        tell_lost((task_id for task_id in lost if task_id not in tasks.working), "its job has ended, and its worker is gone")


def _treat(action: Action, times: int) -> None:
    """Carry out an action for the `times`-th time; one that goes wrong must not keep the others from their jobs."""
    say = log.warning if times >= SUSPICIOUS else log.info
    say("recovery action", what=action.kind.value, times=times, **action.about())
    metrics.REAPS.labels(action.kind.value).inc()
    try:
        _handlers(current_resources().lifecycle, datetime.now(UTC))[action.kind](action, times)
    except ServiceError:
        raise
    except Exception:  # a bug of ours, about one job: it is in the log, and the deadline of the job comes all the same
        log.exception("the recovery action failed", what=action.kind.value, job_id=action.job_id)


def _let_in(run_state: RunState, jobs: Collection[JobView]) -> None:
    """Fill what is free, which whoever should have done it may not have lived to do; jobs of the release before join the row."""
    for job in jobs:
        if job.running is not None and job.running.has_waiting:
            run_state.turns.enlist(job.job_id, job.project)
    for job_id, queue in fill(run_state):
        workflow.begin_queue(job_id, queue, run_state.readings.upon(job_id, queue))


def _open_jobs(resources: Resources) -> set[str]:
    return resources.run_state.active() | {job.job_id for job in resources.store.jobs.open()}


def _tasks_view(run_state: RunState, view: LanesView) -> TasksView:
    return TasksView(
        waiting=frozenset(view.waiting),
        held={task_id: held.since for task_id, held in view.held.items()},
        working=frozenset().union(*(worker.tasks for worker in run_state.members.workers())),
        broker_uptime_seconds=view.uptime_seconds,
    )


def _job_views(resources: Resources) -> list[JobView]:
    rows: dict[str, Job | None] = {job.job_id: job for job in resources.store.jobs.open()}
    for job_id in resources.run_state.active() - rows.keys():
        try:
            rows[job_id] = resources.store.jobs.get(job_id)
        except JobNotFound:
            rows[job_id] = None
        except RecordUnreadable:  # its run state stays: who can read it may mend it, and its row is in the log
            continue
    return [_job_view(resources.run_state, job_id, job) for job_id, job in rows.items()]


def _job_view(run_state: RunState, job_id: str, job: Job | None) -> JobView:
    running = run_state.running_job(job_id)
    return JobView(
        job_id=job_id,
        state=job.state if job else None,
        deadline_at=job.deadline_at if job else None,
        running=running,
        queues=tuple(_awaiting(run_state, job_id, queue) for queue in unheld_queues(run_state, job_id)) if running else (),
        project=job.account if job else "",
        queued_at=job.queued_at if job else None,
    )


def _awaiting(run_state: RunState, job_id: str, queue: RunningQueue) -> RunningQueue:
    """With the block that it waits for."""
    return queue if queue.blocks is not None else replace(queue, awaited=run_state.readings.upon(job_id, queue.queue).awaited)


def _send_solo(action: Action, times: int) -> None:
    """Send a lost candidate again; lost too often, it is a Failure and the queue goes on without it."""
    job_id, queue, index = action.job_id, action.queue, action.index
    if times <= MAX_SENT:
        workflow.send_solo(job_id, queue, index, action.lane)
        tell_lost([action.lost], "lost, most likely with its worker; what is left of it is sent again, candidate by candidate")
        return
    tell_lost([action.task_id], str(MessageLost()))
    run_state = current_resources().run_state
    with run_state.within_run(job_id):
        is_recorded = record_failure(run_state, job_id, queue, index, MessageLost())
    if is_recorded:
        workflow.send_select(job_id, queue)


def _ended(job_id: str, has_ended: bool) -> None:
    if has_ended:
        after_end(current_resources().store, job_id)


def _handlers(lifecycle: Lifecycle, now: datetime) -> dict[ActionKind, Callable[[Action, int], None]]:
    return {
        ActionKind.CLEAN_UP: lambda action, _: lifecycle.let_go(action.job_id),
        ActionKind.PASS_DEADLINE: lambda action, _: _ended(action.job_id, lifecycle.pass_deadline(action.job_id, now)),
        ActionKind.FINISH: lambda action, _: _ended(action.job_id, lifecycle.finish(action.job_id, now)),
        ActionKind.REPLAN: lambda action, _: lifecycle.replan(action.job_id, now, workflow.send_plan),
        ActionKind.SEND_PLAN: lambda action, _: workflow.send_plan(action.job_id),
        ActionKind.SEND_READ: lambda action, _: workflow.send_read(action.job_id, action.index),
        ActionKind.SEND_INGEST: lambda action, _: workflow.send_ingest(action.job_id, action.queue),
        ActionKind.SEND_SELECT: lambda action, _: workflow.send_select(action.job_id, action.queue),
        ActionKind.SEND_SOLO: _send_solo,
    }
