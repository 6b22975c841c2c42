"""What a request says of the samples it reads: which rows count, how cells are written, what becomes of them and of gaps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.domain.durations import Duration
from shared.domain.timegrid import SECONDS_PER_DAY

DELAYS = (Duration(1, "min"), Duration(31, "d"))  # the shortest and the longest of samples that come late
NO_LIMIT_IN_PANEL = "is a column, and with `queues_from_columns` each column is a queue; accepted are numbers"

Scalar = str | bool | int | float
Where = Mapping[str, tuple[Scalar, ...]]  # field → the values that a row may have there


class Aggregation(StrEnum):
    """How the samples of one bucket become one value."""

    MEAN = "mean"
    MEDIAN = "median"
    MIN = "min"
    MAX = "max"
    P95 = "p95"  # the sample at place ⌊0.95 n + ½⌋ of the n in order: what 95 % of them do not pass
    TIME_WEIGHTED_MEAN = "time_weighted_mean"  # of samples that are taken when something changes: each holds until the next


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvForm:
    """How a CSV file is written; None = guessed from the file, and said."""

    separator: str | None = None
    decimal: str | None = None
    thousands: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a queue has and what it can get, in the target's unit: a column of the source, or a number; None = nothing is said."""

    guaranteed: str | float | None = None
    maximum: str | float | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Those that are read from the source."""
        return tuple(dict.fromkeys(limit for limit in (self.guaranteed, self.maximum) if isinstance(limit, str)))


class FillMethod(StrEnum):
    """What stands in for steps without a sample."""

    INTERPOLATE = "interpolate"  # a straight line between the values on both sides
    PREVIOUS_DAY = "previous_day"  # the same hour of the day before
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """How gaps are filled. Without a method: up to six steps by a line, longer ones by the day before.

    longest: a longer gap stays one; None = none is too long.
    """

    method: FillMethod | None = None
    longest: Duration | None = None

    def refusal(self, step_seconds: int) -> str | None:
        """Why gaps of steps of this length cannot be filled so, with what is accepted; None = they can."""
        if self.method is FillMethod.PREVIOUS_DAY and SECONDS_PER_DAY % step_seconds:
            return "previous_day needs steps that a day is made of, such as 15min or 1h; accepted is interpolate or none too"
        if self.longest is None:
            return None
        if self.method is FillMethod.NONE:
            return "none fills no gap; longest is accepted with the other methods only"
        if not self.longest.is_fixed or self.longest.seconds < step_seconds:
            return f"longest {self.longest} is no fixed length of at least one step; accepted is such as 6h"
        return None

    def most_steps(self, step_seconds: int) -> int | None:
        """Steps of the longest gap that is filled; None = none is too long."""
        if self.method is FillMethod.NONE:
            return 0
        return None if self.longest is None else self.longest.seconds // step_seconds
