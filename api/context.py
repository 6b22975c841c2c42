"""What a view needs: settings, store, run state and a way to enqueue; opened on first use in each process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from hashlib import sha256

from flask import current_app

from shared.broker import enqueue_job, make_celery
from shared.drivers.redis_server import redis_server
from shared.runstate import RunState
from shared.settings import Settings
from shared.storage import Store, open_store

EXTENSION = "queuecast"
STORE_PATIENCE_SECONDS = 1.0  # with the broker's half second the answer comes in under two


@dataclass(frozen=True, kw_only=True)
class Services:
    """The services behind the API; connections must not cross gunicorn's fork, and the API starts while a service is away."""

    settings: Settings

    @cached_property
    def store(self) -> Store:
        """Our records."""
        return open_store(self.settings.store_location, patience_seconds=STORE_PATIENCE_SECONDS)

    @cached_property
    def run_state(self) -> RunState:
        """What running jobs say of themselves; raises BrokerAway while no embedded broker runs."""
        return RunState.open(self.settings, is_patient=False)

    @cached_property
    def enqueue(self) -> Callable[[str], None]:
        """Wake somebody up to plan the job of this id; raises BrokerAway."""
        return partial(enqueue_job, make_celery(redis_server(self.settings), "api"))

    @cached_property
    def cursor_key(self) -> str:
        """Signs cursors. Every API process of a fleet derives the same from the store they share; it protects nothing secret."""
        return sha256(self.settings.store_location.encode()).hexdigest()


def services() -> Services:
    """The services of the application that answers."""
    found: Services = current_app.extensions[EXTENSION]
    return found
