"""A fleet over three hosts: services and API on one, workers on two others, one of which is cut off in the middle of a job."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.stack import QUEUECAST
from deploy.valkey import forget_socket, valkey_command
from tests.api.bodies import BODY
from tests.chaos.fleet import LANES
from tests.chaos.hosts import HUB, Hosts, three_hosts, why_not
from tests.factories import MONDAY, write_loads
from tests.polling import eventually
from tests.servers import mongod_binary

QUEUES = 12
PASSWORD = "of-this-test-only"
SCORED = "queuecast.score"
EVERYWHERE = "0.0.0.0"  # noqa: S104 - inside a namespace, where nobody else is
DELIVERED = {"source": {"name": "files"}, "destination": {"name": "mongodb", "collection": "delivered"}}
REQUEST = BODY | {"data": DELIVERED, "model": ["prophet", "ets", "hour_mean"], "as_of": MONDAY.isoformat()}
COUNTING = """
import sys, pymongo
with pymongo.MongoClient("mongodb://127.0.0.1:27017/") as client:
    print(client.sink.delivered.count_documents({}), len(client.sink.delivered.distinct("queue")))
"""


def settings_on(hosts: Hosts, host: str) -> dict[str, str]:
    """The same services for every host, at the address by which it reaches the hub."""
    hub = hosts.hub_for(host)
    return {
        "QUEUECAST_DATA_DIR": str(hosts.folder / host),
        "QUEUECAST_FILES_DIR": str(hosts.folder / "files"),
        "QUEUECAST_BROKER_URL": f"redis://:{PASSWORD}@{hub}:6379/0",
        "QUEUECAST_STORE_URL": f"mongodb://{hub}:27017/queuecast",
        "QUEUECAST_MONGODB_URL": f"mongodb://{hub}:27017/sink",
    }


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[Hosts]:
    """Three hosts with a fleet over them; skipped where there are no namespaces, in CI too."""
    if reason := why_not():
        pytest.skip(reason)
    write_loads(tmp_path / "files", *(f"root.q{number:02d}" for number in range(QUEUES)))
    with three_hosts(tmp_path) as made:
        start_services(made)
        for host in ("east", "west"):
            worker = [sys.executable, "-m", "tests.chaos.process", "work", host, f"{LANES},heavy", "1"]
            made.start(host, *worker, **settings_on(made, host))
        made.start(HUB, sys.executable, "-m", "tests.chaos.process", "reap", **settings_on(made, HUB))
        made.start(HUB, QUEUECAST, "serve", "--port", "8080", **settings_on(made, HUB))
        yield made


def start_services(hosts: Hosts) -> None:
    """Redis and MongoDB on the hub, for all that have a cable to it."""
    valkey, *_ = valkey_command(hosts.folder / "broker")
    forget_socket(hosts.folder / "broker")  # this one listens to the network
    kept = ["--dir", str(hosts.folder / "broker"), "--appendonly", "yes", "--save", ""]
    hosts.start(HUB, valkey, "--port", "6379", "--bind", EVERYWHERE, "--requirepass", PASSWORD, *kept)
    (hosts.folder / "mongo").mkdir()
    hosts.start(HUB, str(mongod_binary()), "--dbpath", str(hosts.folder / "mongo"), "--bind_ip", EVERYWHERE, "--nounixsocket")


@pytest.mark.nightly
def test_a_host_that_is_cut_off_in_the_middle_of_a_job_costs_it_nothing(hosts: Hosts, tmp_path: Path) -> None:
    here = settings_on(hosts, HUB)
    eventually(lambda: are_serving(hosts), what="both workers")
    request = tmp_path / "request.json"
    request.write_text(json.dumps(REQUEST))
    job_id = json.loads(hosts.ask(HUB, QUEUECAST, "submit", str(request), "--json", **here))["job_id"]
    for host in ("east", "west"):
        eventually(lambda host=host: SCORED in hosts.said(host), what=f"work on {host}")
    assert json.loads(hosts.ask(HUB, QUEUECAST, "jobs", "show", job_id, "--json", **here))["state"] == "running"
    hosts.pull_cable("east")
    ended = json.loads(hosts.ask(HUB, QUEUECAST, "jobs", "watch", job_id, "--json", "--timeout", "3min", **here))
    assert ended["state"] == "succeeded", ended["reason"]
    assert [queue["state"] for queue in ended["queues"]] == ["succeeded"] * QUEUES
    assert hosts.ask(HUB, sys.executable, "-c", COUNTING).split() == [str(QUEUES)] * 2  # each forecast once


def are_serving(hosts: Hosts) -> bool:
    """Whether both hosts' workers live, as the doctor on the hub sees them."""
    said = hosts.ask(HUB, "sh", "-c", f"{QUEUECAST} doctor --json || true", **settings_on(hosts, HUB))
    details = {finding["name"]: finding["detail"] for finding in json.loads(said or "[]")}
    return str(details.get("lane score")).startswith("slots of living workers: 2,")
