"""From ResourceManagers to people: what is collected once is the tree that the service tells, and a change of it is one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import urllib3
from flask.testing import FlaskClient

from deploy.fake_cluster import FakeCluster, simulated
from deploy.fake_rm import Fleet, running
from shared.config.settings import Settings
from shared.domain.queue_tree import QueueTree
from shared.drivers.yarn import YarnCluster
from shared.fleet.runstate import RunState
from tests.api.scene import MakeApp
from tests.polling import eventually
from worker.collect.loop import collect_once

SECOND = timedelta(seconds=1)
RAISED = """{"update-queue": [
  {"queue-name": "root.ml", "params": {"entry": [{"key": "capacity", "value": "20"}]}},
  {"queue-name": "root.etl", "params": {"entry": [{"key": "capacity", "value": "22.31"}]}}]}"""


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    """One ResourceManager."""
    with running(FakeCluster(simulated(12)), [0]) as fleet:
        yield fleet


@pytest.fixture
def own(settings: Settings, fleet: Fleet) -> Settings:
    """Settings with a connection to it."""
    connection = {"kind": "yarn", "cluster": "prod", "addresses": fleet.urls}
    return Settings(**settings.model_dump() | {"connections": {"hadoop": connection}})


def seen_now(fleet: Fleet) -> QueueTree:
    return YarnCluster(fleet.urls).snapshot().tree


def test_the_tree_is_what_was_collected_and_a_change_is_told(
    own: Settings, fleet: Fleet, run_state: RunState, make_app: MakeApp
) -> None:
    client: FlaskClient = make_app(own).test_client()
    assert collect_once(own) == {"hadoop": "collected"}
    told = client.get("/v1/tree").json
    queues = {queue["queue"]: queue for queue in told["queues"]}
    seen = seen_now(fleet)
    assert [path for path in queues if not path.endswith("/*")] == [queue.path for queue in seen.queues if queue.path in queues]
    assert {queue.path for queue in seen.queues if not queue.is_dynamic} <= set(queues)
    guaranteed = seen.by_path["root.etl"].shares[0].guaranteed
    assert guaranteed is not None
    assert queues["root.etl"]["guaranteed"]["memory_mb"] == guaranteed.memory_mb
    root = queues["root"]["used"]["memory_mb"]
    assert root == sum(queue["used"]["memory_mb"] for path, queue in queues.items() if path.count(".") == 1 and "/*" not in path)
    assert told["configuration_changes"] == []
    eventually(lambda: datetime.now(UTC) >= datetime.fromisoformat(told["read_at"]) + SECOND, what="another second")
    changed = urllib3.request("PUT", f"{fleet.urls[0]}/ws/v1/cluster/scheduler-conf", body=RAISED.encode())
    assert changed.status == 200, changed.data
    run_state.client.delete("asked:prod")  # ten seconds later
    assert collect_once(own) == {"hadoop": "collected"}
    now = client.get("/v1/tree").json
    assert {(change["queue"], change["words"]) for change in now["configuration_changes"]} >= {
        ("root.ml", "capacity 13.46 → 20"),
        ("root.etl", "capacity 28.85 → 22.31"),
    }
    then = client.get("/v1/tree", query_string={"at": told["read_at"]}).json
    assert next(queue["capacity"] for queue in then["queues"] if queue["queue"] == "root.ml") == "13.46"
