"""A maximum that goes up with a guarantee which would pass it; nothing else of it is ever changed."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

from shared.domain.capacities import Capacity, Mode, Resources
from shared.domain.queue_tree import Share
from worker.decisions.family import Family
from worker.decisions.problem import FULL
from worker.decisions.rounding import TENTH


def raised_maximum(share: Share, capacity: Capacity, family: Family) -> Capacity | None:
    """The maximum beside another capacity; None = there is none."""
    maximum = share.maximum
    if maximum is None or capacity == share.capacity:
        return maximum
    if maximum.percent is not None and capacity.mode is not Mode.ABSOLUTE:
        part = _part(capacity, family)
        return Capacity.of_percent(part) if part > maximum.percent else maximum
    if maximum.resources is None or capacity.resources is None:
        return maximum
    memory = max(maximum.resources.memory_mb, capacity.resources.memory_mb)
    vcores = max(maximum.resources.vcores, capacity.resources.vcores) if maximum.resources.vcores else 0  # 0: no limit
    raised = Resources(memory_mb=memory, vcores=vcores)
    return maximum if raised == maximum.resources else Capacity.of_resources(raised, maximum.further)


def _part(capacity: Capacity, family: Family) -> float:
    """Of the parent in percent; of a weight to a tenth, upwards. All weights together stay what they are."""
    if capacity.weight is None:
        return capacity.percent or 0.0
    weights = sum(each.capacity.weight or 0.0 for each in family.shares)
    tenths = (Decimal(FULL * capacity.weight / weights) / TENTH).to_integral_value(ROUND_CEILING) * TENTH
    return min(FULL, float(tenths))
