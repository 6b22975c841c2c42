"""What is advised for the capacity of one queue: another one, or to leave it, with all numbers that say why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.domain.evidence import gigabytes
from shared.domain.likelihood import Likelihood
from shared.domain.units import MEGABYTES_PER_GIGABYTE, Unit, shown_in, work_of
from shared.domain.wording import digits


class Resource(StrEnum):
    """What a scheduler gives."""

    MEMORY = "memory"
    VCORES = "vcores"


class Confidence(StrEnum):
    """How much stands behind a recommendation."""

    GOOD = "good"
    THIN = "thin"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What is to be expected with a capacity, in the window of a recommendation.

    capacity: in the unit of the demand.
    cost, shortfall, slack: in the unit of work, GB·h of memory; cost is slack + κ × shortfall.
    likelihood: of any step above it; None = too few forecasts are known to tell a chance. probability: the same as a number;
        None = it is told in a word, or not at all.
    hours: expected above it.
    """

    capacity: float
    cost: float
    likelihood: Likelihood | None
    probability: float | None
    hours: float
    shortfall: float
    slack: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """Of one resource of a queue, between two moments.

    before: with what it has. after: with what is proposed; the same where it is best left.
    target: the capacity of the least cost, before bounds, steps and cuts.
    price: of the change, in the unit of work; 0 where there is none.
    maximum: what the queue's maximum has to be raised to with it; None = it stays.
    doubts: why the confidence is not good. because: what of the demand speaks for the proposal.
    kept_because: why it is left as it is; "" = a change is proposed.
    notes: what bounds, steps and cuts made of the target. turns: what would change the answer, such as `raised from κ ≥ 22 on`.
    """

    queue: str
    resource: Resource = Resource.MEMORY
    unit: Unit | None
    start_at: datetime
    end_at: datetime
    kappa: float
    before: Expected
    after: Expected
    target: float
    price: float
    maximum: float | None = None
    confidence: Confidence
    doubts: tuple[str, ...] = ()
    because: str
    kept_because: str = ""
    notes: tuple[str, ...] = ()
    turns: tuple[str, ...] = ()

    @property
    def present(self) -> float:
        """What it has."""
        return self.before.capacity

    @property
    def proposed(self) -> float:
        """What it should have."""
        return self.after.capacity

    @property
    def is_change(self) -> bool:
        """Whether anything is to be done."""
        return self.proposed != self.present

    @property
    def work_unit(self) -> str:
        """What costs are told in."""
        return work_of(self.unit)[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class BothRecommended:
    """Of memory and processors together.

    binding: the resource that needs more of what the queue has. factor: proposed ÷ present of that one, which is that of both
        where their capacity is one number (a percentage, a weight).
    vcores: None = nothing is forecast of them.
    """

    memory: Recommendation
    vcores: Recommendation | None
    binding: Resource
    factor: float


def amount(value: float, unit: Unit | None) -> str:
    """A capacity as people read it: memory in GB, fractions as percentages.

    >>> [amount(462_848, Unit.MEGABYTES), amount(0.25, Unit.FRACTION), amount(1_234.5, Unit.VCORES)]
    ['452 GB', '25 %', '1,234 vcores']
    """
    memory_mb = value * unit.megabytes if unit and unit.megabytes else 0.0
    if memory_mb >= MEGABYTES_PER_GIGABYTE:
        return gigabytes(memory_mb)
    shown = shown_in(unit, value)
    return f"{digits(value * shown.factor)} {shown.symbol}".rstrip()


def work_amount(value: float, unit: Unit | None) -> str:
    """An amount that is in the unit of work already: `310 GB·h`."""
    return f"{digits(round(value, 1) if abs(value) < 100 else round(value))} {work_of(unit)[1]}"
