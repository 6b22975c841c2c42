"""Measurements of an InfluxDB of any version, one for each table: tags and numbers, a point a row."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import structlog

from shared.connections.influxdb import InfluxdbConnection
from shared.domain.collected import Series
from shared.domain.timegrid import to_epoch
from shared.drivers.influx import ErrorTypes, query, quoted_field, quoted_place, reach
from shared.drivers.influx import Series as Answered
from shared.drivers.influx_write import write_lines
from shared.errors import CredentialsRefused, InvalidSettings, SinkAway, SinkNotFound, SinkRefused
from worker.collect.sinks.gathered import Gathered
from worker.collect.tables import ROLLUPS, Row, Table

ERRORS = ErrorTypes(away=SinkAway, refused=SinkRefused, missing=SinkNotFound)
COUNTS = ("int", "int | None")
TAG = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ "})
TEXT = str.maketrans({"\\": "\\\\", '"': '\\"'})

log = structlog.get_logger(__name__)


class InfluxSamples:
    """A database, or bucket, of the connection's own; writing a point again overwrites it."""

    def __init__(self, connection: InfluxdbConnection, name: str) -> None:
        if connection.database is None:
            raise InvalidSettings(f"the connection {name} names no `database` for samples")
        self._server, self._database = connection.server(), connection.database
        self._can_delete = connection.version != "3"

    def write(self, table: Table, rows: Sequence[Row]) -> None:
        """A line for each row that tells anything; a frozen server is met within 4 s, before it is given any."""
        if lines := [line for row in rows if (line := line_of(table, row))]:
            reach(self._server, ERRORS)
            write_lines(self._server, self._database, lines, ERRORS)

    def read(self, table: Table, cluster: str, start: datetime, end: datetime) -> list[Row]:
        """All columns of one span."""
        tags = ", ".join(f'"{name}"' for name in table.tags)
        span = f'"cluster" = $cluster AND time >= {to_epoch(start)}s AND time < {to_epoch(end)}s'
        statement = f"SELECT * FROM {quoted_place(table.name)} WHERE {span} GROUP BY {tags}"  # noqa: S608 - quoted
        answer = query(self._server, statement, ERRORS, database=self._database, cluster=cluster)
        return [row for series in answer for row in _rows(table, series)]

    def series(
        self, cluster: str, columns: Sequence[str], start: datetime, end: datetime, *, queues: Sequence[str] | None = None
    ) -> list[Series]:
        """Fields are picked, and queues by their tag."""
        if queues is not None and not queues:
            return []
        named = {f"q{place}": queue for place, queue in enumerate(queues or ())}
        which = f" AND ({' OR '.join(f'queue = ${name}' for name in named)})" if queues is not None else ""
        span = f'"cluster" = $cluster AND time >= {to_epoch(start)}s AND time < {to_epoch(end)}s{which}'
        fields = ", ".join(map(quoted_field, columns))
        statement = f'SELECT {fields} FROM {quoted_place(ROLLUPS.name)} WHERE {span} GROUP BY "queue", "partition"'  # noqa: S608 - quoted
        gathered = Gathered(columns)
        for series in query(self._server, statement, ERRORS, database=self._database, cluster=cluster, **named):
            tags = dict(series.tags)
            for at, *values in series.rows:
                gathered.put(tags["queue"], tags["partition"], int(at), values)
        return gathered.series()

    def forget(self, table: Table, cluster: str, before: datetime) -> None:
        """Version 3 takes no DELETE, nor does a version 2 whose token may not ask for it: there the bucket's own limit counts."""
        if not self._can_delete:
            return
        where = f'"cluster" = $cluster AND time < {to_epoch(before)}s'
        statement = f"DELETE FROM {quoted_place(table.name)} WHERE {where}"  # noqa: S608 - quoted
        try:
            query(self._server, statement, ERRORS, database=self._database, cluster=cluster)
        except (CredentialsRefused, SinkRefused) as error:
            self._can_delete = False
            log.warning("old samples stay until the retention of their bucket ends", reason=str(error))

    def tidy(self, table: Table, cluster: str, now: datetime) -> None:
        """The server does that by itself."""


def line_of(table: Table, row: Row) -> str | None:
    """A row as a point; times are of whole seconds. None = it tells nothing."""
    told = {name: getattr(row, name) for name in (*table.numbers, *table.texts)}
    numbers = [f"{name}={float(told[name])!r}" for name in table.numbers if told[name] is not None]
    texts = [f'{name}="{told[name].translate(TEXT)}"' for name in table.texts]
    if not (numbers or texts):
        return None
    tags = ",".join(f"{name}={getattr(row, name).translate(TAG)}" for name in table.tags)
    return f"{table.name},{tags} {','.join((*numbers, *texts))} {to_epoch(getattr(row, table.time))}"


def _rows(table: Table, series: Answered) -> list[Row]:
    counts = {name for name, kind in table.kinds.items() if kind in COUNTS}
    rows = []
    for values in series.rows:
        told = {name: value for name, value in zip(series.columns, values, strict=True) if value is not None}
        at = datetime.fromtimestamp(told.pop("time"), UTC)
        numbers = {name: int(value) if name in counts else value for name, value in told.items()}
        rows.append(table.made({table.time: at} | dict(series.tags) | numbers))
    return rows
