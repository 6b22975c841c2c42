"""Which queues may be in trouble, when and how sure; and in which order they are shown."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from api.dashboard.overview import SORTS, OverviewQuery, Row, matching, row_of
from shared.domain.exceedance import First
from tests.factories import MEMORY, MONDAY, a_forecast

HOUR = timedelta(hours=1)
LEVELS = (80.0, 100.0)


def a_row(now: Any = MONDAY, **changes: Any) -> Row:
    return row_of(a_forecast(**changes), LEVELS, now)


def high(prediction: float, upper: float) -> dict[str, Any]:
    """A forecast that is highest in its second step."""
    return {"prediction": (1.0, prediction, 2.0), "lower_bound": (0.0, 1.0, 1.0), "upper_bound": (3.0, upper, 4.0)}


@pytest.mark.parametrize(
    ("prediction", "upper", "level", "is_likely"),
    [(101, 120, 100, True), (90, 120, 100, False), (81, 99, 80, True), (70, 90, 80, False)],
)
def test_the_highest_part_of_the_limit_counts_and_the_prediction_before_the_bound(
    prediction: float, upper: float, level: float, is_likely: bool
) -> None:
    mark = a_row(**high(prediction, upper)).mark
    assert mark is not None
    assert (mark.level, mark.is_likely, mark.first.first_at) == (level, is_likely, MONDAY + HOUR)
    assert mark.steps is not None
    assert (mark.steps.is_likely, mark.steps.first_at) == (is_likely, MONDAY + HOUR)  # all steps say the same as the first


@pytest.mark.parametrize(
    ("prediction", "upper", "likely"), [(90, 120, 80.0), (101, 120, None), (70, 120, None), (90, 95, None), (50, 80, None)]
)
def test_a_lower_part_that_is_likely_is_told_beside_a_higher_one_that_is_possible(
    prediction: float, upper: float, likely: float | None
) -> None:
    row = a_row(**high(prediction, upper))
    assert (row.likely_mark and row.likely_mark.level) == likely


@pytest.mark.parametrize("changes", [high(50, 80), {**high(500, 800), **MEMORY}], ids=["calm", "no limit"])
def test_what_comes_near_no_limit_or_has_none_has_no_mark(changes: dict[str, Any]) -> None:
    assert a_row(**changes).mark is None


def test_beyond_its_share_is_told_apart_and_only_where_the_limit_is_another() -> None:
    lent = a_row(**high(130, 150), maximum=300.0)
    assert (lent.mark, lent.share and lent.share.first_at) == (None, MONDAY + HOUR)
    assert lent.beyond == First(first_at=MONDAY + HOUR, is_likely=True)
    assert a_row(**high(130, 150)).share is None
    capped = a_row(**high(99.5, 100.0), maximum=100.0)
    assert (capped.mark and capped.mark.level, capped.beyond, capped.share) == (100.0, None, None)


def test_steps_that_are_over_do_not_count_any_more() -> None:
    row = a_row(now=MONDAY + 2 * HOUR, **high(101, 120))
    assert (row.mark, row.peak and row.peak.timestamp, row.is_stale) == (None, MONDAY + 2 * HOUR, False)


def test_a_forecast_that_is_over_has_no_peak_and_an_old_one_is_stale() -> None:
    over = a_row(now=MONDAY + 3 * HOUR)
    assert (over.peak, over.mark, over.share) == (None, None, None)
    assert over.is_stale
    long = dict.fromkeys(("prediction", "lower_bound", "upper_bound"), (50.0,) * 72)
    assert not a_row(now=MONDAY + 24 * HOUR, **long).is_stale
    assert a_row(now=MONDAY + 25 * HOUR, **long).is_stale


def test_a_forecast_for_later_is_ahead_as_a_whole() -> None:
    peak = a_row(now=MONDAY - 9 * HOUR, **high(101, 120)).peak
    assert peak is not None
    assert peak.step == 2


ROWS = [
    a_row(queue="a", model="var", mape=None, **high(40, 60)),
    a_row(queue="b", job="weekly", mape=5.0, **high(90, 120)),
    a_row(queue="c", mape=9.0, **high(101, 110)),
    a_row(queue="d", mape=7.0, now=MONDAY + 9 * HOUR, **high(101, 110)),
]


def queues(**query: Any) -> str:
    return "".join(row.forecast.queue for row in matching(ROWS, OverviewQuery(**query)))


@pytest.mark.parametrize(
    ("sort", "order", "reverse_order"),
    [
        ("risk", "cbad", "dabc"),
        ("queue", "abcd", "dcba"),
        ("peak", "cbad", "abcd"),
        ("mape", "bdca", "cdba"),
        ("model", "bcda", "abcd"),
    ],
)
def test_rows_are_sorted_both_ways_and_those_without_a_value_come_last(sort: str, order: str, reverse_order: str) -> None:
    assert queues(sort=sort) == order
    assert queues(sort=sort, reverse=True) == reverse_order


def test_who_is_likely_beyond_its_share_comes_before_who_may_be() -> None:
    lent = [
        a_row(queue=str(upper), maximum=300.0, **high(prediction, upper))
        for prediction, upper in ((90, 200), (105, 150), (50, 90))
    ]
    assert [row.forecast.queue for row in matching(lent, OverviewQuery())] == ["150", "200", "90"]


@pytest.mark.parametrize("sort", SORTS)
def test_every_sort_keeps_every_row(sort: str) -> None:
    assert sorted(queues(sort=sort)) == list("abcd")


def test_rows_are_found_by_part_of_the_name_level_model_and_job() -> None:
    assert queues(q=" B ") == "b"
    assert queues(level=100.0) == "cb"
    lent = a_row(queue="e", maximum=300.0, **high(130, 150))
    assert [row.forecast.queue for row in matching([*ROWS, lent], OverviewQuery(level="share"))] == ["e"]
    assert queues(model="var") == "a"
    assert queues(job="weekly") == "b"
    assert queues(q="a", job="weekly") == ""
