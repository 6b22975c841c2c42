"""Steps in which a queue was held back: what it used there is not what it wanted.

    used        ▂▄▆████▆▄▂     it had all that it could get
    pending     ······▃▅▂····     known: demand is both, but no more than 1.5 times the largest of 28 days, as one job may ask
                                  for its whole future at once
                (not known)       the step says "at least": it is no less than nine in ten of the same hours that say more
    forecast    learned from demand, scored against demand

Only what lies before a step says what it is taken for, so that it is the same in every later run. Where more than a fifth of the
steps are lower bounds, the forecast says "at least". A target that is no demand, such as `used_memory_mb`, stays as it was read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shared.domain.basis import Basis
from shared.domain.jobs import JobRequest
from shared.domain.samples import Aggregation
from shared.domain.timegrid import SECONDS_PER_DAY
from worker.sources.base import Reading, plain

HELD_BACK = 0.5  # of a step: in so many of its samples
FULL = 0.98  # of what the queue could get is all of it: containers have a size
MOST = 1.5  # times the largest of `WINDOW`
HIGH = 0.9  # quantile of the same hours
WINDOW = pd.Timedelta(days=28)
RECENT = 7  # days
DEMAND = "demand"
OF_EACH_HALF = (Aggregation.MEDIAN, Aggregation.MIN)  # of which something above zero says that half of the samples are

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """The reading with what was wanted in place of what was had, and what to say of it."""

    reading: Reading
    basis: Basis | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def is_demand(target: str) -> bool:
    """Whether the target is what a queue wants, by its name."""
    return plain(target).startswith(DEMAND)


def as_demand(request: JobRequest, reading: Reading) -> Demand:
    """Of one queue; the reading as it is where nothing tells whether it was held back. Doing so twice changes no more."""
    values, signs = reading.frame[request.target], _signs(request, reading)
    ratio = _ratio(request, values, signs)
    if "saturated" not in signs:
        return Demand(reading=reading, basis=None if ratio is None else Basis(p95_to_mean=ratio))
    held_back = (signs["saturated"] >= HELD_BACK).to_numpy() & values.notna().to_numpy()
    known = np.zeros(len(values), dtype=bool)
    if is_demand(request.target) and "pending" in signs:
        known = signs["pending"].notna().to_numpy()
    lower = held_back & (~known | (_column(signs, "waiting") >= HELD_BACK))
    count = max(1, int(values.notna().sum()))
    basis = Basis(p95_to_mean=ratio, saturated=float(held_back.sum() / count), at_least=float(lower.sum() / count))
    wanted, notes = _wanted(request, values, signs, held_back, known) if is_demand(request.target) else (values, [])
    told = replace(reading, frame=reading.frame.assign(**{request.target: wanted})) if wanted is not values else reading
    return Demand(reading=told, basis=basis, notes=tuple(notes), warnings=tuple(_warnings(basis)))


def _wanted(
    request: JobRequest, values: pd.Series, signs: pd.DataFrame, held_back: Flags, known: Flags
) -> tuple[pd.Series, list[str]]:
    """The values with those of steps in which the queue was held back as they are to be taken."""
    if not held_back.any():
        return values, []
    limited = values.where(~(held_back & known), values.clip(upper=_most(values, signs, held_back)))
    least = _least(values, held_back, held_back & ~known, request.timezone)
    wanted = limited.where(~(held_back & ~known), limited.clip(lower=least))
    return wanted, list(_notes(values, wanted, held_back))


def _most(values: pd.Series, signs: pd.DataFrame, held_back: Flags) -> pd.Series:
    """1.5 times the largest of the last 28 days: of what was used, and of demand where nothing held it back; else no limit."""
    used = _column(signs, "used")
    granted = pd.Series(np.where(held_back, used, values), index=values.index)
    return (MOST * granted.rolling(WINDOW, min_periods=1).max()).fillna(np.inf)


def _least(values: pd.Series, held_back: Flags, wanted: Flags, timezone: str) -> pd.Series:
    """For the steps that are wanted the 90 % quantile of the same hours of 28 days before in which the queue was free."""
    index = pd.DatetimeIndex(values.index)
    clock = index.tz_convert(timezone)
    slots = np.asarray(clock.hour * 60 + clock.minute)
    free = ~held_back & values.notna().to_numpy()
    least = np.full(len(values), -np.inf)
    for place in np.flatnonzero(wanted).tolist():
        first = index.searchsorted(index[place] - WINDOW)
        alike = values.to_numpy()[first:place][(slots[first:place] == slots[place]) & free[first:place]]
        if len(alike):
            least[place] = np.quantile(alike, HIGH)
    return pd.Series(least, index=index)


def _signs(request: JobRequest, reading: Reading) -> pd.DataFrame:
    """What tells of the steps whether the queue was held back: of the source, else by the names of columns beside a demand."""
    index = reading.frame.index
    if not reading.beside.empty:
        return reading.beside.reindex(index)
    if not is_demand(request.target):
        return pd.DataFrame(index=index)
    names, rest = {plain(str(name)): name for name in reading.frame}, plain(request.target).removeprefix(DEMAND)
    called = {"used": f"used{rest}", "pending": f"pending{rest}", "maximum": f"maximum{rest}", "waiting": "appspending"}
    found = {short: reading.frame[names[name]] for short, name in called.items() if name in names}
    for name in ("issaturated", "saturated"):
        if name in names:
            found["saturated"] = reading.frame[names[name]]
    if "saturated" not in found and (told := _told(request, found)) is not None:
        found["saturated"] = told
    return pd.DataFrame(found, index=index)


def _told(request: JobRequest, found: dict[str, pd.Series]) -> pd.Series | None:
    """Whether a step is one in which the queue was held back, by what it used and what waited; None = nothing tells."""
    signs = []
    if "used" in found and "maximum" in found:
        signs.append((found["used"] >= FULL * found["maximum"]) & (found["used"] > 0))
    if "pending" in found and request.aggregation in OF_EACH_HALF:
        signs.append(found["pending"] > 0)
    return None if not signs else pd.concat(signs, axis=1).any(axis=1).astype(float)


def _column(signs: pd.DataFrame, name: str) -> NDArray[np.float64]:
    if name not in signs:
        return np.full(len(signs), np.nan)
    column: NDArray[np.float64] = signs[name].to_numpy(dtype=np.float64)
    return column


def _ratio(request: JobRequest, values: pd.Series, signs: pd.DataFrame) -> float | None:
    """How many times the mean the 95 % quantile is, in the middle of the last days' steps; None where one is not known."""
    if "mean" in signs and request.aggregation is Aggregation.P95:
        high, mean = values, signs["mean"]
    elif "p95" in signs and request.aggregation is Aggregation.MEAN:
        high, mean = signs["p95"], values
    else:
        return None
    recent = (high / mean.where(mean > 0)).dropna().iloc[-max(1, RECENT * SECONDS_PER_DAY // request.step_seconds) :]
    return float(recent.median()) if len(recent) else None


def _notes(values: pd.Series, wanted: pd.Series, held_back: Flags) -> Iterator[str]:
    yield f"the queue was held back in {int(held_back.sum()):,} of {int(values.notna().sum()):,} steps"
    if lowered := int((wanted < values).sum()):
        yield f"demand of {lowered:,} of them was limited to {MOST:g} times the largest of the 28 days before"
    if raised := int((wanted > values).sum()):
        yield f"{raised:,} of them, where nobody knows what waited, were raised to nine in ten of the same hours of 28 days"


def _warnings(basis: Basis) -> Iterator[str]:
    if basis.is_at_least:
        yield (
            f"in {basis.at_least:.0%} of the steps the queue was held back, and nobody knows how much more it wanted: the "
            "forecast says at least that"
        )
