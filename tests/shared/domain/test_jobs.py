from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from shared.domain.durations import Duration
from tests.factories import MONDAY, a_job, a_request


def test_a_step_is_as_long_as_the_aggregation_period() -> None:
    assert a_request(aggregation_time_period=Duration(45, "min")).step_seconds == 2_700


def test_the_history_begins_as_long_before_the_issue_as_asked() -> None:
    assert a_request(data_ingestion_time_period=Duration(1, "mo")).history_start(MONDAY) == datetime(2025, 12, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("future", "step", "steps"),
    [("1d", "1h", 24), ("1h", "1h", 1), ("61min", "1h", 2), ("30min", "1h", 1), ("1mo", "1d", 31), ("3d", "7h", 11)],
)
def test_the_horizon_covers_all_of_the_asked_for_future(future: str, step: str, steps: int) -> None:
    periods = {"future_prediction_time_period": Duration.parse(future), "aggregation_time_period": Duration.parse(step)}
    assert a_request(**periods).horizon_steps(MONDAY) == steps


def test_a_job_ends_by_its_deadline_counted_from_when_it_was_made_or_queued_again() -> None:
    request, later = a_request(deadline=Duration(90, "min")), MONDAY + timedelta(days=3)
    assert a_job(request=request).deadline_at == MONDAY + timedelta(minutes=90)
    assert a_job(request=request, queued_at=later).deadline_at == later + timedelta(minutes=90)


@pytest.mark.parametrize(
    ("delay", "now", "issued"),
    [(None, 65, 60), (Duration(10, "min"), 65, 0), (Duration(10, "min"), 70, 60), (Duration(2, "h"), 60, -60)],
)
def test_a_forecast_is_issued_where_the_samples_that_are_there_end(delay: Duration | None, now: int, issued: int) -> None:
    request, moment = a_request(as_of=None, ingestion_delay=delay), MONDAY + timedelta(minutes=now)
    assert request.issue_time(moment) == MONDAY + timedelta(minutes=issued)
    assert replace(request, as_of=moment).issue_time(MONDAY + timedelta(days=9)) == MONDAY + timedelta(minutes=issued)


@pytest.mark.parametrize("as_of", [datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 10, 24, 12, tzinfo=UTC)])
@pytest.mark.parametrize(("future", "steps"), [(Duration(7, "d"), 7), (Duration(1, "mo"), 31), (Duration(36, "h"), 2)])
def test_days_are_counted_on_the_wall_where_steps_are_days(as_of: datetime, future: Duration, steps: int) -> None:
    periods = {"aggregation_time_period": Duration(1, "d"), "future_prediction_time_period": future}
    request = a_request(timezone="Europe/Berlin", as_of=as_of, **periods)
    issued_at = request.issue_time(as_of)
    assert issued_at.astimezone(ZoneInfo("Europe/Berlin")).time() == time()
    assert request.horizon_steps(issued_at) == steps
    assert request.grid.steps_between(request.history_start(issued_at), issued_at) == 14


def test_a_time_zone_is_part_of_a_series_of_days_and_of_no_other() -> None:
    def ids(**changes: object) -> list[str]:
        zones = ("UTC", "Etc/UTC", "Europe/Berlin", "Europe/London")
        return [a_request(timezone=zone, **changes).series("root.etl").series_id for zone in zones]

    assert len(set(ids())) == 1
    utc, also_utc, *others = ids(aggregation_time_period=Duration(1, "d"))
    assert utc == also_utc
    assert len({utc, *others}) == 3
