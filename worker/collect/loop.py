"""The collector: a process of its own that looks at every cluster of a connection of kind yarn. One at a time, by a lock.

While the broker is away whoever had the lock goes on: two at once would write each sample of each, and do no harm.
"""

from __future__ import annotations

import signal
import threading
from contextlib import closing, suppress
from datetime import UTC, datetime
from importlib.metadata import version

import structlog
from redis.lock import Lock

from shared.config.connection import Connection
from shared.config.settings import Settings
from shared.config.settings_file import SettingsFile
from shared.connections.yarn import YarnConnection, readers
from shared.errors import InvalidSettings, QueuecastError, ServiceError
from shared.fleet.runstate import RunState
from shared.fleet.runstate.members import COLLECTOR
from shared.store import Store, open_store
from shared.telemetry.said_once import Outage
from worker.collect.daily_reports import DailyReports
from worker.collect.keeping import Keeping
from worker.collect.reports import Reports
from worker.collect.sinks.opened import open_samples
from worker.collect.watch import Outcome, Watch
from worker.fleet.liveness import COLLECTOR_PULSE, pulse_file

PERIOD_SECONDS = 2.0
LOCK_SECONDS = 15
STORE_PATIENCE_SECONDS = 1.0
END_SECONDS = 25.0  # for a look that is being taken

Route = tuple[YarnConnection, Connection | None]  # from a cluster to where its samples are kept

log = structlog.get_logger(__name__)


def run_collector(settings: Settings) -> None:
    """Collect until SIGTERM or SIGINT."""
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    if not clusters_of(settings):
        log.warning("there is no connection of kind yarn, so there is nothing to collect until there is one")
    Collector(settings).run(stopped)


def collect_once(settings: Settings) -> dict[str, Outcome]:
    """Look at each cluster once, whoever collects beside; connection → what has come of it."""
    run_state, leads = RunState.open(settings, is_patient=False), threading.Event()
    with closing(_store_of(settings)) as store:
        return {
            name: Watch(name, connection, _once(settings, connection, store), run_state, leads).look()
            for name, connection in clusters_of(settings).items()
        }


def report_now(settings: Settings) -> dict[str, int]:
    """Make the reports of each cluster's queues, whoever else does; connection → of how many queues. Raises what is met."""
    now = datetime.now(UTC)
    with closing(_store_of(settings)) as store:
        return {
            name: Reports(store, open_samples(settings, connection.samples), connection.cluster).make(now)
            for name, connection in clusters_of(settings).items()
        }


def clusters_of(settings: Settings) -> dict[str, YarnConnection]:
    """The clusters that are collected, by the name of their connection."""
    return readers(settings.all_connections)


def _store_of(settings: Settings) -> Store:
    """Our own, which no look waits for long."""
    return open_store(settings.store_location, patience_seconds=STORE_PATIENCE_SECONDS)


def _once(settings: Settings, connection: YarnConnection, store: Store) -> Keeping:
    """What begins no reports, which would go on after it."""
    return Keeping(connection, open_samples(settings, connection.samples), store)


def _keeping(settings: Settings, connection: YarnConnection, store: Store) -> Keeping:
    reports = DailyReports(settings, store, connection.samples, connection.cluster)
    return Keeping(connection, open_samples(settings, connection.samples), store, reports)


class Collector:
    """Watches, one for each cluster that the configuration has now, and the lock."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._file = settings, SettingsFile()
        self._run_state = RunState.open(settings, is_patient=False)
        self._store = _store_of(settings)
        self._lock: Lock = self._run_state.members.lock(COLLECTOR, LOCK_SECONDS)
        self._leads = threading.Event()
        self._watches: dict[str, Watch] = {}
        self._made_for: dict[str, Route] = {}
        self._refused: dict[str, str] = {}
        self._outage = Outage(log, "the collector does not know whether it is the only one", "the broker is back")

    def run(self, stopped: threading.Event) -> None:
        """Follow the configuration and hold the lock until the end."""
        pulse = pulse_file(self._settings, COLLECTOR_PULSE)
        pulse.parent.mkdir(exist_ok=True)
        try:
            while not stopped.is_set():
                pulse.touch()
                self._settings = self._file.look(self._settings)
                self._follow()
                self._hold()
                stopped.wait(PERIOD_SECONDS)
        finally:
            self._stop()
            pulse.unlink(missing_ok=True)

    def _hold(self) -> None:
        """Take the lock or renew it; whoever has lost it stops, and whoever cannot ask stays what he was."""
        try:
            is_ours = self._run_state.members.holds(self._lock)
            if is_ours:
                self._run_state.members.announce_version(COLLECTOR, version("queuecast"))
            self._outage.over()
        except ServiceError as error:
            self._outage.met(error)
            return
        if is_ours != self._leads.is_set():
            log.info("this collector collects" if is_ours else "another collector collects")
        (self._leads.set if is_ours else self._leads.clear)()

    def _follow(self) -> None:
        """Let go of watches of connections that have changed or are gone, and begin those that are new."""
        every = self._settings.all_connections
        wanted = {name: (yarn, every.get(yarn.samples)) for name, yarn in clusters_of(self._settings).items()}
        for name in [name for name in self._watches if wanted.get(name) != self._made_for[name]]:
            self._watches.pop(name).end()
        for name in sorted(wanted.keys() - self._watches.keys()):
            try:
                self._begin(name, wanted[name])
            except QueuecastError as error:
                self._refuse(name, str(error))

    def _begin(self, name: str, route: Route) -> None:
        yarn, _ = route
        if others := [other for other, watch in self._watches.items() if watch.connection.cluster == yarn.cluster]:
            raise InvalidSettings(
                f"the connection {others[0]} is the cluster {yarn.cluster!r} too; accepted is one for each cluster"
            )
        watch = Watch(name, yarn, _keeping(self._settings, yarn, self._store), self._run_state, self._leads)
        self._watches[name], self._made_for[name] = watch, route
        self._refused.pop(name, None)
        watch.start()

    def _refuse(self, name: str, problem: str) -> None:
        if self._refused.get(name) != problem:
            log.error("a cluster is not collected", connection=name, reason=problem)
        self._refused[name] = problem

    def _stop(self) -> None:
        """End every watch, and let another collector take over at once."""
        for watch in self._watches.values():
            watch.end()
        for watch in self._watches.values():
            watch.join(END_SECONDS / max(1, len(self._watches)))
        with suppress(ServiceError):  # then it ends by itself
            self._run_state.members.release(self._lock)
        self._store.close()
