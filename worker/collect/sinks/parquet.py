"""Parquet files that jobs read as a source of kind `files`: small ones at first, put together by the hour and by the day.

    yarn_queue/prod/default/2026-11-30.parquet           a day              path = "yarn_queue/prod/default" means all of them
                            2026-12-01T00.parquet        an hour
                            2026-12-01T01-05.parquet     five minutes, the last ones: replaced with each sample of them

A file is only ever replaced as a whole, so nobody finds it half written. Those of hours and days are sorted by queue, so that
whoever reads one queue reads the groups of rows that have it; five minutes are one group. A row may be in two files for a
while, of its five minutes and of its hour: readers take it once.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from shared.domain.collected import Series, folder_name
from shared.errors import SinkAway
from worker.collect.sinks._arrow import (
    GROUP_ROWS,
    QUEUE,
    groups_of,
    queues_in,
    read_part,
    rows_in,
    rows_of,
    sorted_once,
    with_rows,
    write_groups,
)
from worker.collect.sinks.columns import gather
from worker.collect.sinks.day_maker import DayMaker
from worker.collect.sinks.gathered import Gathered
from worker.collect.tables import ROLLUPS, Row, Table

if TYPE_CHECKING:
    import pyarrow as pa

SUFFIX = ".parquet"
PIECE, HOUR, DAY = timedelta(minutes=5), timedelta(hours=1), timedelta(days=1)
NAMES = {DAY: "%Y-%m-%d", HOUR: "%Y-%m-%dT%H", PIECE: "%Y-%m-%dT%H-%M"}
LENGTHS = {10: DAY, 13: HOUR, 16: PIECE}  # of a file's name
LONGER = {PIECE: HOUR, HOUR: DAY}
GRACE = timedelta(minutes=10)  # after which nobody reads a file that he found in a folder before
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
GROUPS = {HOUR: 1 << 12}  # rows, fewer than of others: of each a few queues are read at a time to make a day
ROWS_TOGETHER = GROUP_ROWS  # that are put together at a time: memory
Whole = tuple[Path, Sequence[Path]]  # a file of an hour or a day, and those that are a part of it


class ParquetSamples:
    """Below a folder, each table, cluster and partition in one of its own."""

    def __init__(self, folder: Path, *, has_day_maker: bool = False) -> None:
        """has_day_maker: hours and days are put together by a process of their own: no look waits for it."""
        self._folder = folder
        self.day_maker = DayMaker() if has_day_maker else None
        if has_day_maker:
            _keep_no_memory()

    def write(self, table: Table, rows: Sequence[Row]) -> None:
        """Add them to the files of their hours."""
        for file, own in self._by_file(table, rows).items():
            with _told(file):
                part = read_part(table, file) if file.exists() else None
                _replace(table, file, iter([with_rows(table, part, own)]))

    def read(self, table: Table, cluster: str, start: datetime, end: datetime) -> list[Row]:
        """From the files that may have some."""
        found: dict[object, Row] = {}
        for file in self._files(table, cluster):
            if _beginning(file) < end and _end(file) > start:
                with _told(file):
                    own = (row for part in groups_of(table, file) for row in rows_of(table, part, start, end))
                    found |= {tuple(getattr(row, name) for name in (*table.tags, table.time)): row for row in own}
        return list(found.values())

    def series(
        self, cluster: str, columns: Sequence[str], start: datetime, end: datetime, *, queues: Sequence[str] | None = None
    ) -> list[Series]:
        """From the groups of rows that have any of the queues."""
        gathered, span = Gathered(columns), (round(start.timestamp() * 1_000), round(end.timestamp() * 1_000))
        for file in self._files(ROLLUPS, cluster):
            if _beginning(file) < end and _end(file) > start:
                with _told(file):
                    gather(gathered, file, span, queues)
        return gathered.series()

    def forget(self, table: Table, cluster: str, before: datetime) -> None:
        """Files whose last row is older."""
        for file in self._files(table, cluster):
            if _end(file) <= before:
                with _told(file):
                    file.unlink(missing_ok=True)

    def tidy(self, table: Table, cluster: str, now: datetime) -> None:
        """Make the files of whole hours and days, and drop those that have been part of one for a while."""
        wholes = (each for length in LENGTHS.values() for each in self._wholes(table, cluster, now, length))
        if self.day_maker is not None and any(map(_is_to_be_made, wholes)):
            self.day_maker.begin(self._folder, table, cluster, now)
        else:
            self.put_together(table, cluster, now)

    def put_together(self, table: Table, cluster: str, now: datetime) -> None:
        """Hours first, which days are made of."""
        for length in (HOUR, DAY):
            for whole, files in self._wholes(table, cluster, now, length):
                _put_together(table, whole, files, now)

    def _wholes(self, table: Table, cluster: str, now: datetime, length: timedelta) -> list[Whole]:
        """Hours or days that are over, with the files that are a part of each."""
        parts: dict[Path, list[Path]] = defaultdict(list)
        for file in self._files(table, cluster):
            if LONGER.get(LENGTHS[len(file.stem)]) is length:
                parts[_named(file.parent, _beginning(file), length)].append(file)
        return [(whole, files) for whole, files in parts.items() if _end(whole) + GRACE <= now]

    def _by_file(self, table: Table, rows: Sequence[Row]) -> dict[Path, list[Row]]:
        files: dict[Path, list[Row]] = defaultdict(list)
        for row in rows:
            folder = self._place(table, row.cluster) / folder_name(getattr(row, "partition", ""))
            files[_named(folder, getattr(row, table.time), PIECE)].append(row)
        return files

    def _files(self, table: Table, cluster: str) -> list[Path]:
        """All of them, those whose rows count more behind the others: what was put together later may be of before."""
        files = (file for file in self._place(table, cluster).glob(f"**/[0-9]*{SUFFIX}") if len(file.stem) in LENGTHS)
        return sorted(files, key=lambda file: (len(file.stem), file.stem))

    def _place(self, table: Table, cluster: str) -> Path:
        return self._folder / table.name / folder_name(cluster)


def _keep_no_memory() -> None:
    """Arrow's own allocator keeps up to 40 MB more of what is needed for a moment."""
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")  # for what reads Parquet, and for our processes
    import pyarrow as pa

    pa.set_memory_pool(pa.system_memory_pool())


