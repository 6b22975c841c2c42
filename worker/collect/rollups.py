"""Samples of five minutes as one row: mean, 95 % quantile, largest value, and how much of the time was above the guarantee."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from math import ceil

from shared.domain.collected import QueueSample
from worker.collect.tables import Rollup

LENGTH = timedelta(minutes=5)
P95 = 0.95
WHOLE = ("demand_memory_mb", "demand_vcores", "used_memory_mb", "used_vcores")
WAITING = ("pending_memory_mb", "pending_vcores", "apps_active", "apps_pending")
LIMITS = ("guaranteed_memory_mb", "guaranteed_vcores", "maximum_memory_mb", "maximum_vcores", "free_memory_mb", "free_vcores")
GUARANTEES = {"demand_memory_mb": "guaranteed_memory_mb", "demand_vcores": "guaranteed_vcores"}


def beginning_of(at: datetime) -> datetime:
    """When the five minutes that have this moment begin."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return at - (at - epoch) % LENGTH


def rollups(samples: Iterable[QueueSample]) -> list[Rollup]:
    """One row for each queue, partition and five minutes; what no sample of them tells is not told."""
    together: dict[tuple[str, str, str, datetime], list[QueueSample]] = defaultdict(list)
    for sample in samples:
        together[sample.cluster, sample.queue, sample.partition, beginning_of(sample.timestamp)].append(sample)
    return [_rollup(*key, own) for key, own in together.items()]


def _rollup(cluster: str, queue: str, partition: str, at: datetime, samples: Sequence[QueueSample]) -> Rollup:
    numbers: dict[str, float | None] = {}
    for name in (*WHOLE, *WAITING):
        values = sorted(_told(samples, name))
        numbers[name] = _mean(values)
        numbers[f"{name}_p95"] = _quantile(values)
        numbers[f"{name}_max"] = values[-1] if values else None
    numbers |= {name: _mean(_told(samples, name)) for name in LIMITS}
    numbers["saturated"] = _mean(_told(samples, "is_saturated"))
    numbers["waiting"] = _mean([float(waits) for sample in samples if (waits := is_waiting(sample)) is not None])
    numbers |= {f"{name}_above": _above(samples, name, guarantee) for name, guarantee in GUARANTEES.items()}
    return Rollup(cluster=cluster, queue=queue, partition=partition, timestamp=at, samples=len(samples), **numbers)


def is_waiting(sample: QueueSample) -> bool | None:
    """Whether anything that was asked for is not there yet; None = nobody tells."""
    counts = (sample.pending_memory_mb, sample.pending_vcores, sample.pending_containers, sample.apps_pending)
    told = [count for count in counts if count is not None]
    return any(told) if told else None


def _told(samples: Sequence[QueueSample], name: str) -> list[float]:
    return [value for sample in samples if (value := getattr(sample, name)) is not None]


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _quantile(values: Sequence[float]) -> float | None:
    """The least value that 95 % of them do not pass; of ten that is the largest."""
    return values[ceil(P95 * len(values)) - 1] if values else None


def _above(samples: Sequence[QueueSample], name: str, guarantee: str) -> float | None:
    pairs = [(getattr(sample, name), getattr(sample, guarantee)) for sample in samples]
    known = [value > limit for value, limit in pairs if value is not None and limit is not None]
    return _mean([float(is_above) for is_above in known])
