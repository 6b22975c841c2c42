"""A made-up cluster behind its ResourceManagers: configuration, nodes, and what its queues use at a moment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from threading import Lock

from deploy.fake_load import bases_of, counted, loaded, with_dynamic_queues
from deploy.fake_mutation import refusal_of
from deploy.habits import CLUSTER_MB, CONTAINER_MB, CONTAINER_VCORES, habits_of
from shared.domain.capacities import NOTHING, Resources, added
from shared.domain.property_change import PREFIX
from shared.domain.queue_tree import DEFAULT_PARTITION, ROOT, QueueTree, Scheduler, Totals
from shared.errors import UsageError
from shared.yarn.answers import properties_of
from shared.yarn.capacity_text import number_text
from shared.yarn.cluster_info import Node
from shared.yarn.configuration import CAPACITY, MAXIMUM, tree_of
from shared.yarn.effective import resolved
from shared.yarn.fields import Fields, decoded
from shared.yarn.jmx import QueueMetrics
from shared.yarn.reading import read_tree
from shared.yarn.scheduler_conf import read_configuration

NODES = 64
OF_A_LABEL = 8  # nodes of each further partition
NODE = Resources(memory_mb=CLUSTER_MB // NODES, vcores=CLUSTER_MB // CONTAINER_MB * CONTAINER_VCORES // NODES)
HUNDREDTHS = 10_000  # of a percent, in 100 %
MAKES_QUEUES = "root.sandbox"  # for each of its users, as they come


def simulated(queues: int) -> dict[str, str]:
    """The configuration of the cluster that `queuecast simulate` makes up, with so many leaves."""
    habits = {habit.queue: habit for habit in habits_of(queues)}
    sizes = {queue: habit.share for queue, habit in habits.items()}
    for queue, size in [*sizes.items()]:
        parent = queue.rpartition(".")[0]
        if parent != ROOT:
            sizes[parent] = sizes.get(parent, 0.0) + size
    below: dict[str, list[str]] = defaultdict(list)
    for queue in sizes:
        below[queue.rpartition(".")[0]].append(queue)
    found = {}
    for parent, children in below.items():
        found[f"{PREFIX}{parent}.queues"] = ",".join(child.rpartition(".")[2] for child in children)
        for child, percent in zip(children, _percentages([sizes[child] for child in children]), strict=True):
            ceiling = min(100.0, percent * habits[child].ceiling if child in habits else 100.0)
            found[f"{PREFIX}{child}.{CAPACITY}"] = number_text(percent)
            found[f"{PREFIX}{child}.{MAXIMUM}"] = number_text(round(max(percent, ceiling), 2))
    if MAKES_QUEUES in habits:
        found[f"{PREFIX}{MAKES_QUEUES}.auto-queue-creation-v2.enabled"] = "true"
    return found


def recorded(path: Path) -> dict[str, str]:
    """The configuration in a file: capacity-scheduler.xml, an answer of scheduler-conf, or one of the scheduler."""
    data = path.read_bytes()
    if data.lstrip()[:1] == b"{" and Fields(decoded(data), "the file").has("scheduler"):
        tree = read_tree(data)
        if tree.scheduler is not Scheduler.CAPACITY:
            raise UsageError(f"{path} is of the fair scheduler; accepted is the capacity scheduler")
        return properties_of(tree)
    return read_configuration(data)


class FakeCluster:
    """What several ResourceManagers of one cluster share. Times are seconds since 1970."""

    def __init__(self, properties: Mapping[str, str], seed: int = 7) -> None:
        self.properties = dict(properties)
        self.version = 1
        self.lost_nodes = 0
        self._seed = seed
        self._lock = Lock()
        configured = tree_of(self.properties)
        self._partitions = configured.partitions
        self._bases = bases_of(resolved(configured, self._totals(0)))
        self._at = lru_cache(4)(self._made)  # both halves of a snapshot, and whoever else asks in the same second

    def tree(self, now: float) -> QueueTree:
        """The queues now, and what the cluster has."""
        with self._lock:
            return self._at(int(now), self.version, self.lost_nodes)

    def nodes(self, now: float) -> tuple[Node, ...]:
        """All nodes; what runs in a partition is spread over those that it has, the first of which have a container more."""
        root, nodes = self.tree(now).root, [self._node(number, self.lost_nodes) for number in range(NODES)]
        for partition in self._partitions:
            share = root.share(partition)
            used = ((share and share.used) or NOTHING).memory_mb // CONTAINER_MB
            places = [place for place, node in enumerate(nodes) if node.partition == partition and node.total is not None]
            for rank, place in enumerate(places):
                count = used // len(places) + (rank < used % len(places))
                nodes[place] = replace(nodes[place], used=_containers(count))
        return tuple(nodes)

    def queue_metrics(self, now: float, since: float) -> dict[str, QueueMetrics]:
        """What a ResourceManager has counted since a moment."""
        return {queue.path: counted(queue, now - since) for queue in self.tree(now).queues}

    def changed(self, wanted: Mapping[str, str], now: float, *, is_trial: bool = False) -> str | None:
        """Take another configuration up, if YARN would; else what YARN would say."""
        before = self.tree(now)
        with self._lock:
            refusal = refusal_of(before, wanted)
            if refusal is None and not is_trial:
                self.properties = dict(wanted)
                self.version += 1
                new = bases_of(resolved(tree_of(wanted), self._totals(0)))
                self._bases = new | self._bases  # a queue wants what it always did
            return refusal

    def _made(self, now: int, _version: int, lost: int) -> QueueTree:
        totals = self._totals(lost)
        tree = resolved(with_dynamic_queues(tree_of(self.properties), self._seed, now), totals)
        tree = loaded(tree, totals, self._bases, self._seed, now)
        return replace(tree, totals=_told(tree, totals, lost))

    def _totals(self, lost: int) -> dict[str, Resources]:
        running = [self._node(number, lost) for number in range(NODES)]
        return {
            partition: added(node.total for node in running if node.partition == partition and node.total is not None) or NOTHING
            for partition in self._partitions
        }

    def _node(self, number: int, lost: int) -> Node:
        labels = self._partitions[1:]
        label = labels[number // OF_A_LABEL] if number < OF_A_LABEL * len(labels) else DEFAULT_PARTITION
        is_lost = NODES - number <= lost
        return Node(
            node_id=f"node{number:02}.example.org:8041",
            state="LOST" if is_lost else "RUNNING",
            partition=label,
            total=None if is_lost else NODE,
            used=None if is_lost else NOTHING,
        )


def _containers(count: int) -> Resources:
    return Resources(memory_mb=count * CONTAINER_MB, vcores=count * CONTAINER_VCORES)


def _told(tree: QueueTree, totals: Mapping[str, Resources], lost: int) -> Totals:
    """The cluster's metrics, which are those of the default partition."""
    root, leaves = tree.root, [queue for queue in tree.queues if queue.is_leaf]
    share, total = root.share(), totals[DEFAULT_PARTITION]
    used, reserved = (share.used or NOTHING, share.reserved or NOTHING) if share else (NOTHING, NOTHING)
    return Totals(
        total=total,
        available=total - used,
        allocated=used - reserved,
        reserved=reserved,
        pending=share.pending if share else NOTHING,
        all_partitions=added(totals.values()),
        nodes_active=NODES - lost,
        nodes_lost=lost,
        nodes_unhealthy=0,
        nodes_decommissioned=0,
        apps_running=sum(queue.apps_active or 0 for queue in leaves),
        apps_pending=sum(queue.apps_pending or 0 for queue in leaves),
        containers_allocated=root.containers_allocated,
        containers_reserved=root.containers_reserved,
        containers_pending=root.containers_pending,
    )


def _percentages(sizes: list[float]) -> list[float]:
    """In proportion, with two digits, and exactly 100 together: largest remainders get the last hundredths."""
    exact = [size / sum(sizes) * HUNDREDTHS for size in sizes]
    whole = [int(each) for each in exact]
    by_remainder = sorted(range(len(sizes)), key=lambda index: whole[index] - exact[index])
    for index in by_remainder[: HUNDREDTHS - sum(whole)]:
        whole[index] += 1
    return [each / 100 for each in whole]
