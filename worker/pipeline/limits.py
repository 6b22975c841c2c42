"""What the target of a queue is counted in, and what the queue has and can get: from its request, its source, or its name.

request.limits ──▶ YARN's own columns beside the target ──▶ 100 % of what is guaranteed, for percentages
  number or column        their newest known value
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from shared.domain.jobs import JobRequest
from shared.domain.timegrid import SECONDS_PER_DAY
from shared.domain.units import MAX_BORROWED, MAX_FRACTION, Unit, fitting
from shared.domain.wording import digits
from worker.sources.base import LIMITS, NO_LIMIT, plain

SURPLUS = 1.01  # of the maximum: what is used beyond that is more than rounding
SHARE_USED, CLUSTER_USED = "usedcapacity", "absoluteusedcapacity"  # per cent of the queue's guarantee, and of the cluster
CAPACITY, MAX_CAPACITY = "absolutecapacity", "absolutemaxcapacity"  # per cent of the cluster
SHARES = frozenset({CAPACITY, MAX_CAPACITY})
AMOUNTS = frozenset(f"{limit}{of}" for limit in ("guaranteed", "maximum") for of in ("memorymb", "vcores"))
_AMOUNT = re.compile(r"used|demand|allocated")  # begins the name of an amount: used_memory_mb beside guaranteed_memory_mb
_DEMAND = re.compile(r"demand|pending|request", re.IGNORECASE)  # what is wanted may be more than what is granted

Notes = tuple[str, ...]
Known = tuple[float | None, float | None]  # guaranteed, maximum


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """What a queue has and can get, in the target's unit; None = not known.

    is_binding: whether usage is never more than the maximum, so that a forecast is held to it.
    """

    unit: Unit | None = None
    guaranteed: float | None = None
    maximum: float | None = None
    is_binding: bool = False

    @property
    def notes(self) -> Notes:
        """What was taken, in plain words: one line, or none."""
        parts = [f"values are counted in {self.unit.value}"] if self.unit else []
        parts += [f"guaranteed {digits(self.guaranteed)}"] if self.guaranteed is not None else []
        parts += [f"at most {digits(self.maximum)}"] if self.maximum is not None else []
        return (", ".join(parts),) if parts else ()

    def physical_range(self, bounds: tuple[float | None, float | None]) -> tuple[float | None, float | None]:
        """The bounds, with the maximum as the upper one where usage keeps to it."""
        lower, upper = bounds
        if not self.is_binding or self.maximum is None:
            return bounds
        return lower, self.maximum if upper is None else min(upper, self.maximum)


UNKNOWN = Capacity()


def capacity_of(request: JobRequest, frame: pd.DataFrame) -> tuple[Capacity, Notes]:
    """The queue's capacity, and warnings about it.

    Args:
        frame: what was read before the issue time, with at least one value of the target; constant columns are still in it.
    """
    values, beside = frame[request.target].dropna(), _newest_values(frame)
    units = (request.unit,) if request.unit else fitting(request.target, float(values.max()))
    if len(units) > 1 and _is_percent(request, frame, beside):
        units = (Unit.PERCENT,)
    unit = units[0] if len(units) == 1 else None
    guaranteed, maximum = _first_known(_said(request, frame), *(_by_unit(request, unit, beside) if unit else ()))
    is_above = maximum is not None and _is_mostly_above(values, SURPLUS * maximum, request.step_seconds)
    is_binding = maximum is not None and not is_above and not _DEMAND.search(request.target)
    capacity = Capacity(unit=unit, guaranteed=guaranteed, maximum=maximum, is_binding=is_binding)
    warnings = (*_about_unit(request, units, float(values.max())), *_about_limits(request, frame, capacity))
    if is_above and not _DEMAND.search(request.target):
        warnings += (
            f"most values of the last day lie above the maximum, {digits(maximum or 0.0)}: it is hardly their limit, "
            "or of another unit, and the forecast is not held to it",
        )
    return capacity, warnings


def _is_percent(request: JobRequest, frame: pd.DataFrame, beside: dict[str, float]) -> bool:
    """Whether YARN's limits are percentages, and its usage of the cluster says that the target is one, too.

    The queue's part of the cluster is never more than the queue's part of its own share: of a fraction the percentage would be.
    """
    if max(beside.get(CAPACITY, 0.0), beside.get(MAX_CAPACITY, 0.0)) <= MAX_FRACTION:
        return False
    if plain(request.target) == CLUSTER_USED:
        return True
    used = next((name for name in map(str, frame) if plain(name) == CLUSTER_USED), None)
    return used is not None and bool(frame[used].sum() <= SURPLUS * frame[request.target].sum())


def without_limits(request: JobRequest, frame: pd.DataFrame) -> pd.DataFrame:
    """The frame without the columns that are limits: whoever names no columns means no such ones, as they are no covariates."""
    if request.columns is None:
        limits = request.limits.columns if request.limits else ()
        others = {*SHARES, *AMOUNTS}
        kept = [name for name in frame if name == request.target or (name not in limits and plain(str(name)) not in others)]
    else:
        kept = [name for name in frame if name in {request.target, *request.columns}]
    return frame if len(kept) == len(frame.columns) else frame[kept]


def _newest_values(frame: pd.DataFrame) -> dict[str, float]:
    """The newest known value of each column, by its name without folders and underscores: `absolutecapacity`."""
    names = {plain(name): name for name in reversed(frame.columns)}
    found = {short: _newest(frame[name]) for short, name in names.items() if short.startswith(LIMITS)}
    return {short: value for short, value in found.items() if value is not None}


def _newest(column: pd.Series[float]) -> float | None:
    """The newest value that is a limit: nothing and less stand for "not known", and a huge number for "no limit"."""
    known = column[column > 0]
    return float(known.iloc[-1]) if len(known) and known.iloc[-1] < NO_LIMIT[0] else None


def _said(request: JobRequest, frame: pd.DataFrame) -> Known:
    """The limits that the request names or gives."""

    def value(limit: str | float | None) -> float | None:
        return _newest(frame[limit]) if isinstance(limit, str) else limit

    return (None, None) if request.limits is None else (value(request.limits.guaranteed), value(request.limits.maximum))


def _by_unit(request: JobRequest, unit: Unit, beside: dict[str, float]) -> Iterator[Known]:
    """What YARN's own columns say, then what holds of every percentage."""
    target = plain(request.target)
    capacity, most, full = beside.get(CAPACITY), beside.get(MAX_CAPACITY), unit.full
    if target == CLUSTER_USED:
        yield capacity, most
        yield None, full  # YARN shows no more of a cluster
    elif target == SHARE_USED and full is not None:
        yield full, full * most / capacity if capacity and most else None
    elif amount := _AMOUNT.match(target):
        rest = target[amount.end() :]
        yield beside.get(f"guaranteed{rest}"), beside.get(f"maximum{rest}")
    if full is not None and target != CLUSTER_USED:
        upper = request.bounds[1]
        yield full, upper if upper is not None and upper <= full else None


