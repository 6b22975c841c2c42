"""The day that a queue's chart shows first: what was forecast of it before it began, to lie over what came."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from api.edge.context import Services
from shared.domain.forecasts import Forecast

MOMENT = timedelta(microseconds=1)  # a forecast that is issued at midnight is issued before the day
REACH = timedelta(days=8)  # so long before may it have been issued


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """The day of now; of a forecast that ended before it, the day that this one was issued on.

    before: the forecast of the same job that was issued last before the day began, and reaches into it; None = there is none, or
        it is the one that is shown.
    """

    midnight: datetime
    is_over: bool
    before: Forecast | None

    @property
    def seconds(self) -> int:
        """When it began, in seconds since 1970."""
        return int(self.midnight.timestamp())


def today_of(services: Services, forecast: Forecast, now: datetime, zone: ZoneInfo) -> Today:
    """The day that is shown first of a forecast, by the clock of this zone."""
    midnight = _midnight(now, zone)
    is_over = forecast.end_at <= midnight
    if is_over:
        midnight = _midnight(forecast.issued_at, zone)
    if forecast.issued_at <= midnight:
        return Today(midnight=midnight, is_over=is_over, before=None)
    last = services.store.forecasts.of_each_day(
        forecast.series_id, forecast.job, since=midnight - REACH, before=midnight + MOMENT
    )
    reaching = (each for each in reversed(last) if each.end_at > midnight)
    return Today(midnight=midnight, is_over=is_over, before=next(reaching, None))


def _midnight(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
