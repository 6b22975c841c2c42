"""What is asked of one resource of one queue: its demand ahead, what it has, its policy, and what else is known of it."""

from __future__ import annotations

from collections.abc import Sequence
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
from worker.decisions.recent import last_week
from worker.decisions.terms import Facts, Terms
from worker.models.base import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Of one resource of a queue. present: its capacity now, in the unit of the demand.

    starts: of the steps that count, in the zone that hours are told in.
    """

    queue: str
    resource: Resource = Resource.MEMORY
    demand: Demand
    present: float
    terms: Terms
    facts: Facts
    starts: Sequence[datetime]

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
        first = steps_over(forecast, now)
        last = min(forecast.horizon_steps, first + (steps or forecast.horizon_steps))
        if forecast.paths is None or first == last:
            raise ValueError("a forecast without paths, or that is over, says nothing of capacities")
        zone = ZoneInfo(forecast.timezone)
        return cls(
            queue=forecast.queue,
            resource=Resource.VCORES if forecast.unit is Unit.VCORES else Resource.MEMORY,
            demand=_demand(forecast, forecast.paths, slice(first, last), past),
            present=present,
            terms=terms,
            facts=_facts(forecast, forecast.paths, facts, now),
            starts=tuple(forecast.start_of(step + 1).astimezone(zone) for step in range(first, last)),
        )


def _demand(forecast: Forecast, paths: Paths, steps: slice, past: FloatArray | None) -> Demand:
    day = max(1, steps_per_day(forecast.step_seconds))
    week = None if past is None else last_week(past, steps.stop - steps.start, day)
    rows = np.array([row[steps] for row in paths.rows()])
    is_recent = np.array([name.startswith(Origin.DAY) for name in paths.drawn_from] or [False] * len(rows))
    return Demand.of(rows, hours=forecast.step_seconds / SECONDS_PER_HOUR, is_recent=is_recent, week=week)


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
