"""CSV files of one queue, written and read back in one line."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from shared.connections.files import FilesConnection
from shared.domain.jobs import Place
from tests.worker.sources.queries import a_query, all_queues
from worker.sources import sources
from worker.sources.base import Reading, Source

START = datetime(2026, 1, 5, tzinfo=UTC)
HEADER = "timestamp,queue,used_capacity"


def files(folder: Path) -> Source:
    return sources["files"](FilesConnection(path=folder))


def queues(folder: Path, path: str | None = None, *fields: str) -> list[str]:
    return files(folder).queues(all_queues(Place(name="files", path=path), *fields))


def read(folder: Path, path: str | None = None, queue: str = "a", **changes: object) -> Reading:
    day = {"start": START, "end": START + timedelta(days=1)}
    return files(folder).read(a_query(Place(name="files", path=path), queue=queue, **(day | changes)))


def write_csv(folder: Path, rows: Iterable[str], *, header: str = HEADER, name: str = "rows.csv") -> Path:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("\n".join([header, *rows]) + "\n")
    return folder


def write_times(folder: Path, times: Iterable[object]) -> Path:
    return write_csv(folder, [f"{moment},a,{value}" for value, moment in enumerate(times, 1)])


def values(reading: Reading) -> list[float]:
    return reading.frame.used_capacity.tolist()
