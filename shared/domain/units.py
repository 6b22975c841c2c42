"""What the values of a metric are counted in: decided here, once, and carried with the forecast."""

from __future__ import annotations

import re
from enum import StrEnum

_PERCENT_NAMES = re.compile(r"(^|\.)used_?capacity$|percent|pct", re.IGNORECASE)


class Unit(StrEnum):
    """Units that mean something to us."""

    PERCENT = "percent"  # of what a queue may use


def unit_of(metric: str) -> Unit | None:
    """The unit that a metric's name says; None = it says none."""
    return Unit.PERCENT if _PERCENT_NAMES.search(metric) else None
