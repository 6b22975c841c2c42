"""A first look at a place: its first rows, what its columns may be, which queues it has, and whether they can be read so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from shared.domain.first_look import MAX_CELL, MAX_COLUMNS, MAX_FILES_NAMED, MAX_QUEUES_NAMED, MAX_ROWS, FirstLook, Guess
from shared.domain.jobs import JobRequest
from shared.domain.units import unit_of
from shared.domain.validation import Problem
from shared.errors import EmptySeries, QueuecastError
from worker.job.ingestion import usage_query
from worker.job.resources import Resources, current_resources
from worker.job.whereabouts import check_known
from worker.sources.base import Query, Source, SourceView
from worker.sources.file_source import FileSource
from worker.sources.files.guessing import guessed

if TYPE_CHECKING:
    import pyarrow as pa

HOUR = 3_600  # seconds
ROWS_GUESSED_FROM = 500
MAX_BYTES = 300_000_000  # of files that are looked at as a whole: more takes longer than anybody waits for
LONG_AGO = timedelta(days=25 * 365)  # data of the past are looked at, too, in steps of an hour

log = structlog.get_logger(__name__)


def first_look(request: JobRequest, now: datetime) -> FirstLook:
    """Look at the request's first source; starts nothing, writes nothing. What is wrong there is a problem of the answer."""
    resources = current_resources()
    look = FirstLook()
    try:
        look, request = _rows_at(resources, request, now)
        return _queues_at(resources, request, now, look)
    except QueuecastError as error:
        log.info("a first look is answered with a problem", error=str(error))
        return replace(look, problems=(*look.problems, Problem(field="data.source", message=error.public)))


def _rows_at(resources: Resources, request: JobRequest, now: datetime) -> tuple[FirstLook, JobRequest]:
    """The first rows of files, and the request with what was guessed of them in place of what they have not."""
    query = usage_query(request, "", now)
    check_known(resources, request)
    source = resources.source(query.place, request.project)
    if not isinstance(source, FileSource):
        return FirstLook(), request
    found = source.first_rows(query, rows=ROWS_GUESSED_FROM, columns=MAX_COLUMNS)
    guess = guessed(found.cells, query)
    large = f"the files have {found.size / 1e6:,.0f} MB: too much to be looked at as a whole here; Validate tells more"
    look = FirstLook(
        files=found.files[:MAX_FILES_NAMED],
        columns=tuple(map(_short, found.cells)),
        rows=_shown(found.cells),
        guess=guess,
        warnings=(large,) if found.size > MAX_BYTES else (),
    )
    return look, _with(request, guess)


def _with(request: JobRequest, guess: Guess) -> JobRequest:
    """The request that says what was guessed."""
    return replace(
        request,
        time_field=guess.time_field or request.time_field,
        queue_field=guess.queue_field or request.queue_field,
        target=guess.target or request.target,
        queues_from_columns=guess.queues_from_columns,
    )


def _queues_at(resources: Resources, request: JobRequest, now: datetime, look: FirstLook) -> FirstLook:
    """With the queues, and from when to when the first of them has samples."""
    query = usage_query(request, "", now)
    if look.warnings:  # too large
        return look
    source = resources.source(query.place, request.project)
    view = _view(source, replace(query, columns=()) if look.rows else query)
    found = replace(
        look,
        queues=tuple(map(_short, view.queues[:MAX_QUEUES_NAMED])),
        queue_count=len(view.queues),
        start_at=view.start_at,
        end_at=view.end_at,
        warnings=(*look.warnings, *view.notes),
    )
    return found if look.rows else _newest_steps(source, replace(query, queue=view.queues[0]), found)


def _view(source: Source, query: Query) -> SourceView:
    """What a check shows; where the history asked for is empty, of all of the past that people may forecast again."""
    try:
        return source.check(query)
    except EmptySeries:
        coarse = replace(query, step_seconds=max(query.step_seconds, HOUR))
        start = coarse.grid.bucket_start(min(query.start, query.end - LONG_AGO))
        return source.check(replace(coarse, start=start, history_start=start))


def _newest_steps(source: Source, query: Query, look: FirstLook) -> FirstLook:
    """What a database has of its first queue, as the job would read it."""
    frame = source.read(query).frame
    shown = frame.tail(MAX_ROWS)
    rows = tuple(
        (f"{moment:%Y-%m-%d %H:%M}", *(f"{value:g}" for value in values[:MAX_COLUMNS]))
        for moment, values in zip(shown.index, shown.to_numpy().tolist(), strict=True)
    )
    target = query.target or ""
    highest = float(frame[target].max()) if target in frame else 0.0
    guess = Guess(
        time_field=query.time_field,
        queue_field=query.queue_field,
        target=target,
        unit=unit_of(target, highest),
        has_zone=True,
        step_seconds=query.step_seconds,
    )
    return replace(look, columns=("step", *map(_short, map(str, frame.columns[:MAX_COLUMNS]))), rows=rows, guess=guess)


def _shown(cells: Mapping[str, pa.Array]) -> tuple[tuple[str, ...], ...]:
    columns: Sequence[Sequence[object]] = [column.slice(0, MAX_ROWS).to_pylist() for column in cells.values()]
    return tuple(tuple("" if value is None else _short(str(value)) for value in row) for row in zip(*columns, strict=True))


def _short(text: str) -> str:
    return text if len(text) <= MAX_CELL else f"{text[: MAX_CELL - 1]}…"
