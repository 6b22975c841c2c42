"""InfluxSource: a measurement of an InfluxDB of any version, resampled in the server by InfluxQL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from shared.connections.influxdb import InfluxdbConnection
from shared.domain.identifiers import listed
from shared.domain.places import Place
from shared.domain.timegrid import to_epoch
from shared.drivers.influx import ErrorTypes, Series, names_in, query, quoted_field, quoted_place, reach
from shared.errors import EmptySeries, SourceAway, SourceNotFound, UnreadableData
from worker.sources import sources
from worker.sources.base import MAX_QUEUES, MINUTE, Query, Reading, SourceView, check_count

ERRORS = ErrorTypes(away=SourceAway, missing=SourceNotFound, refused=UnreadableData)
NUMERIC = {"float", "integer", "unsigned"}
TIME_NAMES = {"timestamp", "time"}  # InfluxDB calls it `time`, and requests say `timestamp` unless they say otherwise
Kinds = Mapping[str, set[str]]  # field → its types: one that was text once and is a number now has two
MAX_NAMED = 10


@sources.register("influxdb")
class InfluxSource:
    """Queues are the values of the tag `queue_field`, columns are fields; a point without the tag belongs to no queue.

    Two points of one series and time cannot be: the server keeps the later one. Read with a user who may only read.
    """

    def __init__(self, connection: InfluxdbConnection) -> None:
        self._connection = connection
        self._server = connection.server()

    def queues(self, query: Query) -> list[str]:
        """Every value of the tag, sorted; raises SourceNotFound with the measurements or tags that there are."""
        reach(self._server, ERRORS)
        place, name = query.place, query.queue_field
        measurement = quoted_place(str(place.measurement))
        answer = self._ask(f"SHOW TAG VALUES FROM {measurement} WITH KEY = {quoted_field(name)} LIMIT {MAX_QUEUES + 1}", place)
        names = sorted(names_in(answer, 1))
        check_count(names, name)
        if names:
            return names
        self._refuse_unknown_measurement(place)
        tags = names_in(self._ask(f"SHOW TAG KEYS FROM {measurement}", place))
        raise SourceNotFound(f"found no tag {name!r} in {place.measurement!r}, there are {listed(tags)}")

    def check(self, query: Query) -> SourceView:
        """Look at tags, fields and the ends of the history."""
        queues = self.queues(query)
        kinds = self._kinds(query)
        columns = _columns(query, kinds)
        start_at, end_at = self._span(query, columns, kinds)
        notes = tuple(_left_out(query, columns, kinds))
        return SourceView(queues=tuple(queues), columns=columns, start_at=start_at, end_at=end_at, notes=notes)

    def read(self, query: Query) -> Reading:
        """The history of one queue; raises SourceNotFound, EmptySeries, UnreadableData."""
        reach(self._server, ERRORS)
        kinds = self._kinds(query)
        columns = _columns(query, kinds)
        if not columns:
            raise EmptySeries(f"found no field of numbers in {query.place.measurement!r}, there are {listed(kinds)}")
        answer = self._ask(_statement(query, columns, kinds), query.place, queue=query.queue)
        frame, samples = _frame(answer, columns)
        if frame.empty or (query.target and frame[query.target].isna().all()):
            self._explain_nothing(query, kinds)
        return Reading(frame=frame, rows=samples, notes=tuple(_left_out(query, columns, kinds)))

    def _kinds(self, query: Query) -> Kinds:
        """The fields of the measurement; raises SourceNotFound when it is not there, or the time is called otherwise."""
        kinds: dict[str, set[str]] = {}
        answer = self._ask(f"SHOW FIELD KEYS FROM {quoted_place(str(query.place.measurement))}", query.place)
        for name, kind in (row for series in answer for row in series.rows):
            kinds.setdefault(str(name), set()).add(str(kind))
        if not kinds:
            self._refuse_unknown_measurement(query.place)
        if query.time_field not in TIME_NAMES:
            raise SourceNotFound(f"found no time {query.time_field!r}; InfluxDB's is `time`, its fields are {listed(kinds)}")
        return kinds

    def _span(self, query: Query, columns: Sequence[str], kinds: Kinds) -> tuple[datetime | None, datetime | None]:
        """First and last sample of the first column in the history asked for."""
        if not columns:
            return None, None
        field, measurement = _number(columns[0], kinds), quoted_place(str(query.place.measurement))
        inside = f"time >= {to_epoch(query.start)}s AND time < {to_epoch(query.end)}s"
        looks = (f"SELECT {end}({field}) FROM {measurement} WHERE {inside}" for end in ("first", "last"))  # noqa: S608 - quoted names
        ends = [self._ask(statement, query.place) for statement in looks]
        moments = [datetime.fromtimestamp(answer[0].rows[0][0], UTC) if answer else None for answer in ends]
        return moments[0], moments[1]

    def _explain_nothing(self, query: Query, kinds: Kinds) -> None:
        names = self.queues(query)
        if query.queue not in names:
            raise EmptySeries(f"found no point of it in {query.place.measurement!r}", queue=query.queue)
        nothing = f"found no value of {query.target or 'any field'!r} from {query.start:{MINUTE}} to {query.end:{MINUTE}}"
        if query.target and (others := kinds[query.target] - NUMERIC):
            raise UnreadableData(f"{nothing} that is a number, the field holds {_plural(others)} too", queue=query.queue)
        raise EmptySeries(f"{nothing}; a job looks back from `as_of` (default: now)", queue=query.queue)

    def _refuse_unknown_measurement(self, place: Place) -> None:
        """A measurement that is not there is an empty answer, not an error."""
        names = names_in(self._ask("SHOW MEASUREMENTS", place))
        if place.measurement not in names:
            names = [name for name in names if self._connection.may_read(self._database(place), name)]
            raise SourceNotFound(f"measurement {place.measurement!r} not found, there are {listed(names, MAX_NAMED)}")

    def _ask(self, statement: str, place: Place, **values: str) -> list[Series]:
        return query(self._server, statement, ERRORS, database=self._database(place), **values)

    def _database(self, place: Place) -> str:
        database = place.database or self._connection.own_database
        if database is None:
            raise SourceNotFound("no database: name it in `data.source.database`, or give the connection one")
        quoted_place(database)  # it travels as a parameter, and is held to the same pattern all the same
        return database


def _columns(query: Query, kinds: Kinds) -> tuple[str, ...]:
    """The fields to read, the target first; raises SourceNotFound, UnreadableData for one that is no number."""
    for name in query.required:
        if name not in kinds:
            raise SourceNotFound(f"found no field {name!r} in {query.place.measurement!r}, there are {listed(kinds)}")
        if not kinds[name] & NUMERIC:
            raise UnreadableData(f"the field {name!r} holds {_plural(kinds[name])}; accepted are numbers")
    return query.chosen(_unnamed(query, kinds))


def _unnamed(query: Query, kinds: Kinds) -> list[str]:
    """The fields of numbers that nobody has named, when none are."""
    numeric = [name for name, types in kinds.items() if types & NUMERIC and name != query.target]
    return numeric if query.columns is None else []


def _left_out(query: Query, columns: Sequence[str], kinds: Kinds) -> Iterator[str]:
    """What is not read, in plain words."""
    if note := query.note_unnamed(len(_unnamed(query, kinds))):
        yield note
    for name in columns:
        if texts := kinds[name] - NUMERIC:
            yield f"the field {name!r} holds numbers and {_plural(texts)}: only the numbers are read"


def _plural(kinds: set[str]) -> str:
    return " and ".join(f"{kind}s" for kind in sorted(kinds))


def _number(name: str, kinds: Kinds) -> str:
    """The field as the server is asked for it; of mixed types, a time with only texts is an error to it unless they are cast."""
    return quoted_field(name) if kinds[name] <= NUMERIC else f"{quoted_field(name)}::float"


def _statement(query: Query, columns: Sequence[str], kinds: Kinds) -> str:
    """Both ends always: without an upper one the server stops at now."""
    fields = [_number(name, kinds) for name in columns]
    selected = ", ".join(
        f'{query.aggregation.value}({field}) AS "v{n}", count({field}) AS "n{n}"' for n, field in enumerate(fields)
    )
    inside = f"time >= {to_epoch(query.start)}s AND time < {to_epoch(query.end)}s"
    measurement, tag = quoted_place(str(query.place.measurement)), quoted_field(query.queue_field)
    return (
        f"SELECT {selected} FROM {measurement} WHERE {tag} = $queue AND {inside}"  # noqa: S608 - quoted names, the value apart
        f" GROUP BY time({query.step_seconds}s) fill(none)"
    )


def _frame(answer: Sequence[Series], columns: Sequence[str]) -> tuple[pd.DataFrame, int]:
    """The steps with a sample, and how many samples the first column had."""
    rows = [row for series in answer for row in series.rows]
    names = answer[0].columns if answer else ()
    table = {name: [row[place] for row in rows] for place, name in enumerate(names)}
    values = {name: np.array(table.get(f"v{n}", []), dtype=np.float64) for n, name in enumerate(columns)}
    index = pd.to_datetime(np.array(table.get("time", []), dtype=np.int64), unit="s", utc=True)
    samples = sum(count or 0 for count in table.get("n0", []))
    return pd.DataFrame(values, index=index).dropna(how="all"), samples
