"""The made-up cluster behind ResourceManagers: what it uses and takes, and what the driver makes of it when it misbehaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import urllib3
from typer.testing import CliRunner

from deploy.cli import app
from deploy.fake_cluster import FakeCluster, recorded, simulated
from deploy.fake_rm import Fleet, running
from shared.domain.capacities import NOTHING, added
from shared.domain.property_change import PropertyChange
from shared.domain.queue_tree import QueueTree, Share
from shared.drivers import yarn
from shared.drivers.yarn import YarnCluster
from shared.errors import CredentialsRefused, QueuecastError, SourceAway, SourceNotFound, UsageError, YarnUnreadable
from shared.yarn.answers import metrics_answer, scheduler_answer
from shared.yarn.configuration import PREFIX, tree_of
from shared.yarn.constraints import violations
from shared.yarn.patch import as_json, as_xml, changes_between, inverse
from shared.yarn.reading import read_tree
from tests.polling import eventually
from tests.shared.yarn.trees import as_bytes, properties
from tests.up import QUEUECAST

MONDAY = 1_767_571_200.0  # 2026-01-05T00:00Z
HOUR = 3_600
CONF = "/ws/v1/cluster/scheduler-conf"


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    """Two ResourceManagers of one cluster."""
    with running(FakeCluster(simulated(12)), [0, 0]) as fleet:
        yield fleet


def sent(method: str, url: str, body: str = "") -> tuple[int, str]:
    answer = urllib3.request(method, url, body=body.encode(), redirect=False, retries=False, timeout=10)
    return answer.status, answer.data.decode()


def put(fleet: Fleet, body: str, path: str = CONF, method: str = "PUT") -> tuple[int, str]:
    return sent(method, fleet.urls[0] + path, body)


def fake(url: str, **wanted: str) -> dict[str, Any]:
    query = f"?{'&'.join(f'{name}={value}' for name, value in wanted.items())}" if wanted else ""
    status, told = sent("POST" if wanted else "GET", f"{url}/fake{query}")
    assert status == 200, told
    return dict(json.loads(told))


def used(tree: QueueTree, path: str) -> Share:
    share = tree.by_path[path].share()
    assert share is not None
    return share


def test_the_same_seed_and_time_give_the_same_cluster_and_another_seed_another() -> None:
    one, same, other = (FakeCluster(simulated(12), seed) for seed in (7, 7, 8))
    one.tree(MONDAY + 40 * HOUR)
    assert one.tree(MONDAY) == same.tree(MONDAY) != other.tree(MONDAY)
    assert one.tree(MONDAY) != one.tree(MONDAY + 60)


@pytest.mark.parametrize("queues", [1, 12, 40])
def test_a_simulated_cluster_is_one_that_yarn_accepts_and_adds_up(queues: int) -> None:
    cluster = FakeCluster(simulated(queues))
    assert violations(tree_of(cluster.properties)) == ()
    for hour in range(0, 48, 5):
        tree = cluster.tree(MONDAY + hour * HOUR)
        totals = tree.totals
        assert totals is not None
        assert added([totals.available, totals.allocated, totals.reserved]) == totals.total
        for parent in tree.parents():
            children = [used(tree, child.path) for child in tree.children(parent.path)]
            for name in ("used", "reserved", "pending"):
                assert getattr(used(tree, parent.path), name) == added(getattr(child, name) for child in children)
        for share in (used(tree, queue.path) for queue in tree.queues):
            assert (share.running or NOTHING).memory_mb <= (share.ceiling or NOTHING).memory_mb


def test_the_day_has_a_shape_and_queues_borrow_wait_and_come_and_go() -> None:
    cluster = FakeCluster(simulated(12))
    day = [cluster.tree(MONDAY + 24 * HOUR + minutes * 600) for minutes in range(144)]
    adhoc = [(used(tree, "root.adhoc").used or NOTHING).memory_mb for tree in day]
    assert max(adhoc[54:96]) > 3 * max(adhoc[:36])  # by day, and before six
    assert any((used(tree, queue.path).used_capacity or 0) > 120 for tree in day for queue in tree.queues)
    assert any((used(tree, queue.path).pending or NOTHING) != NOTHING for tree in day for queue in tree.queues)
    dynamic = [{queue.path for queue in tree.queues if queue.is_dynamic} for tree in day]
    assert dynamic[0] == set()
    assert any(dynamic)


def test_what_is_answered_reads_as_what_there_is(fleet: Fleet) -> None:
    snapshot = YarnCluster(fleet.urls).snapshot()
    tree = fleet.cluster.tree(snapshot.at.timestamp())
    assert [queue.path for queue in snapshot.tree.queues] == [queue.path for queue in tree.queues]
    assert used(snapshot.tree, "root.adhoc").guaranteed == used(tree, "root.adhoc").guaranteed
    assert tree.totals is not None
    read = read_tree(as_bytes(scheduler_answer(tree)), as_bytes(metrics_answer(tree.totals)))
    assert read.totals == tree.totals
    nodes, expected = YarnCluster(fleet.urls).nodes(), fleet.cluster.nodes(snapshot.at.timestamp())
    assert [replace(node, used=None) for node in nodes] == [replace(node, used=None) for node in expected]
    in_use = added(node.used for node in expected)
    assert in_use is not None
    assert in_use.memory_mb == used(tree, "root").used.memory_mb


def test_lost_nodes_take_guarantees_with_them_and_are_told(fleet: Fleet) -> None:
    cluster = YarnCluster(fleet.urls)
    before = cluster.snapshot().tree
    fake(fleet.urls[1], lost_nodes="16")
    after = cluster.snapshot().tree
    assert before.totals is not None
    assert after.totals is not None
    assert (after.totals.nodes_active, after.totals.nodes_lost) == (48, 16)
    assert after.totals.total.memory_mb == before.totals.total.memory_mb * 3 // 4
    least = used(before, "root.etl").guaranteed or NOTHING
    assert (used(after, "root.etl").guaranteed or NOTHING).memory_mb == pytest.approx(least.memory_mb * 3 / 4, abs=1)
    assert [node.state for node in cluster.nodes()].count("LOST") == 16


@pytest.mark.parametrize(
    ("method", "query", "body"),
    [
        ("POST", "", "active=2"),
        ("GET", "?active=2", ""),
        ("POST", "?active=9", ""),
        ("POST", "?misbehave=odd", ""),
        ("POST", "?x=1", ""),
    ],
)
def test_what_the_made_up_cluster_cannot_take_is_refused_and_changes_nothing(
    fleet: Fleet, method: str, query: str, body: str
) -> None:
    status, told = sent(method, f"{fleet.urls[0]}/fake{query}", body)
    assert (status, "=" in told) == (400, True)
    assert (fake(fleet.urls[0])["active"], fake(fleet.urls[0])["misbehave"]) == (1, "none")


def test_a_failover_is_followed_and_requests_are_counted(fleet: Fleet) -> None:
    first, second = fleet.urls
    cluster = YarnCluster([second, first])
    assert [cluster.snapshot().address for _ in range(3)] == [first] * 3
    fake(first, active="2")
    assert [cluster.snapshot().address for _ in range(2)] == [second] * 2
    assert fake(first)["asked"] == {"GET info": 1, "GET scheduler": 4, "GET metrics": 3}
    assert fake(second)["asked"] == {"GET info": 2, "GET scheduler": 2, "GET metrics": 2}
    fake(first, active="none")
    with pytest.raises(SourceAway, match=r"no ResourceManager is active: .*standby; .*standby"):
        cluster.snapshot()


FAULTS: dict[str, tuple[type[QueuecastError], str]] = {
    "cut": (SourceAway, "bytes are missing"),
    "garbage": (YarnUnreadable, "neither JSON nor XML"),
    "elsewhere": (SourceAway, "leads to http://elsewhere.invalid:8088/ws/v1/cluster/scheduler, which is not followed"),
    "huge": (YarnUnreadable, "larger than the accepted 64 MiB"),
    "broken": (SourceAway, "status 500: java.lang.OutOfMemoryError"),
    "gone": (SourceAway, "RemoteDisconnected"),
    "slow": (SourceAway, "not complete after 0.5 s"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_by_its_family_and_the_other_one_takes_over(
    fault: str, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    for limit in ("INFO_SECONDS", "ANSWER_SECONDS"):  # a machine under load takes its time to make what is huge, and to unpack it
        monkeypatch.setattr(yarn, limit, 0.5 if fault == "slow" else 60.0)
    first, second = fleet.urls
    pair, error = YarnCluster(fleet.urls), FAULTS[fault]
    pair.snapshot()
    fake(first, misbehave=fault, active="2")
    with pytest.raises(error[0], match=error[1]):
        YarnCluster([first]).snapshot()
    assert pair.snapshot().address == second


def test_a_configuration_is_for_administrators_and_not_where_it_is_a_file(fleet: Fleet) -> None:
    cluster, yarn_admin = YarnCluster(fleet.urls), YarnCluster(fleet.urls, user="yarn")
    assert cluster.configuration() == fleet.cluster.properties
    fake(fleet.urls[0], admin="yarn")
    assert yarn_admin.configuration() == fleet.cluster.properties
    with pytest.raises(CredentialsRefused, match="Only admins can carry out this operation"):
        cluster.configuration()
    fake(fleet.urls[0], store="file")
    with pytest.raises(SourceNotFound, match="only supported by MutableConfScheduler"):
        yarn_admin.configuration()


def test_a_change_in_xml_or_json_is_applied_and_undone(fleet: Fleet) -> None:
    before = tree_of(fleet.cluster.properties)
    after = dict(fleet.cluster.properties)
    moved = [float(after[f"{PREFIX}root.{name}.capacity"]) for name in ("llap", "default")]
    after |= {f"{PREFIX}root.llap.capacity": f"{moved[0] - 2:g}", f"{PREFIX}root.default.capacity": f"{moved[1] + 2:g}"}
    changes = changes_between(before, tree_of(after), fleet.cluster.properties)
    was = dict(fleet.cluster.properties)
    assert put(fleet, as_xml(changes)) == (200, "Configuration change successfully applied.")
    assert fleet.cluster.properties == after
    share = used(YarnCluster(fleet.urls).snapshot().tree, "root.llap")
    assert share.capacity.percent == pytest.approx(moved[0] - 2)
    assert put(fleet, as_json(inverse(changes)))[0] == 200
    assert fleet.cluster.properties == was
    assert json.loads(put(fleet, "", f"{CONF}/version", "GET")[1]) == {"versionID": 3}


def change(queue: str, key: str, value: str) -> PropertyChange:
    return PropertyChange(queue=queue, key=key, before="", after=value)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (as_xml([change("root.etl", "capacity", "50")]), "Illegal capacity sum of 1.2"),
        (as_json([change("root.etl", "capacity", "50")]), "for children of queue root for label=. It should be either 0 or 1.0"),
        (as_json([change("root.etl", "maximum-capacity", "1")]), "is more than its maximum 1 %"),
        (as_json([change("root.etl", "capacity", "half")]), "is no capacity; accepted are"),
        (json.dumps({"remove-queue": "root.adhoc"}), "not yet in stopped state. Current State : RUNNING"),
        (json.dumps({"remove-queue": "root.nothing"}), "Queue root.nothing not found"),
        (json.dumps({"remove-queue": "root"}), "Can't remove queue root"),
        (json.dumps({"add-queue": [{"queue-name": "root.etl"}]}), "Can't add existing queue root.etl"),
        ("garbage", "neither JSON nor XML"),
    ],
)
def test_what_yarn_refuses_is_refused_in_its_words_and_changes_nothing(body: str, words: str, fleet: Fleet) -> None:
    was = dict(fleet.cluster.properties)
    for path, method in ((CONF, "PUT"), (f"{CONF}/validate", "POST")):
        status, told = put(fleet, body, path, method)
        assert (status, words in told) == (400, True), told
    assert (fleet.cluster.properties, fleet.cluster.version) == (was, 1)


def test_a_queue_is_stopped_and_deleted_and_added_again(fleet: Fleet) -> None:
    archive, sandbox = (float(fleet.cluster.properties[f"{PREFIX}root.{name}.capacity"]) for name in ("archive", "sandbox"))
    assert put(fleet, as_json([change("root.archive", "state", "STOPPED")]))[0] == 200
    assert used(YarnCluster(fleet.urls).snapshot().tree, "root.archive").used == NOTHING
    both = as_json([change("root.sandbox", "capacity", str(archive + sandbox))])
    assert put(fleet, json.dumps({"remove-queue": ["root.archive"], **json.loads(both)}))[0] == 200
    assert "root.archive" not in YarnCluster(fleet.urls).snapshot().tree.by_path
    params = {"entry": [{"key": "capacity", "value": str(archive)}]}
    again = {"add-queue": [{"queue-name": "root.archive", "params": params}]} | json.loads(
        as_json([change("root.sandbox", "capacity", str(sandbox))])
    )
    assert put(fleet, json.dumps(again))[0] == 200
    assert "root.archive" in YarnCluster(fleet.urls).snapshot().tree.by_path


def test_what_is_validated_is_not_applied(fleet: Fleet) -> None:
    status, told = put(fleet, as_json([change("root.etl", "user-limit-factor", "3")]), f"{CONF}/validate", "POST")
    assert status == 200
    assert {"name": f"{PREFIX}root.etl.user-limit-factor", "value": "3"} in json.loads(told)["property"]
    assert fleet.cluster.version == 1


def test_a_property_of_all_queues_is_set_and_removed_by_an_empty_value(fleet: Fleet) -> None:
    entry = "<sched-conf><global-updates><entry><key>{}</key><value>{}</value></entry></global-updates></sched-conf>"
    calculator = f"{PREFIX}resource-calculator"
    for value in ("org.apache.hadoop.yarn.util.resource.DominantResourceCalculator", ""):
        assert put(fleet, entry.format(calculator, value))[0] == 200
        assert fleet.cluster.properties.get(calculator, "") == value


def test_what_was_recorded_is_served_with_load(tmp_path: Path) -> None:
    given = properties(etl="[memory=4096,vcores=4]", adhoc="[memory=2048,vcores=2]")
    file = tmp_path / "scheduler.json"
    file.write_bytes(as_bytes(scheduler_answer(tree_of(given))))
    tree = FakeCluster(recorded(file)).tree(MONDAY)
    assert [queue.path for queue in tree.queues] == ["root", "root.etl", "root.adhoc"]
    assert used(tree, "root.etl").mode == "absolute"
    xml = "".join(f"<property><name>{name}</name><value>{value}</value></property>" for name, value in given.items())
    file.write_text(f"<configuration>{xml}</configuration>")
    assert recorded(file) == given
    file.write_bytes(as_bytes({"scheduler": {"schedulerInfo": {"type": "fairScheduler", "rootQueue": {"queueName": "root"}}}}))
    with pytest.raises(UsageError, match="accepted is the capacity scheduler"):
        recorded(file)


def test_partitions_have_nodes_of_their_own() -> None:
    gpu = {f"{PREFIX}{queue}.accessible-node-labels.gpu.capacity": "100" for queue in ("root", "root.etl")}
    cluster = FakeCluster(properties(etl="60", adhoc="40") | gpu)
    tree = cluster.tree(MONDAY + 12 * HOUR)
    share = tree.by_path["root.etl"].share("gpu")
    assert share is not None
    assert share.used is not None
    nodes = cluster.nodes(MONDAY + 12 * HOUR)
    assert share.guaranteed == added(node.total for node in nodes if node.partition == "gpu")
    assert share.used == added(node.used for node in nodes if node.partition == "gpu")
    assert tree.totals is not None
    assert tree.totals.all_partitions == added(node.total for node in nodes)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--yarn", "--out", "x"], "one of --out DIR, --to CONNECTION and --yarn"),
        (["--yarn", "--days", "3"], "--days: not accepted with --yarn"),
        (["--out", "x", "--standby-port", "1"], "--standby-port: not accepted without --yarn"),
        (["--yarn", "--queues", "3", "--configuration", __file__], "--queues: not accepted with --configuration"),
    ],
)
def test_options_that_would_change_nothing_are_refused(options: list[str], words: str) -> None:
    assert words in str(CliRunner().invoke(app, ["simulate", *options]).exception)


def test_the_command_runs_a_pair_that_fails_over_by_a_signal() -> None:
    command = [QUEUECAST, "simulate", "--yarn", "--port", "0", "--standby-port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        urls = json.loads(process.stdout.readline())["urls"]
        cluster = YarnCluster(urls)
        assert cluster.snapshot().address == urls[0]
        os.kill(process.pid, signal.SIGUSR1)
        eventually(lambda: cluster.snapshot().address == urls[1], what="the other one to be active")
        process.terminate()
        assert process.wait(10) == 0
