"""InfluxSink: an InfluxDB of any version, in three measurements; repeating a write overwrites the same points."""

from __future__ import annotations

from shared.buckets import to_epoch
from shared.drivers.influx import Telling, influx_server, query, quoted_place
from shared.drivers.influx_write import check_writable, write_lines
from shared.errors import SinkAway, SinkRefused
from shared.forecasts import Forecast
from shared.jobs import Place
from shared.settings import Connection, Settings
from worker.sinks import sinks
from worker.sinks._influx_points import lines_of
from worker.sinks._writable import refuse_unwritable

TELLING = Telling(away=SinkAway, refused=SinkRefused)


@sinks.register("influxdb")
class InfluxSink:
    """`database` is the bucket on a server of version 2 or 3."""

    def __init__(self, connection: Connection, settings: Settings) -> None:  # noqa: ARG002 - the promise of every sink
        self._server = influx_server(connection)
        self._default_database = connection.database

    def check(self, place: Place) -> None:
        """Whether the database is there and takes our writes."""
        quoted_place(str(place.measurement))
        check_writable(self._server, self._database(place), TELLING)

    def write(self, forecast: Forecast, place: Place) -> None:
        """Deliver one forecast; raises SinkRefused, SinkAway, CredentialsRefused."""
        refuse_unwritable(forecast)
        database, measurement = self._database(place), str(place.measurement)
        if self._server.version == "1":
            self._cut_old_tail(forecast, database, measurement)
        write_lines(self._server, database, lines_of(forecast, measurement), TELLING)

    def _cut_old_tail(self, forecast: Forecast, database: str, measurement: str) -> None:
        """A longer horizon under the same job name leaves steps behind; elsewhere readers tell them by their `issued_at`."""
        last = to_epoch(forecast.timestamps[-1])
        same = '"job" = $job AND "metric" = $metric AND "queue" = $queue'
        statement = f"DELETE FROM {quoted_place(measurement)} WHERE {same} AND time > {last}s"  # noqa: S608 - quoted name, values apart
        query(self._server, statement, TELLING, database=database, job=forecast.job, metric=forecast.metric, queue=forecast.queue)

    def _database(self, place: Place) -> str:
        database = place.database or self._default_database
        if database is None:
            raise SinkRefused("no database: name it in `data.destination.database`, or give the connection one")
        quoted_place(database)
        return database
