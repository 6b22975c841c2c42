"""What the queues of a made-up cluster use at a moment: the same for the same seed and time, whatever was asked before.

    habit, hour, weekday, chance ─▶ demand of each leaf ─▶ guarantees first, then what is idle is lent ─▶ used, reserved, pending

Demand is what it would be whatever the capacities are now, so that a changed capacity shows in what waits and what is lent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b
from math import ceil, exp
from statistics import NormalDist

from deploy.habits import CONTAINER_MB, CONTAINER_VCORES, HABITS, Habit, habits_of
from shared.domain.capacities import NOTHING, Capacity, Resources, added
from shared.domain.queue_tree import Creation, Queue, QueueTree, Share, State
from shared.yarn.jmx import QueueMetrics

USERS = ("alice", "bob", "carol", "dave")  # whose queues come and go below a parent that makes them
PER_APPLICATION, PER_USER = 12, 60  # containers
AM_PERCENT = 10.0
LEAST = 4  # containers that a queue without a guarantee asks for
DAY, HOUR, TEN_MINUTES = 86_400, 3_600, 600
SPREADS = {DAY: 0.1, HOUR: 0.25, TEN_MINUTES: 0.2}  # of demand's logarithm, by how long it stays so
ALL = 100.0
_MANY = 2_000

Bases = Mapping[tuple[str, str], int]  # (queue, partition) → containers
Containers = dict[str, int]


def with_dynamic_queues(tree: QueueTree, seed: int, now: float) -> QueueTree:
    """The tree with the queues that users have just now below parents that make them."""
    queues: list[Queue] = []
    for queue in tree.queues:
        queues.append(queue)
        if queue.creation is Creation.FLEXIBLE:
            queues += [_dynamic(f"{queue.path}.{user}") for user in USERS if _is_at_work(f"{queue.path}.{user}", seed, now)]
    return replace(tree, queues=tuple(queues))


def bases_of(tree: QueueTree) -> dict[tuple[str, str], int]:
    """What each leaf is thought to need: its guarantee, with all nodes there; queues that come and go share their parent's."""
    found = {}
    for queue in tree.queues:
        for share in queue.shares:
            containers = _containers(share.guaranteed) or LEAST
            found[queue.path, share.partition] = containers
            if queue.creation is Creation.FLEXIBLE:
                found |= {(f"{queue.path}.{user}", share.partition): max(LEAST, containers // len(USERS)) for user in USERS}
    return found


def loaded(tree: QueueTree, totals: Mapping[str, Resources], bases: Bases, seed: int, now: float) -> QueueTree:
    """The tree with what its queues use and wait for; guarantees and ceilings are those that it has."""
    filled = {queue.path: queue for queue in tree.queues}
    for partition, total in totals.items():
        wanted = _wanted(tree, partition, bases, seed, now)
        granted = _granted(tree, partition, _containers(total), wanted)
        free = _containers(total) - sum(granted[leaf] for leaf in wanted)
        for leaf, demand in wanted.items():
            waits = demand - granted[leaf]
            reserved = min(1, waits, max(0, free))
            free -= reserved
            filled[leaf] = _leaf(filled[leaf], partition, total, running=granted[leaf], reserved=reserved, waiting=waits)
        for queue in reversed([queue for queue in tree.queues if queue.path in tree.below]):
            children = [filled[child.path] for child in tree.children(queue.path)]
            filled[queue.path] = _parent(filled[queue.path], partition, total, children)
    return replace(tree, queues=tuple(_with_applications(filled[queue.path]) for queue in tree.queues))


def demand_of(queue: str, containers: int, seed: int, now: float) -> int:
    """Containers that a queue of this size wants."""
    habit, moment = habit_of(queue), datetime.fromtimestamp(now, UTC)
    weekend = habit.weekend if moment.weekday() >= 5 else 1.0
    arrivals = _profile(habit.peak_hours, habit.spread)[moment.hour * 60 + moment.minute] * weekend
    chance = sum(spread * _wandering(f"{seed} {queue} {scale}", now / scale) for scale, spread in SPREADS.items())
    return ceil(containers * (habit.load * arrivals * exp(chance) + habit.service * exp(chance / 4)) - 0.5)


def counted(queue: Queue, seconds: float) -> QueueMetrics:
    """What is counted of a queue in so many seconds: applications come every one to two minutes, and wait for what waits."""
    share, chance = queue.share() or Share(), _chance(queue.path)
    return QueueMetrics(
        first_containers=int(seconds / (60 + 60 * chance)),
        first_container_ms=800.0 + 150.0 * (queue.containers_pending or 0),
        containers_preempted=int(seconds * chance / HOUR),
        am_used_mb=(share.am_used or NOTHING).memory_mb,
        am_limit_mb=(share.am_limit or NOTHING).memory_mb,
    )


@lru_cache(_MANY)
def habit_of(queue: str) -> Habit:
    """The habit of the queue of this name; of others one of them, always the same."""
    return _habits().get(queue) or HABITS[int(_chance(queue) * len(HABITS))]


@lru_cache(1)
def _habits() -> dict[str, Habit]:
    return {habit.queue: habit for habit in habits_of(_MANY)}


@lru_cache(_MANY)
def _profile(peak_hours: tuple[float, ...], spread: float) -> tuple[float, ...]:
    """Arrivals by minute of the day; 1 is the mean."""
    distances = ([((minute / 60 - peak + 12) % 24) - 12 for peak in peak_hours] for minute in range(1440))
    rates = [sum(exp(-(each**2) / (2 * spread**2)) for each in peaks) + 0.03 for peaks in distances]
    mean = sum(rates) / len(rates)
    return tuple(rate / mean for rate in rates)


def _wandering(name: str, at: float) -> float:
    """Normally distributed and never still: straight lines between a value for each whole number."""
    step = int(at)
    here, there = (NormalDist().inv_cdf(0.0005 + 0.999 * _chance(f"{name} {each}")) for each in (step, step + 1))
    return here + (there - here) * (at - step)


@lru_cache(100_000)
def _chance(name: str) -> float:
    """From 0 to 1, the same for the same name."""
    return int.from_bytes(blake2b(name.encode(), digest_size=6).digest()) / 2**48


def _is_at_work(queue: str, seed: int, now: float) -> bool:
    day, second = divmod(int(now), DAY)
    start = 6 + 6 * _chance(f"{seed} {queue} start {day}")
    hours = 2 + 9 * _chance(f"{seed} {queue} hours {day}")
    return _chance(f"{seed} {queue} comes {day}") < 0.7 and start <= second / HOUR < start + hours


def _dynamic(path: str) -> Queue:
    share = Share(capacity=Capacity.of_weight(1.0), maximum=Capacity.of_percent(ALL))
    return Queue(path=path, shares=(share,), is_dynamic=True, state=State.RUNNING, user_limit=ALL, user_limit_factor=1.0)


def _wanted(tree: QueueTree, partition: str, bases: Bases, seed: int, now: float) -> Containers:
    """Demand of every leaf that has a share of the partition; a stopped queue takes no applications."""
    return {
        queue.path: 0 if queue.state is State.STOPPED else demand_of(queue.path, bases[queue.path, partition], seed, now)
        for queue in tree.queues
        if queue.path not in tree.below and (queue.path, partition) in bases and queue.share(partition) is not None
    }


def _granted(tree: QueueTree, partition: str, total: int, wanted: Containers) -> Containers:
    """What each queue gets: of its parent's, first up to its guarantee, then a part of what is idle, up to its ceiling."""
    limits = {queue.path: queue.share(partition) or Share() for queue in tree.queues}
    wants: Containers = {}
    for queue in reversed(tree.queues):
        below = sum(wants[child.path] for child in tree.children(queue.path)) + wanted.get(queue.path, 0)
        wants[queue.path] = min(below, _containers(limits[queue.path].ceiling))
    granted = {tree.root.path: min(total, wants[tree.root.path])}
    for parent in tree.parents():
        children = [child.path for child in tree.children(parent.path)]
        own = {path: min(wants[path], _containers(limits[path].guaranteed)) for path in children}
        idle = granted[parent.path] - sum(own.values())
        asked = sum(wants[path] - own[path] for path in children)
        kept = min(1.0, granted[parent.path] / (sum(own.values()) or 1))
        lent = min(1.0, max(0, idle) / (asked or 1))
        granted |= {path: int(own[path] * kept + (wants[path] - own[path]) * lent) for path in children}
    return granted


def _leaf(queue: Queue, partition: str, total: Resources, *, running: int, reserved: int, waiting: int) -> Queue:
    """A leaf with what it uses, in containers; what is reserved still waits."""
    share = queue.share(partition) or Share()
    masters = Resources(memory_mb=_applications(running) * CONTAINER_MB, vcores=_applications(running) * CONTAINER_VCORES)
    used = _share_with(share, total, _resources(running + reserved), _resources(reserved), _resources(waiting))
    limit = used.guaranteed or NOTHING
    limit = Resources(memory_mb=int(limit.memory_mb * AM_PERCENT / ALL), vcores=max(1, int(limit.vcores * AM_PERCENT / ALL)))
    used = replace(used, am_used=masters, am_limit=limit, am_percent=AM_PERCENT)
    return replace(queue, shares=tuple(used if each is share else each for each in queue.shares))


def _parent(queue: Queue, partition: str, total: Resources, children: list[Queue]) -> Queue:
    share = queue.share(partition)
    if share is None:
        return queue
    inner = [each for child in children if (each := child.share(partition)) is not None]
    sums = [added(getattr(each, name) or NOTHING for each in inner) or NOTHING for name in ("used", "reserved", "pending")]
    return replace(queue, shares=tuple(_share_with(each, total, *sums) if each is share else each for each in queue.shares))


def _share_with(share: Share, total: Resources, used: Resources, reserved: Resources, pending: Resources) -> Share:
    """A share with what is used of it, and what that is in percent."""
    guaranteed = (share.guaranteed or NOTHING).memory_mb
    return replace(
        share,
        used=used,
        reserved=reserved,
        pending=pending,
        used_capacity=ALL * used.memory_mb / guaranteed if guaranteed else 0.0,
        absolute_used_capacity=ALL * used.memory_mb / total.memory_mb if total.memory_mb else 0.0,
    )


def _with_applications(queue: Queue) -> Queue:
    """The queue with what is counted over all its partitions."""
    used, reserved, pending = (sum(map(_containers, _told(queue, name))) for name in ("used", "reserved", "pending"))
    running = used - reserved
    counted = replace(queue, containers_allocated=running, containers_reserved=reserved, containers_pending=pending)
    if not queue.is_leaf:
        return counted
    users = min(5, ceil(running / PER_USER))
    return replace(
        counted,
        apps_active=_applications(running),
        apps_pending=pending // PER_USER,
        users_active=users,
        largest_user=_resources(ceil(running / users)) if users else None,
        max_apps=10_000,
    )


def _told(queue: Queue, name: str) -> Iterator[Resources]:
    return (getattr(share, name) or NOTHING for share in queue.shares)


def _applications(containers: int) -> int:
    return ceil(containers / PER_APPLICATION)


def _resources(containers: int) -> Resources:
    return Resources(memory_mb=containers * CONTAINER_MB, vcores=containers * CONTAINER_VCORES)


def _containers(resources: Resources | None) -> int:
    """Whole containers that fit."""
    resources = resources or NOTHING
    return min(resources.memory_mb // CONTAINER_MB, resources.vcores // CONTAINER_VCORES)
