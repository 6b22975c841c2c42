"""What is old goes, as the settings want it, and nothing else does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shared.config.settings import Settings
from shared.domain.distribution import Paths
from shared.domain.durations import Duration
from shared.domain.jobs import JobFilter, JobState
from shared.domain.reports import Point
from shared.domain.tokens import make_session
from shared.fleet.runstate import RunState
from shared.store.tables import TABLES, Kind, Table
from tests.factories import MONDAY, a_forecast, a_job, a_series
from worker.job.resources import Resources
from worker.reaper.retention import SLICE, forget_old

DAY = timedelta(days=1)
KEPT = {name: Duration(10, "d") for name in ("keep_jobs", "keep_forecasts", "keep_actuals", "keep_keys")}


def test_everything_older_than_it_is_kept_goes_in_slices_and_the_rest_stays(settings: Settings, run_state: RunState) -> None:
    here = Resources(settings.model_copy(update=KEPT))
    for number in range(SLICE + 5):
        at = MONDAY if number else MONDAY + 15 * DAY
        here.store.jobs.add(a_job(job_id=f"job-{number}", state=JobState.FAILED, created_at=at, ended_at=at))
    here.store.forecasts.save(a_forecast(job_id="gone", paths=Paths.of([[1.0, 2.0]])))
    here.store.actuals.save(a_series(), [Point(timestamp=MONDAY + n * DAY, value=1.0) for n in (0, 15)])
    here.store.sessions.add(make_session("t-1", MONDAY)[0], 9)
    gone = {"jobs": SLICE + 4, "forecasts": 1, "forecast_paths": 1, "sessions": 1, "actuals": 1}
    assert forget_old(here, MONDAY + 20 * DAY) == gone
    assert [job.job_id for job in here.store.jobs.find(JobFilter(), 9)] == ["job-0"]
    assert forget_old(here, MONDAY + 20 * DAY) == {}


def test_what_is_kept_forever_stays(settings: Settings, run_state: RunState) -> None:
    here = Resources(settings.model_copy(update=dict.fromkeys(KEPT)))
    here.store.jobs.add(a_job(state=JobState.FAILED, ended_at=MONDAY))
    assert forget_old(here, MONDAY + 9_999 * DAY) == {}


@pytest.mark.parametrize("table", [table for table in TABLES if table.kept.by], ids=lambda table: table.name)
def test_what_goes_by_itself_is_found_by_an_index(table: Table[Any]) -> None:
    assert table.kept.setting in {"", *Settings.model_fields}
    assert table.by_name[table.kept.by].kind in {Kind.CLOCK, Kind.GRID}
    first = (*table.kept.each, table.kept.by)
    assert first in {columns[: len(first)] for columns in (table.key, *table.indexes)}
