"""What is collected: rows of four tables, each with a time, names that tell whose it is, and numbers.

    yarn_queue      a queue in a partition, at one moment      yarn_config    how a queue is configured, where that has changed
    yarn_queue_5m   the same over five minutes                 yarn_cluster   the cluster, at one moment

Memory is in MB as YARN counts it. None = not told: the cell is empty, and never zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from functools import lru_cache

from shared.domain.codec import Document
from shared.domain.collected import (
    CLUSTER_NAME,
    CONFIGURATION_NAME,
    ROLLUPS_NAME,
    SAMPLES_NAME,
    ClusterSample,
    QueueSample,
)
from shared.domain.configuration_change import ConfigChange


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollup:
    """Five minutes of a queue in a partition: means, 95 % quantiles (`_p95`) and largest values (`_max`) of its samples.

    timestamp: their beginning. samples: how many there are. `_above`: the share of them that is above the guarantee, 0 to 1.
    saturated, waiting: the share of them in which the queue was held back, or anything of it waited, 0 to 1; waiting_…: in which
    it waited for this cause (shared/domain/waiting.py), so that they add up to `waiting`. waiting_seconds: a mean, as of a
    sample; preempted_containers: their sum. parent_max_parallel_apps, largest_free_memory_mb (on one node) and
    default_free_memory_mb (without a label): of what is around it, while that held it back.
    """

    cluster: str
    queue: str
    partition: str
    timestamp: datetime
    samples: int
    demand_memory_mb: float | None = None
    demand_memory_mb_p95: float | None = None
    demand_memory_mb_max: float | None = None
    demand_memory_mb_above: float | None = None
    demand_vcores: float | None = None
    demand_vcores_p95: float | None = None
    demand_vcores_max: float | None = None
    demand_vcores_above: float | None = None
    used_memory_mb: float | None = None
    used_memory_mb_p95: float | None = None
    used_memory_mb_max: float | None = None
    used_vcores: float | None = None
    used_vcores_p95: float | None = None
    used_vcores_max: float | None = None
    pending_memory_mb: float | None = None
    pending_memory_mb_p95: float | None = None
    pending_memory_mb_max: float | None = None
    pending_vcores: float | None = None
    pending_vcores_p95: float | None = None
    pending_vcores_max: float | None = None
    apps_active: float | None = None
    apps_active_p95: float | None = None
    apps_active_max: float | None = None
    apps_pending: float | None = None
    apps_pending_p95: float | None = None
    apps_pending_max: float | None = None
    guaranteed_memory_mb: float | None = None
    guaranteed_vcores: float | None = None
    maximum_memory_mb: float | None = None
    maximum_vcores: float | None = None
    free_memory_mb: float | None = None
    free_vcores: float | None = None
    saturated: float | None = None
    waiting: float | None = None
    waiting_masters: float | None = None
    waiting_parallel_apps: float | None = None
    waiting_user_limit: float | None = None
    waiting_fragmentation: float | None = None
    waiting_ceiling: float | None = None
    waiting_label: float | None = None
    waiting_parent: float | None = None
    waiting_unexplained: float | None = None
    waiting_seconds: float | None = None
    preempted_containers: float | None = None
    am_used_memory_mb: float | None = None
    am_limit_memory_mb: float | None = None
    reserved_memory_mb: float | None = None
    pending_containers: float | None = None
    users_active: float | None = None
    max_user_share: float | None = None
    user_limit_factor: float | None = None
    max_parallel_apps: float | None = None
    parent_max_parallel_apps: float | None = None
    largest_free_memory_mb: float | None = None
    default_free_memory_mb: float | None = None


Row = QueueSample | ClusterSample | ConfigChange | Rollup


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One kind of row, wherever it is kept.

    name: of the collection, measurement or folder. time: the column of its time. tags: whose a row is; with the time they are
    its key. texts: columns that are neither tags nor numbers.
    """

    name: str
    row: type[Row]
    time: str = "timestamp"
    tags: tuple[str, ...] = ("cluster", "queue", "partition")
    texts: tuple[str, ...] = ()

    @property
    def kinds(self) -> Mapping[str, str]:
        """Column → its type, as it is declared."""
        return _kinds(self)

    @property
    def columns(self) -> tuple[str, ...]:
        """All, as they are called."""
        return tuple(self.kinds)

    @property
    def numbers(self) -> tuple[str, ...]:
        """Those that hold numbers."""
        return _numbers(self)

    def made(self, told: Document) -> Row:
        """A row of what is told; further columns, as another release may have written, are left out."""
        kinds = self.kinds
        known: Document = dict.fromkeys(self.numbers) | {name: value for name, value in told.items() if name in kinds}
        return self.row(**known)


@lru_cache
def _kinds(table: Table) -> Mapping[str, str]:
    """Looked up once, since every row asks."""
    return {field.name: str(field.type) for field in fields(table.row)}


@lru_cache
def _numbers(table: Table) -> tuple[str, ...]:
    return tuple(name for name in table.columns if name not in {table.time, *table.tags, *table.texts})


QUEUES = Table(name=SAMPLES_NAME, row=QueueSample)
ROLLUPS = Table(name=ROLLUPS_NAME, row=Rollup)
CLUSTER = Table(name=CLUSTER_NAME, row=ClusterSample, tags=("cluster",))
CONFIG = Table(
    name=CONFIGURATION_NAME, row=ConfigChange, time="changed_at", texts=("mode", "capacity", "maximum", "state", "by", "before")
)
TABLES = (QUEUES, ROLLUPS, CLUSTER, CONFIG)
