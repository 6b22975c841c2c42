"""A real Redis 7 for tests: with TLS, as a replica, as a cluster, and with Sentinels that promote another master."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import redis

from tests.certificates import Certificates
from tests.polling import eventually
from tests.servers import Server, free_port, missing

UNPACKED = Path(__file__).parents[1] / ".dev" / "redis" / "usr"
PASSWORD = "p@ss:w/rd%41"  # of characters that mean something in a URL
MASTER = "queuecast"


def redis_binary() -> str:
    """The server, unpacked from Debian's package or installed."""
    unpacked = UNPACKED / "bin" / "redis-server"
    found = str(unpacked) if unpacked.exists() else shutil.which("redis-server")
    if not found:
        missing("redis-server")
    return str(found)


def _environment() -> dict[str, str]:
    return os.environ | {"LD_LIBRARY_PATH": ":".join(map(str, (UNPACKED / "lib").glob("*-linux-gnu*")))}


@dataclass
class RedisServer(Server):
    """A redis-server; options are those of its command line."""

    options: tuple[str, ...] = ()
    password: str = ""
    certificates: Certificates | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        port = ["--port", str(self.port)]
        if self.certificates:
            port = ["--port", "0", "--tls-port", str(self.port), *tls_options(self.certificates)]
        secret = ["--requirepass", self.password, "--masterauth", self.password] if self.password else []
        kept = ["--dir", str(self.folder), "--appendonly", "yes", "--save", "", "--repl-diskless-sync-delay", "0"]
        command = [redis_binary(), "--bind", "127.0.0.1", *port, *secret, *kept, *self.options]
        self.run(command, self.answers, environment=_environment())

    def client(self, **options: Any) -> redis.Redis:
        """A plain client of redis-py's."""
        tls = {"ssl": True, "ssl_ca_certs": str(self.certificates.authority)} if self.certificates else {}
        return redis.Redis(port=self.port, password=self.password or None, **tls, **options)

    def answers(self) -> bool:
        """Whether it is there, loaded or not."""
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.exceptions.BusyLoadingError:
            return True
        except redis.exceptions.ConnectionError:
            return False

    def role(self) -> str:
        """master or slave; "" while it is away."""
        try:
            with self.client() as client:
                return str(cast("dict[str, Any]", client.info("replication"))["role"])
        except redis.exceptions.RedisError:
            return ""


def tls_options(certificates: Certificates) -> list[str]:
    """Of a server whose certificate clients verify, and who asks them for none."""
    files = ["--tls-cert-file", str(certificates.server), "--tls-key-file", str(certificates.key)]
    return [*files, "--tls-ca-cert-file", str(certificates.authority), "--tls-auth-clients", "no", "--tls-replication", "yes"]


@dataclass
class Trio:
    """Two servers and a Sentinel that knows which of them is the master."""

    folder: Path
    password: str = ""
    certificates: Certificates | None = None
    servers: list[RedisServer] = field(default_factory=list)
    sentinel: RedisServer | None = None

    @property
    def url(self) -> str:
        """As QUEUECAST_BROKER_URL has it; the first Sentinel that is named does not exist."""
        assert self.sentinel
        secret = f":{quote(self.password, safe='')}@" if self.password else ""
        tls = f"&tls=true&ssl_ca_certs={self.certificates.authority}" if self.certificates else ""
        return f"sentinel://{secret}127.0.0.1:1,127.0.0.1:{self.sentinel.port}/0?master={MASTER}{tls}"

    def start(self) -> None:
        """Start all three, and wait until the replica has caught up."""
        for number in range(2):
            self.servers.append(RedisServer(self.folder / str(number), password=self.password, certificates=self.certificates))
            self.servers[-1].start()
        first, second = self.servers
        with second.client() as client:
            client.replicaof("127.0.0.1", first.port)
        eventually(lambda: _is_synced(second), what="the replica to catch up")
        self._start_sentinel(first.port)

    def _start_sentinel(self, port: int) -> None:
        folder = self.folder / "sentinel"
        folder.mkdir(parents=True)
        auth = f"sentinel auth-pass {MASTER} {self.password}\n" if self.password else ""
        (folder / "sentinel.conf").write_text(
            f"sentinel monitor {MASTER} 127.0.0.1 {port} 1\nsentinel down-after-milliseconds {MASTER} 600000\n{auth}"
        )  # whoever is only slow on a loaded machine does not count as down
        self.sentinel = RedisSentinel(folder, certificates=self.certificates)
        self.sentinel.start()
        eventually(self._has_seen_both, what="the Sentinel to know the replica")

    def _has_seen_both(self) -> bool:
        assert self.sentinel
        with self.sentinel.client() as client:
            return bool(client.execute_command("SENTINEL", "REPLICAS", MASTER))

    def master(self) -> RedisServer:
        """The server that is the master now."""
        return eventually(lambda: next((server for server in self.servers if server.role() == "master"), None), what="a master")

    def fail_over(self) -> RedisServer:
        """Kill the master, have the Sentinel name the next one, bring the old one back as its replica; gives the new master."""
        old = self.master()
        (other,) = (server for server in self.servers if server is not old)
        old.stop(signal.SIGKILL)
        eventually(lambda: self._names(other), within=180, what="the Sentinel to name the replica")  # a slow one pauses for 30 s
        old.start()  # a master still, as far as it knows
        eventually(lambda: _is_synced(old), within=180, what="the old master to come back as a replica")
        return other

    def _names(self, server: RedisServer) -> bool:
        """Whether the Sentinel has made this one the master; it is told to until it has."""
        assert self.sentinel
        with self.sentinel.client() as client:
            address = cast("tuple[bytes, int]", client.sentinel_get_master_addr_by_name(MASTER))
            if address[1] == server.port:
                return True
            with suppress(redis.exceptions.ResponseError):  # under way, or it has not heard of the replica for a while
                client.execute_command("SENTINEL", "FAILOVER", MASTER)
        return False

    def stop(self) -> None:
        """End them."""
        for server in (self.sentinel, *self.servers):
            if server:
                server.stop(signal.SIGKILL)


class RedisSentinel(RedisServer):
    """A redis-server that watches others; its configuration is a file that it rewrites."""

    def start(self) -> None:
        """Start it, and wait until it answers."""
        port = ["--port", str(self.port)]
        if self.certificates:
            port = ["--port", "0", "--tls-port", str(self.port), *tls_options(self.certificates)]
        configuration = self.folder / "sentinel.conf"
        command = [redis_binary(), str(configuration), "--sentinel", "--dir", str(self.folder), *port]
        self.run(command, self.answers, environment=_environment())


def _is_synced(replica: RedisServer) -> bool:
    with replica.client() as client:
        return cast("dict[str, Any]", client.info("replication")).get("master_link_status") == "up"


@contextmanager
def running_redis(
    folder: Path, *options: str, password: str = "", certificates: Certificates | None = None
) -> Iterator[RedisServer]:
    """A redis-server of the test's own, ended afterwards."""
    server = RedisServer(folder, free_port(), options=options, password=password, certificates=certificates)
    server.start()
    try:
        yield server
    finally:
        server.stop(signal.SIGKILL)


@contextmanager
def running_trio(folder: Path, *, password: str = "", certificates: Certificates | None = None) -> Iterator[Trio]:
    """Two servers and their Sentinel, ended afterwards."""
    trio = Trio(folder, password=password, certificates=certificates)
    try:
        trio.start()
        yield trio
    finally:
        trio.stop()
