"""The queues of the fair scheduler's answer, which tells what each demands and has no partitions.

guaranteed   the larger of its minimum and its steady fair share, which is what it gets when all queues are in use
ceiling      its maximum
"""

from __future__ import annotations

from shared.domain.capacities import NOTHING, Capacity, Resources
from shared.domain.queue_tree import Queue, Share
from shared.yarn.fields import Fields
from shared.yarn.walking import Visit, walked


def queues_of(info: Fields) -> tuple[Queue, ...]:
    """Every queue, each after its parent."""
    return tuple(_queue(visit) for visit in walked(info.inside("rootQueue"), _children))


def _children(fields: Fields) -> list[Fields]:
    """The queues below one; before 2.8 `childQueues` was the list itself."""
    found = fields.every("childQueues")
    return [queue for each in found for queue in ([each] if each.has("queueName") else each.every("queue"))]


def _queue(visit: Visit) -> Queue:
    fields = visit.fields
    preemptable = fields.flag("preemptable")
    return Queue(
        path=visit.path,
        shares=(_share(fields),),
        is_leaf=not visit.is_parent and not fields.has("childQueues"),
        apps_active=fields.whole("numActiveApps"),
        apps_pending=fields.whole("numPendingApps"),
        containers_allocated=fields.whole("allocatedContainers"),
        containers_reserved=fields.whole("reservedContainers"),
        containers_pending=fields.whole("pendingContainers"),
        max_parallel_apps=fields.whole("maxApps"),
        preemption_disabled=None if preemptable is None else not preemptable,
    )


def _share(fields: Fields) -> Share:
    minimum, maximum = fields.resources("minResources"), fields.resources("maxResources")
    used, demand = fields.resources("usedResources"), fields.resources("demandResources")
    return Share(
        capacity=Capacity.of_resources(minimum or NOTHING),
        maximum=None if maximum is None else Capacity.of_resources(maximum),
        guaranteed=_larger(minimum, fields.resources("steadyFairResources", "fairResources")),
        ceiling=maximum,
        used=used,
        reserved=fields.resources("reservedResources"),
        pending=None if used is None or demand is None else demand - used,
        am_used=fields.resources("amUsedResources"),
        am_limit=fields.resources("amMaxResources"),
    )


def _larger(one: Resources | None, other: Resources | None) -> Resources | None:
    if one is None or other is None:
        return one or other
    return Resources(memory_mb=max(one.memory_mb, other.memory_mb), vcores=max(one.vcores, other.vcores))
