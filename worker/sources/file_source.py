"""FileSource: a folder of CSV and Parquet files: in long form with a queue column, a file per queue, or a column per queue."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from shared.connections.files import FilesConnection
from shared.domain.identifiers import listed
from shared.domain.timegrid import MINUTE
from shared.errors import DataError, EmptySeries, SourceNotFound
from worker.sources import sources
from worker.sources._covariates import fitted, fitted_names
from worker.sources.base import Query, Reading, ScannedSource, SourceView
from worker.sources.files.first_rows import FirstRows, first_rows
from worker.sources.files.layout import Layout, check_files, look_at
from worker.sources.files.listing import Files, find_files
from worker.sources.files.place_losses import empty_files, large_files, lost_files, nameless_note, nameless_rows
from worker.sources.files.readings import reading_of
from worker.sources.files.repeats import refuse_repeats
from worker.sources.files.scan import Found, every_name, found_in, newest_row, queues_together

MAX_FILES_NAMED = 5
MAX_LOOKED_AT = 5  # queues: the first ones may be gone, and others not


@sources.register("files")
class FileSource(ScannedSource):
    """Files below the connection's `path`; a request's `path` is a glob inside it, none means all of them.

    Where no file has the queue column, each file is one queue, named by the file; one that cannot be read stands for the queue
    of its own name then, so that it fails by itself and the others go on.
    """

    def __init__(self, connection: FilesConnection) -> None:
        self._connection = connection

    def queues(self, query: Query) -> list[str]:
        """Every queue in the files, sorted; raises SourceNotFound, EmptySeries when no file has a row, UnreadableData."""
        files, layout = self._look(query)
        names, errors = every_name(files, layout, query)
        if layout.is_by_file:
            names |= {Path(name).stem for name in (*layout.broken, *errors)}
        elif not names and errors:
            raise next(iter(errors.values()))
        if not names:
            asked = f" that `where` asks for ({listed(query.where)})" if query.where else ""
            found = f"found a column {query.queue_field!r} but no row{asked}"
            raise EmptySeries(f"{found} in {listed(files.paths, MAX_FILES_NAMED)}")
        return sorted(names)

    def check(self, query: Query) -> SourceView:
        """Look at the files by reading a few queues of them: there is nothing cheaper that tells as much."""
        query, said = self._fitted(query)
        self._refuse_faults(query)
        queues = self.queues(query)
        errors: list[DataError] = []
        for _, reading in self.scan(query, [query.queue] if query.queue else queues[:MAX_LOOKED_AT]):
            if not isinstance(reading, DataError):
                times = reading.frame.index
                return SourceView(
                    queues=tuple(queues),
                    columns=tuple(reading.frame.columns),
                    start_at=times[0].to_pydatetime(),
                    end_at=times[-1].to_pydatetime(),
                    notes=(*said, *reading.notes, *reading.advice),
                )
            errors.append(reading)
        raise next((error for error in errors if not isinstance(error, EmptySeries)), errors[0])

    def first_rows(self, query: Query, *, rows: int, columns: int) -> FirstRows:
        """The first rows of the first file, as they are written; raises SourceNotFound, UnreadableData."""
        return first_rows(find_files(self._connection, query.place.path), query, rows=rows, columns=columns)

    def scan(self, query: Query, names: Sequence[str]) -> Iterator[tuple[str, Reading | DataError]]:
        """What `read` gives or raises for each of the queues, in any order, by one look at the files for all of them.

        Raises:
            SourceNotFound, UnreadableData: of the place as a whole.
        """
        at_place = fitted_names(query, names, partial(self._has, query))
        yield from at_place.as_asked(partial(self._scan, at_place.query))

    def together(self, query: Query, queues: int) -> int:
        """As many queues as fill what may be read and kept at a time; where each is a file, little is gained by more."""
        query, _ = self._fitted(query)
        files, layout = self._look(query)
        return queues_together(files, layout, query, queues)

    def _scan(self, query: Query, names: Sequence[str]) -> Iterator[tuple[str, Reading | DataError]]:
        place = _Place.of(*self._look(query), query)
        for some, found in found_in(place.files, place.layout, query, names):
            for name in some:
                try:
                    yield name, place.reading(found, replace(query, queue=name))
                except DataError as error:
                    yield name, error
                found.parts.pop(name, None)

    def _refuse_faults(self, query: Query) -> None:
        """Raises SourceNotFound with all that is wrong: columns that no file has, and rows that end before the history."""
        try:
            self._look(query)
        except SourceNotFound as error:
            files = find_files(self._connection, query.place.path)
            newest = newest_row(files, look_at(files, query), query)
            if newest is None or newest >= query.start:
                raise
            late = f"the newest row is of {newest:{MINUTE}}, before {query.history}"
            raise SourceNotFound(f"{error.detail}; {late}", **error.ids) from error

    def _fitted(self, query: Query) -> tuple[Query, tuple[str, ...]]:
        return fitted(query, partial(self._has, query))

    def _has(self, query: Query) -> Callable[[str], bool]:
        tables = look_at(find_files(self._connection, query.place.path), query).tables.values()
        return lambda name: any(table.has(name) for table in tables)

    def _look(self, query: Query) -> tuple[Files, Layout]:
        files = find_files(self._connection, query.place.path)
        layout = look_at(files, query)
        check_files(layout, query)
        return files, layout


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """The files, with what is said of all of them whatever the queue.

    own: where each file is a queue, those of each.
    """

    files: Files
    layout: Layout
    own: Mapping[str, Sequence[str]]
    notes: tuple[str, ...]
    doubts: tuple[str, ...]

    @classmethod
    def of(cls, files: Files, layout: Layout, query: Query) -> _Place:
        own: dict[str, list[str]] = {}
        for name in files.paths if layout.is_by_file else ():
            own.setdefault(Path(name).stem, []).append(name)
        notes = (*files.notes, *layout.notes(query))
        return cls(
            files=files,
            layout=layout,
            own=own,
            notes=notes,
            doubts=(*large_files(files, is_by_file=layout.is_by_file), *layout.doubts(query)),
        )

    def reading(self, found: Found, query: Query) -> Reading:
        """Of one queue; raises why there is none."""
        files, layout, own = self.files, self.layout, self.own.get(query.queue, ())
        broken = layout.broken | found.broken
        for name in own:
            if name in broken:
                raise broken[name]
        if query.queue in found.errors:
            raise found.errors[query.queue]
        parts = found.parts.get(query.queue)
        if not parts:
            if broken and not layout.is_by_file:
                raise next(iter(broken.values()))
            raise EmptySeries(f"found no row of it in {listed(own or files.paths, MAX_FILES_NAMED)}", queue=query.queue)
        reading, samples = reading_of(parts, query)
        mended = refuse_repeats(files, layout, parts, samples, query)
        of_all = {} if layout.is_by_file else broken  # else each is of its own queue
        met_in = (table for table in layout.tables.values() if not query.queues_from_columns or query.queue in table.columns)
        return replace(
            reading,
            losses=(*lost_files(files, of_all), *reading.losses, *nameless_rows(found.nameless, query, reading.rows, found.rows)),
            notes=(*self.notes, *found.notes_of(met_in), *nameless_note(found.nameless, query), *reading.notes),
            advice=(*files.advice, *empty_files(of_all), *self.doubts, *found.doubts, *mended, *reading.advice),
        )
