"""The children of one parent in one partition, with all that a plan for them is made from; and why none is made at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np

from shared.domain.capacities import Mode, Resources
from shared.domain.identifiers import listed, shown
from shared.domain.policies import Policy, QueueClass
from shared.domain.queue_tree import Calculator, Creation, Queue, QueueTree, Scheduler, Share, State
from shared.domain.recommendations import Resource
from shared.yarn.constraints import modes_of
from worker.decisions.objective import COSTLY, level_of
from worker.decisions.problem import FULL, Child, Pooled, Room
from worker.decisions.terms import Facts
from worker.decisions.wanted import Shares, Wanted
from worker.models.base import FloatArray

TAKEN_BACK = 0.5  # what a missing unit counts where preemption gets it back
LEAST_PART = 0.001  # of the parent: a queue that has something keeps something, as 0 means another thing


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Children with a share of the partition, in the order of the tree.

    whole: what the parent is guaranteed. below: what each child's own children have in resources; None = they have not.
    least: least allocations of the scheduler, whose multiples amounts are.
    days: names of the days as they were that all of them have.
    """

    tree: QueueTree
    parent: Queue
    above: Share
    children: tuple[Queue, ...]
    shares: tuple[Share, ...]
    wanted: tuple[Wanted | None, ...]
    below: tuple[Resources | None, ...]
    policy: Policy
    whole: Resources
    least: Resources
    days: tuple[str, ...] = ()

    @property
    def counts_vcores(self) -> bool:
        """Whether the scheduler looks at processors."""
        return self.tree.calculator is Calculator.DOMINANT

    @property
    def mode(self) -> Mode:
        """How their capacities are configured; of a family that has a plan it is one way."""
        return next(iter(modes_of(self.children, self.above.partition)), Mode.PERCENTAGE)

    @property
    def hours(self) -> float:
        """How long the window is that is decided on."""
        return max((wanted.hours for wanted in self.wanted if wanted is not None), default=0.0)

    def why_fixed(self, place: int) -> str:
        """Why a child keeps what it has, whatever the others need; "" = it may change."""
        queue, share, wanted = self.children[place], self.shares[place], self.wanted[place]
        if self.policy.rule(queue.path).is_protected:
            return "its policy protects it from changes"
        if queue.state in (State.STOPPED, State.DRAINING):
            return "it takes no applications now"
        if share.mode is not self.mode:
            return "it has nothing guaranteed, and says so in another way than its siblings"
        if wanted is None:
            return "nothing is forecast of it"
        reasons = [wanted.why_not(is_raise=is_raise) for is_raise in (True, False)]
        return reasons[0] if all(reasons) else ""


TO_DO = "What it has itself is decided on among its siblings; what each of them gets, its template says."


def why_no_plan(tree: QueueTree, parent: Queue, above: Share, children: Sequence[Queue], whole: Resources | None) -> str:
    """Why nothing is proposed for the children of a queue, in a sentence; "" = a plan can be made."""
    if tree.scheduler is not Scheduler.CAPACITY:
        return "The fair scheduler has no capacities: its own file of allocations is edited by hand."
    if dynamic := [child.name for child in children if child.is_dynamic]:
        made = f"Queues are made below it when applications ask for them ({listed(dynamic)})"
        return f"{made}, with the capacity of a template. {TO_DO}"
    if parent.creation is not Creation.OFF:
        return (
            f"Queues are made below it when applications ask for them: what its children have then is not known before. {TO_DO}"
        )
    if reason := _about_modes(modes_of(children, above.partition)):
        return reason
    is_known = whole is not None and whole.memory_mb > 0
    return "" if is_known else f"What {shown(parent.path)} is guaranteed is not known, or nothing."


def _about_modes(modes: set[Mode]) -> str:
    if Mode.MIXED in modes or len(modes) > 1:
        return f"Its children have capacities of several modes ({', '.join(sorted(modes))}): nothing is proposed for those."
    return "" if modes else "None of its children has anything guaranteed."


