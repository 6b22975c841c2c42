"""Decisions on queues without a tree: each that has a limit for itself, and all of a job in one proposal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import floor, log10

from shared.domain.forecasts import Forecast
from shared.domain.policies import Group, Policy
from shared.domain.proposals import PlanCost, ProposedChange
from shared.domain.recommendations import Recommendation
from shared.domain.wording import counted
from shared.store.replays import KeptReplay
from worker.decisions.guards import must_move
from worker.decisions.recommend import recommend
from worker.decisions.sentence import needed_first
from worker.decisions.terms import Terms
from worker.job.decided_asked import Asked, Decided
from worker.job.decided_facts import Known, paused, values_of, why_frozen
from worker.job.decided_pasts import Subject, judged, left, replayed

TOGETHER = 50  # series whose values are held at once
FINE = 2  # digits behind the first one, of which capacities are whole multiples

Found = tuple[Recommendation, ProposedChange | None]


def decide_alone(asked: Asked, forecasts: Sequence[Forecast]) -> Decided | None:
    """What to change of queues that have a limit; None = none of them has one and a forecast that tells of what is ahead."""
    request = asked.job.request
    group = Group(request.project, request.cluster, "")
    policy, usable = asked.resources.store.policies.of(group), [each for each in forecasts if present_of(each) is not None]
    if not asked.counts(policy) or not usable:
        return None
    used, because = paused(asked.resources.store, policy, asked.now)
    found = [*_found(asked, usable, used)]
    if not found:
        return None
    changes, kept = _within(asked, policy, found)
    return Decided(
        group=group,
        policy=policy,
        forecasts=usable,
        changes=changes,
        kept=kept,
        because=(*because, *_missing(forecasts, len(found))),
        cost=_cost([change.memory for change in changes], kept),
        job=request.job_name,
    )


def present_of(forecast: Forecast) -> float | None:
    """What a queue has: what it is guaranteed, else the most that it can get; None = nobody knows."""
    has = forecast.maximum if forecast.guaranteed is None else forecast.guaranteed
    return has if has is not None and has > 0 else None


def grain_of(present: float) -> float:
    """Three digits of what there is."""
    return float(10 ** (floor(log10(present)) - FINE))


def _found(asked: Asked, forecasts: Sequence[Forecast], policy: Policy) -> Iterator[Found]:
    store = asked.resources.store
    for first in range(0, len(forecasts), TOGETHER):
        some = forecasts[first : first + TOGETHER]
        told = [each for each in store.forecasts.all_with_paths(some) if asked.can_tell(each)]
        if not told:
            continue
        known = Known(actuals=values_of(store, told))
        replays = store.replays.of([each.series_id for each in told], asked.job.request.job_name)
        for forecast in told:
            yield _one(asked, forecast, policy, known, replays.get(forecast.series_id))


def _one(asked: Asked, forecast: Forecast, policy: Policy, known: Known, replay: KeptReplay | None) -> Found:
    present = present_of(forecast) or 0.0
    maximum = forecast.maximum if forecast.guaranteed is not None else None
    terms = Terms.of(policy, forecast.queue, maximum=maximum, grain=grain_of(present))
    question = asked.question(forecast, present, terms, known.facts(asked.resources.store, forecast, policy))
    found = recommend(question)
    if not must_move(present, terms):
        points = known.actuals.get(forecast.series_id, ())
        subject = Subject(forecast=forecast, points=points, terms=terms, present=present, known=replay)
        found = judged(found, replayed(asked, subject, is_change=found.is_change))
    if not found.is_change:
        return found, None
    change = ProposedChange(
        queue=found.queue,
        mode=None,
        present=present,
        proposed=found.proposed,
        maximum_before="" if found.maximum is None else f"{maximum:g}",
        maximum_after="" if found.maximum is None else f"{found.maximum:g}",
        before_at=needed_first(question, present) if found.proposed > present else None,
        binding=found.resource,
        memory=found,
    )
    return found, change


def _within(
    asked: Asked, policy: Policy, found: Sequence[Found]
) -> tuple[tuple[ProposedChange, ...], tuple[Recommendation, ...]]:
    """The changes that save most, as many as the policy has in one plan, and none while it is frozen."""
    changes = sorted((change for _, change in found if change), key=lambda change: -_saved(change))
    kept = [each for each, change in found if change is None]
    most, why = policy.max_changes, f"one plan changes {counted(policy.max_changes, 'queue')}, and others save more"
    if frozen := why_frozen(policy, asked.now, asked.zone):
        most, why = 0, frozen
    late = [left(change.memory, why) for change in changes[most:]]
    return tuple(changes[:most]), (*kept, *late)


def _saved(change: ProposedChange) -> float:
    return change.memory.before.cost - change.memory.after.cost - change.memory.price


def _missing(forecasts: Sequence[Forecast], found: int) -> Iterator[str]:
    if found < len(forecasts):
        yield f"{counted(len(forecasts) - found, 'queue')} of {len(forecasts)} have no limit, or no paths ahead, and are left out"


def _cost(changed: Sequence[Recommendation], kept: Sequence[Recommendation]) -> PlanCost:
    both = [*changed, *kept]
    return PlanCost(
        keep=sum(each.before.cost for each in both),
        plan=sum(each.after.cost + each.price for each in both),
        unit=both[0].work_unit,
    )
