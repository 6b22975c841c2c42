"""What to advise for the capacity of one queue, with every number that says why: decide.py's answer, told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from math import inf

from shared.domain.likelihood import Likelihood, probability
from shared.domain.outlook import FEWEST
from shared.domain.recommendations import BothRecommended, Confidence, Expected, Recommendation, Resource, work_amount
from shared.domain.units import work_of
from shared.domain.wording import counted
from worker.decisions.decide import Decision, decide
from worker.decisions.guards import MAX_AGE_STEPS, MIN_DAYS, Shaped
from worker.decisions.objective import Cost, cost_of
from worker.decisions.question import Question
from worker.decisions.reasons import why_less, why_more
from worker.decisions.terms import Facts

MANY = 14  # windows of the backtest, from which on nothing is thin
MAX_KAPPA = 100


def recommend(question: Question) -> Recommendation:
    """What to do for one resource of a queue."""
    return _told(question, decide(question.demand, question.present, question.terms, question.facts))


def recommend_both(memory: Question, vcores: Question | None, *, is_one_number: bool) -> BothRecommended:
    """What to do for both resources; where their capacity is one number (percent, weight) the larger need wins.

    Args:
        vcores: None = nothing is forecast of them, or the scheduler does not look at them.
    """
    first = recommend(memory)
    if vcores is None:
        return BothRecommended(memory=first, vcores=None, binding=Resource.MEMORY, factor=_factor(first))
    second = recommend(vcores)
    factors = {Resource.MEMORY: _factor(first), Resource.VCORES: _factor(second)}
    binding = max(factors, key=factors.__getitem__)
    if is_one_number and factors[Resource.MEMORY] != factors[Resource.VCORES]:
        if binding is Resource.MEMORY:
            second = _following(vcores, second, factors[binding], binding)
        else:
            first = _following(memory, first, factors[binding], binding)
    return BothRecommended(memory=first, vcores=second, binding=binding, factor=factors[binding])


def planned(question: Question, value: float, kept_because: str = "") -> Recommendation:
    """What a plan of several queues gives this one, with its own numbers; left as it is for a reason, where there is one."""
    decision = decide(question.demand, question.present, question.terms, question.facts)
    return replace(_told(question, replace(decision, shaped=Shaped(value=value), kept_because=kept_because)), turns=())


def _factor(found: Recommendation) -> float:
    return found.proposed / found.present if found.present > 0 else inf if found.proposed > 0 else 1.0


def _following(question: Question, found: Recommendation, factor: float, binding: Resource) -> Recommendation:
    """The recommendation where the other resource decides."""
    value = question.present * factor if question.present > 0 else found.proposed
    note = f"its capacity is one number, and {binding} need more of it"
    decision = decide(question.demand, question.present, question.terms, question.facts)
    moved = replace(decision, shaped=Shaped(value=value, notes=(*decision.shaped.notes, note)), kept_because="")
    told = _told(question, moved if value != question.present else replace(moved, kept_because=note))
    return replace(told, turns=())


def _told(question: Question, decision: Decision) -> Recommendation:
    """A decision with its numbers and its words."""
    facts, present, value = question.facts, question.present, decision.value
    expected = partial(_expected, question)
    before, after = expected(present), expected(value)
    times = work_of(facts.unit)[0]
    doubts = tuple(_doubts(facts))
    is_change = value != present
    return Recommendation(
        queue=question.queue,
        resource=question.resource,
        unit=facts.unit,
        start_at=question.starts[0],
        end_at=question.starts[-1] + timedelta(hours=question.demand.hours),
        kappa=question.terms.kappa,
        before=before,
        after=after,
        target=decision.target,
        price=question.terms.price(present) * times if is_change else 0.0,
        maximum=decision.shaped.maximum if is_change else None,
        confidence=_confidence(facts, doubts),
        doubts=doubts,
        because=_because(question, decision) + _trade(question, before, after),
        kept_because=decision.kept_because,
        notes=decision.shaped.notes,
        turns=tuple(_turns(question, decision)),
    )


def _expected(question: Question, capacity: float) -> Expected:
    demand, facts = question.demand, question.facts
    cost: Cost = cost_of(demand, capacity, demand.mass_for(question.terms.kappa))
    times, above = work_of(facts.unit)[0], demand.values > capacity
    share = float(demand.mass[above.any(axis=1)].sum())
    chance = Likelihood.of(probability(share, facts.blocks + facts.windows)) if facts.blocks >= FEWEST else None
    told = chance if chance is None or facts.is_calibrated else chance.in_words
    return Expected(
        capacity=capacity,
        cost=cost.total(question.terms.kappa) * times,
        likelihood=told,
        probability=None if told is None else told.share,
        hours=float(demand.mass @ above.sum(axis=1)) * demand.hours,
        shortfall=cost.shortfall * times,
        slack=cost.slack * times,
    )


def _because(question: Question, decision: Decision) -> str:
    """What of the demand speaks for the target."""
    demand, unit, present = question.demand, question.facts.unit, question.present
    if decision.target > present:
        return why_more(demand, present, unit, question.starts)
    return why_less(demand, present, unit)


def _trade(question: Question, before: Expected, after: Expected) -> str:
    """What a cut makes short, beside what no longer lies idle; "" = it is none, or makes nothing short."""
    unit, kappa = question.facts.unit, question.terms.kappa
    short, idle = after.shortfall - before.shortfall, before.slack - after.slack
    if after.capacity >= before.capacity or short <= 0 or work_amount(short, unit) == work_amount(0.0, unit):
        return ""
    told = work_amount(idle, unit)
    weighs = f"weigh less than {told}" if kappa * short < idle else f"for {told}"
    return f"; {work_amount(short, unit)} more short {weighs} less idle (κ {kappa:g})"


def _doubts(facts: Facts) -> Iterator[str]:
    if facts.history_days is not None and facts.history_days < MIN_DAYS:
        yield f"its demand is known of {facts.history_days:.1f} days only"
    if facts.age_steps is not None and facts.age_steps > MAX_AGE_STEPS:
        yield "its forecast is old"
    if facts.blocks < MANY:
        yield f"{counted(facts.blocks, 'past forecast')} say how far off it may be, and {MANY} would say it well"
    if facts.basis is not None and facts.basis.is_at_least:
        yield "much of its demand is known as at least"
    if not facts.is_calibrated:
        yield "what was told as likely has not held lately"


def _confidence(facts: Facts, doubts: Sequence[str]) -> Confidence:
    is_short = facts.history_days is not None and facts.history_days < MIN_DAYS
    is_old = facts.age_steps is not None and facts.age_steps > MAX_AGE_STEPS
    if is_short or is_old:
        return Confidence.NONE
    return Confidence.THIN if doubts else Confidence.GOOD


def _turns(question: Question, decision: Decision) -> Iterator[str]:
    """From which κ on the answer is another one; none where a guard forbids it."""
    if decision.is_withheld:
        return
    is_raised, is_lowered = decision.value > question.present, decision.value < question.present
    if not is_raised and (least := _turning(question, decision, is_up=True)) is not None:
        yield f"{'left as it is' if is_lowered else 'raised'} from κ ≥ {least} on"
    if not is_lowered and (most := _turning(question, decision, is_up=False)) is not None:
        yield f"{'left as it is' if is_raised else 'lowered'} up to κ ≤ {most}"


def _turning(question: Question, decision: Decision, *, is_up: bool) -> int | None:
    """The nearest κ, in whole numbers, at which it is raised and not left, or left and not lowered; by halving, as more κ never
    gives less.
    """

    def side(value: float) -> int:
        return (value > question.present) - (value < question.present)

    def is_beyond(kappa: int) -> bool:
        terms = replace(question.terms, kappa=float(kappa))
        other = side(decide(question.demand, question.present, terms, question.facts).value)
        return other > side(decision.value) if is_up else other < side(decision.value)

    inside, outside = int(question.terms.kappa), MAX_KAPPA if is_up else 1
    if not is_beyond(outside):
        return None
    while abs(outside - inside) > 1:
        middle = (inside + outside) // 2
        inside, outside = (inside, middle) if is_beyond(middle) else (middle, outside)
    return outside