def child_of(family: Family, place: int, present: float, shares: Shares | None, full: float) -> Child:
    """One of them as a plan sees it, in the unit of the plan.

    Args:
        shares: what it may want as parts of the parent, or in amounts; None = not known. full: all of the parent.
    """
    queue, wanted = family.children[place], family.wanted[place]
    rule = family.policy.rule(queue.path)
    is_fixed = wanted is None or shares is None or bool(family.why_fixed(place))
    floor, ceiling = (0.0, inf) if is_fixed or wanted is None else _bounds(family, place, present, shares, full)
    return Child(
        name=queue.name,
        present=present,
        demand=None if is_fixed or shares is None else pooled(shares, full),
        floor=floor,
        ceiling=ceiling,
        kappa=rule.weight,
        weight=TAKEN_BACK if queue.preemption_disabled is False else 1.0,
        is_protected=rule.is_protected,
    )


def pooled(shares: Shares, full: float) -> Pooled:
    """All steps of all paths together, in the unit of the plan, as decisions count them (`objective.pooled_quantile`)."""
    found = _pooled(shares, shares.mass, full)
    return found if shares.usual is None else found.or_more(_pooled(shares, shares.usual, full), level_of(COSTLY))


def likely(shares: Shares, full: float) -> Pooled:
    """The same as chances count them."""
    return _pooled(shares, shares.chances, full)


def _pooled(shares: Shares, mass: FloatArray, full: float) -> Pooled:
    steps, has_mass = shares.values.shape[1], mass > 0
    times = full if shares.is_part else 1.0
    return Pooled.of((shares.values[has_mass] * times).ravel(), np.repeat(mass[has_mass] / steps, steps))


def room_of(family: Family, total: float, full: float, *, is_exact: bool) -> Room:
    """What the policy lets be moved, in the unit of the plan."""
    policy = family.policy
    return Room(
        total=total,
        is_exact=is_exact,
        budget=policy.budget_percent / FULL * full,
        step=policy.min_step(len(family.children)) / FULL * full,
        most_changes=policy.max_changes,
        hours=family.hours,
        price_hours=policy.price_hours,
        slack=1.0,
    )


def _bounds(family: Family, place: int, present: float, shares: Shares | None, full: float) -> tuple[float, float]:
    """Floor and ceiling: the owner's, one change's, and what the guards of raises and cuts leave. The owner's win."""
    rule, wanted = family.policy.rule(family.children[place].path), family.wanted[place]
    owners = (rule.floor or 0.0) / FULL * full, inf if rule.ceiling is None else rule.ceiling / FULL * full
    least = present * (1 - family.policy.max_down_percent / FULL)
    if present > 0:
        least = max(least, min(present, LEAST_PART * full))
    if wanted is not None and shares is not None:
        least = max(least, _of_critical(family, place, present, shares, full))
        if wanted.why_not(is_raise=False):
            least = present
    most = present if wanted is not None and wanted.why_not(is_raise=True) else inf
    least = max(least, _below(family, place, shares))
    return max(owners[0], min(least, owners[1])), min(owners[1], max(most, owners[0]))


def _below(family: Family, place: int, shares: Shares | None) -> float:
    """What its own children have in resources, which is never more than it has."""
    below = family.below[place]
    if below is None or shares is None or shares.is_part:
        return 0.0
    return float(below.memory_mb if shares.binding is Resource.MEMORY else below.vcores)


def _of_critical(family: Family, place: int, present: float, shares: Shares, full: float) -> float:
    """Lowered only where two forecasts agree, and never below what the same weekday has wanted."""
    wanted = family.wanted[place]
    if wanted is None or family.policy.rule(family.children[place].path).queue_class is not QueueClass.CRITICAL:
        return 0.0
    known: list[tuple[Facts, float]] = [(wanted.facts, full / family.whole.memory_mb)]
    if family.counts_vcores and wanted.vcores is not None and family.whole.vcores > 0:
        known.append((wanted.vcores_facts, full / family.whole.vcores))
    if not shares.is_part:
        known = [(wanted.facts if shares.binding is Resource.MEMORY else wanted.vcores_facts, 1.0)]
    if any(facts.agreed is None for facts, _ in known):
        return present
    return min(present, max(max(facts.agreed or 0.0, facts.weekday_peak or 0.0) * times for facts, times in known))
