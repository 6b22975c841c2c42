"""What the values of a metric are counted in: decided once, when its history has been read, and kept with the forecast."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

MAX_FRACTION = 1.5  # values that are never higher may be parts of 1 as well as percentages
STEP = 1_024  # from one unit of memory to the next, as YARN counts: an MB is 2**20 bytes, which others call MiB
MEGABYTES_PER_GIGABYTE = STEP
MAX_BORROWED = 50.0  # parts of 1: more than fifty times its share no queue is lent


class Unit(StrEnum):
    """Units that mean something to us."""

    PERCENT = "percent"  # of what a queue may use
    FRACTION = "fraction"  # the same, as a part of 1
    BYTES = "bytes"
    KILOBYTES = "kilobytes"
    MEGABYTES = "megabytes"
    GIGABYTES = "gigabytes"
    TERABYTES = "terabytes"
    VCORES = "vcores"
    COUNT = "count"

    @property
    def full(self) -> float | None:
        """All of what a queue is guaranteed, where values are relative to that; None = they are not."""
        return {Unit.PERCENT: 100.0, Unit.FRACTION: 1.0}.get(self)

    @property
    def megabytes(self) -> float | None:
        """How many MB one of it is; None = it counts something else than memory."""
        return None if self not in _SIZES else STEP ** (_SIZES.index(self) - _SIZES.index(Unit.MEGABYTES))


_SIZES = (Unit.BYTES, Unit.KILOBYTES, Unit.MEGABYTES, Unit.GIGABYTES, Unit.TERABYTES)  # each STEP times the one before
_SYMBOLS = ("B", "KB", "MB", "GB", "TB")
_SMALL = (Unit.BYTES, Unit.KILOBYTES)  # of which queues have so many that people read a larger one
_PLAIN: Mapping[Unit, str] = {Unit.PERCENT: "%", Unit.VCORES: "vcores", **dict(zip(_SIZES, _SYMBOLS, strict=True))}

_NAMES = {
    Unit.PERCENT: re.compile(r"used_?capacity$|percent|pct|%", re.IGNORECASE),
    Unit.FRACTION: re.compile(r"fraction|ratio", re.IGNORECASE),
    Unit.KILOBYTES: re.compile(r"_ki?b$|(kilo|kibi)byte", re.IGNORECASE),
    Unit.MEGABYTES: re.compile(r"(_|memory|allocated|pending|reserved|available|total)mb$|_mib$|(mega|mebi)byte", re.IGNORECASE),
    Unit.GIGABYTES: re.compile(r"_gi?b$|(giga|gibi)byte", re.IGNORECASE),
    Unit.TERABYTES: re.compile(r"_ti?b$|(tera|tebi)byte", re.IGNORECASE),
    Unit.BYTES: re.compile(r"(^|[_.: ])bytes$|[a-z]Bytes$"),
    Unit.VCORES: re.compile(r"v_?cores?", re.IGNORECASE),
    Unit.COUNT: re.compile(r"(applications|containers|apps|count)$|(^|[._])(num|apps)_", re.IGNORECASE),
}


class Shown(NamedTuple):
    """By what values are multiplied to be shown, and what stands behind them."""

    factor: float
    symbol: str


def shown_in(unit: Unit | None, largest: float = 0.0) -> Shown:
    """How people read values of a unit: fractions as percentages; bytes and KB in the largest unit of which there is one.

    Args:
        largest: of the values that are shown together, so that all of them have one unit.

    >>> shown_in(Unit.BYTES, 3 * 2**30).symbol
    'GB'
    """
    if unit is None:
        return Shown(1.0, "")
    if unit is Unit.FRACTION:
        return Shown(100.0, "%")
    if unit not in _SMALL:
        return Shown(1.0, _PLAIN.get(unit, ""))
    own, factor = _SIZES.index(unit), 1.0
    while own + 1 < len(_SIZES) and abs(largest) * factor >= STEP:
        own, factor = own + 1, factor / STEP
    return Shown(factor, _SYMBOLS[own])


def work_of(unit: Unit | None) -> tuple[float, str]:
    """What values times hours are told in: by what the values are multiplied, and the name, such as GB·h of megabytes."""
    known = {
        Unit.PERCENT: (1.0, "%·h"),
        Unit.FRACTION: (100.0, "%·h"),
        **{size: ((size.megabytes or 0.0) / MEGABYTES_PER_GIGABYTE, "GB·h") for size in _SIZES},
        Unit.VCORES: (1.0, "vcores·h"),
    }
    return known.get(unit, (1.0, "unit·h")) if unit else (1.0, "unit·h")


def fitting(metric: str, highest: float) -> tuple[Unit, ...]:
    """The units that a metric's name and its highest value allow: none = nothing is known; of two a person has to say which."""
    named = next((unit for unit, pattern in _NAMES.items() if pattern.search(metric)), None)
    if named is Unit.PERCENT and 0.0 < highest <= MAX_FRACTION:
        return Unit.PERCENT, Unit.FRACTION
    if named is None or (named is Unit.FRACTION and highest > MAX_BORROWED):
        return ()
    return (named,)


def unit_of(metric: str, highest: float) -> Unit | None:
    """The one unit that fits; None = none does, or two do."""
    units = fitting(metric, highest)
    return units[0] if len(units) == 1 else None
