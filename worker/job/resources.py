"""Store, run state, sources and sinks of this process, each opened on first use: connections must not cross Celery's fork.

The entry points provide them once per process, steps ask for them by `current_resources()`, tests say `with use(...):`.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from functools import cached_property, partial

from shared.config.settings import Settings
from shared.config.settings_file import SettingsFile
from shared.connections.yarn import YarnConnection
from shared.domain.jobs import JobRequest
from shared.domain.occasions import EventFile
from shared.domain.places import Place
from shared.errors import DataError
from shared.fleet.runstate import RunState
from shared.lifecycle import Lifecycle
from shared.store import Store, open_store
from shared.telemetry import metrics
from shared.telemetry.tracing import span
from worker.job.event_files import text_at, with_file_events
from worker.sinks import sinks
from worker.sinks.base import Sink
from worker.sources import sources
from worker.sources.base import Query, Reading, ScannedSource, Source
from worker.sources.yarn_source import collected


class Resources:
    """What the steps of one process work with.

    Args:
        settings: where everything is.
        worker_id: of the worker this process belongs to; drawn at each start, as a restarted container keeps host and pid.
        file: whose connections are taken up when they change; None = those of the settings stay.
    """

    def __init__(self, settings: Settings, worker_id: str | None = None, *, file: SettingsFile | None = None) -> None:
        self.settings = settings
        self.file = file
        self.worker_id = worker_id or secrets.token_hex(6)

    def follow_file(self) -> None:
        """Take up the connections that the configuration file has now; where a piece of work begins, never within one."""
        if self.file is not None:
            self.settings = self.file.look(self.settings)

    @cached_property
    def store(self) -> Store:
        """Our records."""
        return open_store(self.settings.store_location)

    @cached_property
    def run_state(self) -> RunState:
        """What running jobs need."""
        return RunState.open(self.settings, is_patient=True)

    @cached_property
    def lifecycle(self) -> Lifecycle:
        """What happens to jobs."""
        return Lifecycle(self.store, self.run_state)

    def kind(self, place: Place) -> str:
        """Of the connection that a request names; raises UnknownConnection."""
        return self.settings.connection(place.name).kind

    def source(self, place: Place, project: str) -> Source:
        """The source that a project's request names.

        Raises:
            UnknownConnection: there is none, or none for this project. InvalidRequest: it lets nobody read this place.
        """
        connection = self.settings.connection(place.name, project=project)
        connection.check_place(place, "source")
        if isinstance(connection, YarnConnection):
            since = partial(self.store.trees.since, connection.cluster)
            return collected(connection, self.settings.connection(connection.samples), since)
        return sources[connection.kind](connection)

    def read(self, query: Query, *, project: str) -> Reading:
        """What that source gives; how long it takes is counted. Raises as `source` does, and what it raises itself."""
        about = {"connection": query.place.name, "queue": query.queue}
        with span("read", **about), metrics.SOURCE_SECONDS.labels(self.kind(query.place)).time():
            return self.source(query.place, project).read(query)

    def with_file_events(self, request: JobRequest, issued_at: datetime) -> JobRequest:
        """The request with the events of its iCal files in it.

        Raises:
            InvalidRequest: for files that cannot be read. UnknownConnection: there is none, or none for the request's project.
        """

        def text(file: EventFile) -> bytes:
            return text_at(file, self.settings.connection(file.name, project=request.project))

        return with_file_events(request, issued_at, text)

    def scans(self, place: Place, project: str) -> bool:
        """Whether that source can be read for several queues at once."""
        return isinstance(self.source(place, project), ScannedSource)

    def scanned(self, place: Place, project: str) -> ScannedSource:
        """That source; raises TypeError when it cannot be read so."""
        source = self.source(place, project)
        if not isinstance(source, ScannedSource):
            raise TypeError(f"{type(source).__name__} is read queue by queue")
        return source

    def scan(self, query: Query, names: Sequence[str], *, project: str) -> Iterator[tuple[str, Reading | DataError]]:
        """As `read` for each of the queues, by one look at that source, or what it raises for each; counted is the look alone."""
        coming, seconds = self.scanned(query.place, project).scan(query, names), 0.0
        try:
            for _ in range(len(names)):
                began = time.perf_counter()
                try:
                    found = next(coming)
                finally:
                    seconds += time.perf_counter() - began
                yield found
        finally:
            metrics.SOURCE_SECONDS.labels(self.kind(query.place)).observe(seconds)

    def sink(self, place: Place, project: str) -> Sink:
        """The sink that a project's request names; raises as `source` does."""
        connection = self.settings.connection(place.name, project=project)
        connection.check_place(place, "destination")
        return sinks[connection.kind](connection, self.settings)


_current: ContextVar[Resources] = ContextVar("resources")


def current_resources() -> Resources:
    """Those of this process."""
    return _current.get()


def provide(given: Resources) -> None:
    """Make them those of this process."""
    _current.set(given)


@contextmanager
def use(given: Resources) -> Iterator[Resources]:
    """Make them those of this process for a while."""
    token = _current.set(given)
    try:
        yield given
    finally:
        _current.reset(token)