def _first_known(*sources: Known) -> Known:
    guaranteed = next((known for known, _ in sources if known is not None), None)
    return guaranteed, next((known for _, known in sources if known is not None), None)


def _is_mostly_above(values: pd.Series[float], level: float, step_seconds: int) -> bool:
    newest = values.iloc[-max(1, SECONDS_PER_DAY // step_seconds) :]
    return bool((newest > level).mean() > 0.5)


def _about_unit(request: JobRequest, units: tuple[Unit, ...], highest: float) -> Iterator[str]:
    if len(units) > 1:
        yield (
            f"no value of {request.target!r} is above {MAX_FRACTION:g}, so they may be parts of 1 as well as per cent: set "
            "`unit` to fraction or to percent; until then nothing is told of limits, 100 % among them"
        )
    elif request.unit is Unit.FRACTION and highest > MAX_BORROWED:
        yield f"`unit` says fraction, and {request.target!r} reaches {digits(highest)}: percentages are the unit percent"


def _about_limits(request: JobRequest, frame: pd.DataFrame, capacity: Capacity) -> Iterator[str]:
    for name in request.limits.columns if request.limits else ():
        if _newest(frame[name]) is None:
            yield f"the column {name!r} of `limits` has no value above zero in the history: that limit is not known"
    if None not in (capacity.guaranteed, capacity.maximum) and (capacity.maximum or 0) < (capacity.guaranteed or 0):
        most, least = capacity.maximum or 0.0, capacity.guaranteed or 0.0
        yield f"the maximum, {digits(most)}, is less than what is guaranteed, {digits(least)}"
