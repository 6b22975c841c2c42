"""One job from its message to its forecasts, on real workers, with what may happen to them on the way."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any

import numpy as np
import pandas as pd
import pytest

from shared.domain.accuracy import AccuracyFilter
from shared.domain.durations import Duration
from shared.domain.jobs import JobState
from shared.fleet.lanes import Lanes
from shared.fleet.runstate import RunState
from tests.integration.fleet import Fleet
from tests.polling import eventually

QUEUES = {"root.adhoc", "root.etl"}


def delivered(fleet: Fleet) -> dict[str, int]:
    """Queue → number of forecast steps in the store."""
    return {forecast.queue: forecast.horizon_steps for forecast in fleet.store.forecasts.find()}


def test_a_job_with_light_and_heavy_models_succeeds_and_leaves_nothing_behind(fleet: Fleet, run_state: RunState) -> None:
    worker = fleet.worker()
    job = fleet.ended(fleet.submit(model=("prophet", "lstm", "seasonal_naive")))
    assert (job.state, job.reason) == (JobState.SUCCEEDED, None)
    assert delivered(fleet) == dict.fromkeys(QUEUES, 24)
    report = fleet.store.reports.get(job.job_id, "root.etl")
    assert {outcome.candidate.model for outcome in report.outcomes} >= {"prophet", "lstm", "seasonal_naive"}
    eventually(lambda: not run_state.client.keys(f"*{job.job_id}*"), what="the end of its run state")
    eventually(lambda: not Lanes.open(fleet.settings).look().waiting, what="empty lanes")
    processes = fleet.children(worker)
    worker.terminate()
    assert worker.wait(60) == 0
    eventually(lambda: not any(process.is_running() for process in processes), what="the end of the pool")


def test_every_line_about_a_job_names_it_and_the_request_that_began_it(fleet: Fleet) -> None:
    fleet.worker()
    job = fleet.ended(fleet.submit(model=("hour_mean",), queues=("root.etl", "root.none")))
    log = fleet.settings.data_dir / "fleet.log"

    def look() -> list[dict[str, Any]] | None:
        lines = [json.loads(line) for line in log.read_text().splitlines(keepends=True) if line[0] == "{" and line[-1] == "\n"]
        ours = [line for line in lines if job.job_id in json.dumps(line) and line["logger"].startswith(("worker.", "shared."))]
        return ours if {"job planned", "queue failed", "job ended"} <= {line["event"] for line in ours} else None

    ours = eventually(look, what="the lines of the job")
    assert {(line.get("job_id"), line.get("request_id")) for line in ours} == {(job.job_id, "request-7")}


BERLIN, CHANGE = "Europe/Berlin", datetime(2026, 10, 25, 12, tzinfo=UTC)
DAYS = {"aggregation_time_period": Duration(1, "d"), "future_prediction_time_period": Duration(7, "d")}


def test_days_of_a_time_zone_are_delivered_and_verified_over_a_change_of_clocks(fleet: Fleet) -> None:
    hours = pd.date_range("2026-08-31T22:00Z", "2026-10-31T22:00Z", freq="1h", inclusive="left")
    local = hours.tz_convert(BERLIN)
    usage = pd.Series(np.where(local.dayofweek < 5, 60.0, 20.0) + local.hour, index=hours)
    assert fleet.settings.files_dir is not None
    usage.rename("used_capacity").rename_axis("timestamp").to_csv(fleet.settings.files_dir / "root.days.csv")
    actual = usage.tz_convert(BERLIN).resample("D").mean()["2026-10-23":"2026-10-29"]
    own = DAYS | {"queues": ("root.days",), "model": ("seasonal_naive",), "data_ingestion_time_period": Duration(28, "d")}
    fleet.worker()
    for zone, days in ((BERLIN, 0), ("UTC", 0), (BERLIN, 7)):
        as_of = CHANGE + timedelta(days=days - 2)
        job = fleet.ended(fleet.submit(**own, timezone=zone, as_of=as_of))
        assert (job.state, job.reason) == (JobState.SUCCEEDED, None)
    before, of_utc, newest = sorted(fleet.store.forecasts.find("root.days"), key=attrgetter("issued_at"))
    assert before.timestamps == list(actual.index)
    assert (before.end_at, before.end_at - before.issued_at) == (newest.issued_at, timedelta(hours=7 * 24 + 1))
    both, month = [before.series_id, of_utc.series_id], AccuracyFilter.last_month(newest.issued_at)
    found = eventually(lambda: fleet.store.accuracy.by_series(both, month), what="the verification of the first week")
    assert list(found) == [before.series_id]  # nothing newer was read of days of UTC
    sums = found[before.series_id]
    assert (sums.steps, sums.compared_steps) == (7, 7)
    assert sums.error == pytest.approx(np.abs(actual.to_numpy() - before.prediction).sum())
