"""What a cluster said last of a queue, in the unit of its forecasts."""

from __future__ import annotations

import pytest

from api.dashboard.newest_values import value_of
from shared.domain.queue_tree import Share
from shared.domain.units import Unit
from tests.shared.yarn.trees import mb

SHARE = Share(used=mb(300, 3), reserved=mb(100, 1), pending=mb(50, 2), used_capacity=75.0)


@pytest.mark.parametrize(
    ("metric", "unit", "value"),
    [
        ("used_memory_mb", Unit.MEGABYTES, 200.0),
        ("demand_memory_mb", Unit.MEGABYTES, 250.0),
        ("pending_memory_mb", Unit.MEGABYTES, 50.0),
        ("demand_vcores", Unit.VCORES, 4.0),
        ("used_capacity", Unit.PERCENT, 75.0),
        ("used_capacity", Unit.FRACTION, None),
        ("used_memory_mb", Unit.GIGABYTES, None),
        ("apps_pending", Unit.COUNT, None),
        ("used_nodes", Unit.COUNT, None),
    ],
)
def test_a_share_is_told_as_the_forecast_counts(metric: str, unit: Unit, value: float | None) -> None:
    assert value_of(SHARE, metric, unit) == value
    assert value_of(Share(), metric, unit) is None
