"""Records as release 0.1 wrote them, table → rows or collection → documents, and what must be there after their migration."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from shared.domain.accuracy import AccuracyFilter
from shared.domain.jobs import JobState, QueueState, Tally
from shared.domain.reports import Point
from shared.domain.series import UNASSIGNED
from shared.domain.tokens import Scope
from shared.store import Store
from tests.factories import MONDAY, a_forecast, a_report, a_request, a_schedule, a_series

HOUR = timedelta(hours=1)
SHARED = a_series(project="", cluster=UNASSIGNED)  # two projects have used the queue's name: nobody knows whose values these are
RELEASE_0_1: dict[str, Any] = json.loads(Path(__file__).with_name("release_0_1.json").read_text())


def check_what_release_0_1_kept(store: Store) -> None:
    """Everything that the last release could keep."""
    check_what_every_release_kept(store)
    tokens = [(token.token_id, token.scope, token.projects, token.last_used_at) for token in store.tokens.all()]
    assert tokens == [("t1", Scope.WRITE, ("etl",), MONDAY + HOUR)]
    assert store.schedules.all() == [a_schedule(request=a_request(accept_losses=True, backtest_windows=3))]  # as was usual then
    session = store.sessions.find("b" * 64)
    assert session is not None
    assert session.token_id == "t1"
    etl = a_series(project="etl").series_id
    assert store.accuracy.by_series([etl], AccuracyFilter(since=MONDAY, until=MONDAY + HOUR))[etl].error == 2.5


def check_what_every_release_kept(store: Store) -> None:
    """What the first release could keep as well."""
    job = store.jobs.get("job-2")
    assert (job.state, job.reason, job.warnings, job.ended_at) == (JobState.FAILED, "no data", ("w1", "w2"), MONDAY + 2 * HOUR)
    assert job.progress.queues == Tally(total=2, done=1)
    assert store.jobs.get("job-1").idempotency_key == "key-1"
    assert store.reports.get("job-1", "root.etl") == a_report()
    assert [report.state for report in store.reports.of_job("job-1")] == [QueueState.FAILED, QueueState.SUCCEEDED]
    of_its_job = [a_forecast(issued_at=MONDAY + HOUR, job_id="job-2"), a_forecast(project="etl")]  # by what its request says
    assert store.forecasts.find() == of_its_job
    assert store.actuals.get(SHARED.series_id, MONDAY, MONDAY + HOUR) == [Point(timestamp=MONDAY, value=1.5)]
    assert store.jobs.reopen("job-2", [JobState.FAILED], MONDAY + 3 * HOUR)
    assert store.jobs.get("job-2").queued_at == MONDAY + 3 * HOUR
