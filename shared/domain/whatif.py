"""What if a queue had another guarantee or ceiling, its demand grew, or nodes were lost: other limits and paths, and no new fit.

      capacity   48     in the unit of the forecast
                 30%    where values are percentages: the same; of amounts (MB, vcores): so much of what the parent is guaranteed
                 1.2x   so many times what it is now
      lost       share of the cluster's nodes; guarantees and ceilings are parts of the cluster, and shrink with it
      scale      each value of each path, so many times

Whatever the queue has beyond its guarantee is lent by its siblings: who they are, and whether they need it, is not known here.
Below another parent: moving.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from shared.domain.distribution import Rows
from shared.domain.exceedance import limit_at
from shared.domain.excess import Excess
from shared.domain.forecasts import Forecast
from shared.domain.outlook import Outlook
from shared.domain.units import Unit, shown_in
from shared.errors import InvalidRequest

AMOUNTS = "a number in the unit of the forecast (48), a share (30%), or a multiple of what it is now (1.2x)"
SHARES = "the share of the cluster's capacity that is lost, more than 0% and less than 100%, such as 10%"
MIN_SCALE, MAX_SCALE = 0.01, 100.0
AMOUNT = r"([0-9]{1,15}(?:\.[0-9]{1,9})?)(%|x)?"
_FULL = 100.0
ROUNDING = 1e-9  # relative


class Sign(StrEnum):
    """What a number of an amount means."""

    PLAIN = ""
    PERCENT = "%"
    TIMES = "x"


@dataclass(frozen=True, slots=True)
class Amount:
    """A guarantee or a ceiling as people write it.

    >>> Amount.parse("30%")
    Amount(value=30.0, sign=<Sign.PERCENT: '%'>)
    """

    value: float
    sign: Sign = Sign.PLAIN

    @classmethod
    def parse(cls, text: str) -> Amount:
        """Read an amount; raises ValueError naming the accepted forms."""
        match = re.fullmatch(AMOUNT, text)
        if match is None:
            raise ValueError(f"{text[:40]!r} is not accepted; accepted is {AMOUNTS}")
        return cls(float(match[1]), Sign(match[2] or ""))

    def in_unit(self, field: str, unit: Unit | None, present: float | None, parent: float | None) -> float:
        """In the unit of the forecast; raises InvalidRequest where it is a part of what is not known.

        Args:
            field: of the request, which a refusal names.
            present: what the queue has now. parent: what its parent is guaranteed, in the same unit.
        """
        match self.sign, unit:
            case Sign.TIMES, _:
                if present is None:
                    raise InvalidRequest(f"{self.value:g}x: what it is now is not known; accepted is a number", field=field)
                return self.value * present
            case Sign.PERCENT, Unit.FRACTION:
                return self.value / _FULL
            case (Sign.PLAIN, _) | (Sign.PERCENT, Unit.PERCENT):
                return self.value
        if parent is None:
            raise InvalidRequest(
                f"{self.value:g}%: what the parent is guaranteed is not known, as no forecast of it says so; accepted is a "
                "number in the unit of the forecast (48), or a multiple of what it is now (1.2x)",
                field=field,
            )
        return self.value / _FULL * parent


def parse_lost(text: str) -> float:
    """The share of a cluster that is lost, 0–1; raises ValueError naming what is accepted."""
    match = re.fullmatch(AMOUNT, text)
    if match is not None and match[2] == Sign.PERCENT and 0 < float(match[1]) < _FULL:
        return float(match[1]) / _FULL
    count = " (of how many nodes they are is not known)" if text.isdigit() else ""
    raise ValueError(f"{text[:40]!r} is not accepted{count}; accepted is {SHARES}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is otherwise; None = as now."""

    capacity: Amount | None = None
    ceiling: Amount | None = None
    scale: float = 1.0
    lost: float = 0.0  # of the cluster, 0–1

    def __bool__(self) -> bool:
        return self != Change()

    @property
    def has_shares(self) -> bool:
        """Whether any amount of it is a percentage."""
        return any(amount is not None and amount.sign is Sign.PERCENT for amount in (self.capacity, self.ceiling))


class Kept(NamedTuple):
    """What is left of a guarantee and of a ceiling where nodes are lost, 0–1."""

    guaranteed: float
    maximum: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """The forecast with other limits, its paths otherwise, and what a person should know about that."""

    forecast: Forecast
    rows: Rows
    notes: tuple[str, ...]


