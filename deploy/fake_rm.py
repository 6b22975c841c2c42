"""ResourceManagers of a made-up cluster, over HTTP as real ones answer: for newcomers without a cluster, and for tests.

    /ws/v1/cluster/info · scheduler · metrics · nodes               GET; a standby answers /info, and 307 to all else
    /ws/v1/cluster/scheduler-conf, …/version, …/validate            GET and PUT · GET · POST
    /jmx                                                            GET; a standby answers itself, and has counted nothing
    /fake                                                            GET what was asked and how things are; POST to change them

/fake is no part of YARN, and answers this machine alone: `POST /fake?active=2`, `active=none`, `lost_nodes=8`, `store=file` (the
configuration is no longer to be had), `admin=yarn` (whose alone it is), and of the one that is asked `misbehave=slow` and so on.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from threading import Thread
from typing import cast
from urllib.parse import parse_qs, urlsplit

from deploy.fake_cluster import NODES, FakeCluster
from deploy.fake_faults import FAULTS, Reply
from deploy.fake_mutation import MutationError, mutated
from shared.domain.capacities import NOTHING
from shared.domain.queue_tree import Totals
from shared.yarn.answers import configuration_answer, info_answer, metrics_answer, nodes_answer, scheduler_answer
from shared.yarn.cluster_info import ACTIVE, ClusterInfo
from shared.yarn.jmx import queue_metrics_answer

API = "/ws/v1/cluster"
VERSION = "3.4.1-fake"
MAX_BODY = 4 << 20
NO_STORE = "Configuration change only supported by MutableConfScheduler."
NOT_ADMIN = "Only admins can carry out this operation."
APPLIED = "Configuration change successfully applied."
INVALID = "CapacityScheduler configuration validation failed:"
TEXT = "text/plain"
NOBODY = "dr.who"  # as whom Hadoop takes those who do not say
NONE = "none"


@dataclass(slots=True)
class Fleet:
    """The ResourceManagers of one cluster. active: the number of the one that is, from 1; None = none is."""

    cluster: FakeCluster
    urls: list[str] = field(default_factory=list)
    active: int | None = 1
    has_store: bool = True
    admin: str | None = None
    started: int = field(default_factory=lambda: int(time.time() * 1000))

    def fail_over(self) -> None:
        """The next one is active from now on."""
        self.active = (self.active or 0) % len(self.urls) + 1

    def put(self, name: str, value: str) -> str:
        """Change how things are; returns what is accepted instead, or "" when it is done."""
        count = int(value) if value.isascii() and value.isdigit() and len(value) < 4 else -1
        if name == "active" and (value == NONE or 1 <= count <= len(self.urls)):
            self.active = None if value == NONE else count
        elif name == "lost_nodes" and 0 <= count < NODES:
            self.cluster.lost_nodes = count
        elif name == "store" and value in {"memory", "file"}:
            self.has_store = value == "memory"
        elif name == "admin":
            self.admin = value or None
        else:
            return f"active=1 to {len(self.urls)} or none, lost_nodes=0 to {NODES - 1}, store=memory or file, admin=NAME"
        return ""


class Server(ThreadingHTTPServer):
    """One ResourceManager."""

    daemon_threads = True
    number = 0
    misbehaves: str = NONE

    def __init__(self, address: tuple[str, int], fleet: Fleet) -> None:
        super().__init__(address, Handler)
        self.fleet = fleet
        self.asked: Counter[str] = Counter()

    def handle_error(self, *_told: object) -> None:
        """Nothing: whoever asked is gone."""


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_GET(self) -> None:
        """Answer what was asked, or what a fault makes of it."""
        server, url = cast("Server", self.server), urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        self.close_connection = self.close_connection or length > MAX_BODY
        body = self.rfile.read(min(MAX_BODY, length))
        if url.path == "/fake":
            self._send(self._fake(server, parse_qs(url.query, keep_blank_values=True)))
            return
        server.asked[f"{self.command} {url.path.removeprefix(API + '/')}"] += 1
        reply = self._reply(server, url.path, body)
        if (fault := FAULTS.get(server.misbehaves)) is None:
            self._send(reply)
        else:
            self.close_connection = True
            with suppress(OSError):
                fault(self, reply)

    do_PUT = do_POST = do_GET  # noqa: N815 - http.server's names

    def _send(self, reply: Reply) -> None:
        reply = reply.packed() if "gzip" in self.headers.get("Accept-Encoding", "") else reply
        reply.send_to(self)

    def _reply(self, server: Server, path: str, body: bytes) -> Reply:
        fleet, name = server.fleet, path.removeprefix(API).strip("/")
        if path == "/jmx" and self.command == "GET":
            return self._jmx(server)
        if not path.startswith(API):
            return Reply(404, b"Not Found", TEXT)
        if self.command == "GET" and name in {"", "info"}:
            state = ACTIVE if fleet.active == server.number else "STANDBY"
            return _json(info_answer(ClusterInfo(cluster_id=str(fleet.started + server.number), version=VERSION, ha_state=state)))
        if fleet.active != server.number:
            leads = None if fleet.active is None else f"{fleet.urls[fleet.active - 1]}{self.path}"
            where = (
                ("Refresh", f"3; url={server.fleet.urls[server.number - 1]}{self.path}") if leads is None else ("Location", leads)
            )
            return Reply(307, b"This is standby RM.", TEXT, dict([where]))
        if name.startswith("scheduler-conf"):
            return self._configuration(fleet, name, body)
        return self._read(fleet, name)

    def _jmx(self, server: Server) -> Reply:
        """The beans of queues alone, whatever is asked for; a ResourceManager counts while it is active."""
        fleet, now = server.fleet, time.time()
        since = fleet.started / 1_000 if fleet.active == server.number else now
        return _json(queue_metrics_answer(fleet.cluster.queue_metrics(now, since)))

    def _read(self, fleet: Fleet, name: str) -> Reply:
        if self.command != "GET" or name not in {"scheduler", "metrics", "nodes"}:
            return _exception(404, "NotFoundException", "HTTP 404 Not Found")
        if name == "nodes":
            return _json(nodes_answer(fleet.cluster.nodes(time.time())))
        tree = fleet.cluster.tree(time.time())
        return _json(scheduler_answer(tree) if name == "scheduler" else metrics_answer(tree.totals or Totals(total=NOTHING)))

    def _configuration(self, fleet: Fleet, name: str, body: bytes) -> Reply:
        cluster, who = fleet.cluster, parse_qs(urlsplit(self.path).query).get("user.name", [NOBODY])[0]
        if fleet.admin is not None and who != fleet.admin:
            return _exception(403, "ForbiddenException", NOT_ADMIN)
        if not fleet.has_store:
            return Reply(400, NO_STORE.encode(), TEXT)
        asked = (self.command, name.removeprefix("scheduler-conf"))
        if asked in {("GET", ""), ("GET", "/version")}:
            told = {"versionID": cluster.version} if asked[1] else configuration_answer(cluster.properties)
            return replace(_json(told), headers={"ETag": _tag(cluster)})
        if asked not in {("PUT", ""), ("POST", "/validate")}:
            return Reply(405, b"Method Not Allowed", TEXT)
        if self.headers.get("If-Match", _tag(cluster)) != _tag(cluster):
            return Reply(412, b"Precondition Failed", TEXT)
        return _changed(cluster, body, is_trial=self.command == "POST")

    def _fake(self, server: Server, wanted: dict[str, list[str]]) -> Reply:
        if not ip_address(self.client_address[0]).is_loopback:
            return Reply(403, b"only this machine is answered here\n", TEXT)
        if (self.command == "POST") != bool(wanted):
            return Reply(400, b"GET tells how things are; POST changes them by a query string: POST /fake?active=2\n", TEXT)
        for name, [value, *_] in wanted.items():
            if name == "misbehave" and value in {NONE, *FAULTS}:
                server.misbehaves = value
            elif refusal := server.fleet.put(name, value):
                return Reply(400, f"accepted are {refusal}, misbehave={NONE}, {', '.join(FAULTS)}\n".encode(), TEXT)
        fleet = server.fleet
        told = {"number": server.number, "active": fleet.active, "misbehave": server.misbehaves, "asked": dict(server.asked)}
        cluster = {"lost_nodes": fleet.cluster.lost_nodes, "version": fleet.cluster.version, "admin": fleet.admin}
        return _json(told | cluster | {"store": "memory" if fleet.has_store else "file", "urls": fleet.urls})

    def log_message(self, *_told: object) -> None:
        """Nothing: /fake tells what was asked."""


@contextmanager
def running(cluster: FakeCluster, ports: Sequence[int], host: str = "127.0.0.1") -> Iterator[Fleet]:
    """ResourceManagers at these ports (0 = any free one), the first of which is active; they are there until the block ends."""
    fleet, servers = Fleet(cluster), []
    try:
        for number, port in enumerate(ports, 1):
            server = Server((host, port), fleet)
            server.number = number
            servers.append(server)
            fleet.urls.append(f"http://{host}:{server.server_port}")
        threads = [Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True) for server in servers]
        for thread in threads:
            thread.start()
        yield fleet
        for server in servers:
            server.shutdown()
    finally:
        for server in servers:
            server.server_close()


def _changed(cluster: FakeCluster, body: bytes, *, is_trial: bool) -> Reply:
    """The configuration with the change in it, or why not."""
    try:
        wanted = mutated(cluster.properties, body)
        refusal = cluster.changed(wanted, time.time(), is_trial=is_trial)
    except MutationError as error:
        wanted, refusal = {}, str(error)
    if refusal is not None:
        return Reply(400, f"{INVALID if is_trial else ''}{refusal}".encode(), TEXT)
    return _json(configuration_answer(wanted)) if is_trial else Reply(200, APPLIED.encode(), TEXT)


def _tag(cluster: FakeCluster) -> str:
    return f'"{cluster.version}"'


def _exception(status: int, kind: str, message: str) -> Reply:
    told = {"exception": kind, "message": message, "javaClassName": f"org.apache.hadoop.yarn.webapp.{kind}"}
    return Reply(status, json.dumps({"RemoteException": told}, separators=(",", ":")).encode())


def _json(document: object) -> Reply:
    return Reply(200, json.dumps(document).encode())
