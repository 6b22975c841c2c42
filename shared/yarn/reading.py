"""The ResourceManager's answers as a tree of queues: `/ws/v1/cluster/scheduler`, and `/ws/v1/cluster/metrics` for the totals.

What an answer does not tell is filled in where it follows: usage and applications of a parent from its children, and guarantees
of old releases, which tell percentages alone, from the cluster's totals.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from shared.domain.capacities import NOTHING, Resources, added
from shared.domain.identifiers import listed, shown
from shared.domain.queue_tree import Queue, QueueTree, Scheduler, Share, Totals
from shared.errors import YarnUnreadable
from shared.yarn import capacity_scheduler, fair_scheduler
from shared.yarn.fields import Fields, decoded

ALL = 100.0

T = TypeVar("T")


def read_tree(scheduler: bytes, metrics: bytes | None = None) -> QueueTree:
    """The queues that the answers tell of, in JSON; raises YarnUnreadable with what was found."""
    info = _info(scheduler)
    kind = _kind(info)
    totals = None if metrics is None else read_totals(metrics)
    if kind is Scheduler.FAIR:
        queues, cluster = fair_scheduler.queues_of(info), info.inside("rootQueue").resources("clusterResources")
        totals = totals or (None if cluster is None else Totals(total=cluster))
    else:
        queues = capacity_scheduler.queues_of(info)
    return QueueTree(queues=_filled(queues, totals), scheduler=kind, totals=totals)


def read_totals(metrics: bytes) -> Totals:
    """What the cluster has in all."""
    fields = Fields(decoded(metrics), "the answer").inside("clusterMetrics")
    total = _pair(fields, "totalMB", "totalVirtualCores")
    if total is None:
        raise YarnUnreadable(f"clusterMetrics has no totalMB and totalVirtualCores; it has {listed(list(fields.values))}")
    return Totals(
        total=total,
        available=_pair(fields, "availableMB", "availableVirtualCores"),
        allocated=_pair(fields, "allocatedMB", "allocatedVirtualCores"),
        reserved=_pair(fields, "reservedMB", "reservedVirtualCores"),
        pending=_pair(fields, "pendingMB", "pendingVirtualCores"),
        all_partitions=fields.resources("totalClusterResourcesAcrossPartition"),
        nodes_active=fields.whole("activeNodes"),
        nodes_lost=fields.whole("lostNodes"),
        nodes_unhealthy=fields.whole("unhealthyNodes"),
        nodes_decommissioned=fields.whole("decommissionedNodes"),
        apps_running=fields.whole("appsRunning"),
        apps_pending=fields.whole("appsPending"),
        containers_allocated=fields.whole("containersAllocated"),
        containers_reserved=fields.whole("containersReserved"),
        containers_pending=fields.whole("containersPending"),
    )


def _info(answer: bytes) -> Fields:
    document = decoded(answer)
    info = Fields(document, "the answer").inside("scheduler").inside("schedulerInfo")
    if not info.values:
        raise YarnUnreadable(f"it has no scheduler.schedulerInfo; it has {listed(list(document))}")
    return Fields(info.values, "schedulerInfo")


def _kind(info: Fields) -> Scheduler:
    told = info.text("type", "@xsi.type", "@type")
    if told == "fairScheduler" or (told is None and info.has("rootQueue")):
        return Scheduler.FAIR
    if told == "capacityScheduler" or (told is None and info.has("queues")):
        return Scheduler.CAPACITY
    found = "of no type" if told is None else shown(told)
    raise YarnUnreadable(
        f"the scheduler is {found}; accepted are capacityScheduler and fairScheduler, which have a tree of queues"
    )


def _pair(fields: Fields, memory: str, vcores: str) -> Resources | None:
    pair = fields.whole(memory), fields.whole(vcores)
    return None if pair[0] is None or pair[1] is None else Resources(memory_mb=pair[0], vcores=pair[1])


def _filled(queues: tuple[Queue, ...], totals: Totals | None) -> tuple[Queue, ...]:
    """The queues with what follows from the others; children are looked at before their parents."""
    filled: dict[str, Queue] = {}
    below: dict[str, list[Queue]] = {}
    for queue in reversed(queues):
        whole = queue if queue.is_leaf else _with_sums(queue, below.get(queue.path, []))
        filled[queue.path] = _with_guarantee(whole, totals)
        below.setdefault(queue.parent, []).append(filled[queue.path])
    return tuple(filled[queue.path] for queue in queues)


def _with_sums(queue: Queue, children: list[Queue]) -> Queue:
    """A parent with what it does not tell of itself added up over its children."""
    return replace(
        queue,
        shares=tuple(_with_usage(share, children) for share in queue.shares),
        apps_active=_known(queue.apps_active, _sum([child.apps_active for child in children])),
        apps_pending=_known(queue.apps_pending, _sum([child.apps_pending for child in children])),
        containers_allocated=_known(queue.containers_allocated, _sum([child.containers_allocated for child in children])),
        containers_reserved=_known(queue.containers_reserved, _sum([child.containers_reserved for child in children])),
        containers_pending=_known(queue.containers_pending, _sum([child.containers_pending for child in children])),
    )


def _with_usage(share: Share, children: list[Queue]) -> Share:
    unused = Share(used=NOTHING, reserved=NOTHING, pending=NOTHING)
    inner = [child.share(share.partition) or unused for child in children]
    return replace(
        share,
        used=_known(share.used, added(each.used for each in inner)),
        reserved=_known(share.reserved, added(each.reserved for each in inner)),
        pending=_known(share.pending, added(each.pending for each in inner)),
    )


def _with_guarantee(queue: Queue, totals: Totals | None) -> Queue:
    """Guarantee and ceiling from the cluster's totals, which are those of the default partition; all of them is the root's."""
    share = queue.share()
    if totals is None or share is None or None not in (share.guaranteed, share.ceiling):
        return queue
    all_of_it = ALL if queue.is_root else None
    lowest, highest = (_known(each, all_of_it) for each in (share.absolute_capacity, share.absolute_maximum))
    with_both = replace(
        share,
        guaranteed=_known(share.guaranteed, _part(totals.total, lowest)),
        ceiling=_known(share.ceiling, _part(totals.total, highest)),
    )
    return replace(queue, shares=tuple(with_both if each is share else each for each in queue.shares))


def _part(total: Resources, percent: float | None) -> Resources | None:
    if percent is None:
        return None
    return Resources(memory_mb=int(total.memory_mb * percent / ALL), vcores=int(total.vcores * percent / ALL))


def _sum(counts: list[int | None]) -> int | None:
    return None if None in counts else sum(count or 0 for count in counts)


def _known(told: T | None, follows: T | None) -> T | None:
    return follows if told is None else told
