"""Decisions on queues without a tree: each that has a limit for itself, and all of a job in one proposal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
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
from worker.job.decided_facts import NOTHING_ELSE, RECENT, paused, values_of, why_frozen
from worker.job.decided_pasts import Subject, judged, left, replayed

TOGETHER = 50  # series whose values are held at once
FINE = 2  # digits behind the first one, of which capacities are whole multiples


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What is advised for one queue before its past is looked at.

    subject: None = the policy demands the change, whatever the past says. needed_at: when it first wants more than it has.
    maximum: that it has beside what it is guaranteed.
    """

    advice: Recommendation
    subject: Subject | None
    needed_at: datetime | None
    maximum: float | None

    @property
    def saved(self) -> float:
        """What it saves, with its price paid."""
        return self.advice.before.cost - self.advice.after.cost - self.advice.price


def decide_alone(asked: Asked, forecasts: Sequence[Forecast]) -> Decided | None:
    """What to change of queues that have a limit; None = none of them has one and a forecast that tells of what is ahead."""
    request = asked.job.request
    group = Group(request.project, request.cluster, "")
    policy, usable = asked.policy_of(group), [each for each in forecasts if present_of(each) is not None]
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
        replays = store.replays.of([each.series_id for each in told], asked.job.request.job_name)
        for forecast in told:
            yield _one(asked, forecast, policy, replays.get(forecast.series_id))


def _one(asked: Asked, forecast: Forecast, policy: Policy, replay: KeptReplay | None) -> Found:
    present = present_of(forecast) or 0.0
    maximum = forecast.maximum if forecast.guaranteed is not None else None
    terms = Terms.of(policy, forecast.queue, maximum=maximum, grain=grain_of(present))
    store = asked.resources.store
    facts, points = NOTHING_ELSE.facts(store, forecast, policy), values_of(store, forecast, RECENT)
    question = asked.question(forecast, present, terms, facts, points)
    forced = must_move(present, terms)
    return Found(
        advice=recommend(question),
        subject=None if forced else Subject(forecast=replace(forecast, paths=None), terms=terms, present=present, known=replay),
        needed_at=needed_first(question, present),
        maximum=maximum,
    )


def _within(
    asked: Asked, policy: Policy, found: Sequence[Found]
) -> tuple[tuple[ProposedChange, ...], tuple[Recommendation, ...]]:
    """The changes that save most, as many as the policy has in one plan, and none while it is frozen.

    The past of those alone is looked at that come into question, and that of others as long as there is time.
    """
    changes, kept = list[ProposedChange](), list[Recommendation]()
    frozen = why_frozen(policy, asked.now, asked.zone)
    enough = f"one plan changes {counted(policy.max_changes, 'queue')}, and others save more"
    why = frozen or f"{enough}; `max_changes` of the policy says how many"
    for each in sorted(found, key=lambda each: (not each.advice.is_change, -each.saved)):
        advice = each.advice
        if advice.is_change and (frozen or len(changes) >= policy.max_changes):
            kept.append(left(advice, why))
            continue
        if each.subject is not None:
            advice = judged(advice, replayed(asked, each.subject, is_change=advice.is_change))
        if advice.is_change:
            changes.append(_change(advice, each.needed_at, each.maximum))
        else:
            kept.append(advice)
    return tuple(changes), tuple(sorted(kept, key=lambda each: each.queue))


def _change(advice: Recommendation, needed_at: datetime | None, maximum: float | None) -> ProposedChange:
    return ProposedChange(
        queue=advice.queue,
        mode=None,
        present=advice.present,
        proposed=advice.proposed,
        maximum_before="" if advice.maximum is None or maximum is None else f"{maximum:g}",
        maximum_after="" if advice.maximum is None else f"{advice.maximum:g}",
        before_at=needed_at if advice.proposed > advice.present else None,
        binding=advice.resource,
        memory=advice,
    )


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
