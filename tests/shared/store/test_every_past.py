"""The promises of accuracy, issues and retention, held by every store."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.accuracy import AccuracyFilter
from shared.domain.jobs import JobState
from shared.domain.reports import Point
from shared.errors import JobNotFound, QueueNotFound
from shared.store import Store
from shared.store.accuracy import ACCURACY
from shared.store.actuals import ACTUALS
from shared.store.forecasts import FORECASTS
from shared.store.jobs import JOBS
from tests.factories import MONDAY, SUMS, a_forecast, a_job, a_report, a_series, an_accuracy

DAY = timedelta(days=1)
EVER = AccuracyFilter(since=MONDAY - 99 * DAY, until=MONDAY + 99 * DAY)
ETL, B = a_series().series_id, a_series("b").series_id


# Accuracy


def test_a_record_comes_back_and_is_replaced_under_its_key(store: Store) -> None:
    store.accuracy.save([an_accuracy(is_final=False), an_accuracy(first_step=7)])
    store.accuracy.save([an_accuracy()])
    assert store.accuracy.of_series(ETL, EVER, 10) == [an_accuracy(), an_accuracy(first_step=7)]
    assert store.accuracy.of_series(ETL, EVER, 1) == [an_accuracy()]
    store.accuracy.save([])


def test_sums_are_added_by_lead_and_by_series(store: Store) -> None:
    store.accuracy.save([an_accuracy(), an_accuracy(first_step=7), an_accuracy(issued_at=MONDAY - DAY), an_accuracy(series_id=B)])
    by_lead = store.accuracy.by_lead(ETL, EVER)
    assert list(by_lead) == [1, 7]
    assert (by_lead[1].forecasts, by_lead[1].steps, by_lead[1].error) == (2, 12, 60.0)
    by_series = store.accuracy.by_series([ETL, B, "c"], EVER)
    assert (by_series[ETL].forecasts, by_series[ETL].steps, by_series[B].steps) == (2, 18, 6)
    assert store.accuracy.by_series([], EVER) == store.accuracy.by_series(["c"], EVER) == {}


def test_coverage_is_that_of_bounds_of_one_level(store: Store) -> None:
    narrow = replace(SUMS, covered_steps=1)
    store.accuracy.save([an_accuracy(), an_accuracy(issued_at=MONDAY - DAY, interval=0.5, sums=narrow)])
    for level, coverage in ((0.9, 500 / 6), (0.5, 100 / 6), (0.8, None), (None, None)):
        asked = replace(EVER, interval=level)
        for sums in (store.accuracy.by_lead(ETL, asked)[1], store.accuracy.by_series([ETL], asked)[ETL]):
            assert sums.coverage == (coverage and pytest.approx(coverage))
            assert (sums.steps, sums.error) == (12, 60.0)


def test_only_what_was_issued_in_between_counts(store: Store) -> None:
    store.accuracy.save([an_accuracy(), an_accuracy(job="weekly"), an_accuracy(issued_at=MONDAY - DAY)])
    assert store.accuracy.by_lead(ETL, replace(EVER, since=MONDAY))[1].forecasts == 2
    assert store.accuracy.by_lead(ETL, replace(EVER, until=MONDAY))[1].forecasts == 1
    assert store.accuracy.by_lead(ETL, replace(EVER, job="weekly"))[1].forecasts == 1


# Issues


def test_issues_are_listed_newest_first_without_their_steps(store: Store) -> None:
    for number in range(3):
        store.forecasts.save(a_forecast(issued_at=MONDAY + number * DAY, job="weekly" if number == 1 else "daily"))
    assert [issue.issued_at for issue in store.forecasts.issues(ETL, limit=9)] == [MONDAY + n * DAY for n in (2, 1, 0)]
    [weekly] = store.forecasts.issues(ETL, job="weekly", limit=9)
    assert (weekly.horizon_steps, weekly.model, weekly.mape) == (3, "seasonal_naive", 7.5)
    assert len(store.forecasts.issues(ETL, limit=2)) == 2
    assert store.forecasts.issues(B, limit=9) == []


def test_what_has_no_final_accuracy_is_unscored(store: Store) -> None:
    def unscored() -> list[object]:
        return list(store.forecasts.unverified(a_series(), since=MONDAY - DAY, before=MONDAY + 9 * DAY, limit=9))

    store.forecasts.save(a_forecast())
    assert unscored() == [a_forecast()]
    store.accuracy.save([an_accuracy(is_final=False)])
    assert unscored() == [a_forecast()]
    store.accuracy.save([an_accuracy()])
    assert unscored() == []
    again = a_forecast(created_at=MONDAY + DAY, model="var")  # replaced under its key: that accuracy is not its own
    store.forecasts.save(again)
    assert unscored() == [again]


# Retention


def test_old_jobs_go_with_their_reports_and_open_ones_stay(store: Store) -> None:
    ended = {"state": JobState.SUCCEEDED, "ended_at": MONDAY}
    for job in (a_job(**ended), a_job(job_id="open"), a_job(job_id="new", **(ended | {"created_at": MONDAY + 9 * DAY}))):
        store.jobs.add(job)
    store.reports.save(a_report())
    assert store.retention.forget(JOBS, MONDAY + DAY, 10) == 1
    assert store.retention.forget(JOBS, MONDAY + DAY, 10) == 0
    with pytest.raises(JobNotFound):
        store.jobs.get("job-1")
    with pytest.raises(QueueNotFound):
        store.reports.get("job-1", "root.etl")
    assert (store.jobs.get("open").job_id, store.jobs.get("new").job_id) == ("open", "new")


def test_old_keys_are_freed_of_jobs_that_have_ended(store: Store) -> None:
    for number, state in enumerate((JobState.SUCCEEDED, JobState.RUNNING)):
        store.jobs.add(a_job(job_id=f"job-{number}", state=state, idempotency_key=f"k{number}", fingerprint="f"))
    assert store.retention.free_keys(MONDAY + DAY, 10) == 1
    assert (store.jobs.get("job-0").idempotency_key, store.jobs.get("job-1").idempotency_key) == (None, "k1")


def test_old_forecasts_go_but_the_newest_of_a_job_that_is_kept(store: Store) -> None:
    store.jobs.add(a_job())
    old, newest = a_forecast(issued_at=MONDAY - DAY), a_forecast()
    orphan = a_forecast(queue="b", job_id="gone")
    for forecast in (old, newest, orphan):
        store.forecasts.save(forecast)
    assert store.retention.forget(FORECASTS, MONDAY + DAY, 10) == 2
    assert store.forecasts.find() == [newest]


def test_a_slice_takes_no_more_than_it_is_told(store: Store) -> None:
    for number in range(5):
        store.forecasts.save(a_forecast(issued_at=MONDAY + number * DAY, job_id="gone"))
    assert [store.retention.forget(FORECASTS, MONDAY + DAY, 2) for _ in range(4)] == [2, 2, 1, 0]


def test_old_accuracy_and_actual_values_go(store: Store) -> None:
    store.accuracy.save([an_accuracy(), an_accuracy(first_step=7, created_at=MONDAY + 9 * DAY)])
    assert store.retention.forget(ACCURACY, MONDAY + DAY, 10) == 1
    points = [Point(timestamp=MONDAY + n * DAY, value=1.0) for n in range(4)]
    store.actuals.save(a_series(), points)
    assert store.retention.parts(ACTUALS) == [(ETL,)]
    assert store.retention.forget(ACTUALS, MONDAY + 2 * DAY, 10, (ETL,)) == 2
    assert store.actuals.get(ETL, MONDAY, MONDAY + 9 * DAY) == points[2:]
