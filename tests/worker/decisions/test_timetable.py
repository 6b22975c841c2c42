"""Capacities by the time of day, and when they are offered."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from shared.domain.timetables import Segment, in_words
from shared.domain.units import Unit
from worker.decisions.objective import Demand, cost_of
from worker.decisions.replay import Cutoff, Past
from worker.decisions.terms import Terms
from worker.decisions.timetable import SHORTEST_HOURS, SWITCH_HOURS, judged, timetable
from worker.models.base import FloatArray

DAY = 24


def nightly(days: int, high: float = 400.0) -> FloatArray:
    """A hundred, and more from 0 to 6."""
    day = np.where(np.arange(DAY) < 6, high, 100.0)
    return np.tile(day, days) * np.random.default_rng(4).normal(1, 0.02, days * DAY)


def past_of(values: FloatArray) -> Past:
    """A cutoff each day from the ninth on, with the week before as the paths."""
    cutoffs = [
        Cutoff(at=day * DAY, demand=Demand.of(values[(day - 7) * DAY : day * DAY].reshape(7, DAY)))
        for day in range(8, len(values) // DAY)
    ]
    return Past(queue="root.etl", values=values, cutoffs=tuple(cutoffs))


def test_a_night_of_its_own_is_a_segment_of_its_own() -> None:
    found = timetable(Demand.of(nightly(20).reshape(20, DAY)), 400.0, Terms(), DAY)
    assert [(each.first, each.end) for each in found.segments] == [(0, 6), (6, 24)]
    assert found.segments[0].capacity == pytest.approx(415, rel=0.03)
    assert found.segments[1].capacity == pytest.approx(103, rel=0.03)
    assert (found.switches, found.price) == (2, 2 * SWITCH_HOURS * 400)


def test_days_without_a_pattern_have_one_capacity() -> None:
    found = timetable(Demand.of(nightly(20, high=100.0).reshape(20, DAY)), 100.0, Terms(), DAY)
    assert (len(found.segments), found.switches, found.price) == (1, 0, 0.0)


def test_a_switch_that_costs_more_than_it_saves_is_not_made() -> None:
    assert len(timetable(Demand.of(nightly(20).reshape(20, DAY)), 1e6, Terms(), DAY).segments) == 1


def test_floor_ceiling_and_whole_steps_hold_in_each_segment() -> None:
    terms = Terms(floor=150.0, ceiling=350.0, grain=10.0)
    found = timetable(Demand.of(nightly(20).reshape(20, DAY)), 100.0, terms, DAY)
    assert [each.capacity for each in found.segments] == [350.0, 150.0]


def test_steps_shorter_than_an_hour_are_switched_at_whole_hours() -> None:
    quarters = np.repeat(nightly(12).reshape(12, DAY), 4, axis=1)
    found = timetable(Demand.of(quarters, hours=0.25), 400.0, Terms(), DAY * 4)
    assert [(each.first, each.end) for each in found.segments] == [(0, 24), (24, 96)]


def test_several_days_are_ways_that_one_may_go() -> None:
    paths = nightly(20).reshape(10, 2 * DAY)
    assert [(each.first, each.end) for each in timetable(Demand.of(paths), 400.0, Terms(), DAY).segments] == [(0, 6), (6, 24)]


@settings(max_examples=40, deadline=None)
@given(arrays(np.float64, (3, 12), elements=st.integers(0, 9).map(float)), st.sampled_from([0.0, 2.0, 8.0]))
def test_no_other_segments_cost_less(values: FloatArray, present: float) -> None:
    """All ways to cut a day of twelve steps of two hours, each segment of two steps or more.

    Of so many paths, and with this κ, the one value more that a quantile allows for is never another one.
    """
    demand, kappa = Demand.of(np.repeat(values, 40, axis=0), hours=2.0), 10.3
    found = timetable(demand, present, Terms(kappa=kappa), 12)
    price = SWITCH_HOURS * present

    def cost(first: int, end: int) -> float:
        part = Demand.of(values[:, first:end], hours=2.0)
        return min(cost_of(part, capacity).total(kappa) for capacity in {*values.ravel()})

    cheapest = cost(0, 12)
    for count in range(1, 6):
        for inner in combinations(range(1, 12), count):
            cuts = [0, *inner, 12]
            if min(end - first for first, end in pairwise(cuts)) >= round(SHORTEST_HOURS / 2):
                cheapest = min(cheapest, sum(cost(first, end) + price for first, end in pairwise(cuts)))
    exact = [cost(each.first, each.end) for each in found.segments]
    assert sum(exact) + found.price <= cheapest + 1e-9


def test_a_timetable_is_offered_where_its_past_says_so() -> None:
    found = judged(past_of(nightly(8 + 15)), Terms())
    assert found is not None
    assert found.is_offered
    assert found.ratio is not None
    assert found.ratio < 0.9
    assert (found.days, found.switches_a_day, len(found.segments)) == (15, 2.0, 2)


def test_fewer_than_two_weeks_are_no_evidence_for_a_timetable() -> None:
    found = judged(past_of(nightly(8 + 13)), Terms())
    assert found is not None
    assert "on 13 days only" in found.sentence


def test_flat_days_get_no_timetable() -> None:
    found = judged(past_of(nightly(8 + 15, high=100.0)), Terms())
    assert found is not None
    assert (found.is_offered, found.switches_a_day) == (False, 0.0)
    assert found.sentence.startswith("No timetable: timetables would have cost")


def test_a_day_that_could_not_be_forecast_keeps_the_timetable_before() -> None:
    past = past_of(nightly(8 + 15))
    cutoffs = (
        replace(past.cutoffs[0], demand=None),
        *past.cutoffs[1:7],
        replace(past.cutoffs[7], demand=None),
        *past.cutoffs[8:],
    )
    found = judged(replace(past, cutoffs=cutoffs), Terms())
    assert found is not None
    assert found.switches_a_day == pytest.approx(2 * 14 / 15)


def test_windows_that_are_no_days_have_no_timetable() -> None:
    assert judged(replace(past_of(nightly(12)), window_steps=6), Terms()) is None


@pytest.mark.parametrize("poison", [np.nan, 1e12])
def test_no_value_at_or_after_the_last_cutoff_is_read(poison: float) -> None:
    past = past_of(nightly(8 + 15))
    poisoned = past.values.copy()
    poisoned[past.cutoffs[-1].at :] = poison
    clean, other = judged(past, Terms()), judged(replace(past, values=poisoned), Terms())
    assert clean is not None
    assert other is not None
    assert clean.segments == other.segments


def test_a_timetable_is_told_by_the_clock() -> None:
    starts = [datetime(2026, 1, 5, 22, tzinfo=UTC) + timedelta(hours=hour) for hour in range(DAY)]
    segments = (Segment(first=0, end=8, capacity=450 * 1024.0), Segment(first=8, end=24, capacity=120 * 1024.0))
    assert in_words(segments, starts, Unit.MEGABYTES) == "22:00–06:00 450 GB, 06:00–22:00 120 GB"
