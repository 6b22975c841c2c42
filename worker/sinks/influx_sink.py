"""InfluxSink: an InfluxDB of any version; steps, runs and days are measurements, repeating a write overwrites the same points."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import ClassVar

import structlog

from shared.config.settings import Settings
from shared.connections.influxdb import POLICY, InfluxdbConnection
from shared.domain.forecasts import Forecast
from shared.domain.identifiers import listed
from shared.domain.places import Place
from shared.domain.timegrid import to_epoch
from shared.drivers.influx import Series, names_in, query, quoted_measurement, quoted_place
from shared.drivers.influx_write import check_writable, write_lines
from shared.errors import CredentialsRefused, SinkNotFound, SinkRefused
from worker.sinks import sinks
from worker.sinks._influx_place import ERRORS
from worker.sinks._influx_points import days_of, lines_of, tags_of
from worker.sinks.base import Standing, refuse_unwritable

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where forecasts are written; `policy` = the retention policy of version 1, None = the database's default one."""

    database: str
    measurement: str
    policy: str | None


@sinks.register("influxdb")
class InfluxSink:
    """`database` is the bucket on a server of version 2 or 3."""

    told_by: ClassVar[tuple[str, ...]] = ("project", "named_cluster")

    def __init__(self, connection: InfluxdbConnection, settings: Settings) -> None:  # noqa: ARG002 - the promise of every sink
        self._server = connection.server()
        self._default_database = connection.database

    def check(self, place: Place) -> None:
        """Whether the database is there and takes our writes; told within 5 s."""
        target = self._target(place)
        with self._with_advice(target.database):
            check_writable(self._server, target.database, ERRORS, policy=target.policy)
            if target.policy is not None:
                self._check_policy(target)

    def _check_policy(self, target: Target) -> None:
        """An empty write does not miss it, and a user who may only write is not told what there are."""
        with suppress(CredentialsRefused):
            known = names_in(query(self._server, "SHOW RETENTION POLICIES", ERRORS, database=target.database))
            if target.policy not in known:
                raise SinkRefused(f"retention policy not found: {target.policy}, there are {listed(known)}")

    def write(self, forecast: Forecast, place: Place, standing: Standing = Standing.NEWEST) -> None:
        """Deliver one forecast; raises SinkRefused, SinkAway, CredentialsRefused."""
        refuse_unwritable(forecast)
        target = self._target(place)
        if standing is Standing.REPLACED:
            return
        with self._with_advice(target.database):
            is_newest = standing is Standing.NEWEST and not self._has_later(forecast, target)
            self._delete_stale(forecast, target, is_newest=is_newest)
            lines = lines_of(forecast, target.measurement, is_newest=is_newest)
            write_lines(self._server, target.database, lines, ERRORS, policy=target.policy)

    def _has_later(self, forecast: Forecast, target: Target) -> bool:
        """Whether steps are there that were issued later: those that this forecast, or what it leaves behind, would touch.

        A server that does not say, as to a user who may only write, leaves it to what our own store knows.
        """
        issued_at = to_epoch(forecast.issued_at)
        newest = f'SELECT max("issued_at") FROM {quoted_measurement(target.measurement, target.policy)}'  # noqa: S608 - quoted
        try:
            answer = self._ask(forecast, newest, target.database, f"time >= {issued_at}s")
        except (CredentialsRefused, SinkRefused) as error:
            log.debug("the sink does not say what it has", reason=str(error))
            return False
        return any(int(row[1]) > issued_at for series in answer for row in series.rows)

    def _delete_stale(self, forecast: Forecast, target: Target, *, is_newest: bool) -> None:
        """What overwriting leaves behind: steps of an older, longer forecast, scores that are no longer defined, other levels.

        Version 3 takes no DELETE, nor does a version 2 whose token may not ask `/query`: there, readers tell old steps by their
        `issued_at`. A DELETE means every retention policy of the database.
        """
        after, at = f"time > {to_epoch(forecast.timestamps[-1])}s", f"time = {to_epoch(forecast.issued_at)}s"
        stale = self._with_other_levels(forecast, target, is_newest=is_newest)
        if is_newest:
            stale.append((target.measurement, after))
        if is_newest and (forecast.mape is None or forecast.skill is None):
            stale.append((f"{target.measurement}_run", at))
        try:
            for measurement, when in stale:
                self._ask(forecast, f"DELETE FROM {quoted_place(measurement)}", target.database, when)  # noqa: S608 - quoted
        except (CredentialsRefused, SinkRefused) as error:
            if self._server.version == "1":
                raise
            log.debug("what an older forecast has left stays in the sink", reason=str(error))

    def _with_other_levels(self, forecast: Forecast, target: Target, *, is_newest: bool) -> list[tuple[str, str]]:
        """Where steps have levels that this forecast has not: measurement and condition. They would stay beside its own."""
        first, last = to_epoch(forecast.issued_at), to_epoch(forecast.timestamps[-1])
        inside, name = f"time >= {first}s AND time <= {last}s", target.measurement
        found = [(name, inside)] if is_newest and self._has_other_levels(forecast, target, inside) else []
        steps = [
            f"time = {at}s AND \"step\" = '{step:03d}'" for step, at in enumerate(map(to_epoch, forecast.timestamps), start=1)
        ]
        days = [f"time = {at}s AND \"day\" = '{day:02d}'" for day, at in enumerate(days_of(forecast), start=1)]
        for its, each in ((f"{name}_issued", steps), (f"{name}_peaks", days)):
            if self._has_other_levels(forecast, replace(target, measurement=its), f'{inside} AND "issued_at" = {first}'):
                found += [(its, when) for when in each]
        return found

    def _has_other_levels(self, forecast: Forecast, target: Target, when: str) -> bool:
        if self._server.version == "3":  # which deletes none of them
            return False
        counts = f"SELECT count(/^q0[.]/) FROM {quoted_measurement(target.measurement, target.policy)}"  # noqa: S608 - quoted
        names = {"time", *(f"count_{name}" for name in forecast.quantiles.names)}
        with suppress(CredentialsRefused, SinkRefused):  # a server that does not say what it has
            answer = self._ask(forecast, counts, target.database, when)
            return any(cells[name] for cells in map(_cells, answer) for name in cells.keys() - names)
        return False

    def _ask(self, forecast: Forecast, statement: str, database: str, when: str) -> list[Series]:
        """A statement about the points of one series and job; what it has no tag for must not be there."""
        tags = {"cluster": "", "project": ""} | tags_of(forecast)
        same = " AND ".join(f'"{name}" = ${name}' for name in tags)
        return query(self._server, f"{statement} WHERE {same} AND {when}", ERRORS, database=database, **tags)

    def _target(self, place: Place) -> Target:
        """Where it is written; raises SinkRefused where nothing says it, InvalidSettings for what is no plain name."""
        database, policy = place.database or self._default_database, place.given.get(POLICY)
        if database is None:
            raise SinkRefused("no database: name it in `data.destination.database`, or give the connection one")
        if place.measurement is None:
            raise SinkRefused("no measurement: name it in `data.destination.measurement`")
        quoted_place(database)
        for name in (place.measurement, f"{place.measurement}_issued"):  # the last one may be too long
            quoted_measurement(name, policy)
        return Target(database=database, measurement=place.measurement, policy=policy)

    @contextmanager
    def _with_advice(self, database: str) -> Iterator[None]:
        """We create nothing in somebody's database, but say how."""
        try:
            yield
        except SinkNotFound as missing:
            way = f'CREATE DATABASE "{database}"' if self._server.version == "1" else f"influx bucket create --name {database}"
            raise SinkNotFound(f"{missing.detail}; create it: {way}") from missing


def _cells(series: Series) -> dict[str, object]:
    """The only row of an answer that counts."""
    return dict(zip(series.columns, series.rows[0], strict=True))
