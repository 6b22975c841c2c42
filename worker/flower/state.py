"""What Flower remembers: all that waits, runs or has failed, and of what has gone well only the newest.

A worker that is killed tells no end of its tasks, not even of the one that it has just ended: what it says is sent in bundles.
They have failed when another process begins under its name, when it says nothing for a minute, or when the reaper tells of them.

A fleet that works has little else than tasks that went well, and each of them takes 4 kB. Celery forgets the oldest, whatever
became of it: a failed candidate would go with the thousands that succeed after it.
"""

from __future__ import annotations

import gc
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator

from celery import states
from celery.events.state import Task, Worker
from flower.events import EventsState

from worker.fleet.failure_events import LOST

KEPT = 20_000  # tasks, whatever became of them
LOOK_SECONDS, SILENT_SECONDS = 30.0, 60.0  # how often workers are looked at, and how long one may say nothing
DIED = "its worker died before it told what became of this; what was not done is sent again"
SWEPT_EVERY = 200  # tasks that are forgotten: they refer to themselves, and Python would let tens of MB of them lie


class RememberedState(EventsState):  # type: ignore[misc] # Flower has no types
    """Flower's view of the fleet. Events come in its one thread."""

    heap_multiplier = 0.01  # events by time, which Flower never asks for
    kept_well = 500  # tasks that have gone well

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        ended_well = [task for _, task in self.tasks.items() if task.state == states.SUCCESS]
        oldest_first = sorted(ended_well, key=lambda task: task.succeeded or 0.0)
        self._ended_well = OrderedDict.fromkeys(task.uuid for task in oldest_first)
        self._forgotten = 0
        self._looked_at = time.time()  # workers that still live have time to say so
        self._forget()

    def event(self, event: dict[str, object]) -> None:
        """Take an event in, forget what has gone well before, and end what nobody will tell the end of."""
        kind, hostname = str(event["type"]), str(event["hostname"])
        if kind == LOST:
            self._fail(filter(None, [self.tasks.get(event["uuid"])]), str(event["exception"]))
            return
        has_died = kind == "worker-online" and self._is_another(event)
        super().event(event)
        if kind == "task-succeeded":
            self._ended_well[event["uuid"]] = None
            self._forget()
        if has_died:
            self._fail((task for task, worker in self._held() if worker.hostname == hostname), DIED)
        elif kind.startswith("worker-") and time.time() - self._looked_at > LOOK_SECONDS:
            self._looked_at = time.time()
            self._fail((task for task, worker in self._held() if _is_silent(worker)), DIED)

    def _is_another(self, online: dict[str, object]) -> bool:
        """Whether a worker that begins is another process than the one of its name before; in containers both may have one id."""
        before = self.workers.get(online["hostname"])
        if before is None or before.pid is None:
            return False
        done = online.get("processed")
        return before.pid != online.get("pid") or (isinstance(done, int) and done < (before.processed or 0))

    def _held(self) -> Iterator[tuple[Task, Worker]]:
        """Tasks that a worker has taken and not ended, as far as it has told, and the worker."""
        for task in self.tasks.values():
            if task.worker is not None and task.state in {states.RECEIVED, states.STARTED}:
                yield task, task.worker

    def _fail(self, tasks: Iterable[Task], why: str) -> None:
        """Let tasks have failed, which is no sign of life of their workers; a success that is told later counts for more."""
        for task in list(tasks):
            if task.state not in states.READY_STATES:
                task.event("failed", time.time(), None, {"exception": why, "traceback": ""})
                self._index_task(task, None)

    def _forget(self) -> None:
        while len(self._ended_well) > self.kept_well:
            uuid, _ = self._ended_well.popitem(last=False)
            task = self.tasks.get(uuid)
            if task is not None and task.state == states.SUCCESS:  # not one that has begun again
                self.tasks.pop(uuid, None)
                self.search_engine.remove(uuid)
                self._forgotten += 1
                if self._forgotten % SWEPT_EVERY == 0:
                    gc.collect()

    def _add_pending_task_child(self, task: object) -> None:
        """Who has sent a task is forgotten before it, so nobody waits for that to be told."""


def _is_silent(worker: Worker) -> bool:
    return not worker.heartbeats or time.time() - worker.heartbeats[-1] > SILENT_SECONDS
