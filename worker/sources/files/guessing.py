"""Which column of a table is what, told from its name and from some of its cells. What cannot be told stays open."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from shared.domain.first_look import Guess
from shared.domain.units import unit_of
from shared.errors import UnreadableData
from worker.sources._times import Kind, read_times
from worker.sources.base import Query

if TYPE_CHECKING:
    import pyarrow as pa

TIME_NAMES = re.compile(
    r"^_?(time_?stamp|date_?time|time|date|ts|at|period|epoch)$|(_at|_time|_ts|timestamp|datetime)$", re.IGNORECASE
)
QUEUE_NAMES = re.compile(r"queue|pool|leaf", re.IGNORECASE)
NAMING = re.compile(r"(^|_)(name|id|host|vm|node|series|path|key)$", re.IGNORECASE)
USAGE_NAMES = re.compile(r"used|usage|util|demand|allocated|load|cpu|value|^y$|amount|memory|requests|count", re.IGNORECASE)
NO_VALUE = {"", "na", "n/a", "null", "nan", "-", "none"}
MIN_PANEL = 3  # columns of numbers without a name that says usage: each may be a queue
MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class _Kinds:
    """Names of columns by what their cells are, and the times of those that are times."""

    times: Mapping[str, tuple[Kind, list[int]]]
    numbers: Mapping[str, float]  # → the highest
    texts: Mapping[str, Sequence[str]]


def guessed(cells: Mapping[str, pa.Array], query: Query) -> Guess:
    """Which column is what; what the query names and the table has is not guessed."""
    kinds = _kinds_of(cells)
    time = query.time_field if query.time_field in cells else _first(kinds.times, TIME_NAMES)
    kind, _ = kinds.times.get(time, (Kind.UNREADABLE, []))
    texts = [name for name in kinds.texts if name != time]
    queue = query.queue_field if query.queue_field in cells else _queue_among(texts, kinds)
    numbers = [name for name in kinds.numbers if name not in {time, queue}]
    target = query.target if query.target in cells else _first(numbers, USAGE_NAMES)
    is_panel = query.queues_from_columns or _is_panel(numbers, query, queue)
    return Guess(
        time_field=time,
        queue_field="" if is_panel else queue,
        target=query.target or "" if is_panel else target or "",
        queues_from_columns=is_panel,
        unit=unit_of(target, kinds.numbers.get(target, 0.0)) if target and not is_panel else None,
        has_zone=kind not in {Kind.UNREADABLE, Kind.LOCAL},
        step_seconds=_step(kinds, cells, time, queue),
    )


def _kinds_of(cells: Mapping[str, pa.Array]) -> _Kinds:
    times: dict[str, tuple[Kind, list[int]]] = {}
    numbers: dict[str, float] = {}
    texts: dict[str, list[str]] = {}
    for name, column in cells.items():
        given = [str(value).strip() for value in column.to_pylist() if value is not None]
        values = [value for value in given if value.lower() not in NO_VALUE]
        kind, moments = _moments(column)
        if kind in {Kind.ZONED, Kind.LOCAL} or (kind is not Kind.UNREADABLE and TIME_NAMES.search(name)):
            times[name] = kind, moments
        elif values and (highest := _highest(values)) is not None:
            numbers[name] = highest
        else:
            texts[name] = values
    return _Kinds(times, numbers, texts)


def _moments(column: pa.Array) -> tuple[Kind, list[int]]:
    """How most of the cells are written as times, and these in microseconds."""
    try:
        read = read_times(column)
    except UnreadableData:
        return Kind.UNREADABLE, []
    kinds, counts = np.unique(read.kinds, return_counts=True)
    if not len(kinds) or Kind(int(kinds[counts.argmax()])) is Kind.UNREADABLE:
        return Kind.UNREADABLE, []
    return Kind(int(kinds[counts.argmax()])), read.moments.tolist()


def _highest(values: Sequence[str]) -> float | None:
    """The highest of cells that are numbers, with either decimal sign; None = some are not."""
    with suppress(ValueError):
        numbers = [float(value.replace(",", ".").removesuffix("%")) for value in values]
        return max((number for number in numbers if math.isfinite(number)), default=0.0)
    return None


def _first(names: Mapping[str, object] | Sequence[str], pattern: re.Pattern[str]) -> str:
    """The first whose name is like that, else the first; "" = there is none."""
    return next((name for name in names if pattern.search(name)), next(iter(names), ""))


def _queue_among(texts: Sequence[str], kinds: _Kinds) -> str:
    """The column of text that names the queue: by its name, else the first whose values come again."""
    for pattern in (QUEUE_NAMES, NAMING):
        if named := next((name for name in texts if pattern.search(name)), None):
            return named
    return next((name for name in texts if 0 < len(set(kinds.texts[name])) < len(kinds.texts[name])), "")


def _is_panel(numbers: Sequence[str], query: Query, queue: str) -> bool:
    """Whether each column of numbers may be a queue: nothing names queues or says that it is a usage, and they are several."""
    known = queue or query.target in numbers or any(USAGE_NAMES.search(name) for name in numbers)
    return not known and len(numbers) >= MIN_PANEL


def _step(kinds: _Kinds, cells: Mapping[str, pa.Array], time: str, queue: str) -> int | None:
    """The usual time from one sample of a queue to its next, in seconds."""
    _, moments = kinds.times.get(time, (Kind.UNREADABLE, []))
    names = cells[queue].to_pylist() if queue in cells else [""] * len(moments)
    of_queues: dict[object, list[int]] = {}
    for name, moment in zip(names, moments, strict=False):
        of_queues.setdefault(name, []).append(moment)
    gaps = [later - earlier for each in of_queues.values() for earlier, later in pairwise(sorted(set(each)))]
    return round(median(gaps) / MICROSECONDS) if gaps else None
