"""Numbers counted on a forecast's joint paths: how likely a level is exceeded, for how many hours, and when first.

    P(a window exceeds it) = (n q + ½) / (n + 1)        q = share of the paths with any step above, n = what they were made from
    hours above            = hours of a step · mean over the paths of the steps above
    first time             = median over the paths that exceed it; not before: their 5 % quantile

The half keeps what a few weeks have never seen from being called impossible (Krichevsky and Trofimov's estimate, The performance
of universal encoding, IEEE Trans. Inform. Theory 27, 1981). Probabilities are told in steps: so few origins carry no digits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from math import ceil

from shared.domain.distribution import Paths
from shared.domain.exceedance import limit_at, limit_of, steps_over
from shared.domain.forecasts import Forecast
from shared.domain.timegrid import steps_per_day

FEWEST = 7  # blocks of misses; of fewer no probability is told
EARLY, MIDDLE = 0.05, 0.5
SECONDS_PER_HOUR = 3_600


class Likelihood(StrEnum):
    """A probability as it is told."""

    BELOW_5 = "< 5 %"
    ABOUT_10 = "10 %"
    ABOUT_25 = "25 %"
    ABOUT_50 = "50 %"
    ABOUT_75 = "75 %"
    ABOUT_90 = "90 %"
    ABOVE_95 = "> 95 %"

    @classmethod
    def of(cls, probability: float) -> Likelihood:
        """The nearest of them."""
        ends = ((0.05, cls.BELOW_5), (0.175, cls.ABOUT_10), (0.375, cls.ABOUT_25), (0.625, cls.ABOUT_50), (0.825, cls.ABOUT_75))
        told = next((name for end, name in ends if probability < end), None)
        return told or (cls.ABOVE_95 if probability > 0.95 else cls.ABOUT_90)

    @property
    def share(self) -> float:
        """As a number: 0.05 stands for all that is below, 0.95 for all that is above."""
        return int(self.strip("<> %")) / 100


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


def levels_told(forecast: Forecast) -> tuple[float, ...]:
    """What is told of a forecast unasked: what its queue has and what it can get, as far as they are known."""
    known = (forecast.guaranteed, forecast.maximum)
    return tuple(sorted({level for level in known if level is not None}))


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


def probability(share: float, made_from: int) -> float:
    """P of a window, from the share of the paths that exceed a level there."""
    return (made_from * share + 0.5) / (made_from + 1)


def _breaches(forecast: Forecast, levels: Sequence[float], now: datetime) -> Iterator[Breach]:
    paths = forecast.paths
    first, last = steps_over(forecast, now), forecast.horizon_steps
    if paths is None or paths.blocks < FEWEST or first == last:
        return
    size = steps_per_day(forecast.step_seconds)
    days = [range(start, min(start + size, last)) for start in range(first, last, size)]
    windows = [(range(first, last), True), *((day, False) for day in days if len(days) > 1)]
    rows = paths.rows()
    for level in levels:
        for steps, is_whole in windows:
            yield replace(_breach(forecast, paths, rows, level, steps), is_whole=is_whole)


def _breach(forecast: Forecast, paths: Paths, rows: Sequence[Sequence[float]], level: float, window: range) -> Breach:
    above = [list(_above(forecast, row, level, window)) for row in rows]
    firsts = sorted(steps[0] for steps in above if steps)
    hours = forecast.step_seconds / SECONDS_PER_HOUR * sum(map(len, above)) / len(rows)
    return Breach(
        level=level,
        start_at=_start(forecast, window.start),
        end_at=_start(forecast, window.stop),
        likelihood=Likelihood.of(probability(len(firsts) / len(rows), paths.blocks + paths.windows)),
        hours=hours,
        first_at=_start(forecast, _at(firsts, MIDDLE)) if firsts else None,
        not_before=_start(forecast, _at(firsts, EARLY)) if firsts else None,
    )


def _above(forecast: Forecast, path: Sequence[float], level: float, steps: range) -> Iterator[int]:
    """The steps above the level; at it where it is the maximum, which nothing goes beyond."""
    is_most = forecast.maximum is not None and level == limit_of(forecast)
    threshold = limit_at(forecast, level) if is_most else level
    return (step for step in steps if path[step] > threshold or (is_most and path[step] == threshold))


def _at(ordered: Sequence[int], level: float) -> int:
    return ordered[ceil(level * len(ordered)) - 1]


def _start(forecast: Forecast, step: int) -> datetime:
    return forecast.start_of(step + 1)
