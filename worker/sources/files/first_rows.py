"""The first rows of the first file of a place, as they are written there."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.errors import UnreadableData
from worker.sources.base import Query
from worker.sources.files.layout import known_columns
from worker.sources.files.listing import Files, size_of
from worker.sources.files.tables import open_table

if TYPE_CHECKING:
    import pyarrow as pa

MAX_TRIED = 5  # files: the first ones may be empty or broken


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstRows:
    """Some rows of a table: name of a column → its cells. `files` are all of the place, `size` is theirs in bytes."""

    cells: dict[str, pa.Array]
    files: tuple[str, ...]
    size: int


def first_rows(files: Files, query: Query, *, rows: int, columns: int) -> FirstRows:
    """The first rows of the first file that has any; raises UnreadableData of the first when none can be read."""
    errors: list[UnreadableData] = []
    size = sum(map(size_of, files.paths.values()))
    for name in list(files.paths)[:MAX_TRIED]:
        try:
            if cells := _cells(files, name, query, rows, columns):
                return FirstRows(cells=cells, files=tuple(files.paths), size=size)
        except UnreadableData as error:
            errors.append(error)
    if errors:
        raise errors[0]
    return FirstRows(cells={}, files=tuple(files.paths), size=size)


def _cells(files: Files, name: str, query: Query, rows: int, columns: int) -> dict[str, pa.Array]:
    import pyarrow as pa
    import pyarrow.types as kind

    with open_table(files, name, query.csv, known_columns(query)) as table:
        plain = [column for column, type_ in table.columns.items() if column and not kind.is_nested(type_)]
        names = _kept(plain, query, columns)
        batches = table.batches(names)
        with suppress(StopIteration):
            batch = next(batches).slice(0, rows)
            keys = {key: pa.array([value] * batch.num_rows, pa.string()) for key, value in table.keys.items()}
            return {**dict(zip(names, batch.columns, strict=True)), **keys}
    return {}


def _kept(names: list[str], query: Query, most: int) -> list[str]:
    """At most so many, in their order; those that the request names are among them."""
    known = set(known_columns(query))
    kept = {*[name for name in names if name in known], *names[: max(0, most - len(known))]}
    return [name for name in names if name in kept]
