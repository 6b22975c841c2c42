"""What the values of a metric are counted in: decided once, when its history has been read, and kept with the forecast."""

from __future__ import annotations

import re
from enum import StrEnum

MAX_FRACTION = 1.5  # values that are never higher may be parts of 1 as well as percentages
MEGABYTES_PER_GIGABYTE = 1_024  # as YARN counts
MAX_BORROWED = 50.0  # parts of 1: more than fifty times its share no queue is lent


class Unit(StrEnum):
    """Units that mean something to us."""

    PERCENT = "percent"  # of what a queue may use
    FRACTION = "fraction"  # the same, as a part of 1
    MEGABYTES = "megabytes"
    VCORES = "vcores"
    COUNT = "count"

    @property
    def full(self) -> float | None:
        """All of what a queue is guaranteed, where values are relative to that; None = they are not."""
        return {Unit.PERCENT: 100.0, Unit.FRACTION: 1.0}.get(self)

    @property
    def symbol(self) -> str:
        """As it stands behind a value; fractions are shown as percentages."""
        return {Unit.PERCENT: "%", Unit.FRACTION: "%", Unit.MEGABYTES: "MB", Unit.VCORES: "vcores"}.get(self, "")


_NAMES = {
    Unit.PERCENT: re.compile(r"used_?capacity$|percent|pct|%", re.IGNORECASE),
    Unit.FRACTION: re.compile(r"fraction|ratio", re.IGNORECASE),
    Unit.MEGABYTES: re.compile(r"(_|memory|allocated|pending|reserved|available|total)mb$|megabyte", re.IGNORECASE),
    Unit.VCORES: re.compile(r"v_?cores?", re.IGNORECASE),
    Unit.COUNT: re.compile(r"(applications|containers|apps|count)$|(^|[._])(num|apps)_", re.IGNORECASE),
}


def in_percent(value: float, unit: Unit | None) -> float:
    """A value as it is shown: of a fraction the percentage."""
    return value * 100.0 if unit is Unit.FRACTION else value


def work_of(unit: Unit | None) -> tuple[float, str]:
    """What values times hours are told in: by what the values are multiplied, and the name, such as GB·h of megabytes."""
    known = {
        Unit.PERCENT: (1.0, "%·h"),
        Unit.FRACTION: (100.0, "%·h"),
        Unit.MEGABYTES: (1 / MEGABYTES_PER_GIGABYTE, "GB·h"),
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
