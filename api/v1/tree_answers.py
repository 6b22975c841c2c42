"""The queue tree of a cluster as callers read it: what each queue has, uses and wants, and what is to be expected of it."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from pydantic import Field

from api.schema.answers import Answer
from api.schema.changes import ToldChange
from shared.domain.capacities import Mode, Resources
from shared.domain.collected import DEFAULT
from shared.domain.day_ahead import Chance, DayAhead
from shared.domain.dynamic_queues import PART_OF_WHICH
from shared.domain.forecasts import Forecast
from shared.domain.queue_tree import Queue, QueueTree, Scheduler, Share, State
from shared.domain.units import Unit
from shared.yarn.capacity_text import text_of

ALL = 100.0


class Amounts(Answer):
    """So much of a partition; null = not told."""

    memory_mb: int | None
    vcores: int | None
    percent: float | None = Field(description="of all memory of the partition")

    @classmethod
    def of(cls, resources: Resources | None, total: Resources | None, percent: float | None = None) -> Self | None:
        """percent: as YARN tells it; else it follows from the memory."""
        if resources is None:
            return None if percent is None else cls(memory_mb=None, vcores=None, percent=percent)
        if percent is None and total is not None and total.memory_mb:
            percent = ALL * resources.memory_mb / total.memory_mb
        return cls(memory_mb=resources.memory_mb, vcores=resources.vcores, percent=percent)


class Headroom(Answer):
    """What is left of the guarantee; below zero, so much is borrowed; null = not known."""

    memory_mb: int | None = Field(description="now: the guarantee less the demand")
    vcores: int | None
    ahead_memory_mb: int | None = Field(description="the guarantee less the highest upper bound of the next day")
    ahead_vcores: int | None = Field(description="likewise, of a forecast of vcores")

    @classmethod
    def of(cls, share: Share, ahead: DayAhead | None, of_vcores: DayAhead | None) -> Self:
        """Of a share of a partition."""
        guaranteed, demand = share.guaranteed, share.demand
        peak = None if ahead is None else ahead.peak_memory_mb
        vcores = None if of_vcores is None else of_vcores.peak_vcores
        is_known = guaranteed is not None and demand is not None
        return cls(
            memory_mb=guaranteed.memory_mb - demand.memory_mb if is_known and guaranteed and demand else None,
            vcores=guaranteed.vcores - demand.vcores if is_known and guaranteed and demand else None,
            ahead_vcores=None if guaranteed is None or vcores is None else guaranteed.vcores - vcores,
            ahead_memory_mb=None if guaranteed is None or peak is None else guaranteed.memory_mb - peak,
        )


class QueueAhead(Answer):
    """What the newest forecast of a queue says of its next day."""

    start_at: datetime | None
    end_at: datetime | None
    borrowing: Chance | None = Field(
        description="wanting more than it is guaranteed now; null = none is told, or its ceiling is no higher"
    )
    waiting: Chance | None = Field(description="being at its ceiling as it is now, so that work waits; null = no chance is told")
    reason: str | None = Field(description="why no chances are told; null = they are")
    peak_memory_mb: int | None = Field(description="the highest upper bound; null = the forecast is not of memory")
    peak_vcores: int | None = Field(description="likewise of vcores")
    peak_at: datetime | None
    metric: str
    unit: Unit | None
    project: str
    job: str
    job_id: str
    issued_at: datetime
    age_seconds: int = Field(description="since the forecast was issued")

    @classmethod
    def of(cls, forecast: Forecast, ahead: DayAhead, now: datetime) -> Self:
        """As things stand at `now`."""
        names = {name: getattr(forecast, name) for name in ("metric", "unit", "project", "job", "job_id", "issued_at")}
        return cls.showing(ahead, **names, age_seconds=max(0, int((now - forecast.issued_at).total_seconds())))


Ahead = tuple[QueueAhead, DayAhead]


class QueueInTree(Answer):
    """One queue in one partition."""

    queue: str = Field(description="its full path; `root.users/*` = all dynamic queues of root.users together")
    parent: str = Field(description="empty = it is the root")
    depth: int = Field(description="0 = the root")
    is_leaf: bool
    is_dynamic: bool = Field(description="made when an application asks for it, and gone again later; or the sum of such queues")
    state: State | None
    mode: Mode
    capacity: str | None = Field(description="as a configuration writes it: 45, 2w, [memory=10240,vcores=12]")
    maximum: str | None = Field(description="likewise; null = nothing but the parent's ceiling")
    guaranteed: Amounts | None = Field(description="what it gets when it asks for it")
    ceiling: Amounts | None = Field(description="what it never goes beyond")
    used: Amounts | None = Field(description="what runs, without what is reserved; null = not told, as of a stopped queue")
    demand: Amounts | None = Field(description="what runs and what waits")
    pending: Amounts | None = Field(description="what waits")
    used_capacity: float | None = Field(description="what is used in percent of what is guaranteed")
    apps_active: int | None
    apps_pending: int | None
    headroom: Headroom
    outlook: QueueAhead | None = Field(description="of the next day; null = see outlook_reason")
    outlook_reason: str | None = Field(description="why there is no outlook")
    outlook_vcores: QueueAhead | None = Field(
        description="the same of processors, where a forecast of demand_vcores or used_vcores is there; else null"
    )

    @classmethod
    def of(
        cls, queue: Queue, share: Share, total: Resources | None, *, ahead: Ahead | None, of_vcores: Ahead | None, reason: str
    ) -> Self:
        """Of a share of a partition that has so much in all."""
        (told, day), (vcores, day_of_vcores) = (each or (None, None) for each in (ahead, of_vcores))
        is_sum = queue.path.endswith(PART_OF_WHICH)
        pending = share.pending
        return cls.showing(
            queue,
            queue=queue.path,
            parent=parent_of(queue),
            depth=parent_of(queue).count(".") + 1 if not queue.is_root else 0,
            mode=share.mode,
            capacity=None if is_sum else text_of(share.capacity),
            maximum=None if share.maximum is None else text_of(share.maximum),
            guaranteed=Amounts.of(share.guaranteed, total, share.absolute_capacity),
            ceiling=Amounts.of(share.ceiling, total, share.absolute_maximum),
            used=Amounts.of(share.running, total),
            demand=Amounts.of(share.demand, total),
            pending=Amounts.of(pending, total),
            used_capacity=share.used_capacity,
            headroom=Headroom.of(share, day, day_of_vcores),
            outlook=told,
            outlook_reason=reason if told is None else None,
            outlook_vcores=vcores,
        )


class ClusterTotals(Answer):
    """What the cluster has in all; of the capacity scheduler that is its default partition."""

    total: Amounts | None
    available: Amounts | None
    reserved: Amounts | None
    nodes_active: int | None
    nodes_lost: int | None


class TreeAnswer(Answer):
    """The queues of a cluster, each after its parent."""

    cluster: str
    scheduler: Scheduler
    at: datetime | None = Field(description="how it was configured then was asked for; null = how it is now")
    read_at: datetime = Field(description="when YARN was asked; with `at` since when it was configured so")
    age_seconds: int = Field(description="since then")
    is_old: bool = Field(description="whether several looks have failed since, so that use and demand are no longer those of now")
    interval_seconds: int = Field(description="between two looks of the collector")
    partition: str = Field(description="the one that is shown; default = without a label")
    partitions: tuple[str, ...]
    totals: ClusterTotals | None
    queues: tuple[QueueInTree, ...]
    configuration_changes: tuple[ToldChange, ...] = Field(
        description="of all queues and partitions in the last 7 days, newest first"
    )
    notes: tuple[str, ...] = Field(description="what a person should know about it")


def total_of(tree: QueueTree, partition: str) -> Resources | None:
    """All that a partition has: what the root is guaranteed of it."""
    share = tree.root.share(partition)
    if share is not None and share.guaranteed is not None:
        return share.guaranteed
    return tree.totals.total if tree.totals is not None and not partition else None


def totals_of(tree: QueueTree) -> ClusterTotals | None:
    """Of the whole cluster."""
    totals = tree.totals
    if totals is None:
        return None
    parts = {name: Amounts.of(getattr(totals, name), totals.total) for name in ("total", "available", "reserved")}
    return ClusterTotals(**parts, nodes_active=totals.nodes_active, nodes_lost=totals.nodes_lost)


def parent_of(queue: Queue) -> str:
    """Its parent's path; "" of the root."""
    return queue.path.removesuffix(PART_OF_WHICH) if queue.path.endswith(PART_OF_WHICH) else queue.parent


def partition_name(partition: str) -> str:
    """As it is kept and asked for."""
    return partition or DEFAULT
