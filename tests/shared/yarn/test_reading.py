"""Answers of the ResourceManager as trees; the shapes are those of real answers of 2.x to 3.5, rebuilt small."""

from __future__ import annotations

import json
from contextlib import suppress
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.capacities import NOTHING, Capacity, Mode, Part
from shared.domain.queue_tree import Creation, QueueTree, Scheduler, State
from shared.errors import YarnUnreadable
from shared.yarn.answers import metrics_answer, scheduler_answer
from shared.yarn.reading import read_totals, read_tree
from tests.shared.yarn.trees import as_bytes, mb, trees, used_below

NO_LIMIT = 2_147_483_647
METRICS = {"clusterMetrics": {"totalMB": 17_408, "totalVirtualCores": 8, "availableMB": 17_408, "availableVirtualCores": 7}}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def answer(**fields: Any) -> dict[str, Any]:
    """An answer of the capacity scheduler whose root has these fields beside its own."""
    return {"scheduler": {"schedulerInfo": {"type": "capacityScheduler", "queueName": "root", "capacity": 100.0} | fields}}


def with_queues(*queues: Any, **fields: Any) -> dict[str, Any]:
    return answer(queues={"queue": list(queues)}, **fields)


def leaf(path: str, **fields: Any) -> dict[str, Any]:
    name = path.rpartition(".")[2]
    return {"type": "capacitySchedulerLeafQueueInfo", "queueName": name, "queuePath": path, "state": "RUNNING"} | fields


def partition(name: str, **fields: Any) -> dict[str, Any]:
    return {"queueCapacitiesByPartition": [{"partitionName": name} | fields]}


def tree_of(document: Any, metrics: Any = None) -> QueueTree:
    return read_tree(as_bytes(document), None if metrics is None else as_bytes(metrics))


def resources(memory: int, vcores: int) -> dict[str, int]:
    return {"memory": memory, "vCores": vcores}


@settings(max_examples=40)
@given(trees())
def test_what_is_written_of_a_tree_is_read_back(tree: QueueTree) -> None:
    found = tree_of(scheduler_answer(tree))
    assert [queue for queue in found.queues if queue.is_leaf] == [queue for queue in tree.queues if queue.is_leaf]
    assert [(queue.path, queue.is_leaf) for queue in found.queues] == [(queue.path, queue.is_leaf) for queue in tree.queues]
    for queue, other in zip(found.queues, tree.queues, strict=True):
        assert [(share.partition, share.capacity, share.maximum) for share in queue.shares] == [
            (share.partition, share.capacity, share.maximum) for share in other.shares
        ]
    for parent in found.parents():
        assert [share.used for share in parent.shares] == [used_below(found, parent, share.partition) for share in parent.shares]
    assert tree_of(scheduler_answer(found)) == found


@settings(max_examples=80)
@given(trees(), st.data())
def test_an_answer_with_anything_anywhere_is_a_tree_or_our_error(tree: QueueTree, data: st.DataObject) -> None:
    document: Any = deepcopy(scheduler_answer(tree))
    place, key = document, "scheduler"
    while isinstance(place[key], dict | list) and place[key] and data.draw(st.integers(0, 9)):
        place = place[key]
        key = (
            data.draw(st.sampled_from(sorted(place)))
            if isinstance(place, dict)
            else data.draw(st.sampled_from(range(len(place))))
        )
    place[key] = data.draw(JSON)
    with suppress(YarnUnreadable):
        assert tree_of(document).root.path == "root"


