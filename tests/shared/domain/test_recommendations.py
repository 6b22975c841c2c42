"""Amounts of a recommendation, as people read them."""

from __future__ import annotations

import pytest

from shared.domain.recommendations import amount, work_amount
from shared.domain.units import Unit


@pytest.mark.parametrize(
    ("value", "unit", "told"),
    [
        (462_848.0, Unit.MEGABYTES, "452 GB"),
        (462_848.0 * 2**20, Unit.BYTES, "452 GB"),
        (512.0, Unit.MEGABYTES, "512 MB"),
        (46.0, Unit.PERCENT, "46 %"),
        (0.25, Unit.FRACTION, "25 %"),
        (1_234.5, Unit.VCORES, "1,234 vcores"),
        (12.5, None, "12.5"),
    ],
)
def test_capacities_are_told_in_their_unit(value: float, unit: Unit | None, told: str) -> None:
    assert amount(value, unit) == told


def test_work_is_told_without_digits_that_nobody_needs() -> None:
    assert work_amount(310.27, Unit.MEGABYTES) == "310 GB·h"
    assert work_amount(3.14159, Unit.VCORES) == "3.1 vcores·h"
