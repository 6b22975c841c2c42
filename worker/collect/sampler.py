"""A tree of queues at one moment as rows: a sample of each queue in each partition, and one of the cluster.

root.users ── ada, bob (dynamic)      samples: root.users/ada and …/bob while they live, root.users/* always: their sum
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from datetime import datetime

from shared.domain.capacities import Resources
from shared.domain.collected import DEFAULT, ClusterSample, QueueSample
from shared.domain.dynamic_queues import dynamic_sums
from shared.domain.queue_tree import DEFAULT_PARTITION, Queue, QueueTree, Share, State
from worker.collect.room import Room, Rooms, is_saturated, rooms_of

AMOUNTS = ("total", "all_partitions", "available", "allocated", "reserved", "pending")  # of totals; the others are counts


def queue_samples(tree: QueueTree, cluster: str, at: datetime) -> list[QueueSample]:
    """Of all queues, and of the dynamic ones below each parent together; the moment is that of the request's start."""
    rooms = rooms_of(tree)
    return [
        *(
            _sample(queue, share, rooms[queue.path, share.partition], cluster, at)
            for queue in tree.queues
            for share in queue.shares
        ),
        *_of_dynamic_queues(tree, rooms, cluster, at),
    ]


def cluster_sample(tree: QueueTree, cluster: str, at: datetime) -> ClusterSample | None:
    """What the cluster has in all; None where the tree does not tell."""
    totals = tree.totals
    if totals is None:
        return None
    told = {each.name: getattr(totals, each.name) for each in fields(totals)}
    amounts = {name: told.pop(name) for name in AMOUNTS}
    return ClusterSample(cluster=cluster, timestamp=at, **_numbers(**amounts), **told)


def partition_name(partition: str) -> str:
    """As it is kept: an empty name is hard to ask for."""
    return partition or DEFAULT


def _sample(queue: Queue, share: Share, room: Room, cluster: str, at: datetime) -> QueueSample:
    is_running = _flag(None if queue.state is None else queue.state is not State.STOPPED)
    used = share if is_running != 0 else Share()  # of a stopped queue zeros mean nothing: there is a gap
    counts = queue if is_running != 0 and share.partition == DEFAULT_PARTITION else Queue(path=queue.path)
    return QueueSample(
        cluster=cluster,
        queue=queue.path,
        partition=partition_name(share.partition),
        timestamp=at,
        **_numbers(
            demand=used.demand,
            used=used.running,
            reserved=used.reserved,
            pending=used.pending,
            guaranteed=share.guaranteed,
            maximum=share.ceiling,
            free=room.free,
        ),
        am_used_memory_mb=_memory(used.am_used),
        am_limit_memory_mb=_memory(share.am_limit),
        max_user_share=_largest_share(counts, used),
        used_capacity=used.used_capacity,
        absolute_used_capacity=used.absolute_used_capacity,
        is_running=is_running,
        is_saturated=_flag(is_saturated(used, room)),
        **_counts(counts),
        user_limit=queue.user_limit,
        user_limit_factor=queue.user_limit_factor,
        **_rules(queue),
    )


def _counts(queue: Queue) -> dict[str, int | None]:
    return {
        "pending_containers": queue.containers_pending,
        "apps_active": queue.apps_active,
        "apps_pending": queue.apps_pending,
        "users_active": queue.users_active,
    }


def _rules(queue: Queue) -> dict[str, int | None]:
    return {"max_parallel_apps": queue.max_parallel_apps, "preemption_disabled": _flag(queue.preemption_disabled)}


def _largest_share(queue: Queue, share: Share) -> float | None:
    """What the user with most memory has of all that is used."""
    if queue.largest_user is None or share.used is None or not share.used.memory_mb:
        return None
    return min(1.0, queue.largest_user.memory_mb / share.used.memory_mb)


def _of_dynamic_queues(tree: QueueTree, rooms: Rooms, cluster: str, at: datetime) -> Iterator[QueueSample]:
    """The sum of each parent's dynamic children."""
    for parent, together in dynamic_sums(tree):
        for share in together.shares:
            yield _sample(together, share, rooms[parent.path, share.partition].inner, cluster, at)


def _flag(told: bool | None) -> int | None:
    return None if told is None else int(told)


def _numbers(**resources: Resources | None) -> dict[str, int | None]:
    """Each with its memory and processors, as the columns are called."""
    numbers: dict[str, int | None] = {}
    for name, each in resources.items():
        numbers |= {f"{name}_memory_mb": _memory(each), f"{name}_vcores": None if each is None else each.vcores}
    return numbers


def _memory(resources: Resources | None) -> int | None:
    return None if resources is None else resources.memory_mb
