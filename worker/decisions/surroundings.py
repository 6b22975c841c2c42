"""What there is around a queue at one moment, and how much of it the queue has and could get."""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter

from shared.domain.collected import ClusterSample, QueueSample

NEARLY = 0.98  # of what could be had is all of it: containers have a size


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What else was there at the moment of a sample; None = not told.

    parent: of the same partition. unlabelled: the same queue in the default partition, of a sample in another one.
    counts_vcores: whether the scheduler looks at processors, and not at memory alone.
    """

    parent: QueueSample | None = None
    unlabelled: QueueSample | None = None
    cluster: ClusterSample | None = None
    counts_vcores: bool = False


def has_room(sample: QueueSample, around: Around) -> bool:
    """Whether what is above could give it a container, and more than 2 % of what its parent has and could get, for all that
    is known.
    """
    kinds = ("memory_mb", "vcores") if around.counts_vcores else ("memory_mb",)
    return not any(_is_short(sample, around.parent or sample, kind) for kind in kinds)


def _is_short(sample: QueueSample, above: QueueSample, kind: str) -> bool:
    free, has = getattr(sample, f"free_{kind}"), held(above, kind)
    if free is None or has is None:
        return False
    piece = (container_mb(sample) or 0) if kind == "memory_mb" else 0
    return bool(free <= (1 - NEARLY) * (has + free) or free < piece)


def is_below_guarantee(sample: QueueSample, around: Around) -> bool:
    """Whether more is guaranteed than it uses, of all that the scheduler looks at."""
    used, guaranteed = sample.used_memory_mb, sample.guaranteed_memory_mb
    if used is None or guaranteed is None or used >= guaranteed:
        return False
    vcores, least = sample.used_vcores, sample.guaranteed_vcores
    return not (around.counts_vcores and vcores is not None and least is not None and vcores >= least)


def held(sample: QueueSample, kind: str) -> int | None:
    """What it has: what runs, and what is reserved for it."""
    used, reserved = attrgetter(f"used_{kind}", f"reserved_{kind}")(sample)
    return None if used is None else used + (reserved or 0)


def is_all(has: int | None, limit: int | None, piece: float | None) -> bool:
    """Whether one who has so much has nearly all of a limit, or no room for a further piece."""
    return has is not None and bool(limit) and (has >= NEARLY * (limit or 0) or has + (piece or 0) > (limit or 0))


def container_mb(sample: QueueSample) -> float | None:
    """What a container that waits has on average."""
    if not sample.pending_memory_mb or not sample.pending_containers:
        return None
    return sample.pending_memory_mb / sample.pending_containers
