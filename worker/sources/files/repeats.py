"""Rows of one queue that share timestamps and differ in their numbers: does a column, a folder or a file tell them apart?

Looking costs nothing until such rows are met; then the files are read once more, with the columns that nobody asked for.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from shared.domain.identifiers import listed
from shared.domain.samples import Limits
from shared.domain.timegrid import MINUTE
from shared.errors import UnreadableData
from worker.sources._interleaved import has_company, refuse_interleaved
from worker.sources._moments import as_index
from worker.sources._numbers import is_number_type, is_text_type
from worker.sources._unasked import are_many, is_unasked, nothing_tells, unasked
from worker.sources.base import Query
from worker.sources.files.layout import Layout
from worker.sources.files.listing import Files
from worker.sources.files.parts import Asked, FileRows, Part, Room, parts_of
from worker.sources.files.samples import Samples
from worker.sources.files.scan import MAX_BYTES
from worker.sources.files.tables import open_table, reading

if TYPE_CHECKING:
    import pyarrow as pa

MAX_LOOKED_AT = 200  # columns of a file
MAX_VALUES = 20  # of a column of whole numbers that may tell rows apart
ALWAYS = 0.9  # of the timestamps that have several numbers: in so many of them the column differs
DAY = 86_400_000_000  # microseconds
TIME_OF_DAY = r"\d{1,2}(:\d{2}){0,2}(\.\d+)?(\s?[AaPp][Mm])?"
HOUR = re.compile("hour|time|hh|stunde|heure|hora", re.IGNORECASE)
FILE = "(the file)"  # no column may be called so

Values = Mapping[str, pd.Series]  # column → its texts, by the row's place


def refuse_repeats(files: Files, layout: Layout, parts: Sequence[Part], samples: Samples, query: Query) -> tuple[str, ...]:
    """Raises UnreadableData when keeping the last row of each timestamp would be a choice that nobody has made.

    Gives what to say of a few that somebody has mended.
    """
    if query.is_one_thing or query.target is None or query.target not in samples.columns:
        return ()
    places = np.flatnonzero(samples.rows.is_inside)
    at = samples.rows.at[places]
    are_shared = len(np.unique(at)) < len(at)
    if layout.is_by_file and not are_shared:
        return ()
    rows = pd.DataFrame({"at": at, "value": samples.columns[query.target].values[places]}, index=places)
    mended = tuple(_refuse_shared(files, layout, parts, rows, query)) if are_shared else ()
    if not layout.is_by_file and has_company(rows, query):
        asked_for = query.columns is None  # then those of text were met
        refuse_interleaved(rows, _others(files, layout, parts, query, samples.texts if asked_for else None), query)
    return mended


def _refuse_shared(files: Files, layout: Layout, parts: Sequence[Part], rows: pd.DataFrame, query: Query) -> Iterator[str]:
    """Raises UnreadableData where rows that share timestamps differ in more than a few numbers; says so of few."""
    count = len(rows)
    ends = rows.groupby("at")["value"].agg(["min", "max"])
    shared = ends.index[ends["min"] < ends["max"]]
    if len(shared):
        first_at = as_index(shared.to_numpy())[0]
        found = f"timestamps that come again with another number: {len(shared):,}, first {first_at:{MINUTE}}"
        yield f"{found}; the last row of each counts"
    if not is_unasked(len(shared), len(ends), is_newest=bool(len(shared)) and shared.max() == ends.index.max()):
        return
    rows = rows[rows["at"].isin(shared)]
    values = _others(files, layout, parts, query)
    _refuse_time_of_day(values, rows, query)
    telling = [name for name, texts in values.items() if _tells(texts, rows, count)]
    many = are_many(len(shared), len(ends))
    if layout.is_by_file and FILE in telling:
        raise _nothing_tells(values, rows, telling, len(shared), query)
    if layout.is_by_file and (telling or many):
        raise _no_queue_column(values, count, len(ends), query)
    if column := next((name for name in telling if name != FILE), None):
        raise unasked(query, column, sorted(set(values[column][rows.index].fillna(""))), first_at.to_pydatetime())
    if many:
        raise _nothing_tells(values, rows, telling, len(shared), query)


def _others(files: Files, layout: Layout, parts: Sequence[Part], query: Query, names: Collection[str] | None = None) -> Values:
    """What the files have beside time, queue and numbers, as texts by the row's place; what folders say, and the file itself.

    Args:
        names: only these columns.
    """
    pieces: dict[str, list[pd.Series]] = {}
    start = 0
    for part in parts:
        places = pd.RangeIndex(start, start + part.cells.num_rows)
        start += len(places)
        for name, texts in _texts(files, layout, part, query, names):
            if len(texts) == len(places):
                pieces.setdefault(name, []).append(texts.set_axis(places))
    return {name: pd.concat(some).reindex(pd.RangeIndex(start)) for name, some in pieces.items()}


def _texts(
    files: Files, layout: Layout, part: Part, query: Query, names: Collection[str] | None
) -> Iterator[tuple[str, pd.Series]]:
    known = {query.time_field, *query.queue_fields, query.target}
    count = part.cells.num_rows
    others = [name for name, kind in part.table.columns.items() if name and name not in known and _may_tell(kind)]
    if names is not None:
        others = [name for name in others if name in names]
    more = replace(query, target=None, columns=tuple(others[:MAX_LOOKED_AT]), limits=Limits())
    asked = Asked(layout=layout, query=more, names=[query.queue])
    if query.queues_from_columns:
        pass
    elif part.table.is_csv and set(others) <= set(part.cells.column_names):
        yield from ((name, part.cells[name].cast("string").to_pandas()) for name in others)
    elif more.columns:
        with open_table(files, part.table.name, query.csv, tuple(part.table.columns)) as table, reading(part.table.name):
            for _, again in parts_of(table, asked, FileRows(), Room(left=MAX_BYTES)):
                yield from ((name, again.cells[name].cast("string").to_pandas()) for name in more.columns)
    yield from ((key, pd.Series([value] * count)) for key, value in part.table.keys.items() if key not in known)
    yield FILE, pd.Series([part.table.name] * count)


def _may_tell(kind: pa.DataType) -> bool:
    from pyarrow import types

    return is_text_type(kind) or (is_number_type(kind) and not types.is_floating(kind))


def _tells(texts: pd.Series, rows: pd.DataFrame, count: int) -> bool:
    """Whether it differs wherever rows of one timestamp have several numbers, and is no number or name of a row."""
    own = texts[rows.index].fillna("")
    values = own.unique()
    if not 1 < len(values) <= max(MAX_VALUES, count // 10):
        return False
    numbers = pd.to_numeric(pd.Series(values[values != ""]), errors="coerce")
    if numbers.notna().any() and (len(values) > MAX_VALUES or (numbers % 1 > 0).any()):
        return False
    return bool((own.groupby(rows["at"]).nunique() > 1).mean() >= ALWAYS)


def _refuse_time_of_day(values: Values, rows: pd.DataFrame, query: Query) -> None:
    """Raises UnreadableData when timestamps are days, and another column has the hour."""
    if (rows["at"] % DAY).nunique() > 1:
        return
    for name, texts in values.items():
        own = texts[rows.index].fillna("")
        is_time = own.str.fullmatch(TIME_OF_DAY).all() and (own.str.contains(":").all() or HOUR.search(name))
        if is_time and (own.groupby(rows["at"]).nunique() > 1).mean() >= ALWAYS:
            found = f"its timestamps are days, and {name!r} seems to tell the time of day, such as {own.iloc[-1]!r}"
            reason = f"{found}; accepted is one column with both, such as 2026-01-05T13:00:00Z"
            raise UnreadableData(reason, queue=query.queue, column=query.time_field)


def _no_queue_column(values: Values, rows: int, moments: int, query: Query) -> UnreadableData:
    texts = [name for name, cells in values.items() if name != FILE and pd.to_numeric(cells, errors="coerce").isna().all()]
    found = f"found no column {query.queue_field!r}, and {rows - moments:,} of {rows:,} rows repeat a timestamp"
    return UnreadableData(
        f"{found}: if the file holds several queues, say in `queue_field` which column names them; text columns"
        f" are {listed(texts)}",
        queue=query.queue,
    )


def _nothing_tells(values: Values, rows: pd.DataFrame, telling: Sequence[str], moments: int, query: Query) -> UnreadableData:
    found = f"its rows share {moments:,} timestamps and differ in their numbers"
    if FILE in telling:
        names = sorted(set(values[FILE][rows.index]))
        reason = f"{found} between files ({listed(names, 3)}); say in `path` which of them are meant"
        return UnreadableData(reason, queue=query.queue)
    return nothing_tells(query, moments)
