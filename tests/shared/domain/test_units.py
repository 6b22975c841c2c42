"""What a metric's name and its values say of their unit."""

from __future__ import annotations

import pytest

from shared.domain.units import Unit, fitting


@pytest.mark.parametrize(
    ("metric", "highest", "units"),
    [
        ("used_capacity", 116.0, {Unit.PERCENT}),
        ("queue.usedCapacity", 40.0, {Unit.PERCENT}),
        ("Used capacity %", 40.0, {Unit.PERCENT}),
        ("absolute_used_capacity", 40.0, {Unit.PERCENT}),
        ("cpu_pct", 1.6, {Unit.PERCENT}),
        ("used_capacity", 1.16, {Unit.PERCENT, Unit.FRACTION}),
        ("memory_percent", 1.5, {Unit.PERCENT, Unit.FRACTION}),
        ("used_capacity", 0.0, {Unit.PERCENT}),  # nothing is nothing in both
        ("usage_ratio", 1.16, {Unit.FRACTION}),
        ("usage_ratio", 80.0, set()),
        ("used_memory_mb", 1.0, {Unit.MEGABYTES}),
        ("AllocatedMB", 9e6, {Unit.MEGABYTES}),
        ("used_vcores", 12.0, {Unit.VCORES}),
        ("resourcesUsed.vCores", 12.0, {Unit.VCORES}),
        ("num_applications", 12.0, {Unit.COUNT}),
        ("pendingContainers", 12.0, {Unit.COUNT}),
        ("y", 1.0, set()),
        ("load", 0.5, set()),
    ],
)
def test_the_units_that_fit(metric: str, highest: float, units: set[Unit]) -> None:
    assert set(fitting(metric, highest)) == units
