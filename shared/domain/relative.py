"""A forecast of amounts in percent of what its queue is guaranteed now.

Derived, and never forecast: when the guarantee changes the amounts stay what they are, and their history has no break in it.
A changed capacity is a division.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain.capacities import Resources
from shared.domain.components import Components
from shared.domain.distribution import Paths, Quantiles
from shared.domain.exceedance import PERCENT
from shared.domain.forecasts import Forecast
from shared.domain.moving import Limits
from shared.domain.peaks import next_peak
from shared.domain.queue_tree import Share
from shared.domain.units import Unit

ACCEPTED = "accepted are forecasts of amounts of which it is known what the queue is guaranteed, and of percentages"


@dataclass(frozen=True, slots=True, kw_only=True)
class Relative:
    """The peak of the next 24 hours in percent of what is guaranteed now, and by what any value is multiplied to be the same.

    guaranteed: now, in the unit of the forecast.
    """

    guaranteed: float
    factor: float
    peak: float
    peak_lower_bound: float
    peak_upper_bound: float


def factor_of(forecast: Forecast) -> float | None:
    """By what its values are multiplied; None = they are relative already, or the guarantee or their unit is not known."""
    unit = forecast.unit
    if unit is None or unit.full is not None or not forecast.guaranteed:
        return None
    return PERCENT / forecast.guaranteed


def relative_of(forecast: Forecast, now: datetime) -> Relative | None:
    """As things stand at `now`; None where `factor_of` is."""
    factor = factor_of(forecast)
    if factor is None or forecast.guaranteed is None:
        return None
    peak = next_peak(forecast, now)
    values = {"peak": peak.prediction, "peak_lower_bound": peak.lower_bound, "peak_upper_bound": peak.upper_bound}
    return Relative(guaranteed=forecast.guaranteed, factor=factor, **{name: factor * value for name, value in values.items()})


def with_share(forecast: Forecast, share: Share) -> Forecast:
    """The forecast of amounts of a queue that has this share of a partition now; as it is where that is not told of its unit."""
    has = limits_of(share, forecast.unit)
    return forecast if has is None else replace(forecast, guaranteed=has.guaranteed, maximum=has.maximum)


def limits_of(share: Share, unit: Unit | None) -> Limits | None:
    """What a share of a partition comes to in a unit; None = the unit counts something else, or nobody knows.

    Percentages are of what a queue was guaranteed when they were read, and have no limits in a tree.
    """
    if not counts_resources(unit) or share.guaranteed is None:
        return None
    maximum = None if share.ceiling is None else amount_of(share.ceiling, unit)
    return Limits(guaranteed=amount_of(share.guaranteed, unit), maximum=maximum)


def counts_resources(unit: Unit | None) -> bool:
    """Whether a tree says how much there is in this unit."""
    return unit is Unit.VCORES or (unit is not None and unit.megabytes is not None)


def amount_of(resources: Resources, unit: Unit | None) -> float:
    """So much of what a tree tells, in a unit; the MB of memory where the unit counts something else."""
    if unit is Unit.VCORES:
        return float(resources.vcores)
    return resources.memory_mb / ((unit and unit.megabytes) or 1.0)


def in_percent_of_guaranteed(forecast: Forecast) -> Forecast | None:
    """The same forecast, counted so; None where that is not known."""
    if forecast.unit is Unit.PERCENT:
        return forecast
    full = forecast.unit.full if forecast.unit else None
    factor = PERCENT / full if full else factor_of(forecast)
    return None if factor is None else _times(forecast, factor)


def _times(forecast: Forecast, factor: float) -> Forecast:
    def times(values: Sequence[float]) -> tuple[float, ...]:
        return tuple(factor * value for value in values)

    def limit(value: float | None) -> float | None:
        return None if value is None else factor * value

    quantiles, peaks = (
        Quantiles(levels=each.levels, values=tuple(map(times, each.values))) for each in (forecast.quantiles, forecast.peaks)
    )
    return replace(
        forecast,
        unit=Unit.PERCENT,
        prediction=times(forecast.prediction),
        lower_bound=times(forecast.lower_bound),
        upper_bound=times(forecast.upper_bound),
        guaranteed=None if forecast.guaranteed is None else PERCENT,
        maximum=limit(forecast.maximum),
        quantiles=quantiles,
        peaks=peaks,
        components=_parts(forecast.components, factor),
        paths=_paths(forecast.paths, factor),
    )


def _parts(components: Components, factor: float) -> Components:
    level = None if components.level is None else factor * components.level
    steps = {
        name: tuple(factor * value for value in getattr(components, name)) for name in ("day", "week", "regressors", "occasions")
    }
    return replace(components, level=level, shift=factor * components.shift, **steps)


def _paths(paths: Paths | None, factor: float) -> Paths | None:
    """They are packed between their ends, so these say it all."""
    return None if paths is None else replace(paths, low=factor * paths.low, high=factor * paths.high)
