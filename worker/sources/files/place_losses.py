"""What is lost of a place and may be any queue's: files that cannot be read, and rows that name no queue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from shared.domain.identifiers import listed
from shared.domain.losses import Loss
from shared.errors import UnreadableData
from worker.sources._lost import NAMELESS, nameless
from worker.sources._moments import as_index, moments_of
from worker.sources.base import Query
from worker.sources.files.csv_head import NO_LINES
from worker.sources.files.listing import Files, size_of
from worker.sources.files.parts import Part
from worker.sources.files.tables import NO_BYTES

FILES = "files that cannot be read"
LARGE_BYTES = 1 << 30  # of text: ten seconds or so
MAX_NAMED = 3


def lost_files(files: Files, broken: Mapping[str, UnreadableData]) -> Iterator[Loss]:
    """Files that may have rows of any queue, and that cannot be read."""
    if lost := {name: error for name, error in broken.items() if not _is_empty(error)}:
        name, error = next(iter(lost.items()))
        yield Loss(what=FILES, count=len(lost), total=len(files.paths), example=name, advice=error.detail)


def empty_files(broken: Mapping[str, UnreadableData]) -> Iterator[str]:
    """What to say of files with nothing in them: nobody knows whether they should have rows."""
    if names := [name for name, error in broken.items() if _is_empty(error)]:
        found = f"files with nothing in them: {len(names):,} left out, {listed(names, MAX_NAMED)}"
        yield f"{found}; look whether they should have rows"


def large_files(files: Files, *, is_by_file: bool) -> Iterator[str]:
    """What to say of files of rows of many queues that are so large that to read them again and again takes hours."""
    texts = [name for name in files.paths if not name.lower().endswith(".parquet")]  # in which only some groups of rows are read
    size = sum(size_of(files.paths[name]) for name in texts)
    if not is_by_file and size > LARGE_BYTES:
        found = f"{listed(texts, MAX_NAMED)} with {size / 1e9:.1f} GB must be read again for each hundred queues or so"
        yield f"{found}; Parquet files sorted by queue, or a file for each queue, are read once"


def nameless_rows(parts: Sequence[Part], query: Query, own: int, every: int) -> Iterator[Loss]:
    """Rows in the history that name no queue, beside so many of the queue, and of all queues."""
    if not parts:
        return
    moments = moments_of([part.times for part in parts], query)
    if moments.is_inside.any():
        times = as_index(moments.at[moments.is_inside])
        ends = times.min().to_pydatetime(), times.max().to_pydatetime()
        yield nameless(query, len(times), ends, f"a row of {parts[0].table.name}", own=own, every=lambda: every)


def nameless_note(parts: Sequence[Part], query: Query) -> Iterator[str]:
    """What to say of others, such as a total below a table."""
    if parts and (count := int(np.sum(~moments_of([part.times for part in parts], query).is_readable))):
        yield f"{NAMELESS} and have no time: {count:,} left out"


def _is_empty(error: UnreadableData) -> bool:
    return error.detail.startswith((NO_BYTES, NO_LINES))