def changed(forecast: Forecast, rows: Rows, change: Change, parent: float | None = None, kept: Kept | None = None) -> Changed:
    """What the change makes of a forecast and of its paths; raises InvalidRequest, naming the field.

    Args:
        parent: what the queue's parent is guaranteed, in the unit of the forecast; None = not known.
        kept: what is left where nodes are lost; None = the same share of the guarantee, and of the ceiling, as of the nodes.
    """
    guaranteed = _changed("capacity", change.capacity, forecast.guaranteed, forecast, parent)
    maximum = _changed("ceiling", change.ceiling, forecast.maximum, forecast, parent)
    notes = list(_about_shares(forecast, change))
    if guaranteed is not None and maximum is not None and guaranteed > maximum:
        _refuse_below(guaranteed, maximum, change, forecast.unit)
        if change.capacity is not None:
            notes.append("the ceiling is raised with what is guaranteed, which is never above it")
            maximum = guaranteed
    if _is_cut(forecast, rows, maximum):
        notes.append("the forecast ends at the ceiling of now: above it, more may be wanted than is counted here")
    kept = kept or Kept(1 - change.lost, 1 - change.lost)
    guaranteed, maximum = (
        level if level is None else level * part for level, part in zip((guaranteed, maximum), kept, strict=True)
    )
    scaled = rows if change.scale == 1 else [[value * change.scale for value in row] for row in rows]
    return Changed(forecast=replace(forecast, guaranteed=guaranteed, maximum=maximum), rows=scaled, notes=tuple(notes))


def sentence(now: Outlook, then: Outlook, unit: Unit | None) -> str:
    """What the change does in all that is asked about, for people."""
    pairs = (("above its guarantee of", now.borrowing, then.borrowing), ("at its ceiling of", now.waiting, then.waiting))
    parts = [_compared(what, before, after, unit) for what, before, after in pairs if after is not None]
    return " ".join(parts) or "Neither what is guaranteed nor a ceiling is known: give a capacity."


def _compared(what: str, before: Excess | None, after: Excess, unit: Unit | None) -> str:
    chance, instead = _chance(after), ""
    if before is not None:
        instead = ", as now" if _chance(before) == chance else f"; now {_chance(before)}"
    return f"Chance to be {what} {told(after.level, unit)}: {chance}{instead}."


def _chance(found: Excess) -> str:
    return f"{found.likelihood}, {found.hours:.1f} h expected"


def told(value: float, unit: Unit | None) -> str:
    """An amount as people read it; of a fraction the percentage."""
    factor, symbol = shown_in(unit, value)
    return f"{value * factor:,.10g} {symbol}".rstrip()


def _changed(field: str, amount: Amount | None, present: float | None, forecast: Forecast, parent: float | None) -> float | None:
    return present if amount is None else amount.in_unit(field, forecast.unit, present, parent)


def _about_shares(forecast: Forecast, change: Change) -> Iterator[str]:
    """What a percentage is of, where YARN's configuration would mean another one."""
    if change.has_shares and forecast.unit is not None and forecast.unit.full is not None:
        whole = "of what the queue is guaranteed now" if forecast.guaranteed == forecast.unit.full else "those of the forecast"
        yield f"percentages are {whole}, not of its parent"


def _refuse_below(guaranteed: float, maximum: float, change: Change, unit: Unit | None) -> None:
    if change.ceiling is not None:
        least = told(guaranteed, unit)
        detail = f"the ceiling, {told(maximum, unit)}, is below what is guaranteed; accepted are ceilings from {least} on"
        raise InvalidRequest(detail, field="ceiling")


def about_room(then: Forecast, whole: float | None, *, is_asked: bool) -> Iterator[str]:
    """That a guarantee that is asked for is more than its parent has, or of the root than the cluster has: whole."""
    if is_asked and whole and then.guaranteed is not None and then.guaranteed > whole * (1 + ROUNDING):
        parent = then.queue.rpartition(".")[0]
        has = f"{parent} is guaranteed" if parent else "the cluster has"
        of_own = " of what the queue is guaranteed" if then.unit is not None and then.unit.full is not None else ""
        more = "would have to get more, too" if parent else "would have to grow"
        yield f"{has} {told(whole, then.unit)}{of_own}, less than {told(then.guaranteed, then.unit)}: it {more}"


def about_cut(issued: Forecast, rows: Rows, maximum: float | None) -> Iterator[str]:
    """That paths end at the ceiling of when they were made, where it is higher now."""
    if _is_cut(issued, rows, maximum) and issued.maximum is not None:
        ceiling = told(issued.maximum, issued.unit)
        yield f"the forecast ends at the ceiling of when it was issued, {ceiling}: above it, more may be wanted than is counted"


def _is_cut(forecast: Forecast, rows: Rows, maximum: float | None) -> bool:
    """Whether the ceiling is a higher one than now, where some path is at that of now and none goes beyond."""
    if forecast.maximum is None or maximum is None or maximum <= forecast.maximum:
        return False
    highest = max(map(max, rows))
    return limit_at(forecast, forecast.maximum) <= highest <= forecast.maximum
