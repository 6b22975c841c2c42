"""Samples of five minutes as one row: mean, 95 % quantile, largest value, and how much of the time was above the guarantee."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from math import ceil

from shared.domain.collected import DEFAULT, ClusterSample, QueueSample
from shared.domain.dynamic_queues import PART_OF_WHICH
from shared.domain.waiting import Cause
from worker.collect.tables import Rollup
from worker.decisions.limits import AROUND, is_waiting, verdict
from worker.decisions.surroundings import Around

LENGTH = timedelta(minutes=5)
P95 = 0.95
WHOLE = ("demand_memory_mb", "demand_vcores", "used_memory_mb", "used_vcores")
WAITING = ("pending_memory_mb", "pending_vcores", "apps_active", "apps_pending")
LIMITS = ("guaranteed_memory_mb", "guaranteed_vcores", "maximum_memory_mb", "maximum_vcores", "free_memory_mb", "free_vcores")
EVIDENCE = (
    *("am_used_memory_mb", "am_limit_memory_mb", "reserved_memory_mb", "pending_containers", "users_active"),
    *("max_user_share", "user_limit_factor", "max_parallel_apps", "waiting_seconds"),
)
GUARANTEES = {"demand_memory_mb": "guaranteed_memory_mb", "demand_vcores": "guaranteed_vcores"}


def beginning_of(at: datetime) -> datetime:
    """When the five minutes that have this moment begin."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return at - (at - epoch) % LENGTH


def rollups(samples: Sequence[QueueSample], surroundings: Surroundings | None = None) -> list[Rollup]:
    """One row for each queue, partition and five minutes; what no sample of them tells is not told.

    surroundings: of these very samples, as what holds one back is seen beside the others.
    """
    around = surroundings or Surroundings(samples)
    together: dict[tuple[str, str, str, datetime], list[QueueSample]] = defaultdict(list)
    for sample in samples:
        together[sample.cluster, sample.queue, sample.partition, beginning_of(sample.timestamp)].append(sample)
    return [_rollup(own, around) for own in together.values()]


def _rollup(samples: Sequence[QueueSample], around: Surroundings) -> Rollup:
    numbers: dict[str, float | None] = {}
    for name in (*WHOLE, *WAITING):
        values = sorted(_told(samples, name))
        numbers[name] = _mean(values)
        numbers[f"{name}_p95"] = _quantile(values)
        numbers[f"{name}_max"] = values[-1] if values else None
    numbers |= {name: _mean(_told(samples, name)) for name in (*LIMITS, *EVIDENCE)}
    preempted = _told(samples, "preempted_containers")
    numbers["preempted_containers"] = sum(preempted) if preempted else None
    numbers["saturated"] = _mean(_told(samples, "is_saturated"))
    numbers |= _waiting(samples, around)
    numbers |= {f"{name}_above": _above(samples, name, guarantee) for name, guarantee in GUARANTEES.items()}
    one, at = samples[0], beginning_of(samples[0].timestamp)
    return Rollup(cluster=one.cluster, queue=one.queue, partition=one.partition, timestamp=at, samples=len(samples), **numbers)


class Surroundings:
    """What is around each of some samples: those of its parent, of the default partition and of the cluster."""

    def __init__(
        self, samples: Iterable[QueueSample], clusters: Iterable[ClusterSample] = (), *, counts_vcores: bool = False
    ) -> None:
        self._queues = {(sample.timestamp, sample.partition, sample.queue): sample for sample in samples}
        self._clusters = {cluster.timestamp: cluster for cluster in clusters}
        self._counts_vcores = counts_vcores

    def of(self, sample: QueueSample) -> Around:
        """What is around this one."""
        at, queue, partition = sample.timestamp, sample.queue, sample.partition
        parent = queue.removesuffix(PART_OF_WHICH) if queue.endswith(PART_OF_WHICH) else queue.rpartition(".")[0]
        return Around(
            parent=self._queues.get((at, partition, parent)),
            unlabelled=None if partition == DEFAULT else self._queues.get((at, DEFAULT, queue)),
            cluster=self._clusters.get(at),
            counts_vcores=self._counts_vcores,
        )


def _waiting(samples: Sequence[QueueSample], around: Surroundings) -> dict[str, float | None]:
    """In which share of them anything waits, and for what."""
    told = [sample for sample in samples if is_waiting(sample) is not None]
    found = [verdict(sample, around.of(sample)) for sample in told if is_waiting(sample)]
    verdicts = [each for each in found if each is not None]
    causes = Counter(each.cause for each in verdicts)
    shares = {f"waiting_{cause}": causes[cause] / len(told) if told else None for cause in Cause}
    beside = {name: _mean([each.numbers[name] for each in verdicts if name in each.numbers]) for name in AROUND}
    return {"waiting": len(verdicts) / len(told) if told else None, **shares, **beside}


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
