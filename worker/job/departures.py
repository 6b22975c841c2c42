"""Queues of a cluster that are gone are told and not forecast, however young the end of their history is."""

from __future__ import annotations

from datetime import datetime

from shared.connections.yarn import YarnConnection
from shared.domain.collected import DEFAULT
from shared.domain.jobs import JobRequest
from shared.domain.places import PARTITION
from shared.errors import DataError, EmptySeries, QueueGone
from worker.job.resources import Resources


def check_there(resources: Resources, request: JobRequest, queue: str, issued_at: datetime) -> None:
    """Raises QueueGone where the cluster that the request reads does not have the queue any more, or did not have it at `as_of`.

    Samples alone cannot tell: the history ends with the last whole step, and the queue may have gone after it.
    """
    place = request.data.sources[0]
    connection = resources.settings.connection(place.name)
    if not isinstance(connection, YarnConnection):
        return
    departures = resources.store.departures
    if request.as_of is None:
        gone = departures.of(connection.cluster, [queue], read_since=issued_at).get(queue)
    else:
        gone = departures.before(connection.cluster, queue, place.others.get(PARTITION, DEFAULT), issued_at)
    if gone is not None:
        raise QueueGone(gone.words, last_at=gone.since or gone.seen_at, queue=queue)


def gone_or(resources: Resources, request: JobRequest, queue: str, issued_at: datetime, error: DataError) -> DataError:
    """Of a queue that has no history and is gone, that it is: it looks stopped, or without a value; else the error as it is."""
    if isinstance(error, EmptySeries):
        try:
            check_there(resources, request, queue, issued_at)
        except QueueGone as gone:
            return gone
    return error