def test_an_old_answer_without_paths_partitions_and_guarantees_is_read() -> None:
    def old(name: str, capacity: float, absolute: float, **fields: Any) -> dict[str, Any]:
        used = {"resourcesUsed": resources(0, 0), "usedResources": "<memory:0, vCores:0>"}
        return (
            {"queueName": name, "capacity": capacity, "absoluteCapacity": absolute, "absoluteMaxCapacity": 50.0} | used | fields
        )

    of_leaf: dict[str, Any] = {"type": "capacitySchedulerLeafQueueInfo", "users": None, "maxParallelApps": NO_LIMIT}
    a1 = old("a1", 30.000002, 3.15, numPendingApplications=1, numActiveApplications=0, **of_leaf)
    a2 = old("a2", 70.0, 7.35, numPendingApplications=2, numActiveApplications=0, userLimitFactor=-1.0, **of_leaf)
    del a2["resourcesUsed"]
    tree = tree_of(with_queues(old("a", 10.5, 10.5, queues={"queue": [a1, a2]})), METRICS)
    assert [queue.path for queue in tree.queues] == ["root", "root.a", "root.a.a1", "root.a.a2"]
    assert [queue.apps_pending for queue in tree.queues] == [3, 3, 1, 2]
    a1_queue, a2_queue = tree.queues[2:]
    assert a1_queue.share().capacity == Capacity.of_percent(30.0)
    assert (a1_queue.share().guaranteed, a1_queue.share().ceiling) == (mb(548, 0), mb(8_704, 4))
    assert tree.root.share().guaranteed == mb(17_408, 8)
    assert (a2_queue.share().used, a2_queue.share().pending, a2_queue.share().demand) == (NOTHING, None, NOTHING)
    assert (a1_queue.max_parallel_apps, a2_queue.user_limit_factor, a1_queue.users_active) == (None, None, 0)


@pytest.mark.parametrize(
    ("fields", "capacity", "maximum"),
    [
        (
            {"mode": "percentage", "capacity": 60.000004, "maxCapacity": 100},
            Capacity.of_percent(60.0),
            Capacity.of_percent(100.0),
        ),
        (
            {"mode": "weight", "capacity": 0, "weight": 10, "maxCapacity": 100},
            Capacity.of_weight(10.0),
            Capacity.of_percent(100.0),
        ),
        (
            {"mode": "absolute", "capacity": 0, "maxCapacity": 100, "weight": -1, "min": (1_024, 5), "max": (0, 0)},
            Capacity.of_resources(mb(1_024, 5)),
            None,
        ),
        (
            {"isAbsoluteResource": True, "capacity": 0.05, "maxCapacity": 3, "weight": -1, "min": (1_024, 5), "max": (4_096, 8)},
            Capacity.of_resources(mb(1_024, 5)),
            Capacity.of_resources(mb(4_096, 8)),
        ),
        (
            {"mode": "percentage", "capacity": 13, "maxCapacity": 75, "vector": "[memory-mb=12.5%,vcores=12.5%]", "top": "[]"},
            Capacity.of_percent(12.5),
            Capacity.of_percent(75.0),
        ),
        (
            {
                "mode": "absolute",
                "vector": "[memory-mb=4096.0,vcores=4.0]",
                "top": "[memory-mb=0.0,vcores=0.0]",
                "maxCapacity": 100,
            },
            Capacity.of_resources(mb(4_096, 4)),
            None,
        ),
        (
            {"mode": "mixed", "capacity": 12.5, "maxCapacity": 100, "weight": -1, "vector": "[memory-mb=1.0w,vcores=4.0]"},
            Capacity(
                mode=Mode.MIXED,
                parts=(
                    Part(resource="memory-mb", mode=Mode.WEIGHT, amount=1.0),
                    Part(resource="vcores", mode=Mode.ABSOLUTE, amount=4.0),
                ),
            ),
            Capacity.of_percent(100.0),
        ),
    ],
    ids=["percentage", "weight", "absolute", "absolute without mode", "vector", "absolute vector", "mixed"],
)
def test_what_is_configured_is_read_where_its_mode_has_it(fields: dict[str, Any], capacity: Capacity, maximum: Capacity) -> None:
    said = {
        name: value for name, value in fields.items() if name not in ("min", "max", "vector", "top", "mode", "isAbsoluteResource")
    }
    for name, key in (("min", "configuredMinResource"), ("max", "configuredMaxResource")):
        if name in fields:
            said[key] = resources(*fields[name])
    for name, key in (("vector", "queueCapacityVectorInfo"), ("top", "maximumQueueCapacityVectorInfo")):
        if name in fields:
            said[key] = {"configuredCapacityVector": fields[name]}
    of_queue = {name: fields[name] for name in ("mode", "isAbsoluteResource") if name in fields}
    share = tree_of(with_queues(leaf("root.a", capacities=partition("", **said), **of_queue))).queues[1].share()
    assert (share.capacity, share.maximum) == (capacity, maximum)


