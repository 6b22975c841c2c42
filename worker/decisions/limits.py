"""Limits other than capacity: what holds a queue back that waits, told before anybody raises a capacity.

Each sign is looked for in one sample, with those of the queue's parent and of the cluster at the same moment; the first that
holds is the verdict. What is not told is never taken for a sign.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from shared.domain.collected import DEFAULT, QueueSample
from shared.domain.waiting import Cause, Verdict
from worker.decisions.surroundings import NEARLY, Around, container_mb, has_room, held, is_all, is_below_guarantee

NEARLY_MASTERS = 0.95  # likewise of masters, of which there are few
FEW_USERS = 2


def is_waiting(sample: QueueSample) -> bool | None:
    """Whether anything that was asked for is not there yet; None = nobody tells."""
    counts = (sample.pending_memory_mb, sample.pending_vcores, sample.pending_containers, sample.apps_pending)
    told = [count for count in counts if count is not None]
    return any(told) if told else None


def verdict(sample: QueueSample, around: Around) -> Verdict | None:
    """What holds the queue back; None = nothing of it waits, or nobody tells."""
    if not is_waiting(sample):
        return None
    cause = next((cause for cause, holds in SIGNS.items() if holds(sample, around)), Cause.UNEXPLAINED)
    numbers = {name: getattr(sample, name) for name in NAMED[cause]} | _beside(cause, sample, around)
    return Verdict(cause=cause, numbers={name: float(value) for name, value in numbers.items() if value is not None})


def _masters_are_full(sample: QueueSample, around: Around) -> bool:
    used, limit = sample.am_used_memory_mb, sample.am_limit_memory_mb
    is_full = used is not None and bool(limit) and used >= NEARLY_MASTERS * (limit or 0)
    return bool(sample.apps_pending) and is_full and is_below_guarantee(sample, around)


def _all_run_that_may(sample: QueueSample, around: Around) -> bool:
    return bool(sample.apps_pending) and _with_parallel_limit(sample, around) is not None


def _with_parallel_limit(sample: QueueSample, around: Around) -> QueueSample | None:
    """The queue, or its parent, of which as many applications run as may."""
    for each in (sample, around.parent):
        if each is not None and each.max_parallel_apps and (each.apps_active or 0) >= each.max_parallel_apps:
            return each
    return None


def _one_user_has_all(sample: QueueSample, around: Around) -> bool:
    factor, guaranteed, used = sample.user_limit_factor, sample.guaranteed_memory_mb, sample.used_memory_mb
    if factor is None or not guaranteed or used is None or not 0 < (sample.users_active or 0) <= FEW_USERS:
        return False
    largest = used * (1 / (sample.users_active or 1) if sample.max_user_share is None else sample.max_user_share)
    return largest >= NEARLY * guaranteed * factor and has_room(sample, around)


def _no_node_has_room(sample: QueueSample, around: Around) -> bool:
    """Nodes of other partitions are not looked at one by one."""
    size, free = container_mb(sample), around.cluster.largest_free_memory_mb if around.cluster else None
    if not sample.reserved_memory_mb or sample.partition != DEFAULT or size is None or free is None or free >= size:
        return False
    return is_below_guarantee(sample, around) and not _is_at_its_ceiling(sample, around) and has_room(sample, around)


def _is_at_its_ceiling(sample: QueueSample, around: Around) -> bool:
    has_all = is_all(held(sample, "memory_mb"), sample.maximum_memory_mb, container_mb(sample))
    if around.counts_vcores and not has_all:
        has_all = is_all(held(sample, "vcores"), sample.maximum_vcores, None)
    return has_all and has_room(sample, around)


def _waits_for_a_label(sample: QueueSample, around: Around) -> bool:
    other, pending = around.unlabelled, sample.pending_memory_mb
    return bool(other and pending and not is_waiting(other) and (other.free_memory_mb or 0) >= pending)


def _parent_is_short(sample: QueueSample, around: Around) -> bool:
    return not has_room(sample, around)


def _beside(cause: Cause, sample: QueueSample, around: Around) -> dict[str, float | None]:
    """Numbers that are not the sample's own: AROUND."""
    if cause is Cause.PARALLEL_APPS and (limited := _with_parallel_limit(sample, around)) is not None and limited is not sample:
        return {"parent_max_parallel_apps": limited.max_parallel_apps}
    if cause is Cause.FRAGMENTATION and around.cluster is not None:
        return {"largest_free_memory_mb": around.cluster.largest_free_memory_mb}
    if cause is Cause.LABEL and around.unlabelled is not None:
        return {"default_free_memory_mb": around.unlabelled.free_memory_mb}
    return {}


SIGNS: Mapping[Cause, Callable[[QueueSample, Around], bool]] = {
    Cause.MASTERS: _masters_are_full,
    Cause.PARALLEL_APPS: _all_run_that_may,
    Cause.USER_LIMIT: _one_user_has_all,
    Cause.FRAGMENTATION: _no_node_has_room,
    Cause.CEILING: _is_at_its_ceiling,
    Cause.LABEL: _waits_for_a_label,
    Cause.PARENT: _parent_is_short,
}
AROUND = ("parent_max_parallel_apps", "largest_free_memory_mb", "default_free_memory_mb")  # numbers of what is around a sample
BESIDE: Mapping[Cause, tuple[str, ...]] = {
    Cause.PARALLEL_APPS: AROUND[:1],
    Cause.FRAGMENTATION: AROUND[1:2],
    Cause.LABEL: AROUND[2:],
}
NAMED: Mapping[Cause, tuple[str, ...]] = {
    Cause.MASTERS: ("am_used_memory_mb", "am_limit_memory_mb", "used_memory_mb", "guaranteed_memory_mb", "apps_pending"),
    Cause.PARALLEL_APPS: ("apps_active", "max_parallel_apps", "apps_pending"),  # beside them the limit of its parent
    Cause.USER_LIMIT: ("used_memory_mb", "guaranteed_memory_mb", "user_limit_factor", "max_user_share", "users_active"),
    Cause.FRAGMENTATION: ("pending_memory_mb", "pending_containers", "reserved_memory_mb"),
    Cause.CEILING: ("used_memory_mb", "maximum_memory_mb", "free_memory_mb"),
    Cause.LABEL: ("pending_memory_mb",),
    Cause.PARENT: ("free_memory_mb", "pending_memory_mb", "pending_containers"),
    Cause.UNEXPLAINED: ("pending_memory_mb", "used_memory_mb", "guaranteed_memory_mb"),
}
