"""What a worker tells the sink of the forecasts that the store has: a run in the past touches nothing newer there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from shared.config.settings import Settings
from shared.domain.durations import Duration
from shared.domain.jobs import DataPlaces, Place
from tests.factories import MONDAY, a_job, a_request, let_in
from tests.influx_server import Influxd
from worker.job import steps
from worker.job.resources import Resources, use

QUEUE, DATABASE = "root.etl", "delivered"
WHERE = DataPlaces(source=Place(name="files"), destination=Place(name="charts", measurement="usage"))


@pytest.fixture
def delivering(settings: Settings, here: Resources, influxd_with_users: Influxd) -> Iterator[Resources]:
    """Resources with a sink whose user may only write: it says nothing of what it has."""
    server = influxd_with_users
    server.make_database(DATABASE)
    server.query("CREATE USER only WITH PASSWORD 'writes'")
    server.query(f'GRANT WRITE ON "{DATABASE}" TO only')
    charts = {"kind": "influxdb", "url": server.url, "version": "1", "database": DATABASE, "token": "only:writes"}
    known = Settings(
        data_dir=settings.data_dir, files_dir=settings.files_dir, store_url=settings.store_url, connections={"charts": charts}
    )
    with use(Resources(known)) as given:
        yield given
        given.store.close()
    server.query("DROP USER only")


def run(here: Resources, job_id: str, as_of: datetime, days: int) -> None:
    """A whole job of one queue, and a retry of it where it has run before."""
    ahead = Duration(days, "d")
    request = a_request(data=WHERE, queues=(QUEUE,), model=("hour_mean",), as_of=as_of, future_prediction_time_period=ahead)
    job = here.store.jobs.add(a_job(job_id=job_id, request=request, created_at=datetime.now(UTC)))
    if job.state.is_terminal:
        here.lifecycle.retry(job_id, "all", datetime.now(UTC), lambda _: None, warnings=(), allowance=here.settings.allowance)
    else:
        here.run_state.begin_job(job_id, job.deadline_at)
    steps.plan(job_id)
    let_in(here.run_state, job_id)
    work = steps.ingest(job_id, QUEUE)
    assert work is not None
    steps.score(job_id, QUEUE, range(len(work.candidates)))
    steps.select(job_id, QUEUE, is_heavy=True)
    here.lifecycle.finish(job_id, datetime.now(UTC))


def test_a_run_in_the_past_and_a_retry_leave_the_sinks_newest_steps_alone(
    delivering: Resources, influxd_with_users: Influxd
) -> None:
    yesterday = MONDAY - timedelta(days=1)
    run(delivering, "live", MONDAY, days=3)
    steps_of_live = influxd_with_users.query('SELECT * FROM "usage"', DATABASE)
    assert len(steps_of_live[0].rows) == 72
    for job_id, as_of, days in (("past", yesterday, 1), ("past", yesterday, 1), ("longer", yesterday, 5), ("live", MONDAY, 3)):
        run(delivering, job_id, as_of, days)
        assert influxd_with_users.query('SELECT * FROM "usage"', DATABASE) == steps_of_live
    assert influxd_with_users.count("usage_issued", DATABASE) == 72 + 120
    assert [each.job_id for each in delivering.store.forecasts.find(QUEUE)] == ["past", "longer", "live"]
