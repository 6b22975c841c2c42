"""When a cron expression is due, in its time zone; days of month and of week must both fit.

A local time that a change of clocks leaves out is due at the moment that stands in its place; one that comes twice is due the
first time, and both times only where the expression is due in every hour. So nothing is left out and nothing daily runs twice.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from shared.errors import InvalidRequest

ACCEPTED = "five fields: minute, hour, day of month, month, day of week (0 = Sunday), such as `0 6 * * 1-5` or `*/15 * * * *`"
CLOCK_CHANGE = timedelta(hours=3)  # more than clocks are ever moved: as far as moments may be out of order
_VALUES = (range(60), range(24), range(1, 32), range(1, 13), range(7))
_DAYS, _MONTHS = calendar.day_name[-1:] + calendar.day_name[:-1], calendar.month_name
_NAMES = {word.lower(): str(n) for names in (_DAYS, _MONTHS) for n, name in enumerate(names) if name for word in (name, name[:3])}


def next_due(cron: str, timezone: str, after: datetime) -> datetime:
    """The first moment after `after` (aware) at which it is due, UTC; raises InvalidRequest when there is none for decades."""
    later = (moment for moment in _moments(cron, timezone, after - CLOCK_CHANGE) if moment > after)
    first = next(later, None)
    if first is None:
        raise InvalidRequest("it is never due: no day is like that", field="cron")
    return min(first, *takewhile(lambda moment: moment < first + CLOCK_CHANGE, later), first)


def newest_due(cron: str, timezone: str, due_at: datetime, now: datetime) -> datetime:
    """The last moment until `now` at which it was due, where `due_at` (not after `now`) is the first that nobody looked after."""
    earlier = (moment for moment in _moments(cron, timezone, now + CLOCK_CHANGE, is_backwards=True) if moment <= now)
    newest = next(earlier, due_at)
    return max(due_at, newest, *takewhile(lambda moment: moment > newest - CLOCK_CHANGE, earlier))


def _moments(cron: str, timezone: str, start: datetime, *, is_backwards: bool = False) -> Iterator[datetime]:
    """The moments at which it is due, UTC, from `start` on; around a change of clocks they are not in order."""
    zone = ZoneInfo(timezone)
    walk = _read(cron, start.astimezone(zone).replace(tzinfo=None), is_backwards=is_backwards)  # clocks are changed here
    for local in walk:
        for fold in (0, 1) if len(walk.hours) == 24 else (0,):
            yield local.replace(tzinfo=zone, fold=fold).astimezone(UTC)


def _read(cron: str, start: datetime, *, is_backwards: bool) -> CronSim:
    """The expression, to be walked through from `start`; raises InvalidRequest with what is accepted."""
    fields = cron.split()
    text = " ".join([*map(_in_numbers, fields, _VALUES), *fields[len(_VALUES) :]])
    if re.fullmatch(r"([0-9*,/-]+ ){4}[0-9*,/-]+", text):
        with suppress(CronSimError):
            walk = CronSim(text, start, reverse=is_backwards)
            walk.day_and = True  # else either fits where both are given, as in Debian's cron
            return walk
    raise InvalidRequest(f"found {cron[:60]!r}, accepted are {ACCEPTED}", field="cron")


def _in_numbers(field: str, values: range) -> str:
    """The field without names and without what cronsim does not know: ranges that go around, such as `22-2` or `fri-mon`."""

    def listed(match: re.Match[str]) -> str:
        first, last, step = int(match[1]), int(match[2]), int(match[3] or 1)
        if first == last:
            return match[1]  # which with a step cronsim takes for "from there on"
        if first < last or first not in values:
            return match[0]
        return ",".join(map(str, [*range(first, values.stop), *range(values.start, last + 1)][::step]))

    numbers = re.sub(r"[a-z]+", lambda name: _NAMES.get(name[0], name[0]), field.lower())
    return re.sub(r"([0-9]+)-([0-9]+)(?:/([1-9][0-9]*))?", listed, numbers)
