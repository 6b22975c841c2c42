"""Celery's events for Flower, several in a message: sent one by one, they are half of what the main process costs a task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from celery import bootsteps

if TYPE_CHECKING:
    from celery.worker.consumer import Consumer
    from kombu.asynchronous.timer import Entry

WITHIN_SECONDS = 0.2


class EventBatches(bootsteps.StartStopStep):
    """Holds events of tasks until Celery has 24 of them, or the first has waited; a crash may lose them."""

    requires = ("celery.worker.consumer.events:Events",)

    def __init__(self, consumer: Consumer, **options: object) -> None:
        super().__init__(consumer, **options)
        self._timer: Entry | None = None

    def start(self, consumer: Consumer) -> None:
        """Instead of with each turn of the loop; again after every reconnect, with the new dispatcher."""
        dispatcher, hub = consumer.event_dispatcher, consumer.hub  # type: ignore[attr-defined] # the stubs lack them

        def flush() -> None:
            self._timer = None
            dispatcher.flush()

        def wait() -> None:
            if self._timer is None:
                self._timer = hub.call_later(WITHIN_SECONDS, flush)

        if dispatcher is not None and dispatcher.on_send_buffered:
            dispatcher.on_send_buffered = wait

    def stop(self, consumer: Consumer) -> None:
        """Send what is there."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            consumer.event_dispatcher.flush()  # type: ignore[attr-defined] # likewise
