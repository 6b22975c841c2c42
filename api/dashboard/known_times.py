"""Times that are known to be special, as a queue's chart marks and tells them: events, times left out, holidays ahead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from api.edge.context import Services
from shared.domain.components import Steps
from shared.domain.forecasts import Forecast
from shared.domain.jobs import JobRequest
from shared.domain.occasions import HOLIDAY, moment_of
from shared.errors import JobNotFound, RecordUnreadable

MAX_TIMES = 60  # that are marked: those next to the issue of the forecast


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownTime:
    """A time with a name, [start, end). is_excluded: nothing was learned from it."""

    name: str
    start: datetime
    end: datetime
    is_excluded: bool = False

    @property
    def drawn(self) -> dict[str, object]:
        """As the chart reads it, times in seconds since 1970."""
        seconds = {"start": self.start.timestamp(), "end": self.end.timestamp()}
        return {"name": self.name, **seconds, "is_excluded": self.is_excluded}


def known_times(services: Services, forecast: Forecast, start: datetime, end: datetime) -> list[KnownTime]:
    """Those in [start, end), by time: what the forecast's request names, and what else it expects to have an effect."""
    try:
        named = [*_named(services.store.jobs.get(forecast.job_id).request)]
    except (JobNotFound, RecordUnreadable):  # the forecast outlives its job
        named = []
    ahead = [time for time in _ahead(forecast) if not any(each.start < time.end and time.start < each.end for each in named)]
    found = [each for each in (*named, *ahead) if each.start < end and start < each.end]
    nearest = sorted(found, key=lambda each: abs(each.start - forecast.issued_at))[:MAX_TIMES]
    return sorted(nearest, key=lambda each: each.start)


def _named(request: JobRequest) -> Iterator[KnownTime]:
    for event in request.known_events:
        yield KnownTime(name=event.name, start=event.start, end=event.end)
    for left_out in request.exclude:
        yield KnownTime(name=left_out.name, start=left_out.start, end=left_out.end, is_excluded=True)
    days = () if request.holidays is None or isinstance(request.holidays, str) else request.holidays
    for day in days:
        if isinstance(day, date):
            start, end = (moment_of(day, request.timezone, is_end=is_end) for is_end in (False, True))
            yield KnownTime(name=HOLIDAY, start=start, end=end)


def _ahead(forecast: Forecast) -> Iterator[KnownTime]:
    """Steps ahead to which an occasion adds something: holidays of countries and events of files, which only workers read."""
    steps: Steps = forecast.components.occasions
    name, length = ", ".join(forecast.components.kinds) or HOLIDAY, timedelta(seconds=forecast.step_seconds)
    first: datetime | None = None
    for at, effect, following in zip(forecast.timestamps, steps, [*steps[1:], 0.0], strict=False):
        if effect and first is None:
            first = at
        if first is not None and not following:
            yield KnownTime(name=name, start=first, end=at + length)
            first = None
