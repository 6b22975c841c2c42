"""The queues of a YARN cluster as a tree: what each is guaranteed, what it may reach, what it uses and what waits.

    root ── etl ─┬─ daily      a queue is named by its full path, root.etl.daily
         └─ bi   └─ hourly     and has a share of each partition (node label) that it may use; "" is the default partition

    guaranteed   what the queue gets when it asks for it         demand    used − reserved + pending
    ceiling      what it never goes beyond                       running   used − reserved

Memory is in MB (2**20 bytes) as YARN counts it, processors in virtual cores, shares in percent (100 = all), weights as
configured. None = not told; of a limit also: there is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from shared.domain.capacities import NO_CAPACITY, NOTHING, Capacity, Mode, Resources

ROOT = "root"
DEFAULT_PARTITION = ""


class Scheduler(StrEnum):
    """Which of YARN's schedulers has the queues; the third, FIFO, has none."""

    CAPACITY = "capacity"
    FAIR = "fair"


class State(StrEnum):
    """Whether a queue takes applications."""

    RUNNING = "RUNNING"
    DRAINING = "DRAINING"  # it takes no new ones, and has some that still run
    STOPPED = "STOPPED"


class Creation(StrEnum):
    """How queues below a queue come into being when applications ask for them."""

    OFF = "off"  # they do not
    LEGACY = "legacy"  # as leaves of one template; there are no others below it
    FLEXIBLE = "flexible"


class Calculator(StrEnum):
    """Which resources the capacity scheduler looks at."""

    MEMORY = "memory"  # DefaultResourceCalculator
    DOMINANT = "dominant"  # DominantResourceCalculator


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What a queue has of one partition.

    Args:
        partition: the node label; "" is the default partition.
        capacity: as configured. maximum: as configured; None = nothing but the parent's ceiling.
        normalized_weight: its part of the siblings' weights, 0 to 1.
        absolute_capacity, absolute_maximum: guarantee and ceiling in percent of the partition.
        guaranteed, ceiling: the same as resources, with the nodes that there are now.
        used: what runs and what is reserved for containers that wait for room on a node.
        pending: what is asked for beyond that; an application that waits for its master asks for no more than that master.
        used_capacity: used in percent of the guarantee, above 100 when the queue borrows.
        absolute_used_capacity: used in percent of the partition.
        am_used, am_limit: what application masters have and may have; am_percent: that limit as configured, 0 to 100.
    """

    partition: str = DEFAULT_PARTITION
    capacity: Capacity = NO_CAPACITY
    maximum: Capacity | None = None
    normalized_weight: float | None = None
    absolute_capacity: float | None = None
    absolute_maximum: float | None = None
    guaranteed: Resources | None = None
    ceiling: Resources | None = None
    used: Resources | None = None
    reserved: Resources | None = None
    pending: Resources | None = None
    used_capacity: float | None = None
    absolute_used_capacity: float | None = None
    am_used: Resources | None = None
    am_limit: Resources | None = None
    am_percent: float | None = None

    @property
    def mode(self) -> Mode:
        """How its capacity is configured."""
        return self.capacity.mode

    @property
    def running(self) -> Resources | None:
        """What runs: used without what is reserved."""
        return None if self.used is None else self.used - (self.reserved or NOTHING)

    @property
    def demand(self) -> Resources | None:
        """What runs and what waits; where nobody tells what waits, at least what runs."""
        return None if self.running is None else self.running + (self.pending or NOTHING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """A queue, with its share of each partition: the default one first, the others by name, since answers have no order.

    Args:
        path: root.etl.daily.
        is_dynamic: made when an application asked for it, and gone again later; its capacity is that of a template.
        creation: how queues below it are made; leaf_template: the capacity of such a queue, as configured.
        apps_active, apps_pending: applications that run · that are accepted and wait; of a parent those below it.
        users_active: users who have something running; largest_user: what the one with most memory uses.
        user_limit: what each of several users gets at least, in percent; user_limit_factor: what one gets at most, in times of
            the queue's guarantee. max_parallel_apps, max_apps: how many may run · may be there.
        allows_zero_sum: its children may have nothing guaranteed although it has; None = not told, as by all answers.
    """

    path: str
    shares: tuple[Share, ...] = (Share(),)
    is_leaf: bool = True
    is_dynamic: bool = False
    creation: Creation = Creation.OFF
    leaf_template: str | None = None
    state: State | None = None
    apps_active: int | None = None
    apps_pending: int | None = None
    containers_allocated: int | None = None
    containers_reserved: int | None = None
    containers_pending: int | None = None
    users_active: int | None = None
    largest_user: Resources | None = None
    user_limit: float | None = None
    user_limit_factor: float | None = None
    max_parallel_apps: int | None = None
    max_apps: int | None = None
    preemption_disabled: bool | None = None
    allows_zero_sum: bool | None = None

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.rpartition(".")[2]

    @property
    def parent(self) -> str:
        """The path of its parent; "" of the root."""
        return self.path.rpartition(".")[0]

    @property
    def is_root(self) -> bool:
        """Whether it has no parent."""
        return not self.parent

    def share(self, partition: str = DEFAULT_PARTITION) -> Share | None:
        """What it has of a partition; None = it may not use it, or nothing is told."""
        return next((share for share in self.shares if share.partition == partition), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What the cluster has; under the capacity scheduler that is its default partition."""

    total: Resources
    available: Resources | None = None
    allocated: Resources | None = None
    reserved: Resources | None = None
    pending: Resources | None = None
    all_partitions: Resources | None = None
    nodes_active: int | None = None
    nodes_lost: int | None = None
    nodes_unhealthy: int | None = None
    nodes_decommissioned: int | None = None
    apps_running: int | None = None
    apps_pending: int | None = None
    containers_allocated: int | None = None
    containers_reserved: int | None = None
    containers_pending: int | None = None


@dataclass(frozen=True, kw_only=True)  # without slots: what is looked up often is kept beside the fields
class QueueTree:
    """All queues, each after its parent, siblings as the scheduler names them.

    is_legacy: whether all capacities of a cluster must be of the one kind (`legacy-queue-mode.enabled`); None = not told.
    """

    queues: tuple[Queue, ...]
    scheduler: Scheduler = Scheduler.CAPACITY
    totals: Totals | None = None
    is_legacy: bool | None = None
    calculator: Calculator | None = None

    @cached_property
    def by_path(self) -> dict[str, Queue]:
        """Path → queue."""
        return {queue.path: queue for queue in self.queues}

    @cached_property
    def below(self) -> dict[str, tuple[Queue, ...]]:
        """Path of a parent → its children; without those that have none."""
        children: dict[str, list[Queue]] = {}
        for queue in self.queues:
            children.setdefault(queue.parent, []).append(queue)
        return {path: tuple(queues) for path, queues in children.items()}

    @property
    def root(self) -> Queue:
        """The queue that has all others below it."""
        return self.queues[0]

    @property
    def partitions(self) -> tuple[str, ...]:
        """Every partition that a queue has a share of, the default one first."""
        return tuple(sorted({DEFAULT_PARTITION, *(share.partition for queue in self.queues for share in queue.shares)}))

    def children(self, path: str) -> tuple[Queue, ...]:
        """The queues right below one."""
        return self.below.get(path, ())

    def parents(self) -> Iterator[Queue]:
        """Every queue that has others below it, each after its own parent."""
        return (queue for queue in self.queues if queue.path in self.below)
