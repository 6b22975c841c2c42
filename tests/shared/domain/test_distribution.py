"""Quantiles and paths as they are kept."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.domain.codec import from_json, to_json
from shared.domain.distribution import FINEST, LEVELS, TINY, Paths, Quantiles, bounds_of, levels_of

values = st.floats(-1e12, 1e12)
rows = st.integers(1, 30).flatmap(
    lambda steps: st.lists(st.lists(values, min_size=steps, max_size=steps), min_size=1, max_size=8)
)


@given(given_rows=rows)
@example(given_rows=[[-1e12, 1.0]])
def test_paths_come_back_as_near_as_two_bytes_tell(given_rows: list[list[float]]) -> None:
    paths = Paths.of(given_rows)
    found = from_json(Paths, to_json(paths)).rows()
    flat = [value for row in given_rows for value in row]
    step = max((max(flat) - min(flat)) / FINEST, TINY)
    assert [len(row) for row in found] == [len(row) for row in given_rows]
    assert [value for row in found for value in row] == pytest.approx(flat, abs=step, rel=1e-9)
    assert min(flat) <= min(map(min, found)) <= max(map(max, found)) <= max(flat)


def test_paths_of_three_days_take_little_room() -> None:
    day = [50.0 + 30.0 * ((hour * 7919 + path * 104_729) % 997) / 997 for path in range(64) for hour in range(72)]
    assert len(to_json(Paths.of([day[start : start + 72] for start in range(0, len(day), 72)]))) < 14_000


@given(interval=st.floats(0.5, 0.99), asked=st.lists(st.floats(0.01, 0.99), max_size=20))
def test_every_forecast_has_the_usual_levels_those_of_its_bounds_and_those_asked_for(interval: float, asked: list[float]) -> None:
    levels = levels_of(interval, asked)
    assert list(levels) == sorted(set(levels))
    assert set(LEVELS) <= set(levels)
    quantiles = Quantiles(levels=levels, values=tuple((float(place),) for place in range(len(levels))))
    for level in (*bounds_of(interval), *asked):
        (found,) = quantiles.at(level)
        assert levels[int(found)] == pytest.approx(level, abs=1e-6)


def test_between_two_levels_lies_a_line_and_beyond_them_nothing_is_known() -> None:
    quantiles = Quantiles(levels=(0.1, 0.5), values=((0.0, 10.0), (4.0, 10.0)))
    assert quantiles.at(0.2) == pytest.approx((1.0, 10.0))
    assert quantiles.at(0.05) == (0.0, 10.0)
    assert quantiles.at(0.9) == (4.0, 10.0)
    assert not Quantiles()
