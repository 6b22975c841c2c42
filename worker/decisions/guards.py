"""What stands between the capacity of the least cost and a proposal, in this order, each with its sentence.

shapes     bounds of the class and the owner ▸ the queue's maximum ▸ whole steps, upwards ▸ the smallest step ▸ at most a
           quarter down ▸ of critical queues two forecasts that agree, and the highest demand of the same weekday
withholds  too short a history ▸ demand known as "at least" ▸ a change of the configuration that is too new ▸ an old
           forecast ▸ chances that do not hold ▸ limits other than capacity
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum, auto
from math import ceil, floor, isinf

from shared.domain.basis import MAX_AT_LEAST
from shared.domain.evidence import evidence_of
from shared.domain.recommendations import amount
from shared.domain.waiting import ADVICE, TITLES, Cause
from worker.decisions.terms import Facts, Terms

MIN_DAYS = 7.0
SETTLING = timedelta(days=3)  # after a change of the configuration
MAX_AGE_STEPS = 24.0
CAPACITY_HELPS = frozenset({Cause.PARENT, Cause.UNEXPLAINED})  # though the queue waits for that
ROUNDING = 1e-9  # relative


@dataclass(frozen=True, slots=True, kw_only=True)
class Shaped:
    """A capacity that may be set, and what made it another one than the target.

    maximum: what the queue's maximum has to be raised to; None = it stays.
    """

    value: float
    notes: tuple[str, ...] = ()
    maximum: float | None = None

    def instead(self, value: float, note: str) -> Shaped:
        """Another value, where it is one; the note says why."""
        return self if value == self.value else replace(self, value=value, notes=(*self.notes, note))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    present: float
    terms: Terms
    facts: Facts

    def told(self, value: float) -> str:
        return amount(value, self.facts.unit)


class _Way(Enum):
    """Which changes a guard forbids."""

    BOTH = auto()
    LOWER = auto()
    RAISE = auto()


def shaped(target: float, present: float, terms: Terms, facts: Facts) -> Shaped:
    """What may be set instead of the target."""
    found, case = Shaped(value=target), _Case(present=present, terms=terms, facts=facts)
    for shape in (_inside_bounds, _inside_maximum, _whole, _no_small_step, _no_deep_cut, _agreed, _no_less_than_the_weekday):
        found = shape(found, case)
    return found


def withheld(value: float, present: float, facts: Facts) -> str:
    """Why a change to this value is not proposed now; "" = it is."""
    other = _Way.LOWER if value > present else _Way.RAISE
    return next(filter(None, (guard(facts) for way, guard in GUARDS if way is not other)), "")


def must_move(present: float, terms: Terms) -> bool:
    """Whether the present capacity is outside what the class and the owner allow, whatever it costs."""
    return not terms.is_protected and not terms.floor <= present <= terms.ceiling


def upwards(value: float, grain: float) -> float:
    """The next whole multiple of the grain; the value itself where there is none."""
    return ceil(value / grain * (1 - ROUNDING)) * grain if grain else value


def _inside_bounds(found: Shaped, case: _Case) -> Shaped:
    least, most = case.terms.floor, case.terms.ceiling
    raised = found.instead(max(found.value, least), f"its policy gives it {case.told(least)} at least")
    return raised if isinf(most) else raised.instead(min(raised.value, most), f"its policy gives it {case.told(most)} at most")


def _inside_maximum(found: Shaped, case: _Case) -> Shaped:
    maximum = case.terms.maximum
    if maximum is None or found.value <= maximum:
        return found
    if not case.terms.raises_maximum:
        return found.instead(maximum, f"its maximum is {case.told(maximum)}, and may not be raised with it")
    return replace(found, maximum=found.value)


def _whole(found: Shaped, case: _Case) -> Shaped:
    """In whole steps, upwards where ceiling and maximum allow that."""
    terms, value = case.terms, upwards(found.value, case.terms.grain)
    most = terms.ceiling if terms.raises_maximum or terms.maximum is None else min(terms.ceiling, terms.maximum)
    if value > most:
        below = floor(most / terms.grain * (1 + ROUNDING)) * terms.grain
        value = below if below >= terms.floor else min(found.value, most)
    return replace(found, value=value, maximum=None if found.maximum is None else value)


def _no_small_step(found: Shaped, case: _Case) -> Shaped:
    step = case.terms.smallest_step
    if abs(found.value - case.present) >= step * (1 - ROUNDING) or must_move(case.present, case.terms):
        return found
    return replace(found.instead(case.present, f"a change by less than {case.told(step)} is none"), maximum=None)


def _no_deep_cut(found: Shaped, case: _Case) -> Shaped:
    least = case.present * (1 - case.terms.max_cut)
    if found.value >= least:
        return found
    note = f"one change takes no more than {100 * case.terms.max_cut:g} % of {case.told(case.present)}"
    return found.instead(min(case.present, upwards(least, case.terms.grain)), note)


def _agreed(found: Shaped, case: _Case) -> Shaped:
    present, before = case.present, case.facts.agreed
    if not case.terms.is_critical or found.value >= present:
        return found
    if before is None or before >= present:
        return found.instead(present, "it is critical, and the forecast before did not ask for less")
    return found.instead(max(found.value, before), "it is critical, and the forecast before asked for more")


def _no_less_than_the_weekday(found: Shaped, case: _Case) -> Shaped:
    peak = case.facts.weekday_peak
    if not case.terms.is_critical or peak is None or found.value >= min(peak, case.present):
        return found
    note = f"it is critical, and wanted {case.told(peak)} on this weekday within 28 days"
    return found.instead(min(case.present, upwards(peak, case.terms.grain)), note)


def _too_short(facts: Facts) -> str:
    if facts.history_days is None or facts.history_days >= MIN_DAYS:
        return ""
    return f"its demand is known of {facts.history_days:.1f} days; at least {MIN_DAYS:.0f} are needed"


def _at_least(facts: Facts) -> str:
    if facts.basis is None or not facts.basis.is_at_least:
        return ""
    known = f"in {100 * (facts.basis.at_least or 0):.0f} % of the time it was held back, and what it wanted is known as at least"
    return f"{known}; above {100 * MAX_AT_LEAST:.0f} % nothing is lowered"


def _just_changed(facts: Facts) -> str:
    if facts.configured_at is None or facts.now is None or facts.now - facts.configured_at >= SETTLING:
        return ""
    changed = f"its capacity was changed on {facts.configured_at:%Y-%m-%d %H:%M}"
    return f"{changed}; what comes of that is looked at for {SETTLING.days} days first"


def _too_old(facts: Facts) -> str:
    if facts.age_steps is None or facts.age_steps <= MAX_AGE_STEPS:
        return ""
    return f"its forecast was issued {facts.age_steps:.0f} steps ago; at most {MAX_AGE_STEPS:.0f} are accepted"


def _uncalibrated(facts: Facts) -> str:
    return "" if facts.is_calibrated else "what was told as likely has not held lately; nothing is lowered until it does"


def _held_by_another_limit(facts: Facts) -> str:
    if (verdict := facts.verdict) is None or verdict.cause in CAPACITY_HELPS:
        return ""
    said = (f"capacity is not what it waits for: {TITLES[verdict.cause]}.", evidence_of(verdict), ADVICE[verdict.cause])
    return " ".join(filter(None, said))


GUARDS: tuple[tuple[_Way, Callable[[Facts], str]], ...] = (
    (_Way.BOTH, _too_short),
    (_Way.LOWER, _at_least),
    (_Way.BOTH, _just_changed),
    (_Way.BOTH, _too_old),
    (_Way.LOWER, _uncalibrated),
    (_Way.RAISE, _held_by_another_limit),
)
