"""What a plan is worth, and how it is explained: who runs short how often, what waits whatever is moved, what is not known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from shared.domain.capacities import Capacity, Mode
from shared.domain.identifiers import listed, shown
from shared.domain.recommendations import Resource
from shared.yarn.capacity_text import text_of
from worker.decisions.allotment import Allotment
from worker.decisions.borrowing import Borrowing, borrowing
from worker.decisions.family import Family
from worker.decisions.objective import COSTLY, level_of, quantile_of
from worker.decisions.planned import Reshare, Worth
from worker.decisions.problem import FULL, cost
from worker.decisions.siblings import Method
from worker.decisions.wanted import Shares
from worker.decisions.water_filling import explained

MB_PER_GB = 1024
MIN_HOURS = 0.05  # of less nobody is told
EXACT = (Method.NOTHING, Method.PROGRAMME)


def worth_of(family: Family, allotment: Allotment) -> Worth:
    """In units of the resource times hours; of a capacity in one number in those of memory."""
    times = family.whole.memory_mb / FULL if family.mode is not Mode.ABSOLUTE else 1.0
    room, children = allotment.room, allotment.children
    present = [child.present for child in children]
    moved = sum(abs(after - before) for after, before in zip(allotment.after, present, strict=True))
    return Worth(
        keep=times * sum(cost(child, room, amount) for child, amount in zip(children, present, strict=True)),
        plan=times * sum(cost(child, room, amount) for child, amount in zip(children, allotment.after, strict=True)),
        changing=times * room.price_hours * moved,
        now=_borrowing(allotment, present, times),
        then=_borrowing(allotment, allotment.after, times),
    )


def told(
    family: Family, allotments: Mapping[Resource, Allotment], worth: Mapping[Resource, Worth], changes: Sequence[Reshare]
) -> Iterator[str]:
    """In sentences."""
    for resource, allotment in allotments.items():
        yield from _about_risks(allotment, resource if len(allotments) > 1 else None)
        yield from _about_room(family, allotment, worth[resource], resource)
        yield from _about_steps(family, allotment)
        if allotment.method not in EXACT:
            yield f"It is the best that was found in time, by {allotment.method}."
    for change in changes:
        if change.maximum_before != change.maximum_after and change.maximum_after is not None:
            yield f"The maximum of {shown(change.queue)} goes up with what it is guaranteed, to {_maximum(change.maximum_after)}."
    unknown = [queue.name for queue, wanted in zip(family.children, family.wanted, strict=True) if wanted is None]
    if unknown:
        yield f"Nothing is forecast of {listed(unknown)}: what is planned leaves them what they have."


def _maximum(capacity: Capacity) -> str:
    return f"{text_of(capacity)} %" if capacity.mode is Mode.PERCENTAGE else text_of(capacity)


def _about_risks(allotment: Allotment, resource: Resource | None) -> Iterator[str]:
    of_what = "" if resource is None else f"Of {resource}: "
    children = allotment.told
    now = explained(children, [child.present for child in children])
    then = explained(children, allotment.after)
    if now:
        yield f"{of_what}as it is, {now}." if of_what else f"As it is, {now}."
    if allotment.changed and then != now:
        yield f"{of_what}with the plan, {then}." if of_what else f"With the plan, {then}."


def _about_room(family: Family, allotment: Allotment, worth: Worth, resource: Resource) -> Iterator[str]:
    parent = shown(family.parent.path)
    if (then := worth.then) is None:
        if sum(shares is not None for shares in allotment.shares) > 1:
            yield "What is lent and what waits is not told: the forecasts of the children have no window in common."
    elif then.full_hours > MIN_HOURS:
        amount = f"{then.waits / MB_PER_GB:,.4g} GB·h" if resource is Resource.MEMORY else f"{then.waits:,.4g} vcores·h"
        yield (
            f"For {then.full_hours:.1f} h more is wanted than {parent} has, and {amount} wait, whatever its children are "
            "guaranteed: that takes more nodes or less work."
        )
    best = [
        _best(child.kappa, shares, allotment.full) for child, shares in zip(allotment.children, allotment.shares, strict=True)
    ]
    pairs = zip(best, allotment.children, strict=True)
    total = sum(child.present if amount is None else amount for amount, child in pairs)
    if total > allotment.full:
        part = FULL * total / allotment.full
        yield f"Each by itself, its children would best have {part:.0f} % of what {parent} has: more nodes or less work helps."


def _best(kappa: float, shares: Shares | None, full: float) -> float | None:
    """What one child would have by itself, in the unit of the plan; None = nothing is known of what it wants."""
    if shares is None:
        return None
    best = quantile_of(shares.values, shares.mass, level_of(kappa))
    if shares.usual is not None:
        best = max(best, quantile_of(shares.values, shares.usual, level_of(COSTLY)))
    return best * (full if shares.is_part else 1.0)


def _about_steps(family: Family, allotment: Allotment) -> Iterator[str]:
    """That nothing can be given, as the most that one change takes of any child is less than the least that counts as one."""
    free = [child for child in allotment.children if not child.is_fixed]
    most = max((child.present - child.lowest for child in free), default=0.0)
    if allotment.room.is_exact and not allotment.changed and free and most < allotment.room.step:
        policy, parent = family.policy, shown(family.parent.path)
        step = policy.min_step(len(family.children))
        yield (
            f"No child can give {step:g} % of {parent}, the smallest step: one change takes no more than "
            f"{policy.max_down_percent:g} % of what a queue has. Smaller steps or larger cuts would have to be allowed."
        )


def _borrowing(allotment: Allotment, capacities: Sequence[float], times: float) -> Borrowing | None:
    known = [(shares, amount) for shares, amount in zip(allotment.shares, capacities, strict=True) if shares is not None]
    if not known:
        return None
    spare = allotment.full - sum(capacities)
    found = borrowing([shares for shares, _ in known], [amount for _, amount in known], spare, allotment.full)
    if found is None:
        return None
    return replace(found, unguaranteed=found.unguaranteed * times, lent=found.lent * times, waits=found.waits * times)
