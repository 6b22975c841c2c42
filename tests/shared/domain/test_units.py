"""What a metric's name and its values say of their unit."""

from __future__ import annotations

import pytest

from shared.domain.units import Unit, fitting, shown_in, work_of


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
        ("container_memory_usage_bytes", 9e9, {Unit.BYTES}),
        ("yarn.allocatedBytes", 9e9, {Unit.BYTES}),
        ("megabytes", 9.0, {Unit.MEGABYTES}),
        ("used_memory_kb", 9e6, {Unit.KILOBYTES}),
        ("used_gib", 9.0, {Unit.GIGABYTES}),
        ("used_memory_tb", 9.0, {Unit.TERABYTES}),
        ("used_bytes_per_request_kind", 9.0, set()),
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


def test_one_of_each_unit_of_memory_is_1024_of_the_one_before() -> None:
    sizes = (Unit.BYTES, Unit.KILOBYTES, Unit.MEGABYTES, Unit.GIGABYTES, Unit.TERABYTES)
    assert [unit.megabytes for unit in sizes] == [2**-20, 2**-10, 1, 2**10, 2**20]
    assert Unit.VCORES.megabytes is None
    assert [work_of(unit) for unit in sizes] == [(2.0**power, "GB·h") for power in (-30, -20, -10, 0, 10)]


@pytest.mark.parametrize(
    ("unit", "largest", "shown"),
    [
        (None, 7.0, (1.0, "")),
        (Unit.FRACTION, 1.2, (100.0, "%")),
        (Unit.BYTES, 0.0, (1.0, "B")),
        (Unit.BYTES, 1023.0, (1.0, "B")),
        (Unit.BYTES, -(2.0**31), (2.0**-30, "GB")),
        (Unit.BYTES, 2.0**62, (2.0**-40, "TB")),
        (Unit.KILOBYTES, 2.0**11, (2.0**-10, "MB")),
        (Unit.MEGABYTES, 2.0**30, (1.0, "MB")),  # whoever counts in MB knows them
        (Unit.VCORES, 12.0, (1.0, "vcores")),
    ],
)
def test_bytes_are_shown_in_the_largest_unit_of_which_there_is_one(
    unit: Unit | None, largest: float, shown: tuple[float, str]
) -> None:
    assert shown_in(unit, largest) == shown
