"""Why InfluxDB gives nothing, or not what was asked for: it answers all of that with an empty result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import product

import pandas as pd

from shared.domain.identifiers import listed
from shared.domain.losses import Loss
from shared.domain.timegrid import MINUTE
from shared.drivers.influx import Row, quoted_field
from shared.errors import DataError, EmptySeries, SourceNotFound, UnreadableData
from worker.sources._lost import BROKEN, MAX_LOST, SWITCHES, TEXTS, by_end, is_null_word, lost_cells, nameless, outside_range
from worker.sources.base import NO_LIMIT, Query
from worker.sources.influx.database import InfluxDatabase
from worker.sources.influx.statements import HUGE, NUMERIC, Kinds, Points, number, points_of, tag, within

TIME_NAMES = {"timestamp", "time"}  # InfluxDB calls it `time`, and requests say `timestamp` unless they say otherwise
ADVICE = (
    'write numbers only (used=61.2, not used="61.2"): InfluxDB holds other values of a field apart, and makes no numbers of them'
)
OTHERS = {"string": TEXTS, "boolean": SWITCHES}  # what a field may hold beside numbers


def faults(query: Query, kinds: Kinds) -> Iterator[DataError]:
    """What is wrong with the names of fields that a query has."""
    there_are = f"there are {listed(kinds)}" if kinds else "it has none"
    if query.time_field not in TIME_NAMES:
        yield SourceNotFound(f"found no time {query.time_field!r}; InfluxDB's is `time`, its fields are {listed(kinds)}")
    for name in query.required:
        if name not in kinds:
            yield SourceNotFound(f"found no field {name!r} in {query.place.measurement!r}, {there_are}")
        elif not kinds[name] & NUMERIC:
            yield UnreadableData(f"the field {name!r} holds {_plural(kinds[name])}; accepted are numbers; {ADVICE}")


def unknown_tags(database: InfluxDatabase, query: Query, kinds: Kinds) -> Iterator[DataError]:
    """What is wrong with the names of tags: those of queues are tags, those of `where` tags or fields."""
    tags = database.tags(query.place)
    there_are = f"there are {listed(tags)}" if tags else "it has no tags at all"
    for name in query.queue_fields:
        if name not in tags:
            is_field = "; it is a field, and only tags make queues" if name in kinds else ""
            yield SourceNotFound(f"found no tag {name!r} in {query.place.measurement!r}, {there_are}{is_field}")
    for name in query.where:
        if name not in tags and name not in kinds:
            yield SourceNotFound(f"found neither a tag nor a field {name!r}, which `where` names: tags: {listed(tags)}")


def unread(query: Query, kinds: Kinds) -> Iterator[str]:
    """What is not read, in plain words."""
    if note := query.note_unnamed(len(unnamed(query, kinds))):
        yield note
    if query.samples_timezone not in {None, "UTC"}:
        yield "`samples_timezone` changes nothing here: InfluxDB's timestamps are moments, not times of a clock on the wall"


def unnamed(query: Query, kinds: Kinds) -> list[str]:
    """The fields of numbers that nobody has named, when none are; what `where` is about is no measurement.

    Those that may be the queue's limits come along in any case.
    """
    numeric = [name for name, types in kinds.items() if types & NUMERIC and name != query.target and name not in query.where]
    return numeric if query.columns is None else [name for name in numeric if query.may_be_limit(name)]


def others_among(database: InfluxDatabase, query: Query, points: Points, frame: pd.DataFrame, kinds: Kinds) -> Iterator[Loss]:
    """Losses of the fields that hold texts, or true and false, beside numbers."""
    for name, (kind, what) in product(map(str, frame), OTHERS.items()):
        if kind not in kinds[name]:
            continue
        statement = points.select(f'{quoted_field(name)}::{kind} AS "lost"', within(query), tail=f" LIMIT {MAX_LOST}")
        found = database.rows(statement, query.place, points.values)
        lost = [(moment(at), str(value)) for at, value in found if value is not None and not is_null_word(str(value))]
        if lost:
            yield lost_cells(what, name, lost, by_end(frame[name], query), advice=ADVICE)


def nameless_points(database: InfluxDatabase, query: Query, column: str, kinds: Kinds, own: int) -> Iterator[Loss]:
    """Points in the history that have a number in the column and no queue, as one loss, beside so many of the queue."""
    every, field = points_of(replace(query, queue=""), kinds), number(column, kinds)
    nobodys = replace(every, conditions=(*every.conditions, f"{tag(query.queue_field, kinds)} = ''"))

    def ask(points: Points, what: str) -> list[Row]:
        return database.rows(points.select(f"{what}({field})", within(query)), query.place, points.values)

    if counts := ask(nobodys, "count"):
        ends = moment(ask(nobodys, "first")[0][0]), moment(ask(nobodys, "last")[0][0])
        example = f"the point of {ends[0]:%Y-%m-%dT%H:%M:%SZ}"
        yield nameless(query, int(counts[0][1]), ends, example, own=own, every=lambda: int(ask(every, "count")[0][1]))


def is_beyond(query: Query, name: str, least: float, most: float) -> bool:
    """Whether numbers from the least to the most are not all possible for a field; NaN = there are none."""
    low, high = query.physical_range if name == query.target else (None, None)
    return (low is not None and least < low) or (high is not None and most > high) or most >= NO_LIMIT[0]


def impossible(query: Query, name: str, rows: Sequence[Row], usable: pd.Series, total: int) -> Iterator[Loss]:
    """Losses of a field: numbers that stand for no limit, and of the target those outside its physical range."""
    cells = [(moment(at), f"{value:.15g}", value in NO_LIMIT or value >= HUGE) for at, value in rows]
    if lost := [(at, text) for at, text, is_broken in cells if is_broken]:
        yield lost_cells(BROKEN, name, lost, usable, advice="accepted are finite numbers", total=total)
    if lost := [(at, text) for at, text, is_broken in cells if not is_broken]:
        yield outside_range(query, lost, usable, total=total)


def why_nothing(database: InfluxDatabase, query: Query, points: Points, kinds: Kinds, losses: Sequence[Loss]) -> DataError:
    """There is no value of the target, or of any field, in the history asked for."""
    nothing = f"found no value of {query.target or 'any field'!r} in {query.history}"
    if losses:
        return UnreadableData(losses[0].text, queue=query.queue)
    if wrong := list(unknown_tags(database, query, kinds)):
        return wrong[0]
    if query.target and (others := kinds[query.target] - NUMERIC):
        return UnreadableData(f"{nothing} that is a number, the field holds {_plural(others)} too", queue=query.queue)
    field = number(query.target or next(name for name in kinds if kinds[name] & NUMERIC), kinds)
    last = database.rows(points.select(f"last({field})"), query.place, points.values)
    if last:
        return EmptySeries(f"{nothing}; the last one ever is of {moment(last[0][0]):{MINUTE}}", queue=query.queue)
    kept = " that `where` keeps" if query.where else ""
    return EmptySeries(f"found no point of it{kept} in {query.place.measurement!r}", queue=query.queue)


def moment(seconds: float) -> datetime:
    """The time of a row."""
    return datetime.fromtimestamp(seconds, UTC)


def _plural(kinds: set[str]) -> str:
    return " and ".join(f"{kind}s" for kind in sorted(kinds))
