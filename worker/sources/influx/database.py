"""An InfluxDB as its source asks it: statements about a place, and the names that there are."""

from __future__ import annotations

from collections.abc import Mapping

from shared.connections.influxdb import InfluxdbConnection
from shared.domain.identifiers import is_column, listed
from shared.domain.places import Place
from shared.domain.samples import Scalar
from shared.drivers.influx import ErrorTypes, Row, Series, names_in, query, quoted_place, reach
from shared.errors import SourceAway, SourceNotFound, UnreadableData
from worker.sources.influx.statements import TAG, Kinds, measurement_of

ERRORS = ErrorTypes(away=SourceAway, missing=SourceNotFound, refused=UnreadableData)
NOTHING: Mapping[str, Scalar] = {}
MAX_NAMED = 10


class InfluxDatabase:
    """The databases that a connection lets requests read."""

    def __init__(self, connection: InfluxdbConnection) -> None:
        self._connection = connection
        self._server = connection.server()

    def reach(self) -> None:
        """Raises SourceAway when nothing answers."""
        reach(self._server, ERRORS)

    def ask(self, statement: str, place: Place, values: Mapping[str, Scalar] = NOTHING) -> list[Series]:
        """What the database of the place answers to one or several statements."""
        database = self._name(place)
        if self._connection.hides(database, place.measurement):
            return []  # as of a measurement that is not there
        return query(self._server, statement, ERRORS, database=database, **values)

    def rows(self, statement: str, place: Place, values: Mapping[str, Scalar] = NOTHING) -> list[Row]:
        """The rows of all series of such an answer."""
        return [row for series in self.ask(statement, place, values) for row in series.rows]

    def kinds(self, place: Place) -> Kinds:
        """The fields of the measurement that can be asked for; raises SourceNotFound when it is not there."""
        kinds: dict[str, set[str]] = {}
        for name, kind in self.rows(f"SHOW FIELD KEYS FROM {measurement_of(place)}", place):
            kinds.setdefault(str(name), set()).add(str(kind))
        if not kinds:
            self.refuse_unknown_measurement(place)
        for name in self.tags(place):
            if name in kinds:
                kinds[name].add(TAG)
        return {name: types for name, types in kinds.items() if is_column(name)}

    def tags(self, place: Place) -> list[str]:
        """The tags of the measurement."""
        return names_in(self.ask(f"SHOW TAG KEYS FROM {measurement_of(place)}", place))

    def refuse_unknown_measurement(self, place: Place) -> None:
        """A measurement that is not there is an empty answer, not an error."""
        database = self._name(place)
        found = names_in(query(self._server, "SHOW MEASUREMENTS", ERRORS, database=database))
        names = [name for name in found if not self._connection.hides(database, name)]
        if place.measurement in names:
            return
        readable = [name for name in names if self._connection.may_read(database, name)]
        there_are = f"there are {listed(readable, MAX_NAMED)}" if readable else f"and no other in the database {database!r}"
        raise SourceNotFound(f"measurement {place.measurement!r} not found, {there_are}")

    def _name(self, place: Place) -> str:
        database = place.database or self._connection.own_database
        if database is None:
            raise SourceNotFound("no database: name it in `data.source.database`, or give the connection one")
        quoted_place(database)  # it travels as a parameter, and is held to the same pattern all the same
        return database
