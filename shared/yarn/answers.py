"""What a ResourceManager of 3.x answers, written from a tree: for the simulated cluster, and so that reading can be told from it.

reading.read_tree(bytes of scheduler_answer(tree), bytes of metrics_answer(totals)) == tree
configuration.tree_of(properties_of(tree)) == tree, as far as a configuration says it
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from shared.domain.capacities import NOTHING, Capacity, Mode, Resources
from shared.domain.property_change import PREFIX
from shared.domain.queue_tree import DEFAULT_PARTITION, ROOT, Calculator, Creation, Queue, QueueTree, Share, State, Totals
from shared.yarn.capacity_text import number_text, text_of
from shared.yarn.cluster_info import ClusterInfo, Node
from shared.yarn.configuration import CAPACITY, LEGACY_MODE, MAXIMUM, key_of
from shared.yarn.fields import NO_LIMIT

Document = dict[str, object]
T = TypeVar("T")

ALL = 100.0
UNSET = -1.0
CALCULATORS = {
    Calculator.MEMORY: "org.apache.hadoop.yarn.util.resource.DefaultResourceCalculator",
    Calculator.DOMINANT: "org.apache.hadoop.yarn.util.resource.DominantResourceCalculator",
}


def scheduler_answer(tree: QueueTree) -> Document:
    """`GET /ws/v1/cluster/scheduler`, of the capacity scheduler."""
    return {"scheduler": {"schedulerInfo": _queue(tree, tree.root)}}


def metrics_answer(totals: Totals) -> Document:
    """`GET /ws/v1/cluster/metrics`."""
    pairs = {"total": totals.total, "available": totals.available, "allocated": totals.allocated}
    pairs |= {"reserved": totals.reserved, "pending": totals.pending}
    told = {f"{name}MB": pair.memory_mb for name, pair in pairs.items() if pair is not None}
    told |= {f"{name}VirtualCores": pair.vcores for name, pair in pairs.items() if pair is not None}
    counts = {
        "activeNodes": totals.nodes_active,
        "lostNodes": totals.nodes_lost,
        "unhealthyNodes": totals.nodes_unhealthy,
        "decommissionedNodes": totals.nodes_decommissioned,
        "appsRunning": totals.apps_running,
        "appsPending": totals.apps_pending,
        "containersAllocated": totals.containers_allocated,
        "containersReserved": totals.containers_reserved,
        "containersPending": totals.containers_pending,
        "totalClusterResourcesAcrossPartition": _resources(totals.all_partitions),
    }
    return {"clusterMetrics": told | _told(counts)}


def info_answer(info: ClusterInfo) -> Document:
    """`GET /ws/v1/cluster/info`."""
    told = {"id": int(info.cluster_id), "startedOn": int(info.cluster_id), "state": "STARTED", "haState": info.ha_state}
    return {"clusterInfo": _told(told) | {"resourceManagerVersion": info.version, "hadoopVersion": info.version}}


def nodes_answer(nodes: Sequence[Node]) -> Document:
    """`GET /ws/v1/cluster/nodes`; a node that is lost offers nothing."""
    return {"nodes": {"node": list(map(_node, nodes))}}


def _node(node: Node) -> Document:
    used, total = node.used or NOTHING, node.total or NOTHING
    return {
        "id": node.node_id,
        "nodeHostName": node.node_id.partition(":")[0],
        "rack": "/default-rack",
        "state": node.state,
        "nodeLabels": [node.partition] if node.partition else [],
        "usedMemoryMB": used.memory_mb,
        "availMemoryMB": (total - used).memory_mb,
        "usedVirtualCores": used.vcores,
        "availableVirtualCores": (total - used).vcores,
    }


def configuration_answer(properties: Mapping[str, str]) -> Document:
    """`GET /ws/v1/cluster/scheduler-conf`."""
    return {"property": [{"name": name, "value": value} for name, value in properties.items()]}


def properties_of(tree: QueueTree) -> dict[str, str]:
    """The configuration that a tree's queues have; those made automatically are in none."""
    found = {LEGACY_MODE: "false"} if tree.is_legacy is False else {}
    if tree.calculator is not None:
        found[f"{PREFIX}resource-calculator"] = CALCULATORS[tree.calculator]
    for queue in tree.queues:
        if not queue.is_dynamic:
            children = [child.name for child in tree.children(queue.path) if not child.is_dynamic]
            found |= {f"{PREFIX}{queue.path}.queues": ",".join(children)} if children else {}
            found |= _properties_of_queue(queue)
    return found


def _properties_of_queue(queue: Queue) -> dict[str, str]:
    texts = {
        "state": State.STOPPED.value if queue.state is State.STOPPED else None,
        "auto-create-child-queue.enabled": "true" if queue.creation is Creation.LEGACY else None,
        "auto-queue-creation-v2.enabled": "true" if queue.creation is Creation.FLEXIBLE else None,
        f"leaf-queue-template.{CAPACITY}": queue.leaf_template,
        "allow-zero-capacity-sum": None if queue.allows_zero_sum is None else str(queue.allows_zero_sum).lower(),
        "disable_preemption": None if queue.preemption_disabled is None else str(queue.preemption_disabled).lower(),
        "user-limit-factor": None if queue.user_limit_factor is None else number_text(queue.user_limit_factor),
        "minimum-user-limit-percent": None if queue.user_limit is None else number_text(queue.user_limit),
        "max-parallel-apps": None if queue.max_parallel_apps is None else str(queue.max_parallel_apps),
    }
    found = {f"{PREFIX}{queue.path}.{name}": text for name, text in texts.items() if text is not None}
    for share in queue.shares:
        if queue.path != ROOT or share.partition != DEFAULT_PARTITION:
            found[key_of(queue.path, share.partition, CAPACITY)] = text_of(share.capacity)
        if share.maximum is not None:
            found[key_of(queue.path, share.partition, MAXIMUM)] = text_of(share.maximum)
    return found


