"""InfluxSink: an InfluxDB of any version, in three measurements; repeating a write overwrites the same points."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from shared.config.settings import Settings
from shared.connections.influxdb import InfluxdbConnection
from shared.domain.forecasts import Forecast
from shared.domain.places import Place
from shared.domain.timegrid import to_epoch
from shared.drivers.influx import ErrorTypes, Series, query, quoted_place
from shared.drivers.influx_write import check_writable, write_lines
from shared.errors import SinkAway, SinkNotFound, SinkRefused
from worker.sinks import sinks
from worker.sinks._influx_points import lines_of, tags_of
from worker.sinks.base import refuse_unwritable

ERRORS = ErrorTypes(away=SinkAway, missing=SinkNotFound, refused=SinkRefused)


@sinks.register("influxdb")
class InfluxSink:
    """`database` is the bucket on a server of version 2 or 3."""

    def __init__(self, connection: InfluxdbConnection, settings: Settings) -> None:  # noqa: ARG002 - the promise of every sink
        self._server = connection.server()
        self._default_database = connection.database

    def check(self, place: Place) -> None:
        """Whether the database is there and takes our writes; told within 5 s."""
        database, _measurement = self._names(place)
        with self._with_advice(database):
            check_writable(self._server, database, ERRORS)

    def write(self, forecast: Forecast, place: Place) -> None:
        """Deliver one forecast; raises SinkRefused, SinkAway, CredentialsRefused."""
        refuse_unwritable(forecast)
        database, measurement = self._names(place)
        with self._with_advice(database):
            is_newest = self._newest_issue(forecast, database, measurement) <= to_epoch(forecast.issued_at)
            if is_newest and self._server.version == "1":
                self._delete_stale(forecast, database, measurement)
            write_lines(self._server, database, lines_of(forecast, measurement, is_newest=is_newest), ERRORS)

    def _newest_issue(self, forecast: Forecast, database: str, measurement: str) -> int:
        """When the newest forecast was issued whose steps this one, or what it leaves behind, would touch; 0 = there is none.

        A user who may not read is not asked: then the steps of every issue are written, as they come.
        """
        when = f"time >= {to_epoch(forecast.issued_at)}s"
        newest = f'SELECT max("issued_at") FROM {quoted_place(measurement)}'  # noqa: S608 - quoted name
        answer = self._ask(forecast, newest, database, when)
        return max((int(row[1]) for series in answer for row in series.rows), default=0)

    def _delete_stale(self, forecast: Forecast, database: str, measurement: str) -> None:
        """What overwriting leaves behind: the steps of an older, longer forecast, and scores that are no longer defined.

        Versions 2 and 3 take no DELETE: there, readers tell old steps by their `issued_at`.
        """
        after = f"time > {to_epoch(forecast.timestamps[-1])}s"
        self._ask(forecast, f"DELETE FROM {quoted_place(measurement)}", database, after)  # noqa: S608 - quoted name
        if forecast.mape is None or forecast.skill is None:
            run, at = quoted_place(f"{measurement}_run"), f"time = {to_epoch(forecast.issued_at)}s"
            self._ask(forecast, f"DELETE FROM {run}", database, at)  # noqa: S608 - quoted name

    def _ask(self, forecast: Forecast, statement: str, database: str, when: str) -> list[Series]:
        """A statement about the points of one series and job; what it has no tag for must not be there."""
        tags = {"cluster": "", "project": ""} | tags_of(forecast)
        same = " AND ".join(f'"{name}" = ${name}' for name in tags)
        return query(self._server, f"{statement} WHERE {same} AND {when}", ERRORS, database=database, **tags)

    def _names(self, place: Place) -> tuple[str, str]:
        """Database and measurement; raises SinkRefused without one, InvalidSettings for what is no plain name."""
        database, measurement = place.database or self._default_database, place.measurement
        if database is None:
            raise SinkRefused("no database: name it in `data.destination.database`, or give the connection one")
        if measurement is None:
            raise SinkRefused("no measurement: name it in `data.destination.measurement`")
        for name in (database, measurement, f"{measurement}_issued"):  # the last one may be too long
            quoted_place(name)
        return database, measurement

    @contextmanager
    def _with_advice(self, database: str) -> Iterator[None]:
        """We create nothing in somebody's database, but say how."""
        try:
            yield
        except SinkNotFound as missing:
            way = f'CREATE DATABASE "{database}"' if self._server.version == "1" else f"influx bucket create --name {database}"
            raise SinkNotFound(f"{missing.detail}; create it: {way}") from missing
