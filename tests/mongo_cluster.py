"""A real MongoDB replica set of three for tests, whose primary can be told to step down."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import AutoReconnect, OperationFailure, PyMongoError

from tests.polling import eventually
from tests.servers import MongoServer

NAME = "rs0"


@dataclass
class ReplicaSet:
    """Three servers that vote for their primary."""

    servers: list[MongoServer] = field(default_factory=list)

    def url_of(self, database: str) -> str:
        """The URL of a database of the set."""
        hosts = ",".join(f"127.0.0.1:{server.port}" for server in self.servers)
        return f"mongodb://{hosts}/{database}?replicaSet={NAME}"

    def start(self, folder: Path) -> None:
        """Start the three, and wait until one of them is the primary."""
        for number in range(3):
            (folder / str(number)).mkdir(parents=True)
            server = MongoServer(folder / str(number), options=("--replSet", NAME))
            server.start()
            self.servers.append(server)
        members = [{"_id": number, "host": f"127.0.0.1:{server.port}"} for number, server in enumerate(self.servers)]
        asked = {"_id": NAME, "members": members, "settings": {"electionTimeoutMillis": 4_000}}
        with self._direct(self.servers[0]) as client:
            client.admin.command("replSetInitiate", asked)
        eventually(self.primary, what="a primary")

    def primary(self) -> MongoServer | None:
        """The server that takes writes now, if there is one."""
        return next((server for server in self.servers if self._is_primary(server)), None)

    def step_down(self) -> None:
        """Make another one the primary."""
        old = eventually(self.primary, what="a primary")
        with self._direct(old) as client, suppress(AutoReconnect):
            client.admin.command("replSetStepDown", 20, secondaryCatchUpPeriodSecs=5)
        eventually(lambda: (self.primary() or old) is not old, what="another primary")

    def stop(self) -> None:
        """End the three."""
        for server in self.servers:
            server.stop(signal.SIGKILL)

    def _is_primary(self, server: MongoServer) -> bool:
        try:
            with self._direct(server) as client:
                return bool(client.admin.command("hello")["isWritablePrimary"])
        except (PyMongoError, OperationFailure):
            return False

    def _direct(self, server: MongoServer) -> MongoClient[dict[str, Any]]:
        return MongoClient(f"mongodb://127.0.0.1:{server.port}/?directConnection=true", serverSelectionTimeoutMS=2_000)


@contextmanager
def running_set(folder: Path) -> Iterator[ReplicaSet]:
    """A set of the test's own, ended afterwards."""
    found = ReplicaSet()
    try:
        found.start(folder)
        yield found
    finally:
        found.stop()
