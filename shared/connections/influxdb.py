"""Measurements of an InfluxDB of any version."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import SecretStr

from shared.config.connection import Look, PlaceField, Role, kinds
from shared.config.setting_kinds import InfluxVersion
from shared.connections._databases import DATABASE, DatabaseConnection
from shared.domain.places import Place
from shared.domain.texts import PlaceName, PolicyName
from shared.errors import InvalidRequest, SourceAway, SourceNotFound

if TYPE_CHECKING:
    from shared.drivers.influx import InfluxServer

POLICY = "retention_policy"
NO_DATABASE = (
    "it names no database, so only what `readable` names is read, and requests may write to any; give it a `database`"
    " (QUEUECAST_INFLUXDB_DATABASE)"
)


@kinds.register("influxdb")
class InfluxdbConnection(DatabaseConnection):
    """Its URL can name no database: where nothing else does, either, nothing is read, and written to is the request's."""

    asks: ClassVar = {
        "measurement": PlaceField(accepts=PlaceName, is_needed=True),
        "database": DATABASE,
        POLICY: PlaceField(accepts=PolicyName, hint="of version 1, unless the database's default"),
    }
    taken_from: ClassVar = {
        "url": "influxdb_url",
        "token": "influxdb_token",
        "org": "influxdb_org",
        "version": "influxdb_version",
        "database": "influxdb_database",
    }
    noun = "measurement"

    takes_samples: ClassVar = True

    kind: Literal["influxdb"] = "influxdb"
    token: SecretStr | None = None
    org: str | None = None
    version: InfluxVersion = "2"

    @property
    def written_in(self) -> tuple[str, ...]:
        """Globs of the databases in which names of `writable` are meant; any, where none is named."""
        return super().written_in or (("*",) if self.writable_databases is None else ())

    @property
    def servers(self) -> frozenset[str]:
        """The one, and whose of its buckets are meant."""
        return frozenset(server + (f" {self.org}" if self.org else "") for server in super().servers)

    def check_reach(self, place: Place, role: Role) -> None:
        """Whether this place may be read, or written to; raises InvalidRequest with what may."""
        super().check_reach(place, role)
        if POLICY in place.given and self.version != "1":
            reason = f"a server of version {self.version} has none; name another database"
            raise InvalidRequest(reason, field=f"data.{role}.{POLICY}")

    def server(self) -> InfluxServer:
        """The server as the driver knows it; raises InvalidSettings for a URL that is not accepted."""
        from shared.drivers.influx import influx_server

        token = self.token.get_secret_value() if self.token else None
        return influx_server(self.url.get_secret_value(), version=self.version, token=token, org=self.org)

    def let_go(self) -> None:
        """Close the sockets that wait for a next question; those of other servers are opened again."""
        from shared.drivers.influx import close_sockets

        close_sockets()

    def look(self, _name: str) -> Look:
        """A real question, as `/ping` proves nothing."""
        from shared.drivers.influx import ErrorTypes, names_in, query, quoted_place

        server, errors = self.server(), ErrorTypes(away=SourceAway, refused=SourceNotFound)
        if self.database is None:
            query(server, "SHOW DATABASES", errors)
            return Look(detail="answers", advice=NO_DATABASE if None in {self.readable, self.writable} else "")
        quoted_place(self.database)
        measurements = names_in(query(server, "SHOW MEASUREMENTS", errors, database=self.database))
        if not measurements and self.database not in names_in(query(server, "SHOW DATABASES", errors)):
            raise SourceNotFound(f"found no database {self.database!r}")
        count = sum(self.may_read(self.database, name) for name in measurements)
        return Look(detail=f"answers, {count} measurements in {self.database!r}")
