"""What YARN's capacity scheduler checks when it takes a configuration up: what a tree breaks, in sentences.

    children in percent   add up to 100, or to 0 where the parent has nothing or allows it; a parent of 0 has children of 0
    in resources          do not add up to more than the parent has, and lie below a queue in resources, or below the root
    in weights            are of 0 to 10,000
    each                  0 ≤ capacity ≤ maximum ≤ 100 %; a maximum in resources is no more than the parent's; the root is 100 %

The last line is stricter than YARN, which does not always compare capacity and maximum. Where capacities may be mixed
(`legacy-queue-mode.enabled` is false), or are, only what cannot be in any mode is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shared.domain.capacities import NO_CAPACITY, NOTHING, Capacity, Mode, Resources, added
from shared.domain.identifiers import shown
from shared.domain.queue_tree import DEFAULT_PARTITION, Calculator, Creation, Queue, QueueTree, Scheduler, Share
from shared.yarn.capacity_text import number_text, text_of

ALL = 100.0
SUM_TOLERANCE = 0.05  # YARN's own, for sums that are computed in single precision
TOLERANCE = 1e-4
MAX_WEIGHT = 10_000.0
NO_SHARE = Share()


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A rule that a queue breaks, with what was found."""

    queue: str
    partition: str
    found: str

    def __str__(self) -> str:
        where = f"{shown(self.queue)}, partition {shown(self.partition)}" if self.partition else shown(self.queue)
        return f"{where}: {self.found}."


def violations(tree: QueueTree) -> tuple[Violation, ...]:
    """Everything that YARN would refuse, queue by queue. The fair scheduler has no such rules."""
    return tuple(_violations(tree)) if tree.scheduler is Scheduler.CAPACITY else ()


def modes_of(children: Sequence[Queue], partition: str) -> set[Mode]:
    """The modes of queues with one parent; 0 % is of any mode, and those made automatically are not counted."""
    shares = [child.share(partition) or NO_SHARE for child in children if not child.is_dynamic]
    return {share.mode for share in shares if share.capacity != NO_CAPACITY}


def _violations(tree: QueueTree) -> Iterator[Violation]:
    for queue in tree.queues:
        parent = tree.by_path.get(queue.parent)
        children = tree.children(queue.path)
        for found in _of_templates(queue, children):
            yield Violation(queue=queue.path, partition=DEFAULT_PARTITION, found=found)
        its_own = {share.partition for share in queue.shares}
        others = {share.partition for child in children for share in child.shares} - its_own
        for share in (*queue.shares, *(Share(partition=partition) for partition in sorted(others))):
            above = None if parent is None else parent.share(share.partition)
            for found in (*_of_share(queue, share, above), *_of_children(tree, queue, share, children)):
                yield Violation(queue=queue.path, partition=share.partition, found=found)


def _of_templates(queue: Queue, children: Sequence[Queue]) -> Iterator[str]:
    if queue.creation is not Creation.LEGACY:
        return
    if queue.leaf_template is None and not any(child.is_dynamic for child in children):
        yield "its children are created automatically, and there is no leaf-queue-template.capacity for them"
    if static := [child.name for child in children if not child.is_dynamic]:
        yield f"its children are created automatically, so it cannot have {shown(static[0])} configured"


def _of_share(queue: Queue, share: Share, above: Share | None) -> Iterator[str]:
    """What is wrong with a share by itself, and beside its parent's."""
    capacity, maximum = share.capacity, share.maximum
    if queue.is_root and share.mode is Mode.PERCENTAGE and share.partition == DEFAULT_PARTITION and capacity.percent != ALL:
        yield f"the root's capacity is {_told(capacity)}; it is always 100 %"
    yield from _of_range(capacity, "capacity")
    if maximum is not None:
        yield from _of_range(maximum, "maximum")
        if _is_more(capacity, maximum):
            yield f"its capacity {_told(capacity)} is more than its maximum {_told(maximum)}"
        highest = above.maximum if above is not None else None
        if maximum.mode is Mode.ABSOLUTE and highest is not None and _is_more(maximum, highest):
            yield f"its maximum {_told(maximum)} is more than its parent's {_told(highest)}"


def _of_range(capacity: Capacity, name: str) -> Iterator[str]:
    if capacity.percent is not None and not 0.0 <= capacity.percent <= ALL:
        yield f"its {name} is {_told(capacity)}; accepted are 0 to 100 %"
    if capacity.weight is not None and not 0.0 <= capacity.weight <= MAX_WEIGHT:
        yield f"its weight is {number_text(capacity.weight)}; accepted are 0 to 10000"
    if capacity.resources is not None and min(capacity.resources.memory_mb, capacity.resources.vcores) < 0:
        yield f"its {name} is {_told(capacity)}; accepted are resources from 0 on"


def _is_more(capacity: Capacity, limit: Capacity) -> bool:
    """Where both are of one mode, else they cannot be compared without the nodes."""
    if capacity.percent is not None and limit.percent is not None:
        return capacity.percent > limit.percent + TOLERANCE
    if capacity.resources is None or limit.resources is None:
        return False
    return _exceeds(capacity.resources, limit.resources)


