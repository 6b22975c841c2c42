"""What a ResourceManager counts of its queues, as `/jmx` answers it: how long applications waited, what was taken back.

    Hadoop:service=ResourceManager,name=QueueMetrics,q0=root,q1=etl        a queue; with `user=ada` behind it one of its users

Counters begin anew when a ResourceManager does. Each of them answers, also one that is standby, which counts nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shared.domain.identifiers import listed
from shared.errors import YarnUnreadable
from shared.yarn.fields import Fields, decoded
from shared.yarn.walking import MAX_QUEUES

BEANS = "Hadoop:service=ResourceManager,name=QueueMetrics"
DELAY = "AppAttemptFirstContainerAllocationDelay"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueMetrics:
    """Of one queue, in its default partition.

    Args:
        first_containers: attempts of applications that have had their first container, which is that of their master.
        first_container_ms: how long the last of these waited for it, on average.
        containers_preempted: taken from it. am_used_mb, am_limit_mb: what application masters have and may have.
    """

    first_containers: int | None = None
    first_container_ms: float | None = None
    containers_preempted: int | None = None
    am_used_mb: int | None = None
    am_limit_mb: int | None = None


def read_queue_metrics(answer: bytes) -> dict[str, QueueMetrics]:
    """Full path of a queue → what is counted of it; raises YarnUnreadable."""
    document = decoded(answer)
    if "beans" not in document:
        raise YarnUnreadable(f"it has no beans; it has {listed(list(document))}")
    beans = Fields(document, "the answer").every("beans")
    found = {path: _metrics(bean) for bean in beans if (path := _path(bean.text("name") or "")) is not None}
    if len(found) > MAX_QUEUES:
        raise YarnUnreadable(f"it tells of {len(found):,} queues; accepted are {MAX_QUEUES:,}")
    return found


def queue_metrics_answer(queues: Mapping[str, QueueMetrics]) -> dict[str, object]:
    """`GET /jmx?qry=Hadoop:service=ResourceManager,name=QueueMetrics,*`; read_queue_metrics(bytes of it) == queues."""
    return {"beans": [_bean(path, metrics) for path, metrics in queues.items()]}


def _path(name: str) -> str | None:
    """The queue that a bean's name means; None = it is none of a queue alone."""
    kind, _, rest = name.partition(f"{BEANS},")
    pairs = [pair.partition("=") for pair in rest.split(",")] if not kind else []
    levels = {level: name for level, _, name in pairs}
    wanted = [f"q{number}" for number in range(len(levels))]
    return ".".join(levels[level] for level in wanted) if levels and sorted(levels) == sorted(wanted) else None


def _metrics(bean: Fields) -> QueueMetrics:
    delay = bean.number(f"{DELAY}AvgTime")
    return QueueMetrics(
        first_containers=bean.whole(f"{DELAY}NumOps"),
        first_container_ms=None if delay is None or delay < 0 else delay,
        containers_preempted=bean.whole("AggregateContainersPreempted"),
        am_used_mb=bean.whole("UsedAMResourceMB"),
        am_limit_mb=bean.whole("AMResourceLimitMB"),
    )


def _bean(path: str, metrics: QueueMetrics) -> dict[str, object]:
    levels = ",".join(f"q{number}={name}" for number, name in enumerate(path.split(".")))
    told = {
        f"{DELAY}NumOps": metrics.first_containers,
        f"{DELAY}AvgTime": metrics.first_container_ms,
        "AggregateContainersPreempted": metrics.containers_preempted,
        "UsedAMResourceMB": metrics.am_used_mb,
        "AMResourceLimitMB": metrics.am_limit_mb,
    }
    return {"name": f"{BEANS},{levels}", "modelerType": f"QueueMetrics,{levels}"} | {
        name: value for name, value in told.items() if value is not None
    }
