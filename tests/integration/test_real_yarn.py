"""The driver against a real ResourceManager, where one can be had: `TEST_YARN_JARS` names a folder with its jars.

These are hadoop-client-minicluster, hadoop-client-api and hadoop-client-runtime of one release (3.3 or later), a binding of slf4j
and JUnit 4, whose classes the first one names; Java 8 to 17 runs them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import urllib3

from shared.domain.property_change import PropertyChange
from shared.domain.queue_tree import ROOT
from shared.drivers.yarn import YarnCluster
from shared.errors import QueuecastError
from shared.yarn.configuration import tree_of
from shared.yarn.constraints import violations
from shared.yarn.patch import as_xml, changes_between, inverse
from tests.polling import eventually
from tests.servers import free_port
from tests.shared.yarn.trees import properties

JARS = "TEST_YARN_JARS"
MAIN = "org.apache.hadoop.yarn.server.resourcemanager.ResourceManager"
SCHEDULER = "org.apache.hadoop.yarn.server.resourcemanager.scheduler.capacity.CapacityScheduler"
CONFIGURED = properties(etl="60", adhoc="40")
PORTS = ("webapp.address", "address", "scheduler.address", "resource-tracker.address", "admin.address")
MAX_START_SECONDS = 90


def site(path: Path, values: Mapping[str, str]) -> None:
    """Write a file of Hadoop's configuration."""
    lines = (f"<property><name>{name}</name><value>{value}</value></property>" for name, value in values.items())
    path.write_text(f"<configuration>{''.join(lines)}</configuration>")


def why_not() -> str:
    """Why there is no ResourceManager, in words; "" = there may be one."""
    if JARS not in os.environ:
        return f"{JARS} names no folder with the jars of a ResourceManager, which come from Maven's repositories"
    if not any(Path(os.environ[JARS]).glob("hadoop-client-minicluster-*.jar")):
        return f"there is no hadoop-client-minicluster-*.jar in {os.environ[JARS]}, which {JARS} names"
    return "" if shutil.which("java") else "there is no java on the path"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A ResourceManager without nodes, whose configuration can be changed."""
    if reason := why_not():
        pytest.skip(reason)
    folder, ports = tmp_path_factory.mktemp("yarn"), [free_port() for _ in PORTS]
    addresses = {f"yarn.resourcemanager.{name}": f"127.0.0.1:{port}" for name, port in zip(PORTS, ports, strict=True)}
    store = {"yarn.scheduler.configuration.store.class": "memory", "yarn.resourcemanager.scheduler.class": SCHEDULER}
    site(folder / "yarn-site.xml", {**addresses, **store, "yarn.acl.enable": "false"})
    site(folder / "core-site.xml", {"fs.defaultFS": "file:///", "hadoop.tmp.dir": str(folder / "tmp")})
    site(folder / "capacity-scheduler.xml", CONFIGURED)
    classes = f"{folder}:{os.environ[JARS]}/*"
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(["java", "-Xmx512m", "-cp", classes, MAIN], cwd=folder, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{ports[0]}"
    try:
        eventually(lambda: is_active(address, server, folder), what="a ResourceManager", within=MAX_START_SECONDS)
        yield address
    finally:
        server.kill()
        server.wait()


def is_active(address: str, server: subprocess.Popen[bytes], folder: Path) -> bool:
    """Whether it answers; fails with its log when it has ended."""
    if server.poll() is not None:
        pytest.fail(f"the ResourceManager has ended: {(folder / 'log').read_text()[-3_000:]}")
    try:
        return bool(YarnCluster([address]).snapshot().tree.queues)
    except QueuecastError:
        return False


def put(url: str, body: str) -> tuple[int, str]:
    headers = {"Content-Type": "application/xml"}
    address = f"{url}/ws/v1/cluster/scheduler-conf?user.name=yarn"
    answer = urllib3.request("PUT", address, body=body.encode(), headers=headers, retries=False, timeout=30)
    return answer.status, answer.data.decode()


def test_its_queues_nodes_and_configuration_are_read(url: str) -> None:
    cluster = YarnCluster([url], user="yarn")
    tree = cluster.snapshot().tree
    assert {queue.path for queue in tree.queues} == {ROOT, "root.etl", "root.adhoc"}
    assert [share.capacity.percent for queue in tree.queues if queue.is_leaf for share in queue.shares] != []
    assert tree.totals is not None
    assert cluster.nodes() == ()
    configured = cluster.configuration()
    assert {name: configured.get(name) for name in CONFIGURED} == CONFIGURED
    assert violations(tree_of(configured)) == ()
    [member] = cluster.members()
    assert member.info is not None
    assert member.info.is_active


def test_a_change_is_taken_and_undone_and_a_wrong_sum_is_refused_in_its_words(url: str) -> None:
    cluster = YarnCluster([url], user="yarn")
    before = cluster.configuration()
    changes = changes_between(tree_of(before), tree_of(before | properties(etl="55", adhoc="45")), before)
    assert put(url, as_xml(changes))[0] == 200
    share = cluster.snapshot().tree.by_path["root.etl"].share()
    assert share is not None
    assert share.capacity.percent == pytest.approx(55)
    assert put(url, as_xml(inverse(changes)))[0] == 200
    status, words = put(url, as_xml([PropertyChange(queue="root.etl", key="capacity", before="60", after="70")]))
    assert (status, "Illegal capacity sum of 1.1" in words) == (400, True), words
