"""What a view needs: settings, store, run state and a way to enqueue; opened on first use in each process."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256

from api.edge.known import KnownSessions, KnownTokens
from api.edge.outages import Outages
from shared.config.data_folder import token_note
from shared.config.settings import Settings
from shared.config.settings_file import SettingsFile
from shared.domain.day_ahead import DayAhead
from shared.domain.lanes import Lane
from shared.drivers.redis_server import redis_server
from shared.fleet.broker import App, enqueue_applying, enqueue_check, enqueue_decision, enqueue_job, enqueue_look, make_celery
from shared.fleet.lanes import Lanes
from shared.fleet.runstate import RunState
from shared.lifecycle import Lifecycle
from shared.store import Store, open_store

EXTENSION = "queuecast"  # where an application keeps its services
STORE_PATIENCE_SECONDS = 1.0  # with the broker's 0.5 s, a 503 is answered in under two


@dataclass(kw_only=True, eq=False)
class Services:
    """The services behind the API, which starts also while one of them is away."""

    settings: Settings
    file: SettingsFile | None = None  # whose connections are taken up when they change
    outages: Outages = field(default_factory=Outages)
    days_ahead: dict[object, DayAhead] = field(default_factory=dict)  # what was counted already: api/v1/tree_outlooks.py

    def follow_file(self) -> None:
        """Take up the connections that the configuration file has now."""
        if self.file is not None and (new := self.file.look(self.settings)) is not self.settings:
            self.settings = new

    @cached_property
    def store(self) -> Store:
        """Our records."""
        return open_store(self.settings.store_location, patience_seconds=STORE_PATIENCE_SECONDS)

    @cached_property
    def known_tokens(self) -> KnownTokens:
        """The tokens of the store."""
        return KnownTokens(lambda: self.store.tokens, note=token_note(self.settings))

    @cached_property
    def known_sessions(self) -> KnownSessions:
        """The sessions of the store."""
        return KnownSessions(lambda: self.store.sessions)

    @cached_property
    def run_state(self) -> RunState:
        """What running jobs say of themselves; raises BrokerAway while no embedded broker runs."""
        return RunState.open(self.settings, is_patient=False)

    @cached_property
    def lifecycle(self) -> Lifecycle:
        """What happens to jobs."""
        return Lifecycle(self.store, self.run_state)

    @cached_property
    def lanes(self) -> Lanes:
        """What waits for workers; raises BrokerAway while no embedded broker runs."""
        return Lanes.open(self.settings)

    @cached_property
    def _app(self) -> App:
        return make_celery(redis_server(self.settings), "api")

    def enqueue(self, job_id: str) -> None:
        """Send the task that plans the job; raises BrokerAway."""
        enqueue_job(self._app, job_id)

    def enqueue_check(self, question_id: str, lane: Lane) -> None:
        """Send the task that answers a validation question; raises BrokerAway."""
        enqueue_check(self._app, question_id, lane)

    def enqueue_look(self, question_id: str, lane: Lane) -> None:
        """Send the task that has a first look at a source; raises BrokerAway."""
        enqueue_look(self._app, question_id, lane)

    def enqueue_decision(self, decision_id: str) -> None:
        """Send the task that makes a decision; raises BrokerAway."""
        enqueue_decision(self._app, decision_id)

    def enqueue_applying(self, decision_id: str) -> None:
        """Send the task that puts a decision into force; raises BrokerAway."""
        enqueue_applying(self._app, decision_id)

    @cached_property
    def cursor_key(self) -> str:
        """Signs cursors; from the store's address, so that all API processes have the same. It protects nothing secret."""
        return sha256(self.settings.store_location.encode()).hexdigest()
