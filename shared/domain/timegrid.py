"""Where steps begin: left-closed, left-labelled buckets, and the relation between issue time and steps.

            issued_at = cutoff = end of the last complete bucket
                 │
├───────┼────────┼────────┼────────┼──▶ time
 history          step 1   step 2   …

Steps that are no whole days lie in UTC at multiples of their length since 1970. Those of whole days are days of people: each
begins at midnight in a time zone, and where clocks are changed it has 23 or 25 hours. Longer ones are counted in such days from
1 January 1970 on. In UTC that is the same rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

SECONDS_PER_DAY = 86_400
MINUTE = "%Y-%m-%d %H:%M UTC"  # as messages say a moment
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LEAD_HOURS = (6, 24, 48, 72)  # where groups of lead times end: up to 6 h, the rest of the first day, day 2, day 3, later
MIN_TIME, MAX_TIME = (datetime(1900, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))  # of any series; pandas ends in 2262


@dataclass(frozen=True, slots=True)
class TimeGrid:
    """The steps of a series, numbered from 1970 on; the only one that knows where they begin.

    timezone: an IANA name. A day that a zone has left out, as Samoa did in 2011, is a step of no length.
    """

    step_seconds: int
    timezone: str = "UTC"

    @property
    def zone(self) -> ZoneInfo | None:
        """Whose days the steps are; None = they are all of one length, in UTC."""
        if self.step_seconds % SECONDS_PER_DAY or self.timezone == "UTC":
            return None
        zone = ZoneInfo(self.timezone)
        return None if zone.utcoffset(None) == timedelta(0) else zone  # UTC by another name

    @property
    def day_timezone(self) -> str:
        """Its name; "" = they are of UTC."""
        return "" if self.zone is None else self.timezone

    def bucket_start(self, moment: datetime) -> datetime:
        """Start of the step that holds the aware `moment`; UTC."""
        return self._start(self._number(moment))

    def step_start(self, issued_at: datetime, step: int) -> datetime:
        """Start of step `step` (1, 2, …) of a forecast issued at `issued_at`; UTC."""
        if self.zone is None:
            return from_epoch(to_epoch(issued_at) + (step - 1) * self.step_seconds)
        return self._start(self._number(issued_at) + step - 1)

    def step_starts(self, issued_at: datetime, steps: int) -> list[datetime]:
        """Starts of all steps of a forecast, in order; UTC."""
        return [self.step_start(issued_at, step) for step in range(1, steps + 1)]

    def steps_between(self, start: datetime, end: datetime) -> int:
        """How many whole steps lie between the start of one and a later moment; below 0 where it is an earlier one."""
        if self.zone is None:
            return (end - start) // timedelta(seconds=self.step_seconds)
        return self._number(end) - self._number(start)

    def on_the_wall(self, moment: datetime) -> datetime:
        """What a clock on the wall shows whose day the steps count, as if it were UTC: there all days have 24 hours."""
        return moment.astimezone(self.zone or UTC).replace(tzinfo=UTC, fold=0)

    def off_the_wall(self, shown: datetime) -> datetime:
        """The moment, UTC, at which `on_the_wall` shows that, the first one where it comes twice."""
        return shown.replace(tzinfo=self.zone or UTC).astimezone(UTC)

    def _number(self, moment: datetime) -> int:
        zone = self.zone
        if zone is None:
            return to_epoch(moment) // self.step_seconds
        to_epoch(moment)  # refuses one without a time zone
        number = (moment.astimezone(zone).date() - EPOCH.date()).days // (self.step_seconds // SECONDS_PER_DAY)
        # in a few years and zones clocks were changed about midnight itself, and dates came again
        return number - (moment < self._start(number)) + (self._start(number + 1) <= moment)

    def _start(self, number: int) -> datetime:
        seconds = number * self.step_seconds
        return from_epoch(seconds) if self.zone is None else self.off_the_wall(datetime.combine(from_epoch(seconds), time()))


def steps_per_day(step_seconds: int) -> int:
    """Steps of one day, at least 1; of a step that does not divide it the nearest number."""
    return max(1, round(SECONDS_PER_DAY / step_seconds))


def to_epoch(moment: datetime) -> int:
    """Whole seconds since 1970 of an aware moment, rounded down; raises ValueError when it has no time zone."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone")
    since = moment - EPOCH
    return since.days * SECONDS_PER_DAY + since.seconds  # exact, unlike moment.timestamp()


def from_epoch(seconds: int) -> datetime:
    """The aware UTC moment of whole seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC)


def lead_groups(step_seconds: int, horizon_steps: int | None = None) -> list[tuple[int, int | None]]:
    """First and last step of each group of lead times: up to 6 h ahead, 6 to 24 h, day 2, day 3, later (last step None = open).

    A step belongs where it ends. Groups without a step are left out, and those beyond `horizon_steps`, where it is given.
    """
    ends = sorted({hours * 3_600 // step_seconds for hours in LEAD_HOURS} - {0})
    groups = [*zip([1, *(end + 1 for end in ends)], [*ends, None], strict=True)]
    if horizon_steps is None:
        return groups
    return [(first, min(last or horizon_steps, horizon_steps)) for first, last in groups if first <= horizon_steps]
