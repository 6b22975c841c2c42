"""What is to be expected, counted on a forecast's joint paths: breaches of its limits, the hours and the work beyond them, peaks.

How a level is exceeded: excess.py; how likely: likelihood.py; what if limits and paths were others: whatif.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.domain.cuts import cuts_of
from shared.domain.distribution import Rows
from shared.domain.exceedance import limit_at, limit_of, steps_over
from shared.domain.excess import Excess, days_ahead, excesses, joined, quantile, start_of, windows_of, work
from shared.domain.forecasts import FROM_PARENT, Forecast
from shared.domain.likelihood import Likelihood

MAX_STEPS = 400  # 16 days by the hour: paths of more would be larger than all else that is kept of a forecast
FEWEST = 7  # blocks of misses; of fewer no probability is told
PEAK_LEVELS = (0.05, 0.25, 0.5, 0.75, 0.9, 0.95)


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """How a level may be exceeded between two moments.

    is_whole: whether these moments are all that is still ahead, else they are one day of it.
    hours: expected above it.
    first_at, not_before: start of the step where it is exceeded first; None = on no path.
    """

    level: float
    start_at: datetime
    end_at: datetime
    likelihood: Likelihood
    hours: float
    first_at: datetime | None
    not_before: datetime | None
    is_whole: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What is to be expected between two moments.

    demand: expected, in the unit of work.
    borrowing: above what is guaranteed; None = that is not known. waiting: at the ceiling or above it, likewise.
    lent: expected above what is guaranteed and below the ceiling, in the unit of work: what is lent in all, of which
        exposure.py tells what siblings leave idle.
    lent_share: the same as a part of the demand; None = there is none.
    peak: quantiles of the highest value, by level: q0.05, q0.5.
    """

    start_at: datetime
    end_at: datetime
    demand: float
    borrowing: Excess | None
    waiting: Excess | None
    lent: float | None
    lent_share: float | None
    peak: Mapping[str, float]


def levels_told(forecast: Forecast) -> tuple[float, ...]:
    """What is told of a forecast unasked: what its queue has and what it can get, as far as they are known."""
    known = (forecast.guaranteed, forecast.maximum)
    return tuple(sorted({level for level in known if level is not None}))


def why_untold(forecast: Forecast, now: datetime, *, is_newest: bool | None = None) -> str | None:
    """Why nothing can be counted on its paths; None = it can.

    Args:
        is_newest: of its series, as far as the caller has looked; None = it has not.
    """
    if steps_over(forecast, now) == forecast.horizon_steps:
        return "the forecast is over; the next job makes a new one"
    if forecast.model == FROM_PARENT:
        return "it is derived from its parent's forecast, as the queue is too new: nothing is known of how far off that is"
    if forecast.paths is None:
        return f"its joint paths are not kept: {_why_without(forecast, is_newest=is_newest)}"
    if forecast.paths.blocks < FEWEST:
        known = f"{forecast.paths.blocks} windows of the backtest, of which {FEWEST} are needed"
        return f"too little is known of how forecasts of this queue miss: {known}"
    return None


def _why_without(forecast: Forecast, *, is_newest: bool | None) -> str:
    """Why it has no paths."""
    if forecast.horizon_steps > MAX_STEPS:
        return f"it has {forecast.horizon_steps:,} steps, and only those of up to {MAX_STEPS} have any"
    newer = "a newer forecast of it is there, and only those of the newest are"
    few = "too few windows of the backtest could be scored to draw any from"
    if is_newest is None:
        return f"{newer}; or {few}"
    return few if is_newest else newer


def breaches(forecast: Forecast, levels: Sequence[float], now: datetime) -> tuple[Breach, ...]:
    """Of each level: for all that is still ahead, and then for each day of it, as peaks have them where there are several.

    None where the paths are not kept, or were made from too little.
    """
    return tuple(_breaches(forecast, levels, now))


def may_breach(forecast: Forecast) -> bool:
    """Whether any of its quantiles reaches the limit that hurts, else a breach of it is not worth looking at."""
    limit = limit_of(forecast)
    if limit is None or not forecast.quantiles:
        return False
    return max(map(max, forecast.quantiles.values)) >= limit_at(forecast, limit)


def breach_ahead(forecast: Forecast, now: datetime) -> Breach | None:
    """Of the limit that hurts, for all that is still ahead; None where none is known, or as `breaches` has none."""
    limit = limit_of(forecast)
    return next(_breaches(forecast, [limit], now), None) if limit is not None else None


def outlooks(forecast: Forecast, rows: Rows, now: datetime, most_steps: int | None = None) -> tuple[Outlook, ...]:
    """Of all that is still ahead, and then of each day of it where there are several; of a forecast that `why_untold` passes.

    Args:
        rows: its paths, or others in their place.
        most_steps: of what is ahead; None = all.
    """
    return tuple(_outlooks(forecast, rows, days_ahead(forecast, now, most_steps)))


def borrowed(forecast: Forecast, rows: Rows, level: float, now: datetime, most_steps: int | None = None) -> Excess:
    """What is above a level in all that is still ahead; of a forecast that `why_untold` passes. The rest as for `outlooks`."""
    days = days_ahead(forecast, now, most_steps)
    whole = range(days[0].start, days[-1].stop)
    return excesses(forecast, cuts_of(rows, [whole]), level, is_most=False)[0]


def _breaches(forecast: Forecast, levels: Sequence[float], now: datetime) -> Iterator[Breach]:
    if why_untold(forecast, now) is not None or forecast.paths is None:
        return
    days = days_ahead(forecast, now)
    cuts = cuts_of(forecast.paths.rows(), days)
    for level in levels:
        found = excesses(forecast, cuts, level, is_most=level == forecast.maximum)
        for number, (steps, excess) in enumerate(zip(windows_of(days), found, strict=True)):
            yield Breach(
                level=level,
                start_at=start_of(forecast, steps.start),
                end_at=start_of(forecast, steps.stop),
                likelihood=excess.likelihood,
                hours=excess.hours,
                first_at=excess.first_at,
                not_before=excess.not_before,
                is_whole=number == 0,
            )


def _outlooks(forecast: Forecast, rows: Rows, days: Sequence[range]) -> Iterator[Outlook]:
    cuts = cuts_of(rows, days)
    sums = joined([cut.sums for cut in cuts], sum)
    highest = [sorted(peaks) for peaks in joined([cut.highest for cut in cuts], max)]
    nothing = [None] * len(sums)
    share, most = forecast.guaranteed, forecast.maximum
    borrowing = nothing if share is None else excesses(forecast, cuts, share, is_most=False)
    waiting = nothing if most is None else excesses(forecast, cuts, most, is_most=True)
    for steps, total, peaks, above, at_most in zip(windows_of(days), sums, highest, borrowing, waiting, strict=True):
        demand = work(forecast, sum(total) / len(rows))
        lent = None if above is None else max(0.0, above.shortfall - (at_most.shortfall if at_most else 0.0))
        yield Outlook(
            start_at=start_of(forecast, steps.start),
            end_at=start_of(forecast, steps.stop),
            demand=demand,
            borrowing=above,
            waiting=at_most,
            lent=lent,
            lent_share=lent / demand if lent is not None and demand > 0 else None,
            peak={f"q{level:g}": quantile(peaks, level) for level in PEAK_LEVELS},
        )
