"""One queue's history from all the sources of a request: the usage of the first, the covariates of the others beside it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from shared.domain.jobs import Job, JobRequest
from shared.domain.losses import Loss
from shared.domain.places import Place
from shared.domain.runs import Run
from shared.domain.samples import Limits
from shared.domain.timegrid import SECONDS_PER_DAY
from shared.errors import EmptySeries, SourceNotFound
from worker.job.regressors import Read, with_regressors
from worker.pipeline.saturation import WINDOW, is_demand
from worker.sources._lost import TIMES
from worker.sources.base import Query, Reading

NEWEST_DAYS, NEWEST_STEPS = 3, 3  # that are read again where nothing is forecast: samples may be late, and runs be missed


def usage_query(request: JobRequest, queue: str, issued_at: datetime) -> Query:
    """What to read of the queue at the first source, which has the target."""
    start = request.grid.bucket_start(request.history_start(issued_at))
    return Query(
        place=request.data.sources[0],
        queue=queue,
        queue_fields=request.queue_fields,
        time_field=request.time_field,
        target=request.target,
        columns=request.columns,
        start=start,
        end=issued_at.astimezone(UTC),  # the same UTC as the start: of a stored time it is another object, which pandas minds
        step_seconds=request.step_seconds,
        aggregation=request.aggregation,
        where=request.where,
        samples_timezone=request.samples_timezone,
        timezone=request.timezone,
        csv=request.csv,
        missing_values=request.missing_values,
        physical_range=request.bounds,
        limits=request.limits or Limits(),
        queues_from_columns=request.queues_from_columns,
        history_start=start,
    )


def first_query(job: Job, queue: str, issued_at: datetime) -> Query:
    """What a job reads of the queue at the first source: its history, or where nothing is forecast the newest of its usage."""
    query = usage_query(job.request, queue, issued_at)
    if job.run is not Run.ACTUALS:
        return query
    is_wanted = is_demand(job.request.target)  # what lies before a step, and beside it, tells what it is taken for
    days = NEWEST_DAYS + (WINDOW.days if is_wanted else 0)
    newest = timedelta(seconds=max(NEWEST_STEPS * job.request.step_seconds, days * SECONDS_PER_DAY))
    start = job.request.grid.bucket_start(issued_at - newest)
    return replace(query, columns=query.columns if is_wanted else (), start=max(query.start, start))


def queries_of(job: Job, queue: str, issued_at: datetime) -> list[Query]:
    """What a job reads of the queue, the usage first; regressors are not among them."""
    usage = at_first(job.request, first_query(job, queue, issued_at))
    others = () if job.run is Run.ACTUALS else job.request.data.sources[1:]
    return [usage, *(covariate_query(usage, place) for place in others)]


def read_for(job: Job, queue: str, issued_at: datetime, read: Read) -> Reading:
    """What a job reads of the queue, at all the places that it needs; raises what sources raise."""
    query = first_query(job, queue, issued_at)
    return read(query) if job.run is Run.ACTUALS else read_all(job.request, query, read)


def at_first(request: JobRequest, query: Query) -> Query:
    """The query as the first source can answer it by itself: columns that are asked for may be those of another one."""
    return replace(query, columns=None) if query.columns and len(request.data.sources) > 1 else query


def read_all(request: JobRequest, query: Query, read: Read) -> Reading:
    """What the query asks for with its covariates beside it, and the request's regressors; raises what sources raise.

    Args:
        query: as `usage_query` makes it.
        read: one place.
    """
    return with_regressors(request, _without_regressors(request, query, read), query, read)


def _without_regressors(request: JobRequest, query: Query, read: Read) -> Reading:
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
    limits = (*query.limits.columns, *(name for name in map(str, usage.frame) if query.may_be_limit(name)))
    kept = None if query.columns is None else tuple(dict.fromkeys((*query.columns, *limits)))
    merged = merge(usage, covariates, kept, request.target)
    return replace(merged, notes=(*merged.notes, *notes))


def covariate_query(query: Query, place: Place) -> Query:
    """What to read of the same queue and steps at another place: all its numbers, and no target."""
    return replace(query, place=place, target=None, columns=None, limits=Limits(), queues_from_columns=False)


def merge(usage: Reading, covariates: Sequence[tuple[Place, Reading]], columns: Sequence[str] | None, target: str) -> Reading:
    """The usage with the covariates' columns beside it.

    A step that a covariate lacks is a gap there; steps that only a covariate has are left out. A name that is taken gets its
    place in front: `nodes_used_memory`. Rows, duplicates and values that are not finite are those of the usage.

    Args:
        columns: those to keep beside the target; None = all.

    Raises:
        SourceNotFound: a column asked for is in none of the sources.
    """
    frame, notes, losses, advice = usage.frame, list(usage.notes), list(usage.losses), list(usage.advice)
    for place, reading in covariates:
        prefix = place.collection or place.measurement or next(iter(place.others.values()), place.name)
        names = _free_names(list(reading.frame.columns), prefix, set(frame.columns))
        frame = frame.join(reading.frame.rename(columns=names), how="left")
        notes += [f"{prefix}: {note}" for note in reading.notes]
        advice += [f"{prefix}: {text}" for text in reading.advice]
        losses += [of_column for loss in reading.losses for of_column in _of_columns(loss, names)]
    if columns is not None:
        missing = [name for name in columns if name not in frame.columns]
        if missing:
            raise SourceNotFound(f"found no column {missing[0]!r}, there are {', '.join(frame.columns)}")
        frame = frame[[target, *columns]]
    kept = tuple(loss for loss in losses if loss in usage.losses or loss.column in frame.columns)
    return replace(usage, frame=frame, notes=tuple(notes), losses=kept, advice=tuple(advice))


def _of_columns(loss: Loss, names: Mapping[str, str]) -> Iterator[Loss]:
    """What was lost of covariates: of their rows it was lost of each column, and none of it is the usage's."""
    if loss.column is None or loss.what == TIMES:
        yield from (replace(loss, column=name) for name in names.values())
    elif loss.column in names:  # one that was lost whole is not there any more
        yield replace(loss, column=names[loss.column])


def _free_names(columns: Collection[str], prefix: str, taken: set[str]) -> dict[str, str]:
    """Column → its name beside those that are taken: two places may lie in one collection."""
    names: dict[str, str] = {}
    for column in columns:
        names[column] = column
        while names[column] in taken or (names[column] != column and names[column] in columns):
            names[column] = f"{prefix}_{names[column]}"
        taken.add(names[column])
    return names