def test_each_partition_has_its_own_share() -> None:
    capacities = [
        {"partitionName": "", "capacity": 30.0, "maxCapacity": 50.0, "weight": -1.0, "effectiveMinResource": resources(3_072, 3)},
        {"partitionName": "Lx", "capacity": 30.0, "maxCapacity": 100.0, "weight": -1.0},
    ]
    usages = [
        {"partitionName": "Lx", "used": resources(4_096, 2), "reserved": resources(1_024, 1), "pending": resources(2_048, 2)},
        {"partitionName": "", "used": resources(0, 0)},
    ]
    queue = leaf(
        "root.Qb",
        capacities={"queueCapacitiesByPartition": capacities},
        resources={"resourceUsagesByPartition": usages},
    )
    tree = tree_of(with_queues(queue))
    found = tree.by_path["root.Qb"]
    assert tree.partitions == ("", "Lx")
    assert [share.capacity.percent for share in found.shares] == [30.0, 30.0]
    assert found.share("Lx").running == mb(3_072, 1)
    assert found.share("Lx").demand == mb(5_120, 3)
    assert (found.share().guaranteed, found.share("Ly")) == (mb(3_072, 3), None)


def test_lists_of_one_types_and_nothing_are_read_as_later_releases_write_them() -> None:
    child = leaf(
        "root.a", users="", nodeLabels="*", capacities={"queueCapacitiesByPartition": {"partitionName": "", "capacity": 100}}
    )
    child["@xsi.type"] = child.pop("type")
    document = {
        "scheduler": {"schedulerInfo": {"@xsi.type": "capacityScheduler", "queueName": "root", "queues": {"queue": child}}}
    }
    found = tree_of(document).by_path["root.a"]
    assert (found.is_leaf, found.users_active, found.share().capacity) == (True, 0, Capacity.of_percent(100.0))


def test_an_answer_in_xml_is_the_same_tree() -> None:
    text = """<?xml version="1.0"?><scheduler>
      <schedulerInfo xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="capacityScheduler">
        <queueName>root</queueName><queues><queue xsi:type="capacitySchedulerLeafQueueInfo"><queuePath>root.a</queuePath>
        <capacity>12.5</capacity><state>RUNNING</state><users/><resourcesUsed><memory>7</memory><vCores>1</vCores></resourcesUsed>
        <capacities>
          <queueCapacitiesByPartition><partitionName/><capacity>12.5</capacity></queueCapacitiesByPartition>
          <queueCapacitiesByPartition><partitionName>gpu</partitionName><capacity>0.0</capacity></queueCapacitiesByPartition>
        </capacities></queue></queues></schedulerInfo></scheduler>"""
    found = read_tree(text.encode()).by_path["root.a"]
    assert (found.is_leaf, found.state, found.share().used) == (True, State.RUNNING, mb(7, 1))
    assert [(share.partition, share.capacity.percent) for share in found.shares] == [("", 12.5), ("gpu", 0.0)]


def test_queues_made_automatically_and_their_template_are_told() -> None:
    made = leaf("root.managed.q", creationMethod="dynamicLegacy", mode="absolute", state="STOPPED")
    template = {"property": [{"name": "leaf-queue-template.capacity", "value": "[memory=2048,vcores=2]"}]}
    parent = {"queuePath": "root.managed", "queues": {"queue": [made]}, "leafQueueTemplate": template}
    tree = tree_of(with_queues(parent | {"autoCreationEligibility": "legacy", "queueType": "parent"}))
    managed, queue = tree.queues[1:]
    assert (managed.creation, managed.leaf_template, managed.is_leaf) == (Creation.LEGACY, "[memory=2048,vcores=2]", False)
    assert (queue.is_dynamic, queue.state) == (True, State.STOPPED)


