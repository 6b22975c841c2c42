"""Paths cut into days, and what of them is above a level, against a count by hand."""

from __future__ import annotations

from math import inf, nextafter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.cuts import MAX_CUTS, MAX_LEVELS, Above, Cut, KeptRows, cuts_of

STEPS = 7
values = st.integers(0, 8).map(float)  # few, so that levels are met exactly
rows = st.lists(st.tuples(*[values] * STEPS), min_size=1, max_size=6)
days = st.tuples(st.integers(0, STEPS - 1), st.integers(1, STEPS)).map(lambda ends: range(ends[0], max(ends[0] + 1, ends[1])))


def by_hand(paths: list[tuple[float, ...]], day: range, level: float, *, or_at: bool) -> Above:
    each = [[step for step in day if path[step] > level or (or_at and path[step] == level)] for path in paths]
    over = sum(max(0.0, path[step] - level) for path in paths for step in day)
    return Above([steps[0] if steps else None for steps in each], sum(map(len, each)), over)


@given(paths=rows, asked=st.lists(st.tuples(days, values, st.booleans()), min_size=1, max_size=4 * MAX_CUTS))
def test_whatever_was_asked_before_each_count_is_that_by_hand(
    paths: list[tuple[float, ...]], asked: list[tuple[range, float, bool]]
) -> None:
    kept = KeptRows(paths)
    for day, level, or_at in asked:
        bar = nextafter(level, -inf) if or_at else level
        expected = by_hand(paths, day, level, or_at=or_at)
        for found in (kept.cut(day), Cut.of(paths, day)):
            assert tuple(found.above(level, bar)) == (expected.firsts, expected.steps, pytest.approx(expected.over))
            assert found.sums == [sum(path[day.start : day.stop]) for path in paths]
            assert found.highest == [max(path[day.start : day.stop]) for path in paths]


@given(paths=rows, level=values, inner=st.integers(1, STEPS - 1))
def test_days_that_follow_each_other_come_to_the_same_as_all_at_once(
    paths: list[tuple[float, ...]], level: float, inner: int
) -> None:
    joined = Above.joined([cut.above(level, level) for cut in cuts_of(paths, [range(inner), range(inner, STEPS)])])
    assert tuple(joined) == (*Cut.of(paths, range(STEPS)).above(level, level)[:2], pytest.approx(joined.over))
    assert joined.over == pytest.approx(by_hand(paths, range(STEPS), level, or_at=False).over)


def test_only_paths_that_stay_are_cut_once_and_little_is_kept_of_them() -> None:
    paths = [(1.0,) * STEPS] * 2
    kept = KeptRows(paths)
    assert cuts_of(kept, [range(3)])[0] is cuts_of(kept, [range(3)])[0]
    assert cuts_of(paths, [range(3)])[0] is not cuts_of(paths, [range(3)])[0]
    first = kept.cut(range(3))
    assert first.above(0.5, 0.5) is first.above(0.5, 0.5)
    before = first.above(0.25, 0.25)
    for number in range(MAX_LEVELS):
        first.above(1.0 + number, 1.0 + number)
    assert first.above(0.25, 0.25) == before
    assert first.above(0.25, 0.25) is not before
    longer = KeptRows([(1.0,) * (MAX_CUTS + 5)])
    cut = longer.cut(range(1))
    for end in range(2, MAX_CUTS + 2):
        longer.cut(range(end))
    assert longer.cut(range(1)) == cut
    assert longer.cut(range(1)) is not cut
