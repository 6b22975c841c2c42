"""FileSource: a folder of CSV and Parquet files, in long form with a queue column, or one file or folder per queue."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd

from shared.connections.files import FilesConnection
from shared.domain.identifiers import listed
from shared.errors import DataError, EmptySeries, UnreadableData
from worker.sources import sources
from worker.sources._files import Files, find_files
from worker.sources._resampling import resample
from worker.sources._samples import Samples, read_samples, rows_of_queue
from worker.sources._tables import MAX_BYTES, open_table
from worker.sources.base import MINUTE, Query, Reading, SourceView, check_count

MAX_FILES_NAMED = 5


@sources.register("files")
class FileSource:
    """Files below the connection's `path`; a request's `path` is a glob inside it, none means all of them.

    A file without the queue column is one queue, named by a folder `queue=NAME` above it or by the file. A file that cannot be
    read stands for the queue of its own name, so that it fails by itself and the others go on.
    """

    def __init__(self, connection: FilesConnection) -> None:
        self._connection = connection

    def queues(self, query: Query) -> list[str]:
        """Every queue in the files, sorted; raises SourceNotFound, EmptySeries when no file has a row, UnreadableData."""
        names: set[str] = set()
        errors: list[DataError] = []
        files, queue_field = find_files(self._connection, query.place.path), query.queue_field
        for name in files.paths:
            try:
                with open_table(files, name) as table:
                    names |= table.queue_names(queue_field)
            except UnreadableData as error:
                errors.append(error)
                names.add(Path(name).stem)
            check_count(names, queue_field)
        if len(errors) == len(files.paths):
            raise errors[0]
        if not names:
            raise EmptySeries(f"found a column {queue_field!r} but no row in {listed(files.paths, MAX_FILES_NAMED)}")
        return sorted(names)

    def check(self, query: Query) -> SourceView:
        """Look at the files by reading one queue of them: there is nothing cheaper that tells as much."""
        queues = self.queues(query)
        reading = self.read(replace(query, queue=query.queue or queues[0]))
        times = reading.frame.index
        return SourceView(
            queues=tuple(queues),
            columns=tuple(reading.frame.columns),
            start_at=times[0].to_pydatetime(),
            end_at=times[-1].to_pydatetime(),
            notes=reading.notes,
        )

    def read(self, query: Query) -> Reading:
        """One queue's rows of all files, together; raises SourceNotFound, EmptySeries, UnreadableData."""
        files = find_files(self._connection, query.place.path)
        parts, broken = _parts(files, query)
        if len({part.is_aware for part in parts}) > 1:
            raise UnreadableData("found files with a time zone in their timestamps and files without", queue=query.queue)
        samples = pd.concat([part.frame for part in parts]).sort_index(kind="stable")
        inside = samples[(samples.index >= query.start) & (samples.index < query.end)]
        unique = inside[~inside.index.duplicated(keep="last")]
        usable = int(unique[query.judged(unique.columns)].notna().any(axis=1).sum())
        if not usable:
            raise EmptySeries(_why_empty(samples, len(inside), query), queue=query.queue)
        _refuse_mixture(parts, rows=len(inside), distinct=len(unique), query=query)
        return Reading(
            frame=resample(
                unique, start=query.start, end=query.end, step_seconds=query.step_seconds, aggregation=query.aggregation
            ),
            rows=len(inside),
            duplicates=len(inside) - len(unique),
            non_finite=len(unique) - usable,
            notes=(*files.notes, *(f"a file was left out: {error}" for error in broken), *_notes(parts)),
        )


def _parts(files: Files, query: Query) -> tuple[list[Samples], list[UnreadableData]]:
    """What the files have of the queue, and what is wrong with those that cannot be read; raises when nothing is left."""
    parts: list[Samples] = []
    broken: list[UnreadableData] = []
    read = 0
    for name in files.paths:
        try:
            with open_table(files, name) as table:
                rows = rows_of_queue(table, query)
        except UnreadableData as error:
            broken.append(error)
            if Path(name).stem == query.queue:
                raise
            continue
        if rows is not None:
            read += rows.nbytes
            if read > MAX_BYTES:
                raise UnreadableData(f"its rows take more than the accepted {MAX_BYTES >> 20} MiB", queue=query.queue)
            parts.append(read_samples(table, rows, query))
    if not parts:
        own = [name for name in files.paths if Path(name).stem == query.queue]
        if broken and not own:
            raise broken[0]
        raise EmptySeries(f"found no row of it in {listed(own or files.paths, MAX_FILES_NAMED)}", queue=query.queue)
    return parts, broken


def _why_empty(samples: pd.DataFrame, rows: int, query: Query) -> str:
    if rows:
        return f"none of the {rows:,} values of {query.target or 'any column'!r} is a finite number"
    first, last = samples.index[0], samples.index[-1]
    return f"found {len(samples):,} rows from {first:{MINUTE}} to {last:{MINUTE}}, none in {query.history}"


def _refuse_mixture(parts: list[Samples], *, rows: int, distinct: int, query: Query) -> None:
    """A file without the queue column is one queue, unless its timestamps come again and again beside some text."""
    texts = sorted({name for part in parts if not part.has_queue_column for name in part.text_columns})
    if texts and (rows - distinct) * 3 >= rows:
        found = f"found no column {query.queue_field!r}, and {rows - distinct:,} of {rows:,} rows repeat a timestamp"
        raise UnreadableData(
            f"{found}: if the file holds several queues, say in `queue_field` which column names them; text columns"
            f" are {listed(texts)}",
            queue=query.queue,
        )


def _notes(parts: list[Samples]) -> Iterator[str]:
    yield from dict.fromkeys(part.unread for part in parts if part.unread)
    yield from dict.fromkeys(part.assumed for part in parts if part.assumed)
    if broken := sum(part.broken_rows for part in parts):
        yield f"lines that end early: {broken:,} left out"
    if unreadable := sum(part.unreadable_times for part in parts):
        yield f"rows without a readable timestamp: {unreadable:,} left out"
    if cells := sum(part.text_cells for part in parts):
        yield f"cells with text instead of a number: {cells:,} left out"
    if columns := dict.fromkeys(name for part in parts for name in part.text_columns):
        yield f"columns of text that nobody asked for: left out {listed(columns)}"
