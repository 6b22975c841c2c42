"""When a cron expression is due, in its time zone. The five fields are Celery's own; days of month and of week must both fit.

A local time that a change of clocks leaves out is due at the moment that stands in its place; one that comes twice is due the
first time, and both times only where the expression is due in every hour. So nothing is left out and nothing daily runs twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

from shared.errors import InvalidRequest

ACCEPTED = "five fields: minute, hour, day of month, month, day of week (0 = Sunday), such as `0 6 * * 1-5` or `*/15 * * * *`"
LEAPS = (timedelta(hours=1), timedelta(days=1), timedelta(days=32))  # back from now: a year of minutes is not walked through
LONGEST_SEARCH = timedelta(days=366 * 8 + 2)  # 29 February 2096 is followed by that of 2104


@dataclass(frozen=True, slots=True, kw_only=True)
class Cron:
    """A cron expression, parsed: the values at which each field fits."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]  # 0 = Sunday

    def fits(self, day: date) -> bool:
        """Whether it is due on this day."""
        return day.month in self.months and day.day in self.days and day.isoweekday() % 7 in self.weekdays

    def moments(self, day: date, zone: ZoneInfo) -> Iterator[datetime]:
        """The moments of a day at which it is due, UTC, in any order."""
        folds = (0, 1) if len(self.hours) == 24 else (0,)
        for hour, minute, fold in product(self.hours, self.minutes, folds):
            yield datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone, fold=fold).astimezone(UTC)


def parse_cron(text: str) -> Cron:
    """The expression of a text; raises InvalidRequest with what is accepted."""
    from celery.schedules import ParseException, crontab  # the command line does without Celery

    fields = text.split()
    try:
        minute, hour, day, month, weekday = fields
        parsed: Any = crontab(minute=minute, hour=hour, day_of_month=day, month_of_year=month, day_of_week=weekday)
    except (ValueError, ParseException, TypeError) as error:
        raise InvalidRequest(f"found {text[:60]!r}, accepted are {ACCEPTED}", field="cron") from error
    return Cron(
        minutes=tuple(sorted(parsed.minute)),
        hours=tuple(sorted(parsed.hour)),
        days=frozenset(parsed.day_of_month),
        months=frozenset(parsed.month_of_year),
        weekdays=frozenset(parsed.day_of_week),
    )


def next_due(cron: Cron, timezone: str, after: datetime) -> datetime:
    """The first moment after `after` (aware) at which it is due, UTC; raises InvalidRequest when there is none in eight years."""
    zone = ZoneInfo(timezone)
    day, last = after.astimezone(zone).date() - timedelta(days=1), (after + LONGEST_SEARCH).date()
    while day <= last:
        if cron.fits(day):
            later = [moment for moment in cron.moments(day, zone) if moment > after]
            if later:
                return min(later)
        day += timedelta(days=1)
    raise InvalidRequest("it is never due: no day is like that", field="cron")


def newest_due(cron: Cron, timezone: str, due_at: datetime, now: datetime) -> datetime:
    """The last moment until `now` at which it was due, where `due_at` (not after `now`) is the first that nobody looked after."""
    newest = due_at
    for back in LEAPS:
        found = next_due(cron, timezone, max(due_at, now - back) - timedelta(microseconds=1))
        if found <= now:
            newest = found
            break
    while (following := next_due(cron, timezone, newest)) <= now:
        newest = following
    return newest
