"""What a queue waited for in a week, and what of its guarantee it did not need in four: told before anybody changes a capacity.

Memory is in MB as YARN counts it. A month has 30 days.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.units import MEGABYTES_PER_GIGABYTE
from shared.domain.waiting import Cause, Numbers, Verdict

WEEK, MONTH = timedelta(days=7), timedelta(days=28)
MIN_DAYS = 7.0  # of history, below which nothing is called unused
NEEDED = 0.99  # of the time it is enough
HOURS_A_MONTH = 720.0
MIN_SHARE = 0.01  # of a guarantee: less is nothing that anybody takes


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseHours:
    """For how long a queue waited for one cause. numbers: means of what was seen meanwhile, as in a verdict."""

    cause: Cause
    hours: float
    numbers: Numbers

    @property
    def verdict(self) -> Verdict:
        """The same as it is told of one moment."""
        return Verdict(cause=self.cause, numbers=self.numbers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """For how long anything of a queue waited.

    known_hours: of which anything is known. saturated_hours: in which it was held back, also where nothing is told of waiting.
    causes: the longest first; their hours add up to `hours`.
    delay_seconds: until applications had their first container, on average. preempted_containers: taken back from it.
    """

    start_at: datetime
    end_at: datetime
    known_hours: float
    hours: float
    saturated_hours: float
    causes: tuple[CauseHours, ...] = ()
    delay_seconds: float | None = None
    preempted_containers: int | None = None

    @property
    def share(self) -> float:
        """Of what is known, 0 to 1."""
        return self.hours / self.known_hours if self.known_hours else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderUse:
    """What a queue is guaranteed now, and what was enough 99 % of the time.

    days: of which its demand is known. needed: the 99 % quantile of its demand (of the 95 % quantiles of five minutes each).
    peak: the most that it wanted, and when.
    """

    days: float
    guaranteed_memory_mb: float
    guaranteed_vcores: float
    needed_memory_mb: float
    needed_vcores: float
    peak_memory_mb: float
    peak_memory_at: datetime
    peak_vcores: float
    peak_vcores_at: datetime

    @property
    def reclaimable_memory_mb(self) -> float:
        """What it could give back."""
        return _unneeded(self.guaranteed_memory_mb, self.needed_memory_mb)

    @property
    def reclaimable_vcores(self) -> float:
        """Likewise."""
        return float(int(_unneeded(self.guaranteed_vcores, self.needed_vcores)))

    @property
    def gb_hours_a_month(self) -> float:
        """What that memory comes to in 30 days."""
        return self.reclaimable_memory_mb / MEGABYTES_PER_GIGABYTE * HOURS_A_MONTH


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueUsage:
    """The report of one queue in one partition. reason: why no under-use is told; "" = it is."""

    cluster: str
    queue: str
    partition: str
    made_at: datetime
    waits: Waits
    under_use: UnderUse | None = None
    reason: str = ""


def _unneeded(guaranteed: float, needed: float) -> float:
    left = guaranteed - needed
    return left if left >= MIN_SHARE * guaranteed and left > 0 else 0.0
