"""Drift: clearly worse than the search expected, of enough steps, and not only because all has become harder."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.accuracy import ErrorSums
from shared.domain.drift import drift, looked_at_since
from shared.domain.forecasts import Score
from tests.factories import MONDAY, a_score

HOUR = 3_600


def score(*missed: float, skill: float | None = 0.5) -> Score:
    """A search whose windows missed by so much at each of two steps."""
    like = a_score().windows[0]
    windows = [replace(like, actual=(10.0, None, 10.0), prediction=(10.0 + each, 0.0, 10.0 - each)) for each in missed]
    return a_score(windows=tuple(windows), measures=replace(a_score().measures, skill=skill))


def sums(missed: float, naive: float, steps: int = 48) -> ErrorSums:
    """What issued forecasts missed by, on average."""
    return ErrorSums(steps=steps, compared_steps=steps, compared_error=missed * steps, naive_error=naive * steps)


@pytest.mark.parametrize(
    ("verified", "searched", "drifted"),
    [
        (sums(4.0, 4.0), score(1.0, 2.0), True),
        (sums(4.0, 0.0), score(1.0, 2.0), True),  # the series has come to rest at another level
        (sums(2.2, 2.0), score(1.0, 2.0), False),  # less than 1.5 times what was expected
        (sums(2.9, 2.0), score(1.0, 3.0), False),  # one window was as bad
        (sums(4.0, 8.0), score(1.0, 2.0), False),  # it has become harder for everybody
        (sums(4.0, 5.0), score(1.0, 2.0), True),  # most of its lead is lost
        (sums(4.0, 4.2), score(1.0, 2.0, skill=None), False),
        (sums(4.0, 4.0), score(1.0, 2.0, skill=-1.0), True),
        (sums(4.0, 4.0, steps=47), score(1.0, 2.0), False),
        (sums(0.0, 0.0), score(0.0, 0.0, skill=None), False),  # idle then and now
        (sums(5.0, 0.0), score(0.0, 0.0, skill=None), True),  # idle then, and forecast as something else since
        (sums(0.0, 5.0), score(0.0, 0.0, skill=None), False),
        (None, score(1.0, 2.0), False),
        (sums(4.0, 4.0), score(), False),
    ],
)
def test_it_is_told_where_forecasts_are_clearly_worse_than_expected(
    verified: ErrorSums | None, searched: Score, drifted: bool
) -> None:
    assert (drift(verified, searched, HOUR, MONDAY) is not None) is drifted


def test_short_steps_need_two_days_of_them_too() -> None:
    assert drift(sums(4.0, 4.0, steps=575), score(1.0), 300, MONDAY) is None
    assert drift(sums(4.0, 4.0, steps=576), score(1.0), 300, MONDAY)


def test_only_what_was_issued_since_the_search_and_lately_tells_of_it() -> None:
    day = timedelta(days=1)
    assert looked_at_since(MONDAY, MONDAY + 3 * day, day) == MONDAY
    assert looked_at_since(MONDAY, MONDAY + 30 * day, day) == MONDAY + 23 * day
    assert looked_at_since(MONDAY, MONDAY + 30 * day, 14 * day) == MONDAY + 16 * day