def test_applications_beyond_the_parallel_limit_wait_too() -> None:
    """Of all there are, those neither active nor pending are held back by `max-parallel-apps` (AbstractLeafQueue)."""
    counts = {"numActiveApplications": 5, "numPendingApplications": 2}
    queues = leaf("root.a", **counts, numApplications=10), leaf("root.b", **counts), leaf("root.c", **counts, numApplications=6)
    assert [queue.apps_pending for queue in tree_of(with_queues(*queues)).queues[1:]] == [5, 2, 2]


def test_users_are_counted_while_they_run_something() -> None:
    users = [
        {"username": "a", "resourcesUsed": resources(2_048, 2), "numActiveApplications": 1},
        {"username": "b", "resourcesUsed": resources(6_144, 1), "numActiveApplications": 2},
        {"username": "c", "resourcesUsed": resources(0, 0), "numActiveApplications": 0, "numPendingApplications": 1},
    ]
    found = tree_of(with_queues(leaf("root.a", users={"user": users}))).by_path["root.a"]
    assert (found.users_active, found.largest_user) == (2, mb(6_144, 1))


@pytest.mark.parametrize("is_old", [False, True], ids=["lists inside of objects", "lists"])
def test_the_fair_scheduler_tells_its_demand(is_old: bool) -> None:
    def queue(name: str, **fields: Any) -> dict[str, Any]:
        told = {
            "minResources": resources(1_024, 1),
            "maxResources": resources(8_192, 8),
            "steadyFairResources": resources(4_096, 0),
        }
        used = {
            "usedResources": resources(3_072, 3),
            "demandResources": resources(5_120, 4),
            "preemptable": True,
            "maxApps": NO_LIMIT,
        }
        return {"queueName": name} | told | used | fields

    of_leaf: dict[str, Any] = {"type": "fairSchedulerLeafQueueInfo", "numPendingApps": 2, "numActiveApps": 1}
    inner = queue("root.sample.sub", **of_leaf, maxApps=50)
    below = [queue("root.sample", childQueues=[inner] if is_old else {"queue": [inner]})]
    root = queue("root", childQueues=below if is_old else {"queue": below}, clusterResources=resources(8_192, 8))
    tree = tree_of({"scheduler": {"schedulerInfo": {"type": "fairScheduler", "rootQueue": root}}})
    found = tree.by_path["root.sample.sub"]
    assert (tree.scheduler, tree.totals.total) == (Scheduler.FAIR, mb(8_192, 8))
    assert (found.share().guaranteed, found.share().ceiling) == (mb(4_096, 1), mb(8_192, 8))
    assert (found.share().demand, found.share().pending) == (mb(5_120, 4), mb(2_048, 1))
    assert [queue.apps_pending for queue in tree.queues] == [2, 2, 2]
    assert (found.max_parallel_apps, tree.root.max_parallel_apps, found.preemption_disabled) == (50, None, False)


def test_totals_are_read_and_written() -> None:
    told = METRICS["clusterMetrics"] | {"activeNodes": 3, "lostNodes": 1, "pendingMB": 512, "pendingVirtualCores": 1}
    totals = read_totals(as_bytes({"clusterMetrics": told}))
    assert (totals.total, totals.available, totals.pending) == (mb(17_408, 8), mb(17_408, 7), mb(512, 1))
    assert (totals.nodes_active, totals.nodes_lost, totals.reserved) == (3, 1, None)
    assert read_totals(as_bytes(metrics_answer(totals))) == totals


@pytest.mark.parametrize("word", ["NaN", "Infinity", float("nan"), None, ""])
def test_what_is_no_number_is_not_known(word: object) -> None:
    document = json.dumps(with_queues(leaf("root.a", usedCapacity=word, capacity=100.0)))
    assert read_tree(document.encode()).by_path["root.a"].share().used_capacity is None


