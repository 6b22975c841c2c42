"""What is asked of one resource of one queue: its demand ahead, what it has, its policy, and what else is known of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self
from zoneinfo import ZoneInfo

import numpy as np

from shared.domain.distribution import Origin, Paths
from shared.domain.exceedance import steps_over
from shared.domain.excess import SECONDS_PER_HOUR
from shared.domain.forecasts import Forecast
from shared.domain.recommendations import Resource
from shared.domain.timegrid import steps_per_day
from shared.domain.units import Unit
from worker.decisions.objective import Demand
from worker.decisions.recent import day_name, days_before
from worker.decisions.terms import Facts, Terms
from worker.models.base import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Of one resource of a queue. present: its capacity now, in the unit of the demand.

    starts: of the steps that count, in the zone that hours are told in.
    days: names of the last rows of the demand, which are days as they were.
    """

    queue: str
    resource: Resource = Resource.MEMORY
    demand: Demand
    present: float
    terms: Terms
    facts: Facts
    starts: Sequence[datetime]
    days: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        forecast: Forecast,
        present: float,
        terms: Terms,
        facts: Facts,
        now: datetime,
        *,
        steps: int | None = None,
        past: FloatArray | None = None,
    ) -> Self:
        """Of all steps still ahead, or of so many; of a forecast that has paths and such a step, which adds to the facts.

        Args:
            past: demand by the same steps up to the first one ahead, of a week or more, NaN = not known; None = nobody has it.
        """
        first, last = _ahead(forecast, now, steps)
        if forecast.paths is None or first == last:
            raise ValueError("a forecast without paths, or that is over, says nothing of capacities")
        zone, week = ZoneInfo(forecast.timezone), _week(forecast, first, last, past)
        return cls(
            queue=forecast.queue,
            resource=Resource.VCORES if forecast.unit is Unit.VCORES else Resource.MEMORY,
            demand=_demand(forecast, forecast.paths, slice(first, last), [*week.values()]),
            present=present,
            terms=terms,
            facts=_facts(forecast, forecast.paths, facts, now),
            starts=tuple(forecast.start_of(step + 1).astimezone(zone) for step in range(first, last)),
            days=tuple(week),
        )

    def on_days(self, days: Collection[str]) -> Self:
        """With no other days as they were than these."""
        paths = len(self.demand.paths) - len(self.days)
        kept = [day in days for day in self.days]
        left = tuple(day for day in self.days if day in days)
        return self if all(kept) else replace(self, demand=self.demand.of_rows([True] * paths + kept), days=left)


def _ahead(forecast: Forecast, now: datetime, steps: int | None) -> tuple[int, int]:
    first = steps_over(forecast, now)
    return first, min(forecast.horizon_steps, first + (steps or forecast.horizon_steps))


def _week(forecast: Forecast, first: int, last: int, past: FloatArray | None) -> dict[str, FloatArray]:
    """Days as they were by their names."""
    a_day = max(1, steps_per_day(forecast.step_seconds))
    found = () if past is None else days_before(past, last - first, a_day)
    return {day_name(forecast.start_of(first + 1 - a_day * back)): window for back, window in found}


def _demand(forecast: Forecast, paths: Paths, steps: slice, week: Sequence[FloatArray]) -> Demand:
    rows = np.array([row[steps] for row in paths.rows()])
    is_recent = np.array([name.startswith(Origin.DAY) for name in paths.drawn_from] or [False] * len(rows))
    return Demand.of(rows, hours=forecast.step_seconds / SECONDS_PER_HOUR, is_recent=is_recent, week=np.array(week))


def _facts(forecast: Forecast, paths: Paths, facts: Facts, now: datetime) -> Facts:
    return replace(
        facts,
        unit=forecast.unit,
        now=now,
        age_steps=float(steps_over(forecast, now)),
        basis=forecast.basis,
        blocks=paths.blocks,
        windows=paths.windows,
        is_calibrated=paths.is_calibrated,
    )
