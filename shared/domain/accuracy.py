"""Accuracy: how an issued forecast compares with what happened since, kept as sums so that forecasts can be added together.

y = actual value, f = prediction, n = the seasonal naive's prediction at the same issue time; sums run over the scored steps:
those with an actual value. The formulas are those of worker/pipeline/measures.py, and a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from functools import reduce
from operator import add
from typing import Self

from shared.domain.identifiers import first_of
from shared.domain.timegrid import lead_groups

ZERO = 1e-9  # a value as small as that counts as zero: nothing is divided by it
MIN_COMPARED_STEPS = 48  # before that a comparison with the reference is luck
MAX_QUEUES_NAMED = 3
MONTH_DAYS = 30  # what "the last month" means


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorSums:
    """What forecasts missed by, added up."""

    forecasts: int = 0  # with at least one scored step
    steps: int = 0
    error: float = 0.0  # Σ|y − f|
    size: float = 0.0  # Σ|y|
    surplus: float = 0.0  # Σ(f − y)
    relative_steps: int = 0  # with |y| > ZERO
    relative_error: float = 0.0  # Σ 100 |y − f| / |y| over these
    bounded_steps: int = 0  # whose bounds are of the level that is spoken of
    covered_steps: int = 0  # of these, lower bound ≤ y ≤ upper bound
    compared_steps: int = 0  # where the seasonal naive has a value
    compared_error: float = 0.0  # Σ|y − f| over these
    compared_size: float = 0.0  # Σ|y| over these
    naive_error: float = 0.0  # Σ|y − n| over these

    def __add__(self, other: Self) -> Self:
        """Both together. Leads of one forecast are one forecast: whoever adds those sets `forecasts` anew."""
        return type(self)(**{name: getattr(self, name) + getattr(other, name) for name in SUMS})

    @property
    def mape(self) -> float | None:
        """Mean absolute percentage error, over the steps whose actual value is not zero; None without any."""
        return self.relative_error / self.relative_steps if self.relative_steps else None

    @property
    def wape(self) -> float | None:
        """100 Σ|y − f| / Σ|y|; None when that is zero."""
        return _percentage(self.error, self.size)

    @property
    def mean_error(self) -> float | None:
        """Mean of |y − f| in the metric's unit."""
        return self.error / self.steps if self.steps else None

    @property
    def naive_mean_error(self) -> float | None:
        """Mean of |y − n| in the metric's unit, over the steps for which the seasonal naive has a value."""
        return self.naive_error / self.compared_steps if self.compared_steps else None

    @property
    def bias(self) -> float | None:
        """Mean of f − y in the metric's unit: above 0, more was predicted than came."""
        return self.surplus / self.steps if self.steps else None

    @property
    def coverage(self) -> float | None:
        """Per cent of the actual values that lay within bounds of one level; None where none was spoken of."""
        return _percentage(self.covered_steps, self.bounded_steps)

    @property
    def naive_wape(self) -> float | None:
        """WAPE of the seasonal naive, over the steps for which it has a value."""
        return _percentage(self.naive_error, self.compared_size)

    @property
    def skill(self) -> float | None:
        """1 − Σ|y − f| / Σ|y − n| over the steps for which the seasonal naive has a value; None when it has no error."""
        return 1 - self.compared_error / self.naive_error if self.naive_error > ZERO else None


SUMS = tuple(each.name for each in fields(ErrorSums))


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy:
    """One lead of one issued forecast against what happened since; key = (series_id, job, issued_at, job_id, first_step)."""

    series_id: str
    job: str
    issued_at: datetime
    job_id: str
    first_step: int  # of the lead, a group of `timegrid.lead_groups`; before release 0.2 always 1, 7, 25, 49 or 73
    created_at: datetime  # of the forecast: one that was issued again under its key is scored again
    model: str
    is_final: bool  # nothing more will be known of any step of the forecast
    interval: float  # level of the bounds; 0 = nobody knows it any more
    sums: ErrorSums


@dataclass(frozen=True, slots=True, kw_only=True)
class AccuracyFilter:
    """Whose accuracy is asked for: forecasts that were issued in [since, until), of jobs of this name; None = of any.

    interval: the level of the bounds whose coverage is asked for, as bounds of several say nothing together; None = of none.
    """

    since: datetime
    until: datetime
    job: str | None = None
    interval: float | None = None

    @classmethod
    def last_month(cls, until: datetime, job: str | None = None, interval: float | None = None) -> Self:
        """Of the forecasts that were issued in the MONTH_DAYS before `until`."""
        return cls(since=until - timedelta(days=MONTH_DAYS), until=until, job=job, interval=interval)


def by_group(by_lead: Mapping[int, ErrorSums], step_seconds: int) -> list[tuple[int, int | None, ErrorSums]]:
    """First step, last step and sums of each group of lead times that has any.

    Records of earlier releases, whose groups were counted in steps, are added where they begin.
    """
    found = []
    for first, last in lead_groups(step_seconds):
        inside = [sums for step, sums in by_lead.items() if first <= step and (last is None or step <= last)]
        if inside:
            found.append((first, last, reduce(add, inside)))
    return found


def over_leads(by_lead: Mapping[int, ErrorSums]) -> ErrorSums | None:
    """The sums of all leads together, where `forecasts` counts those that reached the first one; None without any."""
    if not by_lead:
        return None
    return replace(reduce(add, by_lead.values()), forecasts=by_lead[1].forecasts if 1 in by_lead else 0)


def worse_than_reference(by_queue: Mapping[str, ErrorSums]) -> str | None:
    """Which queues were forecast worse in the last month than by the same hour of the day before, in words; None = none."""
    worse = {
        queue: sums.compared_error - sums.naive_error
        for queue, sums in by_queue.items()
        if sums.compared_steps >= MIN_COMPARED_STEPS and sums.compared_error > sums.naive_error
    }
    if not worse:
        return None
    worst = sorted(worse, key=worse.__getitem__, reverse=True)
    named = first_of(worst, MAX_QUEUES_NAMED, say=lambda queue: _compared(queue, by_queue[queue]))
    return f"forecasts of the last {MONTH_DAYS} days were worse than the same hour of the day before: {named}"


def _compared(queue: str, sums: ErrorSums) -> str:
    return f"{queue} ({sums.wape:.0f} % off against {sums.naive_wape:.0f} %)"


def _percentage(part: float, whole: float) -> float | None:
    return 100 * part / whole if whole > ZERO else None
