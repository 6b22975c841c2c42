"""(e) Submitting jobs, against a bare Flask route under the same server."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from statistics import median, quantiles

import urllib3

from shared.config.settings import Settings
from tests.api.bodies import BODY
from tests.bench.fleet.figures import Figure, Say
from tests.bench.fleet.stage import broker, tree_cpu
from tests.integration.fleet import fleet_on
from tests.polling import eventually
from tests.servers import free_port, is_answered
from tests.up import QUEUECAST
from worker.job.catalogue import model_cards

CLIENTS, REQUESTS = 8, 800
HOLD = 0.5
OURS, BARE = "queuecast serve", "bare route"


@dataclass
class Server:
    """A service that answers, and what its requests took."""

    name: str
    url: str
    process: subprocess.Popen[bytes]
    rates: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    cpu: float = 0.0


def measure(say: Say, repeat: int) -> None:
    """Rounds of requests by concurrent clients, in turn to ours and to the bare one."""
    with broker() as settings, serving(settings) as servers:
        for _ in range(repeat + 1):
            for server in servers:
                _round(server)
        ours, bare = servers
    for server in servers:
        rate = median(server.rates[1:])  # the first round warms up
        say(Figure(part="e", what=f"{server.name}: {CLIENTS} clients, requests/s", value=rate, unit="1/s"))
        p99 = 1e3 * quantiles(server.seconds[REQUESTS:], n=100)[-1]
        say(Figure(part="e", what=f"{server.name}: median latency", value=1e3 * median(server.seconds[REQUESTS:]), unit="ms"))
        say(Figure(part="e", what=f"{server.name}: p99", value=p99, unit="ms"))
        say(Figure(part="e", what=f"{server.name}: CPU a request", value=1e3 * server.cpu / len(server.seconds), unit="ms"))
    ratio = median(ours.rates[1:]) / median(bare.rates[1:])
    say(Figure(part="e", what="requests/s of ours ÷ those of the bare route", value=ratio, hold=("≥", HOLD)))


def _round(server: Server) -> None:
    pool = urllib3.PoolManager(maxsize=CLIENTS)

    def submit(_number: int) -> float:
        began = time.perf_counter()
        answer = pool.request("POST", f"{server.url}/v1/jobs", json=BODY, retries=False)
        assert answer.status == 202, answer.data
        return time.perf_counter() - began

    cpu, began = tree_cpu(server.process.pid), time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as clients:
        server.seconds += clients.map(submit, range(REQUESTS))
    server.rates.append(REQUESTS / (time.perf_counter() - began))
    server.cpu += tree_cpu(server.process.pid) - cpu


@contextmanager
def serving(settings: Settings) -> Iterator[list[Server]]:
    """Ours and the bare one, with the same number of threads; the models are known, as in a fleet that has a worker."""
    ports = free_port(), free_port()
    bare = [sys.executable, "-m", "tests.bench.fleet.bare_route", str(ports[1])]
    commands = {OURS: [QUEUECAST, "serve", "--port", str(ports[0])], BARE: bare}
    unbounded = {"QUEUECAST_MOST_OPEN_JOBS": "off", "QUEUECAST_MOST_CANDIDATES": "off"}
    with fleet_on(settings, **unbounded) as fleet:
        fleet.run_state.members.publish(model_cards())
        servers = [
            Server(name, f"http://127.0.0.1:{port}", fleet.spawn(command))
            for (name, command), port in zip(commands.items(), ports, strict=True)
        ]
        for server in servers:
            eventually(partial(is_answered, f"{server.url}/readyz"), what=server.name)
        yield servers
