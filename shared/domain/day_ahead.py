"""What is to be expected of a queue within a day, from its newest forecast and what the queue has now, which YARN says.

A forecast was issued when guarantee and ceiling may have been others. Of amounts only the limits that hold now count; of
percentages of a queue's own guarantee 100 % is that guarantee, then as now.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import parse_qsl

from shared.domain.capacities import Resources
from shared.domain.collected import DEFAULT
from shared.domain.exceedance import limit_at, steps_over
from shared.domain.excess import Excess, start_of
from shared.domain.forecasts import Forecast
from shared.domain.likelihood import Likelihood, probability
from shared.domain.outlook import outlooks, why_untold
from shared.domain.queue_tree import DEFAULT_PARTITION, QueueTree, Share
from shared.domain.relative import amount_of, counts_resources
from shared.domain.timegrid import steps_per_day
from shared.domain.units import Unit

METRICS = ("demand_memory_mb", "used_memory_mb", "used_capacity")  # those that say how much of a queue is wanted, the best first
OF_VCORES = ("demand_vcores", "used_vcores")  # the same of processors, beside these

HALF_A_DAY, NOTHING_LEFT = timedelta(hours=12), timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chance:
    """How likely a level is exceeded, and for how many hours that is expected.

    probability: the likelihood as a number; None = it is told in a word. first_at: None = on no path.
    """

    likelihood: Likelihood
    probability: float | None
    hours: float
    first_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayAhead:
    """The next day of a queue; less of it where the forecast ends before.

    borrowing: more than it is guaranteed; waiting: at its ceiling; None = nothing is told of that. A queue whose ceiling is its
        guarantee can borrow nothing: it waits.
    reason: why no chances are told; None = they are.
    peak_memory_mb: the highest upper bound, peak_at: the start of its step; None = there is none in MB, or vcores.
    """

    start_at: datetime | None = None
    end_at: datetime | None = None
    borrowing: Chance | None = None
    waiting: Chance | None = None
    reason: str | None = None
    peak_memory_mb: int | None = None
    peak_vcores: int | None = None
    peak_at: datetime | None = None


def partition_of(forecast: Forecast) -> str | None:
    """The partition that it is of, all of what its queue has there and nothing else; None = that cannot be said."""
    conditions = parse_qsl(forecast.where)
    if not conditions:
        return DEFAULT
    (name, value), *others = conditions
    return value if name == "partition" and not others else None


def share_of(forecast: Forecast, tree: QueueTree | None) -> Share | None:
    """What a tree says of its queue in its partition; None = nothing, or the partition cannot be said."""
    partition = partition_of(forecast)
    if tree is None or partition is None or (queue := tree.by_path.get(forecast.queue)) is None:
        return None
    return queue.share(DEFAULT_PARTITION if partition == DEFAULT else partition)


def best_of(forecasts: Iterable[Forecast], now: datetime, metrics: Sequence[str] = METRICS) -> Forecast | None:
    """The one that says most of what a queue wants in the next day, and of these the newest; None = there is none.

    One that tells of the next minutes alone stands behind one that reaches through half a day, whatever its target.
    """

    def merit(forecast: Forecast) -> tuple[bool, bool, int, datetime, datetime]:
        reach = forecast.end_at - now
        what = -metrics.index(forecast.metric)
        return reach >= HALF_A_DAY, reach > NOTHING_LEFT, what, forecast.issued_at, forecast.created_at

    return max((each for each in forecasts if each.metric in metrics), key=merit, default=None)


def day_ahead(forecast: Forecast, guaranteed: Resources | None, ceiling: Resources | None, now: datetime) -> DayAhead:
    """What the forecast, read with its paths, says of the next day of a queue that has so much now."""
    first, last = _window(forecast, now)
    if first == last:
        return DayAhead(reason=why_untold(forecast, now))
    own = _with_limits(forecast, guaranteed, ceiling)
    highest = max(range(first, last), key=forecast.upper_bound.__getitem__)
    ahead = DayAhead(
        start_at=start_of(forecast, first),
        end_at=start_of(forecast, last),
        reason=_why_untold(own, now),
        peak_memory_mb=_memory(forecast, forecast.upper_bound[highest], guaranteed),
        peak_vcores=round(forecast.upper_bound[highest]) if forecast.unit is Unit.VCORES else None,
        peak_at=start_of(forecast, highest),
    )
    return ahead if ahead.reason is not None else _with_chances(ahead, own, now, last - first)


def _window(forecast: Forecast, now: datetime) -> tuple[int, int]:
    first = steps_over(forecast, now)
    return first, min(forecast.horizon_steps, first + max(1, steps_per_day(forecast.step_seconds)))


def _with_limits(forecast: Forecast, guaranteed: Resources | None, ceiling: Resources | None) -> Forecast:
    """The forecast of a queue that has what it has now."""
    if counts_resources(forecast.unit):
        guarantee, most = (None if each is None else amount_of(each, forecast.unit) for each in (guaranteed, ceiling))
        return replace(forecast, guaranteed=guarantee, maximum=most)
    full = None if forecast.unit is None else forecast.unit.full
    is_known = full is not None and guaranteed is not None and ceiling is not None and guaranteed.memory_mb > 0
    times = ceiling.memory_mb / guaranteed.memory_mb if is_known and ceiling and guaranteed else None
    return replace(forecast, guaranteed=full, maximum=None if times is None or full is None else full * times)


def _why_untold(forecast: Forecast, now: datetime) -> str | None:
    if forecast.guaranteed is None and forecast.maximum is None:
        return "nobody knows what its values are counted in, or what the queue has now"
    return why_untold(forecast, now)


def _with_chances(ahead: DayAhead, forecast: Forecast, now: datetime, steps: int) -> DayAhead:
    paths, share, most = forecast.paths, forecast.guaranteed, forecast.maximum
    bars = [*([share] if share is not None else []), *([limit_at(forecast, most)] if most is not None else [])]
    if paths is not None and paths.high < min(bars):  # then nothing has to be counted
        never = Likelihood.of(probability(0.0, paths.made_from))
        told = never if paths.is_calibrated else never.in_words
        nothing = Chance(likelihood=told, probability=told.share, hours=0.0, first_at=None)
        return replace(ahead, borrowing=nothing if _may_borrow(forecast) else None, waiting=nothing if most is not None else None)
    whole, *_ = outlooks(forecast, paths.rows() if paths else (), now, steps)
    borrowing = _chance(whole.borrowing) if _may_borrow(forecast) else None
    return replace(ahead, borrowing=borrowing, waiting=_chance(whole.waiting))


def _may_borrow(forecast: Forecast) -> bool:
    share, most = forecast.guaranteed, forecast.maximum
    return share is not None and (most is None or most > share)


def _chance(excess: Excess | None) -> Chance | None:
    if excess is None:
        return None
    return Chance(likelihood=excess.likelihood, probability=excess.probability, hours=excess.hours, first_at=excess.first_at)


def _memory(forecast: Forecast, value: float, guaranteed: Resources | None) -> int | None:
    """A value in MB; of a percentage so much of what is guaranteed now."""
    if forecast.unit is not None and forecast.unit.megabytes is not None:
        return round(value * forecast.unit.megabytes)
    full = None if forecast.unit is None else forecast.unit.full
    return None if full is None or guaranteed is None else round(guaranteed.memory_mb * value / full)
