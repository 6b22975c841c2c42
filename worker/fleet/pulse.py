"""A worker's sign of life: a file for its watchdog, a key for everybody else. An event loop that turns is a worker that lives."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from celery import bootsteps
from celery.worker import state

from shared.errors import BrokerAway
from shared.fleet.runstate import RunState
from shared.fleet.runstate.values import LivingWorker
from worker.fleet.liveness import pulse_file
from worker.job.resources import current_resources

if TYPE_CHECKING:
    from celery.worker.consumer import Consumer
    from kombu.asynchronous.timer import Entry

TOUCH_SECONDS = 1.0
ANNOUNCE_SECONDS = 2.0


class Pulse(bootsteps.StartStopStep):
    """Beats in the consumer's event loop; started again after every reconnect."""

    def __init__(self, consumer: Consumer, **options: object) -> None:
        super().__init__(consumer, **options)
        resources = current_resources()
        self._timers: list[Entry] = []
        self._file = pulse_file(resources.settings, consumer.hostname.partition("@")[0])
        self._run_state = RunState.open(resources.settings, is_patient=False)  # the parent's own: children have theirs
        self._worker_id = resources.worker_id

    def start(self, consumer: Any) -> None:
        """Begin to beat."""
        lanes = tuple(consumer.app.amqp.queues.consume_from)
        slots = consumer.controller.concurrency
        me = LivingWorker(worker_id=self._worker_id, lanes=lanes, slots=slots, version=version("queuecast"))
        for beat, seconds in ((self._touch, TOUCH_SECONDS), (lambda: self._announce(me), ANNOUNCE_SECONDS)):
            beat()
            self._timers.append(consumer.hub.call_repeatedly(seconds, beat))

    def stop(self, consumer: object) -> None:  # noqa: ARG002 - Celery's signature
        """Stop to beat."""
        while self._timers:
            self._timers.pop().cancel()

    def _touch(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.touch()

    def _announce(self, me: LivingWorker) -> None:
        with suppress(BrokerAway):  # the loop must go on turning; the key says by its absence what there is to say
            self._run_state.members.announce(replace(me, tasks=frozenset(taken_tasks()), addresses=_addresses()))


def _addresses() -> dict[str, frozenset[str]]:
    """Where each connection leads, as the file of settings says it now."""
    resources = current_resources()
    resources.follow_file()
    settings = resources.settings
    return {name: each.every_address(name, settings.data_dir) for name, each in settings.all_connections.items()}


def taken_tasks() -> Iterator[str]:
    """Ids of the tasks that this worker has taken; of whatever else stands in `unacked` nobody will hear again.

    Celery forgets what it cannot acknowledge any more, after a lost connection or when the child of a task has died meanwhile.
    """
    waiting = state.scheduled_requests  # type: ignore[attr-defined] # the stubs are older
    for requests in (state.active_requests, state.reserved_requests, waiting):
        yield from (request.id for request in tuple(requests))
