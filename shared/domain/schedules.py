"""Schedules: recurring jobs. Each due time makes one job, whatever restarts in between.

A cron expression is due in its time zone; days of month and of week must both fit. A local time that a change of clocks leaves
out is due at the moment that stands in its place; one that comes twice is due the first time, and both times only where the
expression is due in every hour. So nothing is left out and nothing daily runs twice.

A schedule has up to three cadences, one for each kind of run. Where several are due at once, or were missed together, one job is
made, of the fullest kind: that does what the others do.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import takewhile
from typing import NamedTuple
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from shared.domain.jobs import LOCAL, JobRequest, account_of
from shared.domain.runs import Run
from shared.errors import InvalidRequest

ACCEPTED = "five fields: minute, hour, day of month, month, day of week (0 = Sunday), such as `0 6 * * 1-5` or `*/15 * * * *`"
CLOCK_CHANGE = timedelta(hours=3)  # more than clocks are ever moved: as far as moments may be out of order
_VALUES = (range(60), range(24), range(1, 32), range(1, 13), range(7))
_DAYS, _MONTHS = calendar.day_name[-1:] + calendar.day_name[:-1], calendar.month_name
_NAMES = {word.lower(): str(n) for names in (_DAYS, _MONTHS) for n, name in enumerate(names) if name for word in (name, name[:3])}


@dataclass(frozen=True, slots=True, kw_only=True)
class Last:
    """What came of the last due time of a cadence; Nones = there was none yet.

    skip: why that made no job.
    """

    due_at: datetime | None = None
    job_id: str | None = None
    skip: str | None = None


class Due(NamedTuple):
    """A due time, the kind of run that its job is, and until when that job stands for due times of other kinds, too."""

    at: datetime
    run: Run
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A request, and when it becomes a job. Times are aware UTC."""

    schedule_id: str
    name: str
    cron: str  # of searches
    timezone: str
    request: JobRequest
    created_at: datetime
    due_at: datetime  # the first due time, of any cadence, that nobody has looked after
    is_paused: bool = False
    client: str = LOCAL  # id of the token that made it
    last_due_at: datetime | None = None  # this and the next two: of searches, as in `Last`
    last_job_id: str | None = None
    last_skip: str | None = None
    refit_cron: str | None = None
    last_refit: Last = Last()
    actuals_cron: str | None = None
    last_actuals: Last = Last()
    managed_by: str = ""  # the set of schedules that `queuecast apply` keeps it in; "" = it was made by hand

    @property
    def account(self) -> str:
        """Whose allowance it takes; its jobs take that too."""
        return account_of(self.client, self.request)

    @property
    def crons(self) -> Mapping[Run, str]:
        """The cron expressions of the cadences that it has, the fullest kind first."""
        all_three = {Run.SEARCH: self.cron, Run.REFIT: self.refit_cron, Run.ACTUALS: self.actuals_cron}
        return {run: cron for run, cron in all_three.items() if cron is not None}

    @property
    def last(self) -> Mapping[Run, Last]:
        """What came of the last due time of each kind."""
        search = Last(due_at=self.last_due_at, job_id=self.last_job_id, skip=self.last_skip)
        return {Run.SEARCH: search, Run.REFIT: self.last_refit, Run.ACTUALS: self.last_actuals}

    @property
    def next(self) -> Mapping[Run, datetime]:
        """For each of its cadences the first due time that nobody has looked after."""
        if len(self.crons) == 1:
            return {Run.SEARCH: self.due_at}
        just_before = self.due_at - timedelta(microseconds=1)
        return {run: next_due(cron, self.timezone, just_before) for run, cron in self.crons.items()}

    def job_id_at(self, due_at: datetime) -> str:
        """The id of the job of a due time: always the same, so that it is made once."""
        content = f"{self.schedule_id} {due_at.isoformat()}"
        return f"{due_at:%Y%m%dT%H%M%S}-{sha256(content.encode()).hexdigest()[:10]}"


def due_now(schedule: Schedule, now: datetime) -> Due | None:
    """What to look after at `now`, None = nothing, or it is paused.

    Of due times that were missed it is the newest of the fullest kind: the same until the next one of that kind.
    """
    if schedule.is_paused or schedule.due_at > now:
        return None
    newest = {run: newest_due(cron, schedule.timezone, now) for run, cron in schedule.crons.items()}
    missed = {run: at for run, at in newest.items() if at is not None and at >= schedule.due_at}
    run, at = next(iter(missed.items()), (Run.SEARCH, schedule.due_at))
    return Due(at, run, max(at, *missed.values(), at))


def looked_after(schedule: Schedule, due: Due, *, job_id: str | None = None, skip: str | None = None) -> Schedule:
    """The schedule after a due time has made a job, or has been skipped for a reason."""
    last = Last(due_at=due.at, job_id=job_id or schedule.last[due.run].job_id, skip=skip)
    schedule = replace(schedule, due_at=due_after(schedule, due.until))
    match due.run:
        case Run.SEARCH:
            return replace(schedule, last_due_at=last.due_at, last_job_id=last.job_id, last_skip=last.skip)
        case Run.REFIT:
            return replace(schedule, last_refit=last)
        case Run.ACTUALS:
            return replace(schedule, last_actuals=last)


def paused(schedule: Schedule) -> Schedule:
    """The schedule, not due any more until it is resumed."""
    return replace(schedule, is_paused=True)


def resumed(schedule: Schedule, now: datetime) -> Schedule:
    """The schedule, due again from `now` on; what it missed while it was paused was not wanted."""
    return replace(schedule, is_paused=False, due_at=due_after(schedule, now))


def due_after(schedule: Schedule, after: datetime) -> datetime:
    """The first moment after `after` at which any of its cadences is due."""
    return min(next_due(cron, schedule.timezone, after) for cron in schedule.crons.values())


def next_due(cron: str, timezone: str, after: datetime) -> datetime:
    """The first moment after `after` (aware) at which it is due, UTC; raises InvalidRequest when there is none for decades."""
    later = (moment for moment in _moments(cron, timezone, after - CLOCK_CHANGE) if moment > after)
    first = next(later, None)
    if first is None:
        raise InvalidRequest("it is never due: no day is like that", field="cron")
    return min(first, *takewhile(lambda moment: moment < first + CLOCK_CHANGE, later), first)


def newest_due(cron: str, timezone: str, now: datetime) -> datetime | None:
    """The last moment until `now` at which it was due; None = there was none for decades."""
    earlier = (moment for moment in _moments(cron, timezone, now + CLOCK_CHANGE, is_backwards=True) if moment <= now)
    newest = next(earlier, None)
    if newest is None:
        return None
    return max(newest, *takewhile(lambda moment: moment > newest - CLOCK_CHANGE, earlier), newest)


def runs_a_day(cron: str) -> int:
    """How many times it is due, at most, on a day on which it is due."""
    walk = _read(cron, datetime(2000, 1, 1), is_backwards=False)  # noqa: DTZ001 - on the wall, as cronsim has it
    return len(walk.minutes) * len(walk.hours)


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
    text = re.sub(r"\*(\S*)$", r"0-6\1", text)  # else cronsim calls 30 February no expression, and it is one that is never due
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