def _is_to_be_made(each: Whole) -> bool:
    """Whether there is no such file yet, or something has come later."""
    whole, files = each
    return not whole.exists() or any(_changed(file) > _changed(whole) for file in files)


def _put_together(table: Table, whole: Path, files: Sequence[Path], now: datetime) -> None:
    with _told(whole):
        if _is_to_be_made((whole, files)):
            _replace(table, whole, _merged(table, [*([whole] if whole.exists() else []), *files]))
        elif _changed(whole) + GRACE.total_seconds() < now.timestamp():
            for file in files:
                file.unlink(missing_ok=True)


def _merged(table: Table, files: Sequence[Path]) -> Iterator[pa.Table]:
    """All rows of some files, a few queues at a time."""
    if QUEUE not in table.tags:
        yield sorted_once(table, [read_part(table, file) for file in files])
        return
    names = sorted({name for file in files for name in queues_in(file)})
    together = max(1, ROWS_TOGETHER * len(names) // max(1, sum(map(rows_in, files))))
    for first in range(0, len(names), together):
        some = names[first : first + together]
        yield sorted_once(table, [read_part(table, file, some[0], some[-1]) for file in files])


def _replace(table: Table, file: Path, parts: Iterator[pa.Table]) -> None:
    """The file with these rows, at once; whoever reads it meanwhile reads what it was."""
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with beside.open("wb") as out:
            write_groups(table, out, parts, GROUPS.get(LENGTHS[len(file.stem)], GROUP_ROWS))
            out.flush()
            os.fsync(out.fileno())
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)


def _named(folder: Path, at: datetime, length: timedelta) -> Path:
    """The file of so much time that has this moment."""
    beginning = at.astimezone(UTC) - (at.astimezone(UTC) - EPOCH) % length
    return folder / f"{beginning.strftime(NAMES[length])}{SUFFIX}"


def _beginning(file: Path) -> datetime:
    return _moment(file.stem)


@lru_cache(4_096)
def _moment(name: str) -> datetime:
    """A name is read once: each look asks all files for theirs."""
    return datetime.strptime(name, NAMES[LENGTHS[len(name)]]).replace(tzinfo=UTC)


def _end(file: Path) -> datetime:
    return _beginning(file) + LENGTHS[len(file.stem)]


def _changed(file: Path) -> float:
    """0 = it has been put together by another process meanwhile."""
    try:
        return file.stat().st_mtime
    except FileNotFoundError:
        return 0.0


@contextmanager
def _told(file: Path) -> Iterator[None]:
    """What the file system refuses, as ours."""
    import pyarrow as pa

    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise SinkAway(f"{file.parent.name}/{file.name}: {error}") from error
