"""Events of a request that lie in iCal files: read when something is forecast, so that a calendar may change between two runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from shared.config.connection import Connection
from shared.connections.files import FilesConnection
from shared.domain.jobs import JobRequest
from shared.domain.occasions import MAX_EVENTS, Event, EventFile
from shared.errors import DataError, InvalidRequest
from worker.prepare.ical import events_in
from worker.sources.files.calendar_files import calendar_text

FIELD = "events"
ONLY_FILES = "an iCal file is read from a connection of kind files"
Text = Callable[[EventFile], bytes]


def with_file_events(request: JobRequest, issued_at: datetime, text: Text) -> JobRequest:
    """The request with the events of its files in it, from the beginning of the history to the end of the horizon.

    Args:
        text: what is in a file.

    Raises:
        InvalidRequest: a file is not there, is no iCal, or has more in it than is accepted. And what `text` raises else.
    """
    if not request.event_files:
        return request
    start = request.grid.bucket_start(request.history_start(issued_at))
    end = request.grid.step_start(issued_at, request.horizon_steps(issued_at) + 1)
    found: list[Event] = [*request.known_events]
    for file in request.event_files:
        try:
            found += events_in(text(file), request.timezone, start, end, file.kind)
        except DataError as error:
            raise InvalidRequest(f"the iCal file {file.ical!r}: {error.detail}", field=FIELD) from error
    if len(found) > MAX_EVENTS:
        raise InvalidRequest(f"found {len(found):,} events with those of files, accepted are {MAX_EVENTS:,}", field=FIELD)
    return replace(request, events=tuple(found))


def text_at(file: EventFile, connection: Connection) -> bytes:
    """What is in the file; raises InvalidRequest where the connection is of another kind, and as `calendar_text` does."""
    if not isinstance(connection, FilesConnection):
        raise InvalidRequest(f"{file.name!r} is of kind {connection.kind}; {ONLY_FILES}", field=FIELD)
    return calendar_text(connection, file.ical)
