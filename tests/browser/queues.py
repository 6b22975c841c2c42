"""Queues with a past and a forecast, for pages to show."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import pi, sin
from typing import Any

from shared.domain.reports import Point
from shared.domain.timegrid import TimeGrid
from shared.store import Store
from tests.factories import a_forecast, a_series

HOUR = timedelta(hours=1)
THIS_HOUR = TimeGrid(3_600).bucket_start(datetime.now(UTC))


def keep(store: Store, queue: str, highest: float, bound: float, *, hours: int = 24, **changes: Any) -> None:
    """A forecast of a queue, issued at the beginning of this hour and highest in its tenth step; and the two days before."""
    shape = [1.0 if hour == 9 else 0.5 for hour in range(hours)]
    store.forecasts.save(
        a_forecast(
            queue=queue,
            prediction=tuple(highest * part for part in shape),
            lower_bound=tuple(0.8 * highest * part for part in shape),
            upper_bound=tuple(bound * part for part in shape),
            **({"issued_at": THIS_HOUR, "wape": 12.0} | changes),
        )
    )
    keep_past(store, queue, highest)


def keep_past(store: Store, queue: str, highest: float, *, hours: int = 48, gap: range = range(0)) -> None:
    """The hours before this one, day and night; `gap` counts hours back that are missing."""
    values = {n: highest * (0.55 + 0.3 * sin(n * 2 * pi / 24)) for n in range(1, hours + 1) if n not in gap}
    points = [Point(timestamp=THIS_HOUR - n * HOUR, value=value) for n, value in sorted(values.items(), reverse=True)]
    store.actuals.save(a_series(queue), points)