DEEP: dict[str, Any] = leaf("root" + ".a" * 60)
for level in range(59, 0, -1):
    DEEP = {"queuePath": "root" + ".a" * level, "queues": {"queue": [DEEP]}}


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ({"scheduler": {"schedulerInfo": {"type": "fifoScheduler", "usedCapacity": "NaN"}}}, "fifoScheduler"),
        ({"RemoteException": {"message": "no"}}, "RemoteException"),
        ([], "no object"),
        (with_queues(leaf("root.a"), leaf("root.a")), "root.a is in it twice"),
        (with_queues({"queuePath": "root.a", "queues": {"queue": [leaf("root.a")]}}), "root.a"),
        (with_queues({"queuePath": "root.a", "queues": {"queue": [leaf("root.b.x")]}}), "root.b.x"),
        (with_queues(leaf("root.a.b")), "lies below root"),
        (with_queues({"capacity": 50}), "empty"),
        (with_queues(leaf("root.a\nb")), "control character"),
        (with_queues(leaf("root.\u202eabc")), "direction of writing"),
        (with_queues(leaf("root." + "a" * 600)), "longer than"),
        (answer(queueName="top"), "always called root"),
        (with_queues(DEEP), "50 levels"),
        (with_queues(leaf("root.a", capacity={"is": [1]})), "capacity of root.a"),
        (with_queues(leaf("root.a", capacity=True)), "capacity of root.a is True"),
        (with_queues(leaf("root.a", capacity=10**30)), "64 bits"),
        (with_queues(leaf("root.a", capacity="9" * 40)), "64 bits"),
        (with_queues(leaf("root.a", preemptionDisabled="maybe")), "true or false"),
        (with_queues(leaf("root.a", resourcesUsed="7 GB")), "memory and vCores"),
        (with_queues(leaf("root.a", queuePath=["root.a"])), "a text"),
        (with_queues("root.a"), "a list"),
        (answer(queues=[1]), "an object"),
        (with_queues(leaf("root.a", capacities={"queueCapacitiesByPartition": [{}, {}]})), "twice"),
        (with_queues(leaf("root.a", capacities=partition("x\ty"))), "control character"),
        (with_queues(leaf("root.a", queueCapacityVectorInfo={"configuredCapacityVector": "[memory=x]"})), "no capacity"),
    ],
)
def test_a_hostile_answer_is_refused_with_what_was_found(document: Any, found: str) -> None:
    with pytest.raises(YarnUnreadable, match=found):
        tree_of(document)


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (b"", "neither JSON nor XML"),
        (b"\xff\xfe", "neither JSON nor XML"),
        (b'{"scheduler": 1e999}', "an object"),
        (as_bytes(with_queues(leaf("root.a"))).replace(b'"capacity": 100.0', b'"capacity": 1e999'), "64 bits"),
        (b'{"a":' * 100_000, "recursion limit"),
        (b'{"scheduler": ' + b"9" * 5_000 + b"}", "neither JSON nor XML"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><scheduler>&a;</scheduler>', "document type"),
        (b"<a>" * 400, "300 elements"),
        (b"<a>&a;</a>", "no XML"),
        (b'<?xml version="1.0" encoding="nonsense"?><a/>', "no XML|encoding"),
    ],
    ids=["nothing", "bytes", "infinite", "infinite number", "deep", "digits", "entity", "deep xml", "unknown entity", "encoding"],
)
def test_bytes_that_are_no_answer_are_refused(raw: bytes, found: str) -> None:
    with pytest.raises(YarnUnreadable, match=found):
        read_tree(raw)


def test_more_queues_than_any_cluster_has_are_refused() -> None:
    with pytest.raises(YarnUnreadable, match="20,000 queues"):
        tree_of(with_queues(*({"queueName": f"q{number}"} for number in range(20_001))))