def _queue(tree: QueueTree, queue: Queue) -> Document:
    share, children = queue.share() or Share(), tree.children(queue.path)
    answer: Document = {"type": "capacitySchedulerLeafQueueInfo"} if queue.is_leaf else {}
    if queue.is_root:
        answer["type"] = "capacityScheduler"
    answer |= {"queueName": queue.name, "queuePath": queue.path, **_percentages(share, queue), **_words(queue)}
    answer |= {"maxParallelApps": NO_LIMIT if queue.max_parallel_apps is None else queue.max_parallel_apps}
    if children:
        answer["queues"] = {"queue": [_queue(tree, child) for child in children]}
    answer["capacities"] = {"queueCapacitiesByPartition": [_of_partition(queue, each) for each in queue.shares]}
    if not queue.is_root:  # which does not tell what it uses
        answer |= _told(
            {
                "state": queue.state,
                "resourcesUsed": _resources(share.used),
                "minEffectiveCapacity": _resources(share.guaranteed),
                "maxEffectiveCapacity": _resources(share.ceiling),
                "allocatedContainers": queue.containers_allocated,
                "reservedContainers": queue.containers_reserved,
                "pendingContainers": queue.containers_pending,
            }
        )
        answer["resources"] = {"resourceUsagesByPartition": [_usage(each) for each in queue.shares]}
    return answer | (_of_leaf(queue) if queue.is_leaf else {})


def _words(queue: Queue) -> Document:
    share = queue.share() or Share()
    templates = [{"name": f"leaf-queue-template.{CAPACITY}", "value": queue.leaf_template}] if queue.leaf_template else []
    return {
        "mode": share.mode.value,
        "isAbsoluteResource": share.mode is Mode.ABSOLUTE,
        "queueType": "leaf" if queue.is_leaf else "parent",
        "creationMethod": "dynamicFlexible" if queue.is_dynamic else "static",
        "autoCreationEligibility": queue.creation.value,
        "leafQueueTemplate": {"property": templates} if templates else {},
    }


def _percentages(share: Share, queue: Queue) -> Document:
    """What the scheduler makes of a capacity: 0 % of the modes that have none, and without what the root does not tell."""
    maximum = ALL if share.maximum is None or share.maximum.percent is None else share.maximum.percent
    weight = share.capacity.weight
    found = {
        "capacity": share.capacity.percent or 0.0,
        "maxCapacity": maximum,
        "usedCapacity": share.used_capacity,
        "weight": UNSET if weight is None else weight,
        "normalizedWeight": share.normalized_weight,
    }
    absolutes = {
        "absoluteCapacity": share.absolute_capacity,
        "absoluteMaxCapacity": share.absolute_maximum,
        "absoluteUsedCapacity": share.absolute_used_capacity,
    }
    return _told(found) | ({} if queue.is_root else _told(absolutes))


def _of_partition(queue: Queue, share: Share) -> Document:
    found = _told(
        {
            "absoluteCapacity": share.absolute_capacity,
            "absoluteMaxCapacity": share.absolute_maximum,
            "absoluteUsedCapacity": share.absolute_used_capacity,
            "maxAMLimitPercentage": share.am_percent,
            "configuredMinResource": _resources(share.capacity.resources or NOTHING),
            "configuredMaxResource": _resources((share.maximum and share.maximum.resources) or NOTHING),
            "effectiveMinResource": _resources(share.guaranteed),
            "effectiveMaxResource": _resources(share.ceiling),
        }
    )
    vectors = {"queueCapacityVectorInfo": share.capacity, "maximumQueueCapacityVectorInfo": share.maximum}
    return {"partitionName": share.partition, **_percentages(share, queue), **found} | {
        name: {"configuredCapacityVector": text_of(vector)}
        for name, vector in vectors.items()
        if vector and _needs_vector(vector)
    }


def _needs_vector(capacity: Capacity) -> bool:
    """Whether the older fields cannot say it; they say all that releases before 3.4 know."""
    return capacity.mode is Mode.MIXED or bool(capacity.further)


def _usage(share: Share) -> Document:
    found = {
        "used": _resources(share.used),
        "reserved": _resources(share.reserved),
        "pending": _resources(share.pending),
        "amUsed": _resources(share.am_used),
        "amLimit": _resources(share.am_limit),
    }
    return {"partitionName": share.partition} | _told(found)


def _of_leaf(queue: Queue) -> Document:
    """What only leaves tell. Of the users the one with most memory is told, and as many others as have something running."""
    largest, active = queue.largest_user, queue.users_active or 0
    users: list[Document] = [{"username": f"user{each}", "numActiveApplications": 1} for each in range(active)]
    if users and largest is not None:
        users[0]["resourcesUsed"] = _resources(largest)
    found = {
        "numActiveApplications": queue.apps_active,
        "numPendingApplications": queue.apps_pending,
        "maxApplications": queue.max_apps,
        "userLimit": queue.user_limit,
        "preemptionDisabled": queue.preemption_disabled,
    }
    factor = UNSET if queue.user_limit_factor is None else queue.user_limit_factor
    return _told(found) | {"userLimitFactor": factor, "users": {"user": users} if users else {}}


def _resources(resources: Resources | None) -> Document | None:
    return None if resources is None else {"memory": resources.memory_mb, "vCores": resources.vcores}


def _told(fields: Mapping[str, T | None]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value is not None}
