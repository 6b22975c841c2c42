"""What is collected of a cluster: a queue in a partition at one moment, and the cluster as a whole.

Memory is in MB (2**20 bytes) as YARN counts it. None = not told, and never zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

SAMPLES_NAME, ROLLUPS_NAME = (
    "yarn_queue",
    "yarn_queue_5m",
)  # the collections, measurements or folders of samples and of five minutes of them
CLUSTER_NAME, CONFIGURATION_NAME = "yarn_cluster", "yarn_config"  # likewise of the cluster, and of its queues' configuration
KEPT_NAMES = (SAMPLES_NAME, ROLLUPS_NAME, CLUSTER_NAME, CONFIGURATION_NAME)  # all that the collector writes to
DEFAULT = "default"  # what the partition without a label is called


def folder_name(name: str) -> str:
    """A name as that of a folder: no way out, nothing hidden, and no key as Hive has them in folders."""
    text = quote(name, safe="")
    return f"%2E{text[1:]}" if text.startswith(".") else text


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSample:
    """A queue in a partition at one moment; of one that is stopped only its limits are known.

    used, demand: what runs · what runs and what waits, both without what is reserved for containers that wait for room.
    guaranteed, maximum: at that moment, with the nodes that there were.
    max_user_share: of what is used, what the user with most memory has, 0 to 1.
    used_capacity: in percent of the guarantee; absolute_used_capacity: of the partition.
    is_running: 1, or 0 where the queue is stopped.
    free: what its parents could give it beyond what it has; of the root, what the partition has left.
    is_saturated: 1 where it would use more if it could, so that what it uses says no more than "at least"; else 0.
    user_limit: what each of several users gets at least, in percent; user_limit_factor: what one gets at most, in guarantees.
    preemption_disabled: 1 where nobody may take back what it borrows, else 0.
    waiting_seconds: until its applications of the last minute had their first container, on average; preempted_containers:
    what was taken from it since the sample before; both of its default partition, where the ResourceManager tells them.
    """

    cluster: str
    queue: str
    partition: str
    timestamp: datetime
    demand_memory_mb: int | None = None
    demand_vcores: int | None = None
    used_memory_mb: int | None = None
    used_vcores: int | None = None
    reserved_memory_mb: int | None = None
    reserved_vcores: int | None = None
    pending_memory_mb: int | None = None
    pending_vcores: int | None = None
    pending_containers: int | None = None
    guaranteed_memory_mb: int | None = None
    guaranteed_vcores: int | None = None
    maximum_memory_mb: int | None = None
    maximum_vcores: int | None = None
    am_used_memory_mb: int | None = None
    am_limit_memory_mb: int | None = None
    apps_active: int | None = None
    apps_pending: int | None = None
    users_active: int | None = None
    user_limit_factor: float | None = None
    max_user_share: float | None = None
    used_capacity: float | None = None
    absolute_used_capacity: float | None = None
    is_running: int | None = None
    free_memory_mb: int | None = None
    free_vcores: int | None = None
    is_saturated: int | None = None
    max_parallel_apps: int | None = None
    user_limit: float | None = None
    preemption_disabled: int | None = None
    waiting_seconds: float | None = None
    preempted_containers: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSample:
    """The cluster at one moment; under the capacity scheduler that is its default partition, but for `all_partitions`.

    largest_free: what the node with most memory free has free, of the default partition; looked at every few minutes.
    """

    cluster: str
    timestamp: datetime
    total_memory_mb: int | None = None
    total_vcores: int | None = None
    all_partitions_memory_mb: int | None = None
    all_partitions_vcores: int | None = None
    available_memory_mb: int | None = None
    available_vcores: int | None = None
    allocated_memory_mb: int | None = None
    allocated_vcores: int | None = None
    reserved_memory_mb: int | None = None
    reserved_vcores: int | None = None
    pending_memory_mb: int | None = None
    pending_vcores: int | None = None
    nodes_active: int | None = None
    nodes_lost: int | None = None
    nodes_unhealthy: int | None = None
    nodes_decommissioned: int | None = None
    apps_running: int | None = None
    apps_pending: int | None = None
    containers_allocated: int | None = None
    containers_reserved: int | None = None
    containers_pending: int | None = None
    largest_free_memory_mb: int | None = None
    largest_free_vcores: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Some columns of one queue in one partition over time.

    at: seconds since 1970, UTC, ascending. columns: values at these moments; not a number = not told.
    """

    queue: str
    partition: str
    at: Sequence[int]
    columns: Mapping[str, Sequence[float]]
