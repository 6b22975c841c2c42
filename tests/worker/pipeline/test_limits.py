"""What a queue has and can get: from its request, from YARN's own columns, or by the name of its target."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from shared.domain.samples import Limits
from shared.domain.units import Unit
from tests.factories import a_load, a_request
from worker.pipeline.limits import Capacity, capacity_of, without_limits

LOAD = a_load(72)


def a_frame(scale: float = 1.0, *, target: str = "used_capacity", **beside: Any) -> pd.DataFrame:
    """Usage between about 30 and 80, with further columns."""
    return pd.DataFrame({target: LOAD * scale, **beside})


def capacity(frame: pd.DataFrame, **changes: Any) -> Capacity:
    return capacity_of(a_request(**changes), frame)[0]


def limits(frame: pd.DataFrame, **changes: Any) -> tuple[float | None, float | None]:
    found = capacity(frame, **changes)
    return found.guaranteed, found.maximum


def warnings(frame: pd.DataFrame, **changes: Any) -> list[str]:
    return list(capacity_of(a_request(**changes), frame)[1])


@pytest.mark.parametrize(
    ("columns", "maximum"),
    [
        ({"absolute_capacity": 20.0, "absolute_max_capacity": 50.0}, 250.0),
        ({"q.absoluteCapacity": 20.0, "q.absoluteMaxCapacity": 20.0}, 100.0),
        ({"absolute_capacity": 20.0}, None),
        ({"absolute_capacity": 0.0, "absolute_max_capacity": 50.0}, None),
        ({"absolute_capacity": 20.0, "absolute_max_capacity": -1.0}, None),
    ],
)
def test_of_used_capacity_yarns_own_columns_tell_the_maximum(columns: dict[str, float], maximum: float | None) -> None:
    assert limits(a_frame(**columns)) == (100.0, maximum)


def test_the_newest_known_value_counts() -> None:
    share = pd.Series(20.0, LOAD.index)
    most = pd.Series([40.0] * 60 + [60.0] * 10 + [np.nan, -1.0], LOAD.index)
    assert limits(a_frame(absolute_capacity=share, absolute_max_capacity=most)) == (100.0, 300.0)


@pytest.mark.parametrize(
    ("target", "columns", "expected"),
    [
        ("used_memory_mb", {"guaranteed_memory_mb": 90.0, "maximum_memory_mb": 200.0}, (90.0, 200.0)),
        ("used_vcores", {"guaranteed_vcores": 90.0, "maximum_vcores": 2_147_483_647.0}, (90.0, None)),
        ("used_vcores", {"guaranteed_memory_mb": 90.0}, (None, None)),
        ("absolute_used_capacity", {"absolute_capacity": 60.0, "absolute_max_capacity": 90.0}, (60.0, 90.0)),
        ("absolute_used_capacity", {}, (None, 100.0)),
        ("cpu_percent", {"absolute_capacity": 60.0, "absolute_max_capacity": 90.0}, (100.0, None)),
        ("y", {}, (None, None)),
    ],
)
def test_other_targets_have_limits_of_their_own(target: str, columns: dict[str, float], expected: tuple[Any, ...]) -> None:
    assert limits(a_frame(target=target, **columns), target=target) == expected


def test_what_the_request_says_comes_first_a_number_or_a_column() -> None:
    frame = a_frame(absolute_capacity=20.0, absolute_max_capacity=50.0, ceiling=180.0)
    assert limits(frame, limits=Limits(guaranteed=90.0, maximum="ceiling")) == (90.0, 180.0)
    assert limits(frame, limits=Limits(guaranteed=90.0)) == (90.0, 250.0)
    assert limits(a_frame(), bounds=(0.0, 100.0)) == (100.0, 100.0)


def test_columns_that_are_read_for_their_limits_alone_are_no_covariates() -> None:
    frame = a_frame(share=1.0, ceiling=2.0, absolute_capacity=3.0)
    assert list(without_limits(a_request(columns=("share",)), frame)) == ["used_capacity", "share"]
    assert list(without_limits(a_request(), frame)) == ["used_capacity", "share", "ceiling"]
    assert list(without_limits(a_request(limits=Limits(maximum="share")), frame)) == ["used_capacity", "ceiling"]


def test_values_that_may_be_fractions_have_no_limit_until_the_unit_is_said() -> None:
    frame = a_frame(0.014)
    assert capacity(frame) == Capacity()
    [warning] = warnings(frame)
    assert "set `unit` to fraction or to percent" in warning
    assert capacity(frame, unit=Unit.FRACTION).unit is Unit.FRACTION
    assert limits(frame, unit=Unit.FRACTION) == (1.0, None)
    assert limits(frame, unit=Unit.PERCENT) == (100.0, None)
    assert warnings(frame, unit=Unit.FRACTION) == warnings(a_frame()) == []


def test_yarns_own_percentages_say_that_an_idle_queue_is_no_fraction() -> None:
    yarn = {"absolute_capacity": 20.0, "absolute_max_capacity": 50.0}
    idle = a_frame(0.014, absolute_used_capacity=LOAD * 0.014 * 0.2, **yarn)
    assert (capacity(idle).unit, capacity(idle).maximum) == (Unit.PERCENT, 250.0)
    fractions = a_frame(0.014, absolute_used_capacity=LOAD * 0.014 * 20, **yarn)  # beside per cent of the cluster
    for frame in (fractions, a_frame(0.014, **yarn)):
        assert capacity(frame) == Capacity()
        assert "set `unit` to fraction or to percent" in warnings(frame)[0]


def test_fractions_have_yarns_limits_as_fractions() -> None:
    frame = a_frame(0.014, absolute_capacity=0.2, absolute_max_capacity=0.5)
    assert limits(frame, unit=Unit.FRACTION) == (1.0, 2.5)


def test_usage_is_held_to_the_maximum_and_demand_is_not() -> None:
    assert capacity(a_frame(), limits=Limits(maximum=85.0)).physical_range((0.0, None)) == (0.0, 85.0)
    assert capacity(a_frame(), limits=Limits(maximum=85.0)).physical_range((0.0, 70.0)) == (0.0, 70.0)
    demand = capacity(a_frame(target="demand_memory_mb"), target="demand_memory_mb", limits=Limits(maximum=85.0))
    assert (demand.maximum, demand.physical_range((0.0, None))) == (85.0, (0.0, None))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"limits": Limits(maximum=1.0)}, "most values of the last day lie above the maximum, 1"),
        ({"limits": Limits(guaranteed="share")}, "the column 'share' of `limits` has no value above zero"),
        ({"limits": Limits(maximum=90.0)}, "the maximum, 90, is less than what is guaranteed, 100"),
        ({"unit": Unit.FRACTION}, "`unit` says fraction, and 'used_capacity' reaches 7"),
    ],
)
def test_what_contradicts_itself_is_said(changes: dict[str, Any], said: str) -> None:
    found = warnings(a_frame(share=-1.0), **changes)
    assert [warning for warning in found if warning.startswith(said)], found


def test_a_forecast_is_not_held_to_a_maximum_of_another_unit() -> None:
    assert capacity(a_frame(), limits=Limits(maximum=1.0)).physical_range((0.0, None)) == (0.0, None)
