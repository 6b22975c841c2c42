"""How a level is exceeded on joint paths, in all that is asked about and in each day of it: counted path by path, plain Python.

hours above      = hours of a step · mean over the paths of the steps above
shortfall, slack = hours of a step · mean over the paths of what is above the level, and of what is below it
first time       = median over the paths that exceed it; not before: their 5 % quantile
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil, inf, nextafter
from typing import TypeVar

from shared.domain.cuts import Above, Cut
from shared.domain.exceedance import limit_at, steps_over
from shared.domain.forecasts import Forecast
from shared.domain.likelihood import Likelihood, probability
from shared.domain.timegrid import steps_per_day
from shared.domain.units import work_of

EARLY, MIDDLE = 0.05, 0.5
SECONDS_PER_HOUR = 3_600
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Excess:
    """How a level may be exceeded in a window.

    probability: the likelihood as a number; 0.05 = less, 0.95 = more; None = it is told in a word.
    hours: expected above it. shortfall, slack: expected above and below it, in the unit of work: GB·h, vcores·h, %·h.
    first_at, not_before: start of the step where it is exceeded first; None = on no path.
    """

    level: float
    likelihood: Likelihood
    probability: float | None
    hours: float
    shortfall: float
    slack: float
    first_at: datetime | None
    not_before: datetime | None


def days_ahead(forecast: Forecast, now: datetime, most_steps: int | None = None) -> list[range]:
    """The steps of each day that is still ahead."""
    first = steps_over(forecast, now)
    last = forecast.horizon_steps if most_steps is None else min(first + most_steps, forecast.horizon_steps)
    size = steps_per_day(forecast.step_seconds)
    return [range(start, min(start + size, last)) for start in range(first, last, size)]


def windows_of(days: Sequence[range]) -> list[range]:
    """All of them together, and then each, where there are several."""
    return [range(days[0].start, days[-1].stop), *(days if len(days) > 1 else ())]


def joined(by_day: Sequence[Sequence[T]], join: Callable[[Sequence[T]], T]) -> list[Sequence[T]]:
    """What is known of each path, of all days together, and then of each, where there are several."""
    return [by_day[0]] if len(by_day) == 1 else [[*map(join, zip(*by_day, strict=True))], *by_day]


def excesses(forecast: Forecast, cuts: Sequence[Cut], level: float, *, is_most: bool) -> list[Excess]:
    """Of all days and of each, of the steps above the level; at it where it is the maximum, which nothing goes beyond."""
    bar = nextafter(limit_at(forecast, level), -inf) if is_most else level
    found, totals = [cut.above(level, bar) for cut in cuts], [sum(cut.sums) for cut in cuts]
    if len(cuts) > 1:
        found, totals = [Above.joined(found), *found], [sum(totals), *totals]
    windows = windows_of([cut.steps for cut in cuts])
    return [_excess(forecast, level, *each) for each in zip(windows, found, totals, strict=True)]


def _excess(forecast: Forecast, level: float, steps: range, above: Above, total: float) -> Excess:
    """total: of all values of all paths in these steps."""
    count = len(above.firsts)
    firsts = sorted([first for first in above.firsts if first is not None])
    likelihood = _likelihood(forecast, len(firsts) / count)
    return Excess(
        level=level,
        likelihood=likelihood,
        probability=likelihood.share,
        hours=forecast.step_seconds / SECONDS_PER_HOUR * above.steps / count,
        shortfall=work(forecast, above.over / count),
        slack=max(0.0, work(forecast, level * len(steps) - (total - above.over) / count)),
        first_at=start_of(forecast, quantile(firsts, MIDDLE)) if firsts else None,
        not_before=start_of(forecast, quantile(firsts, EARLY)) if firsts else None,
    )


def _likelihood(forecast: Forecast, share: float) -> Likelihood:
    """share: of the paths. In words where what was counted on paths has not held lately."""
    paths = forecast.paths
    found = Likelihood.of(probability(share, paths.made_from if paths else 0))
    return found.in_words if paths and not paths.is_calibrated else found


def work(forecast: Forecast, total: float) -> float:
    """A sum over steps in the unit of work."""
    return total * forecast.step_seconds / SECONDS_PER_HOUR * work_of(forecast.unit)[0]


def quantile(ordered: Sequence[T], level: float) -> T:
    """The smallest value below or at which so much of them lies."""
    return ordered[ceil(level * len(ordered)) - 1]


def start_of(forecast: Forecast, step: int) -> datetime:
    """Of a step that is counted from 0."""
    return forecast.start_of(step + 1)
