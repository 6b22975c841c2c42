"""Capacities by the time of day, as a recurring timetable that a person schedules, and whether it is offered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.domain.recommendations import amount
from shared.domain.units import Unit
from shared.domain.wording import counted

MIN_GAIN = 0.1  # of the cost of the constant, changes paid
MIN_DAYS = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """From step `first` of the day to before step `end`, counted from where the window begins; capacity in the unit of demand."""

    first: int
    end: int
    capacity: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TimetableVerdict:
    """What a timetable of each day would have cost ÷ what one constant a day would have, both with the price of changes.

    segments: of the newest day; one = a constant is best. ratio: None = the constant costs nothing.
    """

    days: int
    ratio: float | None
    switches_a_day: float
    is_offered: bool
    sentence: str
    segments: tuple[Segment, ...]


def why_constant(days: int, ratio: float | None, segments: Sequence[Segment]) -> str:
    """Why no timetable is offered; "" = one is."""
    if days < MIN_DAYS:
        return f"timetables could be replayed on {counted(days, 'day')} only, and {MIN_DAYS} are needed"
    if ratio is None or ratio > 1 - MIN_GAIN:
        cost = "nothing" if ratio is None else f"{100 * ratio:.1f} % of one constant a day"
        return f"timetables would have cost {cost} on {counted(days, 'day')} of its past"
    return "" if len(segments) > 1 else "one constant costs least on the day ahead"


def in_words(segments: Sequence[Segment], starts: Sequence[datetime], unit: Unit | None) -> str:
    """The timetable as people read it: `00:00–06:00 120 GB, 06:00–24:00 80 GB`.

    Args:
        starts: of the steps of the day, in the zone that hours are told in.
    """
    times = [f"{start:%H:%M}" for start in starts]
    ends = [times[each.end % len(times)] for each in segments]
    return ", ".join(f"{times[each.first]}–{end} {amount(each.capacity, unit)}" for each, end in zip(segments, ends, strict=True))
