"""InfluxSink: an InfluxDB of any version, in three measurements; repeating a write overwrites the same points."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from shared.config.settings import Settings
from shared.connections.influxdb import InfluxdbConnection
from shared.domain.forecasts import Forecast
from shared.domain.places import Place
from shared.domain.timegrid import to_epoch
from shared.drivers.influx import ErrorTypes, query, quoted_place
from shared.drivers.influx_write import check_writable, write_lines
from shared.errors import SinkAway, SinkNotFound, SinkRefused
from worker.sinks import sinks
from worker.sinks._influx_points import lines_of
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
        lines = lines_of(forecast, measurement)
        with self._with_advice(database):
            if self._server.version == "1":
                self._delete_stale(forecast, database, measurement)
            write_lines(self._server, database, lines, ERRORS)

    def _delete_stale(self, forecast: Forecast, database: str, measurement: str) -> None:
        """What overwriting leaves behind: the steps of a longer horizon, and scores that are no longer defined.

        Versions 2 and 3 take no DELETE: there, readers tell old steps by their `issued_at`.
        """
        self._delete(forecast, database, measurement, f"time > {to_epoch(forecast.timestamps[-1])}s")
        if forecast.mape is None or forecast.skill is None:
            self._delete(forecast, database, f"{measurement}_run", f"time = {to_epoch(forecast.issued_at)}s")

    def _delete(self, forecast: Forecast, database: str, measurement: str, when: str) -> None:
        same = '"job" = $job AND "metric" = $metric AND "queue" = $queue'
        statement = f"DELETE FROM {quoted_place(measurement)} WHERE {same} AND {when}"  # noqa: S608 - quoted name, values apart
        query(self._server, statement, ERRORS, database=database, job=forecast.job, metric=forecast.metric, queue=forecast.queue)

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