def _exceeds(resources: Resources, limit: Resources) -> bool:
    """Of a limit, no processors at all are none that are limited: `[memory=10240]`."""
    return resources.memory_mb > limit.memory_mb or (limit.vcores > 0 and resources.vcores > limit.vcores)


def _of_children(tree: QueueTree, queue: Queue, share: Share, children: Sequence[Queue]) -> Iterator[str]:
    """What is wrong with the children of one partition together. Those made automatically are not counted."""
    yield from _of_weights(share.partition, children)
    shares = [child.share(share.partition) or NO_SHARE for child in children if not child.is_dynamic]
    modes = modes_of(children, share.partition)
    if not shares or len(shares) < len(children):
        return
    if len(modes) > 1 or Mode.MIXED in modes:
        yield from _of_mixture(tree, queue, shares, modes)
    elif modes == {Mode.ABSOLUTE}:
        yield from _of_absolute(tree, queue, share, shares)
    elif modes == {Mode.WEIGHT}:
        if tree.is_legacy and share.mode is Mode.ABSOLUTE and not queue.is_root:
            yield "it has its capacity in resources, so its children cannot have weights"
    else:
        yield from _of_percent(tree, queue, share, shares)


def _of_weights(partition: str, children: Sequence[Queue]) -> Iterator[str]:
    """Of children with weights, which part of their parent each gets, beside its maximum."""
    shares = {child.name: child.share(partition) or NO_SHARE for child in children}
    total = sum(share.capacity.weight or 0.0 for share in shares.values())
    for name, share in shares.items():
        part = ALL * (share.capacity.weight or 0.0) / total if total > 0 else 0.0
        highest = None if share.maximum is None else share.maximum.percent
        if highest is not None and part > highest + TOLERANCE:
            said = f"{number_text(round(part, 4))} % of it, more than its maximum {number_text(highest)} %"
            yield f"by its weight {shown(name)} gets {said}"


def _of_mixture(tree: QueueTree, queue: Queue, shares: Sequence[Share], modes: set[Mode]) -> Iterator[str]:
    below_root = queue.is_root and modes <= {Mode.PERCENTAGE, Mode.ABSOLUTE}  # which YARN accepts
    if tree.is_legacy and not below_root:
        yield f"its children have capacities of several modes ({', '.join(sorted(modes))}), which the legacy mode does not allow"
    total = sum(each.capacity.percent or 0.0 for each in shares)
    if total > ALL + SUM_TOLERANCE:
        yield f"its children in percent add up to {number_text(round(total, 4))} %; accepted are 100 % at most"


def _of_absolute(tree: QueueTree, queue: Queue, share: Share, shares: Sequence[Share]) -> Iterator[str]:
    if tree.is_legacy and share.mode is not Mode.ABSOLUTE and not queue.is_root:
        yield "its children have capacities in resources, and it has not"
    total, has = added(each.capacity.resources or NOTHING for each in shares), share.capacity.resources
    if total is None or has is None or has == NOTHING:
        return
    looks_at_vcores = tree.calculator is Calculator.DOMINANT
    if total.memory_mb > has.memory_mb or (looks_at_vcores and total.vcores > has.vcores):
        yield f"its children add up to {_resources(total)}, more than its own {_resources(has)}"


def _of_percent(tree: QueueTree, queue: Queue, share: Share, shares: Sequence[Share]) -> Iterator[str]:
    if tree.is_legacy and share.mode is Mode.ABSOLUTE and not queue.is_root and any(each.capacity.percent for each in shares):
        yield "it has its capacity in resources, so its children cannot have percentages"
        return
    total = sum(each.capacity.percent or 0.0 for each in shares)
    said = f"its children add up to {number_text(round(total, 4))} %"
    is_strict = share.mode is Mode.PERCENTAGE and queue.allows_zero_sum is False
    has_nothing = is_strict and not share.capacity.percent
    if tree.is_legacy is False:
        if total > ALL + SUM_TOLERANCE:
            yield f"{said}; accepted are 100 % at most"
    elif total <= SUM_TOLERANCE:
        may_be_zero = not is_strict or has_nothing or (queue.is_root and share.partition != DEFAULT_PARTITION)
        if not may_be_zero:
            yield f"{said}, although it has {_told(share.capacity)}; accepted are 100 %, or allow-zero-capacity-sum"
    elif abs(total - ALL) > SUM_TOLERANCE:
        yield f"{said}; accepted are 100 %, or 0 % where it has nothing itself"
    elif has_nothing:
        yield f"{said}, although it has nothing itself; accepted is 0 % then"


def _told(capacity: Capacity) -> str:
    if capacity.resources is not None and not capacity.further:
        return _resources(capacity.resources)
    return f"{number_text(capacity.percent)} %" if capacity.percent is not None else text_of(capacity)


def _resources(resources: Resources) -> str:
    return f"{resources.memory_mb} MB and {resources.vcores} vcores"
