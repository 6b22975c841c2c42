"""A decision from its approval to the cluster and back: a real worker sends it, and the collector sees whose change it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest
import urllib3

from deploy.fake_cluster import FakeCluster, simulated
from deploy.fake_rm import Fleet as Cluster
from deploy.fake_rm import running
from shared.config.origins import CONFIG_FILE
from shared.config.settings import Settings
from shared.decisions import make_known
from shared.domain.capacities import Capacity
from shared.domain.proposals import Proposal
from shared.drivers.redis_server import redis_server
from shared.drivers.yarn import YarnCluster
from shared.fleet.broker import enqueue_applying, make_celery
from shared.store.proposals import ProposalFile
from shared.yarn.configuration import tree_of
from shared.yarn.fingerprint import fingerprint
from shared.yarn.patch import changes_between
from tests.api.scene import MakeApp
from tests.decisions import a_proposal
from tests.integration.fleet import Fleet
from tests.polling import eventually
from worker.collect.loop import collect_once
from worker.decisions.handover import files_of


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """Two ResourceManagers, the second of which is active."""
    with running(FakeCluster(simulated(12)), [0, 0]) as cluster:
        cluster.active = 2
        yield cluster


@pytest.fixture
def own(fleet: Fleet, cluster: Cluster, tmp_path: Path) -> Settings:
    """Settings with a connection that reads the cluster, and one that may change it."""
    reading = {"kind": "yarn", "cluster": "prod", "addresses": cluster.urls}
    connections = {"hadoop": reading, "hadoop-apply": reading | {"may_apply": True}}
    text = "\n".join(
        f"[connections.{name}]\n" + "\n".join(f"{field} = {json.dumps(value)}" for field, value in each.items())
        for name, each in connections.items()
    )
    file = tmp_path / "queuecast.toml"
    file.write_text(text)
    fleet.environment[CONFIG_FILE] = str(file)
    return Settings(**fleet.settings.model_dump() | {"connections": connections})


def a_plan(cluster: Cluster) -> Proposal:
    """Two children of root change places."""
    configured = tree_of(cluster.cluster.properties)
    tree = YarnCluster(cluster.urls).snapshot().tree
    amounts = {"root.ml": 20.0, "root.etl": 22.31}
    queues = tuple(
        replace(each, shares=(replace(each.shares[0], capacity=Capacity.of_percent(amounts[each.path])),))
        if each.path in amounts
        else each
        for each in configured.queues
    )
    patch = changes_between(configured, replace(configured, queues=queues), cluster.cluster.properties)
    return a_proposal(at=datetime.now(UTC), patch=patch, tree_hash=fingerprint(tree, "root", ""))


def known(fleet: Fleet, plan: Proposal) -> str:
    """Its address, once it is known with its files."""
    make_known(fleet.store, plan, [ProposalFile.of(plan, name, content) for name, content in files_of(plan).items()])
    return f"/v1/decisions/{plan.decision_id}"


def test_a_worker_that_is_killed_after_it_has_sent_is_followed_by_one_that_reads(
    fleet: Fleet, own: Settings, cluster: Cluster, make_app: MakeApp
) -> None:
    client = make_app(own).test_client()
    assert collect_once(own) == {"hadoop": "collected"}
    plan = a_plan(cluster)
    path = known(fleet, plan)
    assert client.post(f"{path}/approve", json={}).status_code == 200
    urllib3.request("POST", f"{cluster.urls[1]}/fake?misbehave=late")
    worker = fleet.worker()
    client.post(f"{path}/apply", json={})
    eventually(lambda: cluster.cluster.version > 1, within=60, what="the change")
    for process in (*psutil.Process(worker.pid).children(recursive=True), psutil.Process(worker.pid)):
        process.kill()
    assert client.get(path).json["state"] == "applying"
    fleet.worker("w2")
    enqueue_applying(make_celery(redis_server(own), "api"), plan.decision_id)  # as the reaper does after a minute
    eventually(lambda: client.get(path).json["state"] == "seen", within=60, what="what became of it")
    told = urllib3.request("GET", f"{cluster.urls[1]}/fake").json()
    assert (told["asked"]["PUT scheduler-conf"], cluster.cluster.version) == (1, 2)


def test_a_decision_is_sent_seen_to_be_in_force_and_undone_by_its_files(
    fleet: Fleet, own: Settings, cluster: Cluster, make_app: MakeApp
) -> None:
    before = dict(cluster.cluster.properties)
    client = make_app(own).test_client()
    assert collect_once(own) == {"hadoop": "collected"}
    plan = a_plan(cluster)
    path = known(fleet, plan)
    assert client.post(f"{path}/approve", json={}).status_code == 200
    fleet.worker()
    assert client.post(f"{path}/apply", json={}).json["state"] == "applying"
    seen = eventually(lambda: (told := client.get(path).json)["state"] != "applying" and told, within=60, what="the change")
    assert (seen["state"], [step["state"] for step in seen["steps"]]) == ("seen", ["proposed", "approved", "applying", "seen"])
    assert cluster.cluster.properties["yarn.scheduler.capacity.root.ml.capacity"] == "20"
    fleet.run_state.client.delete("asked:prod")  # ten seconds later
    assert collect_once(own) == {"hadoop": "collected"}
    changes = client.get("/v1/tree").json["configuration_changes"]
    assert {change["queue"]: change["by"] for change in changes} == {"root.ml": plan.decision_id, "root.etl": plan.decision_id}
    inverse = client.get(f"{path}/files/inverse.xml").data
    conf = f"{cluster.urls[1]}/ws/v1/cluster/scheduler-conf"
    undone = urllib3.request("PUT", conf, body=inverse, headers={"Content-Type": "application/xml"})
    assert (undone.status, cluster.cluster.properties) == (200, before)
