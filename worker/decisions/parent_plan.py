"""One parent's plan, from its children with what they may want: solved, written, checked by YARN's rules, and told."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from shared.domain.capacities import NOTHING, Capacity, Mode, Resources
from shared.domain.queue_tree import QueueTree, Share
from shared.domain.recommendations import Resource
from shared.errors import InfeasiblePlan, UnwritableChange
from shared.yarn.constraints import violations
from shared.yarn.patch import changes_between
from worker.decisions.allotment import Allotment, in_amounts, in_parts
from worker.decisions.family import Family
from worker.decisions.maximums import raised_maximum
from worker.decisions.planned import Kept, ParentPlan, Reshare
from worker.decisions.problem import FULL, why_infeasible
from worker.decisions.telling import told, worth_of
from worker.decisions.water_filling import filled


def parent_plan(family: Family, configured: Mapping[str, str] | None = None) -> ParentPlan:
    """The plan of one parent; refused in a sentence, where none keeps all limits.

    Args:
        configured: the configuration as it is, where it is known; so that undoing brings back its very texts.
    """
    blank = _blank(family)
    try:
        allotments = _allotments(family)
        after = [_capacity(family, place, allotments) for place in range(len(family.children))]
        tree, planned = _trees(family, after)
        if broken := set(violations(planned)) - set(violations(tree)):
            return replace(blank, refused=f"YARN would not take what is best: {min(map(str, broken))}")
        patch = changes_between(tree, planned, configured)
    except (InfeasiblePlan, UnwritableChange) as error:
        return replace(blank, refused=f"{error}.")
    changes = tuple(_changes(family, allotments))
    worth = {resource: worth_of(family, allotment) for resource, allotment in allotments.items()}
    first = allotments[Resource.MEMORY]
    return replace(
        blank,
        changes=changes,
        kept=tuple(_kept(family, {change.queue for change in changes})),
        patch=patch,
        memory=worth[Resource.MEMORY],
        vcores=worth.get(Resource.VCORES),
        level=filled(first.children, first.room).level if why_infeasible(first.children, first.room) is None else None,
        because=tuple(told(family, allotments, worth, changes)),
    )


def _blank(family: Family) -> ParentPlan:
    partition = family.above.partition
    return ParentPlan(parent=family.parent.path, partition=partition, mode=family.mode, whole=family.whole, days=family.days)


def _allotments(family: Family) -> dict[Resource, Allotment]:
    """Of a capacity in one number one, as that of memory."""
    if family.mode is not Mode.ABSOLUTE:
        return {Resource.MEMORY: in_parts(family)}
    memory = in_amounts(family, Resource.MEMORY)
    if not family.counts_vcores or all(wanted is None or wanted.vcores is None for wanted in family.wanted):
        return {Resource.MEMORY: memory}
    return {Resource.MEMORY: memory, Resource.VCORES: in_amounts(family, Resource.VCORES, memory.changed)}


def _capacity(family: Family, place: int, allotments: Mapping[Resource, Allotment]) -> Capacity:
    """As it is configured then; that of an unchanged child is the very same value."""
    before = family.shares[place].capacity
    found = {resource: allotment for resource, allotment in allotments.items() if place in allotment.changed}
    if not found:
        return before
    if family.mode is not Mode.ABSOLUTE:
        number = float(found[Resource.MEMORY].written[place])
        return Capacity.of_weight(number) if family.mode is Mode.WEIGHT else Capacity.of_percent(number)
    amounts = {_NAMES[resource]: int(allotment.written[place]) for resource, allotment in found.items()}
    return replace(before, resources=replace(before.resources or NOTHING, **amounts))


_NAMES = {Resource.MEMORY: "memory_mb", Resource.VCORES: "vcores"}


def _trees(family: Family, after: Sequence[Capacity]) -> tuple[QueueTree, QueueTree]:
    """The parent with its children and theirs, as it is and as it is planned: all that YARN's rules look at here."""
    tree, capacities = family.tree, dict(zip((child.path for child in family.children), after, strict=True))
    children = tree.children(family.parent.path)
    below = [grandchild for child in children for grandchild in tree.children(child.path)]
    changed = [
        replace(child, shares=tuple(_with(share, capacities[child.path], family) for share in child.shares))
        if child.path in capacities
        else child
        for child in children
    ]
    return tuple(replace(tree, queues=(family.parent, *each, *below)) for each in (children, changed))  # type: ignore[return-value]


def _with(share: Share, capacity: Capacity, family: Family) -> Share:
    if share.partition != family.above.partition or capacity == share.capacity:
        return share
    return replace(share, capacity=capacity, maximum=raised_maximum(share, capacity, family))


def _changes(family: Family, allotments: Mapping[Resource, Allotment]) -> Iterator[Reshare]:
    children = {resource: allotment.told for resource, allotment in allotments.items()}
    for place, (queue, share) in enumerate(zip(family.children, family.shares, strict=True)):
        changed = [resource for resource, each in allotments.items() if place in each.changed]
        if not changed:
            continue
        own = allotments[changed[0]]
        binding, child, after = own.shares[place], children[changed[0]][place], own.after[place]
        capacity = _capacity(family, place, allotments)
        yield Reshare(
            queue=queue.path,
            before=share.capacity,
            after=capacity,
            resources_before=_resources(family, share.capacity, child.present),
            resources_after=_resources(family, capacity, after),
            maximum_before=share.maximum,
            maximum_after=raised_maximum(share, capacity, family),
            binding=Resource.MEMORY if binding is None else binding.binding,
            risk_before=0.0 if child.demand is None else child.demand.risk(child.present),
            risk_after=0.0 if child.demand is None else child.demand.risk(after),
            donors=_donors(family, own) if after > child.present else (),
        )


def _resources(family: Family, capacity: Capacity, percent: float) -> Resources:
    """What a capacity comes to; percent: of the parent, where it is no amount."""
    if capacity.resources is not None:
        return capacity.resources
    return Resources(memory_mb=round(family.whole.memory_mb * percent / FULL), vcores=round(family.whole.vcores * percent / FULL))


def _donors(family: Family, allotment: Allotment) -> tuple[str, ...]:
    cuts = {
        queue.path: child.present - after
        for queue, child, after in zip(family.children, allotment.children, allotment.after, strict=True)
        if after < child.present
    }
    return tuple(sorted(cuts, key=lambda path: -cuts[path]))


def _kept(family: Family, changed: Collection[str]) -> Iterator[Kept]:
    for place, queue in enumerate(family.children):
        if queue.path not in changed:
            yield Kept(queue=queue.path, because=family.why_fixed(place) or "what it has is best for all of them together")
