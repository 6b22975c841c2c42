"""Whether what was told as likely has happened that often: chances of past forecasts against what came, kept as sums.

p = the chance that a forecast gave to a breach in its first 24 hours, o = 1 where it came, else 0; sums run over queue-days

    Brier score        mean (p − o)²                           skill   1 − Brier score ÷ that of always saying the mean of o
    calibration error  Σ n_b/n · |mean p − mean o| over 5 bins of p
    PIT                where the day's peak lay in its forecast distribution; of a right one each of 10 bins has a tenth

Brier, Verification of forecasts expressed in terms of probability, Monthly Weather Review 78, 1950; Gneiting, Balabdaoui and
Raftery, Probabilistic forecasts, calibration and sharpness, J. R. Stat. Soc. B 69, 2007.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from functools import reduce
from operator import add
from typing import Self

from shared.domain.accuracy import MONTH_DAYS
from shared.domain.likelihood import About

BINS, PIT_BINS = 5, 10
MAX_ERROR = 0.10  # of the calibration, pooled: above it chances are told in words
MIN_DAYS = 100  # queue-days, before that an error may be luck
MIN_DATES = 14  # that these are of: one bad day of a large cluster is a hundred queue-days, and no sign of bad chances
PEAK = "peak"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimSums:
    """What claims said and what came, added up."""

    days: int = 0  # queue-days; a day that is known to be bad counts as none
    probability: float = 0.0
    happened: int = 0
    squared: float = 0.0  # Σ (p − o)²
    expected_hours: float = 0.0
    real_hours: float = 0.0

    def __add__(self, other: Self) -> Self:
        """Both together."""
        return type(self)(**{name: getattr(self, name) + getattr(other, name) for name in CLAIM_SUMS})


CLAIM_SUMS = tuple(each.name for each in fields(ClaimSums))
ByCell = Mapping[str, ClaimSums]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlookScore:
    """One claim, or the peak, of the first day of a forecast against what happened; of each day the last forecast's.

    day: in UTC, on which it was issued. about: a level, or `peak`. cell: that, and which of its bins.
    """

    series_id: str
    job: str
    day: datetime
    about: str
    project: str
    issued_at: datetime
    created_at: datetime
    cell: str
    sums: ClaimSums


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Claims with chances from `lowest` to `highest`: the mean of what they said, and the share that came."""

    lowest: float
    highest: float
    days: int
    predicted: float
    happened: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What came of the chances that were told of one level.

    predicted_days, happened_days: on how many days it was expected, and on how many it came.
    skill: None = it came on all days or on none, where there is nothing to be better than.
    """

    about: About
    days: int
    predicted_days: float
    happened_days: int
    brier: float
    skill: float | None
    calibration_error: float
    expected_hours: float
    real_hours: float
    reliability: tuple[Bin, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """The verdict over all chances of the last month.

    days: queue-days of the level of which most are known. dates: different days that these are of. error: None = nothing was
        scored yet.
    lost_at: since when chances are told in words only; None = they hold.
    """

    pool: str = "all"
    checked_at: datetime
    days: int = 0
    dates: int = 0
    error: float | None = None
    lost_at: datetime | None = None


def cell(about: str, share: float, bins: int = BINS) -> str:
    """Which bin of `about` a share from 0 to 1 falls into, as a key."""
    return f"{about}:{min(bins - 1, int(share * bins))}"


def verified(cells: ByCell) -> tuple[Verified, ...]:
    """Of each level of which anything was scored."""
    return tuple(_verified(cells))


def peak_pit(cells: ByCell) -> tuple[int, ...]:
    """Days by where their peak lay in what was forecast of it, from lowest to highest."""
    return tuple(cells.get(f"{PEAK}:{number}", ClaimSums()).days for number in range(PIT_BINS))


def verdict(cells: ByCell, before: Calibration | None, now: datetime, *, dates: int) -> Calibration:
    """The verdict, where `before` is the last one; lost stays lost until enough days say otherwise, or a month has too few.

    Args:
        dates: how many different days anything was scored of.
    """
    found = verified(cells)
    days = max((each.days for each in found), default=0)
    by_bin = [_added(cells, (f"{about}:{number}" for about in About)) for number in range(BINS)]
    error = _error(by_bin) if days else None
    lost_at = before.lost_at if before else None
    if error is not None and days >= MIN_DAYS and dates >= MIN_DATES:
        lost_at = (lost_at or now) if error > MAX_ERROR else None
    elif lost_at is not None and now - lost_at > timedelta(days=MONTH_DAYS):
        lost_at = None
    return Calibration(checked_at=now, days=days, dates=dates, error=error, lost_at=lost_at)


def _verified(cells: ByCell) -> Iterator[Verified]:
    for about in About:
        by_bin = [cells.get(f"{about}:{number}", ClaimSums()) for number in range(BINS)]
        total = reduce(add, by_bin)
        if not total.days:
            continue
        base, brier = total.happened / total.days, total.squared / total.days
        yield Verified(
            about=about,
            days=total.days,
            predicted_days=total.probability,
            happened_days=total.happened,
            brier=brier,
            skill=1 - brier / (base * (1 - base)) if 0 < base < 1 else None,
            calibration_error=_error(by_bin),
            expected_hours=total.expected_hours,
            real_hours=total.real_hours,
            reliability=tuple(_bin(number, sums) for number, sums in enumerate(by_bin) if sums.days),
        )


def _bin(number: int, sums: ClaimSums) -> Bin:
    predicted, happened = sums.probability / sums.days, sums.happened / sums.days
    return Bin(lowest=number / BINS, highest=(number + 1) / BINS, days=sums.days, predicted=predicted, happened=happened)


def _error(by_bin: Iterable[ClaimSums]) -> float:
    known = [sums for sums in by_bin if sums.days]
    return sum(abs(sums.probability - sums.happened) for sums in known) / sum(sums.days for sums in known)


def _added(cells: ByCell, keys: Iterable[str]) -> ClaimSums:
    return reduce(add, (cells[key] for key in keys if key in cells), ClaimSums())
