"""One queue's history from all the sources of a request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from shared.domain.jobs import JobRequest
from shared.domain.timegrid import bucket_start
from shared.errors import EmptySeries
from worker.job.covariates import covariate_query, merge
from worker.sources.base import Query, Reading

Read = Callable[[Query], Reading]


def usage_query(request: JobRequest, queue: str, issued_at: datetime) -> Query:
    """What to read of the queue at the first source, which has the target."""
    return Query(
        place=request.data.sources[0],
        queue=queue,
        queue_field=request.queue_field,
        time_field=request.time_field,
        target=request.target,
        columns=request.columns,
        start=bucket_start(request.history_start(issued_at), request.step_seconds),
        end=issued_at.astimezone(UTC),  # the same UTC as the start: of a stored time it is another object, which pandas minds
        step_seconds=request.step_seconds,
        aggregation=request.aggregation,
    )


def read_all(request: JobRequest, query: Query, read: Read) -> Reading:
    """What the query asks for with its covariates beside it; raises what sources raise.

    Args:
        query: as `usage_query` makes it.
        read: one place.
    """
    others = request.data.sources[1:]
    if not others:
        return read(query)
    usage = read(replace(query, columns=None))
    covariates, notes = [], []
    for place in others:
        try:
            covariates.append((place, read(covariate_query(query, place))))
        except EmptySeries:  # the queue is forecast without them
            notes.append(f"{place.name} has no covariates of this queue in the history asked for")
    merged = merge(usage, covariates, query.columns, request.target)
    return replace(merged, notes=(*merged.notes, *notes))
