"""How good the newest forecast of each series is, what it exceeds, how good those of the last month were, and how schedules do.

Read from the store, as pages and answers are: each worker knows only what it has delivered itself, and one that delivered
something long ago would show it until its end.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from threading import Lock

from prometheus_client import Metric

from api.edge.context import Services
from api.edge.limits_now import LimitsNow
from shared.domain.accuracy import MONTH_DAYS, AccuracyFilter
from shared.domain.forecasts import Forecast
from shared.domain.outlook import may_breach
from shared.store import Store
from shared.telemetry.present import calibration_now, schedules_now
from shared.telemetry.present_queues import queues_now

SPARED = 20  # what took a second to read is shown for that many
MAX_AGE_SECONDS = 300.0


class Gauges:
    """The gauges, read anew when somebody scrapes, yet seldom where there is much to read."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._shown: Sequence[Metric] = ()
        self._until = 0.0

    def of(self, services: Services) -> Sequence[Metric]:
        """Those of forecasts that were made in the last month; raises StoreAway."""
        with self._lock:
            began = time.monotonic()
            if began >= self._until:
                now, store = datetime.now(UTC), services.store
                self._shown = [*_queues(services, now), *_schedules(store, now), *calibration_now(store.calibrations.verdict())]
                ended = time.monotonic()
                self._until = ended + min(SPARED * (ended - began), MAX_AGE_SECONDS)
            return self._shown


def _queues(services: Services, now: datetime) -> Sequence[Metric]:
    since, store = now - timedelta(days=MONTH_DAYS), services.store
    recent = [forecast for forecast in store.forecasts.newest_of_each() if forecast.created_at >= since]
    newest = LimitsNow(services).of_all(recent)
    alike: dict[tuple[str, float], list[Forecast]] = defaultdict(list)  # by job, and by the level of their bounds
    newest.sort(key=lambda forecast: (forecast.issued_at, forecast.created_at))  # of equal labels the last one is shown
    for forecast in newest:
        alike[forecast.job, forecast.interval].append(forecast)
    looked_back = {
        (job, level): store.accuracy.by_series(
            [each.series_id for each in forecasts], AccuracyFilter.last_month(now, job, level or None)
        )
        for (job, level), forecasts in alike.items()
    }
    return queues_now(
        (
            (_with_paths(store, forecast), looked_back[forecast.job, forecast.interval].get(forecast.series_id))
            for forecast in newest
        ),
        now,
    )


def _with_paths(store: Store, forecast: Forecast) -> Forecast:
    """Paths are read only where they may reach the limit: they are most of what is kept of a forecast."""
    return store.forecasts.with_paths(forecast) if may_breach(forecast) else forecast


def _schedules(store: Store, now: datetime) -> Iterable[Metric]:
    schedules = store.schedules.all()
    last = [each.job_id for schedule in schedules for each in schedule.last.values() if each.job_id]
    return schedules_now(schedules, {job.job_id: job.state for job in store.jobs.of_ids(last)}, now)
