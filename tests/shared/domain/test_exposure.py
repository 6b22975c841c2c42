"""What preemption may take: above the guarantee, up to the ceiling, while the siblings leave theirs idle."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.exposure import exposed, idle_steps
from shared.domain.units import Unit
from tests.factories import a_forecast

STEPS = 4
values = st.lists(st.lists(st.floats(0, 300), min_size=STEPS, max_size=STEPS), min_size=3, max_size=3)
FORECAST = a_forecast(unit=Unit.VCORES, guaranteed=100.0, maximum=150.0, prediction=(1.0,) * STEPS)


def test_it_counts_what_is_above_the_guarantee_and_below_the_ceiling() -> None:
    found = exposed(FORECAST, [[90.0, 110.0, 200.0, 100.0], [0.0] * 4], range(4))
    assert found is not None
    assert (found.amount, found.hours) == (30.0, 1.0)
    assert found.share == pytest.approx(60 / 500)
    later = exposed(FORECAST, [[90.0, 110.0, 200.0, 100.0], [0.0] * 4], range(2, 4))
    assert later is not None
    assert later.amount == 25.0


def test_where_nothing_is_guaranteed_that_is_known_nothing_is_told() -> None:
    assert exposed(a_forecast(guaranteed=None), [[1.0] * 3], range(3)) is None
    nothing = exposed(FORECAST, [[0.0] * 4], range(4))
    assert nothing is not None
    assert (nothing.amount, nothing.share) == (0.0, None)


@given(rows=values, siblings=values, guaranteed=st.floats(0, 300))
def test_only_steps_in_which_siblings_want_less_than_they_have_count(
    rows: list[list[float]], siblings: list[list[float]], guaranteed: float
) -> None:
    found, own = (exposed(FORECAST, rows, range(STEPS), idle) for idle in (idle_steps(siblings, guaranteed), None))
    by_hand = [
        min(rows[path][step], 150.0) - 100.0
        for path in range(3)
        for step in range(STEPS)
        if rows[path][step] > 100.0 and siblings[path][step] < guaranteed
    ]
    assert found is not None
    assert own is not None
    assert found.amount == pytest.approx(sum(by_hand) / 3)
    assert found.hours == pytest.approx(len(by_hand) / 3)
    assert found.amount <= own.amount + 1e-9
