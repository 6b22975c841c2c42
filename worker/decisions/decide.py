"""One decision on one queue: another capacity, where that saves more than the change costs and nothing forbids it."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.recommendations import amount, work_amount
from shared.domain.units import work_of
from worker.decisions.guards import Shaped, must_move, shaped, withheld
from worker.decisions.objective import Cost, Demand, cost_of, pooled_quantile
from worker.decisions.terms import NOTHING_ELSE, Facts, Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to set.

    target: the capacity of the least cost. shaped: what may be set instead. gain: what that saves, less the price of the change,
        in units of the demand times hours.
    before, after: costs of the present capacity and of the one that may be set.
    kept_because: "" = it is set. is_withheld: whether a guard forbids it, and not the cost.
    """

    present: float
    target: float
    shaped: Shaped
    before: Cost
    after: Cost
    gain: float
    kept_because: str
    is_withheld: bool = False

    @property
    def value(self) -> float:
        """The capacity from now on."""
        return self.present if self.kept_because else self.shaped.value


def decide(demand: Demand, present: float, terms: Terms, facts: Facts = NOTHING_ELSE) -> Decision:
    """The capacity of the least cost, as far as policy and guards allow it, or the present one."""
    target = pooled_quantile(demand, terms.kappa)
    may_be = shaped(target, present, terms, facts)
    mass = demand.mass_for(terms.kappa)
    before, after = (cost_of(demand, capacity, mass) for capacity in (present, may_be.value))
    gain = before.total(terms.kappa) - after.total(terms.kappa) - terms.price(present)
    kept = _not_worth_it(may_be, present, gain, terms, facts)
    forbidden = "" if kept else withheld(may_be.value, present, facts)
    return Decision(
        present=present,
        target=target,
        shaped=may_be,
        before=before,
        after=after,
        gain=gain,
        kept_because=kept or forbidden,
        is_withheld=bool(forbidden),
    )


def _not_worth_it(may_be: Shaped, present: float, gain: float, terms: Terms, facts: Facts) -> str:
    """Why a change is not worth its price; "" = it is, or the policy demands it."""
    if may_be.value == present:
        return may_be.notes[-1] if may_be.notes else "it has what costs least"
    if terms.is_protected:
        return "its policy protects it from changes"
    if gain > 0 or must_move(present, terms):
        return ""
    times = work_of(facts.unit)[0]
    price = terms.price(present)
    saved, costs = work_amount(max(0.0, gain + price) * times, facts.unit), work_amount(price * times, facts.unit)
    return f"{amount(may_be.value, facts.unit)} would save {saved}, less than the {costs} that a change counts"
