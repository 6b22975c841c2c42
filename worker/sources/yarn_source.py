"""YarnSource: the queues of a cluster by what is collected of them, read by the source of whatever keeps that."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

from shared.config.connection import Connection
from shared.connections.yarn import YarnConnection
from shared.domain.collected import DEFAULT
from shared.domain.places import PARTITION
from shared.domain.timegrid import MINUTE
from shared.errors import DataError, EmptySeries, QueueGone, SourceNotFound
from worker.sources import sources
from worker.sources.base import Query, Reading, ScannedSource, Source, SourceView
from worker.sources.yarn.kept import unrestricted
from worker.sources.yarn.reading import (
    Looks,
    is_collected,
    is_silent,
    looks_for,
    of_limits,
    of_root,
    of_target,
    reading_of,
    refuse_gone,
)

Since = Callable[[], datetime | None]
Root = Callable[[], Reading | DataError]
NEW = "where it has only just begun, the first five minutes are there after some ten, and a step once all of it is over"
LATE = timedelta(minutes=10)  # until a step that is over is there
KINDS = ("files", "mongodb", "influxdb")  # of connections that keep samples


@sources.register("yarn")
class YarnSource:
    """Queues are full paths, columns those of the collector's tables. A queue that is stopped or gone has no history to forecast.

    Args:
        kept_at: the connection that `samples` names.
        since: gives since when the cluster is collected; None = nobody knows.
    """

    def __init__(self, connection: YarnConnection, kept_at: Connection | None = None, since: Since = lambda: None) -> None:
        if kept_at is None or kept_at.kind not in KINDS:
            raise SourceNotFound(f"of the cluster {connection.cluster} no samples are kept: `samples` names no place for them")
        self._connection, self._kept_at, self._since = connection, unrestricted(kept_at), since
        self._source: Source = sources[kept_at.kind](self._kept_at)

    def queues(self, query: Query) -> list[str]:
        """Every queue of which anything is kept, sorted; raises SourceNotFound where nothing is collected."""
        with self._about(query):
            first = self._looks(query).first
            names = self._source.queues(first)
            if self._kept_at.kind == "influxdb":  # which names those that have the target, and stopped ones have limits alone
                with suppress(DataError):
                    names += self._source.queues(of_limits(first))
            return sorted(set(names))

    def check(self, query: Query) -> SourceView:
        """Look at what is kept, and say what it is."""
        looks = self._looks(query)
        with self._about(query):
            view = self._source.check(looks.first)
        columns = dict.fromkeys(looks.first_names.get(name, name) for name in view.columns)
        return replace(view, columns=tuple(columns), notes=(looks.kept.says, *view.notes))

    def read(self, query: Query) -> Reading:
        """The history of one queue; raises QueueGone, EmptySeries, SourceNotFound, UnreadableData."""
        looks = self._looks(query)
        with self._about(query):
            first = self._or_error(looks.first)
        second = None if looks.second is None or isinstance(first, DataError) else self._or_error(looks.second)
        found = self._told(looks, query.queue, first, second, lambda: self._or_error(of_root(looks.first)))
        if isinstance(found, DataError):
            raise found
        return found

    def _told(
        self, looks: Looks, queue: str, first: Reading | DataError, second: Reading | DataError | None, root: Root
    ) -> Reading | DataError:
        """What comes of both looks at one queue."""
        query = replace(looks.query, queue=queue)
        asked = replace(looks.first, queue=queue)
        if isinstance(first, DataError):
            why = self._why_nothing(asked, query, first)
            return self._stopped_or_gone(asked, query, why, root) if isinstance(why, QueueGone) else why
        try:
            reading = reading_of(replace(looks, query=query), first, second if isinstance(second, Reading) else None)
            if is_silent(reading, query):
                others = root()
                refuse_gone(reading, others if isinstance(others, Reading) else None, query)
        except QueueGone as gone:
            return self._stopped_or_gone(asked, query, gone, root)
        return reading

    def _stopped_or_gone(self, asked: Query, query: Query, stopped: QueueGone, root: Root) -> QueueGone:
        """Of a stopped queue limits are told as long as it is there: where they have ended before those of others, it is gone."""
        limits = self._or_error(of_limits(asked))
        if isinstance(limits, Reading) and is_silent(limits, query):
            others = root()
            try:
                refuse_gone(limits, others if isinstance(others, Reading) else None, query)
            except QueueGone as gone:
                return gone
        return stopped

    def _why_nothing(self, asked: Query, query: Query, error: DataError) -> DataError:
        """Of a queue that was stopped all the time, that it was; else the error as it is."""
        nothing = EmptySeries | SourceNotFound
        if query.target is None or not is_collected(query.target) or not isinstance(error, nothing):
            return error
        if not isinstance(self._or_error(of_target(asked)), nothing) or isinstance(self._or_error(of_limits(asked)), DataError):
            begun = self._begun(query)
            if not begun or not isinstance(error, EmptySeries):
                return error
            return EmptySeries(f"{error.detail}; {begun}", last_at=error.last_at, **error.ids)
        return QueueGone(f"stopped since {query.start:{MINUTE}} or earlier", last_at=query.start, queue=query.queue)

    def _or_error(self, query: Query) -> Reading | DataError:
        try:
            return self._source.read(query)
        except DataError as error:
            return error

    def _looks(self, query: Query) -> Looks:
        return looks_for(query, self._connection, self._kept_at, datetime.now(UTC))

    def _begun(self, query: Query) -> str:
        """Since when the cluster is collected, and when its first step ends; "" where that is over, or not known."""
        since = self._since()
        first_ends = None if since is None else query.grid.step_start(query.grid.bucket_start(since), 2)
        if since is None or first_ends is None or query.end >= first_ends + LATE:
            return ""
        minutes = query.step_seconds // 60
        step = f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"
        return f"collected since {since:{MINUTE}}; the first step of {step} ends {first_ends:{MINUTE}}"

    @contextmanager
    def _about(self, query: Query) -> Iterator[None]:
        """Says of what is missing whose it would be, and where the cluster is new when there will be something."""
        try:
            yield
        except SourceNotFound as error:
            whose = f"the partition {query.place.others.get(PARTITION, DEFAULT)} of the cluster {self._connection.cluster}"
            raise SourceNotFound(
                f"in what `queuecast collect` keeps of {whose}: {error.detail}; {self._begun(query) or NEW}", **error.ids
            ) from error


class ScannedYarnSource(YarnSource):
    """The same over a place that is read for many queues at once."""

    _source: ScannedSource

    def scan(self, query: Query, names: Sequence[str]) -> Iterator[tuple[str, Reading | DataError]]:
        """What `read` gives or raises for each of the queues, by two scans."""
        looks = self._looks(query)
        beside = {} if looks.second is None else dict(self._source.scan(looks.second, names))
        root = cache(lambda: self._or_error(of_root(looks.first)))
        with self._about(query):
            for name, first in self._source.scan(looks.first, names):
                yield name, self._told(looks, name, first, beside.pop(name, None), root)

    def together(self, query: Query, queues: int) -> int:
        """As many as the place can be read for, half of them for each look."""
        looks = self._looks(query)
        with self._about(query):
            return self._source.together(looks.first, queues) // 2


def collected(connection: YarnConnection, kept_at: Connection, since: Since = lambda: None) -> YarnSource:
    """The source of a cluster over the connection that keeps what is collected of it."""
    source = YarnSource(connection, kept_at, since)
    return ScannedYarnSource(connection, kept_at, since) if isinstance(source._source, ScannedSource) else source
