"""What Flower remembers: all that waits, runs or has failed, and of what has gone well only the newest.

A fleet that works has little else than tasks that went well, and each of them takes 4 kB. Celery forgets the oldest, whatever
became of it: a failed candidate would go with the thousands that succeed after it.
"""

from __future__ import annotations

import gc
from collections import OrderedDict

from celery import states
from flower.events import EventsState

from worker.fleet.failure_events import LOST

KEPT = 20_000  # tasks, whatever became of them
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
        self._forget()

    def event(self, event: dict[str, object]) -> None:
        """Take an event in, and forget what has gone well before."""
        if event["type"] == LOST and (failed := self._failed(event)) is None:
            return
        super().event(failed if event["type"] == LOST else event)
        if event["type"] == "task-succeeded":
            self._ended_well[event["uuid"]] = None
            self._forget()

    def _failed(self, lost: dict[str, object]) -> dict[str, object] | None:
        """That a task was lost, as if its worker had said that it failed; None = it has ended, or nobody knows it."""
        task = self.tasks.get(lost["uuid"])
        if task is None or task.worker is None or task.state in states.READY_STATES:
            return None
        return lost | {
            "type": "task-failed",
            "hostname": task.worker.hostname,
            "local_received": None,
        }  # which is no sign of life

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
