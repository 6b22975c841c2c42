"""Schedules with several cadences: what is due, what is next, and which cadences are accepted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.domain.cadences import check_cadences
from shared.domain.durations import Duration
from shared.domain.runs import Run
from shared.domain.schedules import Due, Last, due_after, due_now, looked_after, paused, resumed
from shared.errors import InvalidRequest
from tests.factories import MONDAY, a_request, a_schedule

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LIVE = a_request(as_of=None)
THREE: dict[str, Any] = {  # on Mondays at five, UTC, daily at five, and every hour
    "cron": "0 6 * * 1",
    "refit_cron": "0 6 * * *",
    "actuals_cron": "0 * * * *",
    "request": LIVE,
}


def test_each_moment_makes_one_run_of_the_fullest_kind_that_is_due() -> None:
    schedule, runs = a_schedule(**THREE), []
    while schedule.due_at < MONDAY + 8 * DAY:
        due = due_now(schedule, schedule.due_at)
        assert due is not None
        runs.append(due)
        schedule = looked_after(schedule, due, job_id=f"{due.run}-{due.at:%d%H}")
    assert [run.at for run in runs] == [MONDAY + 5 * HOUR + n * HOUR for n in range(len(runs))]
    assert [run.at for run in runs if run.run is Run.SEARCH] == [MONDAY + 5 * HOUR, MONDAY + 7 * DAY + 5 * HOUR]
    assert [run.at for run in runs if run.run is Run.REFIT] == [MONDAY + n * DAY + 5 * HOUR for n in range(1, 7)]
    assert {run: last.job_id for run, last in schedule.last.items()} == {
        Run.SEARCH: "search-1205",
        Run.REFIT: "refit-1105",
        Run.ACTUALS: "actuals-1223",
    }
    assert schedule.next == {
        Run.SEARCH: MONDAY + 14 * DAY + 5 * HOUR,
        Run.REFIT: MONDAY + 8 * DAY + 5 * HOUR,
        Run.ACTUALS: MONDAY + 8 * DAY,
    }


@pytest.mark.parametrize(
    ("hours", "due"),
    [
        (4, None),
        (5, Due(MONDAY + 5 * HOUR, Run.SEARCH, MONDAY + 5 * HOUR)),
        (9.5, Due(MONDAY + 5 * HOUR, Run.SEARCH, MONDAY + 9 * HOUR)),  # a search was among those that were missed
        (24 * 6, Due(MONDAY + 5 * HOUR, Run.SEARCH, MONDAY + 6 * DAY)),
    ],
)
def test_of_what_was_missed_one_run_is_made_up_for(hours: float, due: Due | None) -> None:
    assert due_now(a_schedule(**THREE), MONDAY + hours * HOUR) == due


def test_a_skip_is_of_its_own_cadence_and_keeps_the_job_of_the_time_before() -> None:
    first, second = MONDAY + 5 * HOUR, MONDAY + DAY + 5 * HOUR
    schedule = looked_after(a_schedule(**THREE), Due(first, Run.REFIT, first), job_id="first")
    schedule = looked_after(schedule, Due(second, Run.REFIT, second + HOUR), skip="because")
    assert schedule.due_at == second + 2 * HOUR
    assert schedule.last[Run.REFIT] == Last(due_at=MONDAY + DAY + 5 * HOUR, job_id="first", skip="because")
    assert schedule.last[Run.SEARCH] == schedule.last[Run.ACTUALS] == Last()


def test_a_pause_is_of_all_cadences() -> None:
    resting = paused(a_schedule(**THREE))
    assert due_now(resting, MONDAY + 9 * DAY) is None
    again = resumed(resting, MONDAY + DAY + HOUR / 2)
    assert again.due_at == MONDAY + DAY + HOUR


def test_every_cadence_keeps_to_the_clock_on_the_wall() -> None:
    schedule = a_schedule(**(THREE | {"cron": "30 2 1 * *", "refit_cron": "30 2 * * *", "actuals_cron": None}))
    spring = datetime(2026, 3, 28, 12, tzinfo=UTC)
    assert due_after(schedule, spring) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)  # 03:30, as there is no 02:30 on that day
    assert due_after(schedule, spring + DAY) == datetime(2026, 3, 30, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"cron": "never"}, "cron", "accepted are five fields"),
        ({"refit_cron": "never"}, "refit_cron", "accepted are five fields"),
        ({"actuals_cron": "0 0 31 2 *"}, "actuals_cron", "never due"),
        ({"actuals_cron": "*/5 * * * *"}, "actuals_cron", "due 288 times a day, accepted are 24: once an hour, or once a step"),
        ({"refit_cron": "0 6 * * 1"}, "refit_cron", "only when a fuller run is"),
        ({"refit_cron": None, "actuals_cron": "0 6 */7 * 1"}, "actuals_cron", "only when a fuller run is"),
        ({"request": a_request(as_of=MONDAY)}, "refit_cron", "fixed `as_of`"),
    ],
)
def test_a_cadence_that_brings_nothing_is_refused_with_its_field(changes: dict[str, Any], field: str, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said) as refused:
        check_cadences(a_schedule(**(THREE | changes)))
    assert refused.value.ids["field"] == field


def test_steps_shorter_than_an_hour_may_be_read_once_each() -> None:
    check_cadences(a_schedule(**THREE))
    quarters = a_request(as_of=None, aggregation_time_period=Duration(5, "min"))
    check_cadences(a_schedule(**(THREE | {"request": quarters, "actuals_cron": "*/5 * * * *"})))
