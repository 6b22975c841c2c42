"""What is known beside a tree of queues, put into the rows of that moment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from shared.domain.capacities import Resources
from shared.domain.collected import DEFAULT, ClusterSample, QueueSample
from shared.yarn.jmx import QueueMetrics


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is new of a queue since it was told of last. waiting_seconds: until a first container, on average."""

    waiting_seconds: float | None = None
    preempted_containers: int | None = None
    am_used_mb: int | None = None
    am_limit_mb: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What is known beside a tree. largest_free: of the node that has most memory free, of the default partition."""

    queues: Mapping[str, Told] = field(default_factory=dict)
    largest_free: Resources | None = None


def samples_with(samples: Iterable[QueueSample], beside: Beside) -> list[QueueSample]:
    """The samples with what is told of their queues, in the rows of the default partition."""
    return [
        _with(sample, told) if sample.partition == DEFAULT and (told := beside.queues.get(sample.queue)) else sample
        for sample in samples
    ]


def cluster_with(sample: ClusterSample | None, beside: Beside) -> ClusterSample | None:
    """The cluster's sample with the largest room on a node."""
    free = beside.largest_free
    if sample is None or free is None:
        return sample
    return replace(sample, largest_free_memory_mb=free.memory_mb, largest_free_vcores=free.vcores)


def _with(sample: QueueSample, told: Told) -> QueueSample:
    is_known = sample.am_limit_memory_mb is not None or not sample.is_running
    return replace(
        sample,
        waiting_seconds=told.waiting_seconds,
        preempted_containers=told.preempted_containers,
        am_used_memory_mb=sample.am_used_memory_mb if is_known else told.am_used_mb,
        am_limit_memory_mb=sample.am_limit_memory_mb if is_known else told.am_limit_mb,
    )


def since(before: QueueMetrics | None, now: QueueMetrics) -> Told:
    """What has come since: an average of before says nothing about now, and the first counts say nothing at all."""
    has_new = before is not None and bool(_increase(before.first_containers, now.first_containers))
    delay = now.first_container_ms if has_new else None
    return Told(
        waiting_seconds=None if delay is None else delay / 1_000,
        preempted_containers=None if before is None else _increase(before.containers_preempted, now.containers_preempted),
        am_used_mb=now.am_used_mb,
        am_limit_mb=now.am_limit_mb,
    )


def _increase(before: int | None, now: int | None) -> int | None:
    """Of a counter that begins anew at 0."""
    if before is None or now is None:
        return None
    return now - before if now >= before else now
