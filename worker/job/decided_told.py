"""A parent's plan as a decision: changes with each queue's own numbers, the others with why they are left, and what it costs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shared.domain.capacities import Capacity, Mode
from shared.domain.forecasts import Forecast
from shared.domain.policies import Policy
from shared.domain.property_change import PropertyChange
from shared.domain.proposals import PlanCost, ProposedChange
from shared.domain.queue_tree import QueueTree
from shared.domain.recommendations import Recommendation, Resource
from shared.domain.units import Unit, work_of
from shared.yarn.capacity_text import text_of
from shared.yarn.fingerprint import fingerprint
from worker.decisions.planned import ParentPlan, Reshare, Worth
from worker.decisions.recommend import planned
from worker.decisions.sentence import needed_first
from worker.job.decided_asked import Decided
from worker.job.decided_family import Family
from worker.job.decided_pasts import thin

AMOUNTS = "Amounts are those once {} is in force."


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What was decided, and what of it is YARN's: as in a proposal."""

    decided: Decided
    tree_hash: str = ""
    follows: str | None = None
    patch: tuple[PropertyChange, ...] = ()


def told(family: Family, plan: ParentPlan, policy: Policy, because: tuple[str, ...], tree: QueueTree) -> Told:
    """The plan of a parent of which at least one child is forecast, or all that is below it.

    Args:
        tree: as it has to be configured when the plan is put into force: with that in force which it follows.
    """
    family = family.on_days(plan.days)
    follows = _follows(family, plan, policy) if plan.follows else None
    changes = tuple(_change(family, change) for change in plan.changes)
    kept = tuple(_kept(family, plan))
    decided = Decided(
        group=policy.group,
        policy=policy,
        forecasts=_forecasts(family, plan.parent),
        changes=changes,
        kept=kept,
        because=(*because, *plan.because, *filter(None, [plan.refused, follows and AMOUNTS.format(follows)])),
        cost=_cost(plan, [*(change.memory for change in changes), *kept]),
    )
    tree_hash = fingerprint(tree, plan.parent, plan.partition)
    return Told(decided=decided, tree_hash=tree_hash, follows=follows, patch=plan.patch)


def _forecasts(family: Family, parent: str) -> list[Forecast]:
    """Those that the plan of a parent is made from: of its children, else of all below it."""
    inside = {queue: each for queue, each in family.forecasts.items() if queue.startswith(f"{parent}.")}
    return [each for queue, each in inside.items() if queue.rpartition(".")[0] == parent] or list(inside.values())


def _follows(family: Family, plan: ParentPlan, policy: Policy) -> str:
    """The id of the decision that it follows."""
    issued_at = max(forecast.issued_at for forecast in _forecasts(family, plan.follows))
    return family.asked.id_of(policy.group._replace(parent=plan.follows), issued_at)


def _change(family: Family, change: Reshare) -> ProposedChange:
    memory, vcores = family.memory[change.queue], family.vcores.get(change.queue)
    binding = memory if change.binding is Resource.MEMORY or vcores is None else vcores
    return ProposedChange(
        queue=change.queue,
        mode=change.before.mode,
        present=_number(change.before),
        proposed=_number(change.after),
        present_resources=change.resources_before,
        proposed_resources=change.resources_after,
        maximum_before=_text(change.maximum_before) if change.maximum_before != change.maximum_after else "",
        maximum_after=_text(change.maximum_after) if change.maximum_before != change.maximum_after else "",
        before_at=needed_first(binding, binding.present) if change.is_raise else None,
        binding=change.binding,
        memory=_with_doubt(family, planned(memory, float(change.resources_after.memory_mb))),
        vcores=None if vcores is None else planned(vcores, float(change.resources_after.vcores)),
        donors=change.donors,
    )


def _kept(family: Family, plan: ParentPlan) -> Iterator[Recommendation]:
    """Those that are forecast; of a plan that was refused all of them."""
    reasons = {each.queue: each.because for each in plan.kept}
    changed = {change.queue for change in plan.changes}
    for queue, question in family.memory.items():
        if queue.rpartition(".")[0] == plan.parent and queue not in changed:
            why = family.left.get(queue) or reasons.get(queue) or plan.refused
            yield planned(question, question.present, why)


def _with_doubt(family: Family, found: Recommendation) -> Recommendation:
    return thin(found, family.thin[found.queue]) if found.queue in family.thin else found


def _cost(plan: ParentPlan, found: list[Recommendation]) -> PlanCost:
    times, unit = work_of(Unit.MEGABYTES)
    if plan.refused:
        keep = sum(each.before.cost for each in found)
        return PlanCost(keep=keep, plan=keep, unit=unit)
    worth: Worth = plan.memory
    then = worth.then
    return PlanCost(
        keep=worth.keep * times,
        plan=(worth.plan + worth.changing) * times,
        unit=unit,
        unguaranteed=None if then is None else then.unguaranteed * times,
        lent=None if then is None else then.lent * times,
        waits=None if then is None else then.waits * times,
    )


def _number(capacity: Capacity) -> float:
    """As it is configured, in one number: percent, weight, MB."""
    match capacity.mode:
        case Mode.PERCENTAGE:
            return capacity.percent or 0.0
        case Mode.WEIGHT:
            return capacity.weight or 0.0
        case _:
            return float(capacity.resources.memory_mb) if capacity.resources else 0.0


def _text(capacity: Capacity | None) -> str:
    return "" if capacity is None else text_of(capacity)
