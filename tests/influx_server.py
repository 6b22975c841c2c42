"""A real influxd 1.6.7 for tests, with and without users, each started once per run on free ports."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import urllib3

from shared.drivers.influx import ErrorTypes, InfluxServer, Series, query
from shared.errors import SourceAway, SourceNotFound
from tests.servers import Server, free_port, is_answered, missing

UNPACKED = Path(__file__).parents[1] / ".dev" / "influxdb" / "usr" / "bin" / "influxd"
PLAIN = ErrorTypes(away=SourceAway, refused=SourceNotFound)
CONFIGURATION = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc_port}"
[meta]
dir = "{folder}/meta"
[data]
dir = "{folder}/data"
wal-dir = "{folder}/wal"
index-version = "tsi1"
query-log-enabled = false
[coordinator]
query-timeout = "20s"
[http]
bind-address = "127.0.0.1:{port}"
auth-enabled = {auth}
log-enabled = false
[subscriber]
enabled = false
[monitor]
store-enabled = false
"""


def influxd_binary() -> str:
    """The server, unpacked from Debian's package or installed."""
    found = str(UNPACKED) if UNPACKED.exists() else shutil.which("influxd")
    if not found:
        missing("influxd")
    return str(found)


@dataclass
class Influxd(Server):
    """An influxd."""

    has_users: bool = False
    token: str | None = None  # of the administrator

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def server(self, token: str | None = None) -> InfluxServer:
        """As our driver knows it."""
        return InfluxServer(url=self.url, version="1", token=token or self.token)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        configuration = self.folder / "influxdb.conf"
        values = {"folder": self.folder, "port": self.port, "rpc_port": free_port(), "auth": str(self.has_users).lower()}
        configuration.write_text(CONFIGURATION.format(**values))
        self.run([influxd_binary(), "run", "-config", str(configuration)], lambda: is_answered(f"{self.url}/ping", 204))

    def query(self, statement: str, database: str | None = None) -> list[Series]:
        """What the administrator is answered."""
        return query(self.server(), statement, PLAIN, database=database)

    def make_database(self, name: str) -> str:
        """An empty database of this name."""
        self.query(f'DROP DATABASE "{name}"')
        self.query(f'CREATE DATABASE "{name}"')
        return name

    def write(self, lines: Iterable[str], database: str) -> None:
        """Write line protocol, times in seconds."""
        body = "\n".join(lines).encode()
        url = f"{self.url}/write?db={database}&precision=s"
        answer = urllib3.request("POST", url, body=body, headers=self.server().headers, retries=False)
        assert answer.status == 204, answer.data

    def count(self, measurement: str, database: str, column: str = "prediction") -> int:
        """How many points a measurement has."""
        found = self.query(f'SELECT count("{column}") FROM "{measurement}"', database)
        return int(found[0].rows[0][1]) if found else 0


@pytest.fixture(scope="session")
def influxd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influxd]:
    """An influxd without users."""
    server = Influxd(tmp_path_factory.mktemp("influxd"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def influxd_with_users(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influxd]:
    """An influxd with the users admin:admin, reader:reader and writer:writer, who may on the database `usage`."""
    server = Influxd(tmp_path_factory.mktemp("influxd-users"), has_users=True)
    server.start()
    server.query("CREATE USER admin WITH PASSWORD 'admin' WITH ALL PRIVILEGES")
    server.token = "admin:admin"
    server.make_database("usage")
    for user, right in (("reader", "READ"), ("writer", "ALL")):
        server.query(f"CREATE USER {user} WITH PASSWORD '{user}'")
        server.query(f'GRANT {right} ON "usage" TO {user}')
    yield server
    server.stop()
