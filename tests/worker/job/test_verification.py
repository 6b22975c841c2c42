"""Earlier forecasts are scored when a job has read what happened, and a month of poor ones is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.config.settings import Settings
from shared.domain.accuracy import AccuracyFilter
from shared.domain.calibration import MIN_DATES, ClaimSums
from shared.domain.claims import claims_of
from shared.domain.distribution import Paths, Quantiles
from shared.domain.forecasts import Forecast
from shared.domain.jobs import Job, JobState
from shared.domain.notices import body_of_told
from shared.domain.occasions import Excluded
from shared.domain.reports import Point
from shared.fleet.runstate import RunState
from shared.store import Store
from tests.factories import MONDAY, a_forecast, a_job, a_report, a_request, a_series, an_outlook_score
from worker.job import verification
from worker.job.resources import Resources, use
from worker.job.verification import verify_job, verify_queue

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NAMES = ("prediction", "lower_bound", "upper_bound")


@pytest.fixture
def store(settings: Settings, run_state: RunState) -> Iterator[Store]:
    """A store with three days of actual values around Monday: 50 by day, 10 by night."""
    with use(Resources(settings)) as here:
        values = [50.0 if 8 <= hour % 24 < 20 else 10.0 for hour in range(72)]
        points = [Point(timestamp=MONDAY - DAY + n * HOUR, value=value) for n, value in enumerate(values)]
        here.store.actuals.save(a_series(), points)
        yield here.store


def keep(store: Store, value: float, hours: int = 48, **changes: object) -> None:
    arrays = dict(zip(NAMES, ((value,) * hours, (value - 5,) * hours, (value + 5,) * hours), strict=True))
    store.forecasts.save(a_forecast(**(arrays | changes)))


MONTH = AccuracyFilter(since=MONDAY - 9 * DAY, until=MONDAY + 9 * DAY)
ETL = a_series().series_id


def test_a_forecast_is_scored_by_lead_until_all_of_it_is_known(store: Store) -> None:
    keep(store, 50.0)
    verify_queue(store, a_request(), "root.etl", MONDAY + DAY)
    found = store.accuracy.by_lead(ETL, MONTH)
    assert {first: sums.steps for first, sums in found.items()} == {1: 6, 7: 18}
    assert found[7].error == 6 * 40.0  # the hours before and after the day
    assert [record.is_final for record in store.accuracy.of_series(ETL, MONTH, 9)] == [False, False]
    verify_queue(store, a_request(), "root.etl", MONDAY + 2 * DAY)
    found = store.accuracy.by_lead(ETL, MONTH)
    assert {first: sums.steps for first, sums in found.items()} == {1: 6, 7: 18, 25: 24}
    assert all(record.is_final for record in store.accuracy.of_series(ETL, MONTH, 9))


def test_nothing_that_happened_after_the_issue_time_of_the_job_counts(store: Store) -> None:
    keep(store, 50.0)
    verify_queue(store, a_request(), "root.etl", MONDAY)
    assert store.accuracy.by_series([ETL], MONTH) == {}


def test_a_time_that_becomes_known_to_be_bad_leaves_what_was_scored_before(store: Store) -> None:
    keep(store, 50.0)
    verify_queue(store, a_request(), "root.etl", MONDAY + 2 * DAY)
    outage = Excluded(name="outage", start=MONDAY + 2 * HOUR, end=MONDAY + 30 * HOUR)
    for request in (a_request(exclude=(outage,)), a_request()):  # known once, it stays known
        verify_queue(store, request, "root.etl", MONDAY + 2 * DAY)
        found = store.accuracy.by_lead(ETL, MONTH)
        assert {first: sums.steps for first, sums in found.items()} == {1: 2, 25: 18}


def a_job_of(store: Store, *queues: str) -> Job:
    """A job that has ended two days later, with a report of each queue."""
    for queue in queues:
        store.reports.save(a_report(queue=queue))
    return store.jobs.add(a_job(issued_at=MONDAY + 2 * DAY, state=JobState.SUCCEEDED))


def test_a_job_tells_of_poor_forecasts_of_the_last_month(store: Store) -> None:
    keep(store, 90.0)
    job = a_job_of(store, "root.etl")
    for _ in range(2):
        assert verify_job(store, job, 0) is None
    assert store.jobs.get(job.job_id).warnings == (
        "forecasts of the last 30 days were worse than the same hour of the day before: root.etl (200 % off against 0 %)",
    )


def test_good_forecasts_and_those_of_other_queues_are_not_told(store: Store) -> None:
    keep(store, 90.0)
    verify_queue(store, a_request(), "root.etl", MONDAY + 2 * DAY)
    assert verify_job(store, a_job_of(store, "root.b"), 0) is None
    assert store.jobs.get("job-1").warnings == ()


def test_a_job_of_many_queues_is_verified_in_turns(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "MAX_QUEUES", 1)
    keep(store, 90.0)
    job = a_job_of(store, "root.a", "root.etl")
    assert verify_job(store, job, 0) == 1
    assert store.accuracy.by_series([ETL], MONTH) == {}
    assert verify_job(store, job, 1) is None
    assert list(store.accuracy.by_series([ETL], MONTH)) == [ETL]


def test_a_queue_that_cannot_be_verified_keeps_no_other_from_it(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(store, 90.0)
    keep(store, 90.0, queue="root.a")
    store.actuals.save(a_series("root.a"), [Point(timestamp=MONDAY + timedelta(minutes=7), value=1.0)] * 2)
    assert verify_job(store, a_job_of(store, "root.a", "root.etl"), 0) is None
    assert ETL in store.accuracy.by_series([ETL], MONTH)


def claiming(**changes: object) -> Forecast:
    """A forecast of two days whose paths are at 50 or at 90 all the time, as often; by day 50 came."""
    rows = [[50.0] * 48, [90.0] * 48] * 32
    flat = dict.fromkeys(NAMES, (70.0,) * 48)
    peaks = Quantiles(levels=(0.01, 0.5, 0.99), values=((40.0,) * 2, (70.0,) * 2, (100.0,) * 2))
    forecast = a_forecast(
        **({**flat, "paths": Paths.of(rows, blocks=14, windows=7), "peaks": peaks, "guaranteed": 60.0} | changes)
    )
    return replace(forecast, claims=claims_of(forecast))


def test_what_a_forecast_has_claimed_of_its_first_day_is_scored_once_it_is_over(store: Store) -> None:
    store.forecasts.save(claiming(maximum=100.0))
    week = (MONDAY, MONDAY + 7 * DAY)
    verify_queue(store, a_request(), "root.etl", MONDAY + 23 * HOUR)
    assert store.calibrations.by_cell(*week) == {}
    for _ in range(2):  # a day counts once
        verify_queue(store, a_request(), "root.etl", MONDAY + DAY)
    found = store.calibrations.by_cell(*week, series=[ETL])
    half = ClaimSums(days=1, probability=0.5, happened=0, squared=0.25, expected_hours=12.0, real_hours=0.0)
    assert found["guaranteed:2"] == half
    assert found["80 % of the limit:2"] == half
    assert found["limit:0"].happened == 0
    assert found["peak:1"].days == 1  # 50 lies a third of the way from 40 to the middle
    store.forecasts.save(claiming(guaranteed=45.0, created_at=MONDAY + HOUR))
    verify_queue(store, a_request(), "root.etl", MONDAY + DAY)
    found = store.calibrations.by_cell(*week)
    assert (found["limit:4"].happened, found["limit:4"].real_hours) == (1, 12.0)
    outage = Excluded(name="outage", start=MONDAY + 2 * HOUR, end=MONDAY + 3 * HOUR)
    verify_queue(store, a_request(exclude=(outage,)), "root.etl", MONDAY + DAY)
    assert "limit:4" not in store.calibrations.by_cell(*week)


def test_a_day_of_which_too_little_is_known_is_not_scored(store: Store) -> None:
    store.forecasts.save(claiming(issued_at=MONDAY - 30 * HOUR))
    store.forecasts.save(replace(claiming(), claims=(), job_id="of-before"))
    verify_queue(store, a_request(), "root.etl", MONDAY + 2 * DAY)
    assert store.calibrations.by_cell(MONDAY - 7 * DAY, MONDAY + 7 * DAY) == {}


def save_wrong_claims(store: Store, *, dates: int) -> None:
    """One of each of a hundred queues, which took turns on so many days."""
    wrong = ClaimSums(days=1, probability=0.9, squared=0.81)
    days = [MONDAY - number % dates * DAY for number in range(100)]
    scores = [an_outlook_score(series_id=f"s{number}", day=day, cell="limit:4", sums=wrong) for number, day in enumerate(days)]
    store.calibrations.save(scores)


def test_one_bad_day_of_a_large_cluster_is_no_lost_calibration(store: Store) -> None:
    save_wrong_claims(store, dates=1)
    verify_job(store, a_job_of(store), 0)
    verdict = store.calibrations.verdict()
    assert verdict is not None
    assert (verdict.days, verdict.dates, verdict.lost_at) == (100, 1, None)
    assert store.notices.due(datetime.now(UTC) + HOUR, 9) == []


def test_lost_calibration_is_told_once(store: Store) -> None:
    save_wrong_claims(store, dates=MIN_DATES)
    job = a_job_of(store)
    for _ in range(2):
        verify_job(store, job, 0)
    verdict = store.calibrations.verdict()
    assert verdict is not None
    assert (verdict.days, verdict.error, verdict.lost_at) == (100, pytest.approx(0.9), job.issued_at)
    [notice] = store.notices.due(datetime.now(UTC) + HOUR, 9)
    told = body_of_told(notice)
    assert (told["kind"], told["calibration"]["queue_days"], told["calibration"]["accepted"]) == ("calibration_lost", 100, 0.1)
