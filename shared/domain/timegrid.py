"""The one bucket: UTC, epoch-aligned, left-closed, left-labelled; and the relation between issue time and steps.

            issued_at = cutoff = end of the last complete bucket
                 │
├───────┼────────┼────────┼────────┼──▶ time
 history          step 1   step 2   …       start(step) = issued_at + (step − 1) × step_seconds
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

SECONDS_PER_DAY = 86_400
MINUTE = "%Y-%m-%d %H:%M UTC"  # as messages say a moment
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LEAD_HOURS = (6, 24, 48, 72)  # where groups of lead times end: up to 6 h, the rest of the first day, day 2, day 3, later
MIN_TIME, MAX_TIME = (datetime(1900, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))  # of any series; pandas ends in 2262


def bucket_start(moment: datetime, step_seconds: int) -> datetime:
    """Start of the bucket of `step_seconds` that holds the aware `moment`; UTC."""
    epoch = to_epoch(moment)
    return from_epoch(epoch - epoch % step_seconds)


def step_start(issued_at: datetime, step: int, step_seconds: int) -> datetime:
    """Start of step `step` (1, 2, …) of a forecast issued at `issued_at`; UTC."""
    return from_epoch(to_epoch(issued_at) + (step - 1) * step_seconds)


def step_starts(issued_at: datetime, horizon_steps: int, step_seconds: int) -> list[datetime]:
    """Starts of all steps of a forecast, in order; UTC."""
    return [step_start(issued_at, step, step_seconds) for step in range(1, horizon_steps + 1)]


def steps_per_day(step_seconds: int) -> int:
    """Steps of one day, at least 1; of a step that does not divide it the nearest number."""
    return max(1, round(SECONDS_PER_DAY / step_seconds))


def to_epoch(moment: datetime) -> int:
    """Whole seconds since 1970 of an aware moment, rounded down; raises ValueError when it has no time zone."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone")
    return (moment - EPOCH) // timedelta(seconds=1)  # exact, unlike moment.timestamp()


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
