"""What a worker tells the sink of the forecasts that the store has: a run in the past touches nothing newer there."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pandas as pd
import pytest

from shared.config.settings import Settings
from shared.domain.durations import Duration
from shared.domain.jobs import DataPlaces, Place
from shared.domain.samples import Aggregation
from shared.errors import BrokerAway, SinkRefused
from shared.fleet.runstate import RunState, state
from tests.factories import MONDAY, a_forecast, a_job, a_request, let_in, write_loads
from tests.influx_server import Influxd
from worker.job import steps
from worker.job.delivery import Delivery
from worker.job.resources import Resources, use

QUEUE, DATABASE = "root.etl", "delivered"
WHERE = DataPlaces(source=Place(name="files", path="*.csv"), destination=Place(name="charts", measurement="usage"))


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


def run(here: Resources, job_id: str, as_of: datetime, days: int, **changes: Any) -> None:
    """A whole job of one queue, and a retry of it where it has run before."""
    ahead = Duration(days, "d")
    own: dict[str, Any] = {"data": WHERE, "queues": (QUEUE,), "model": ("hour_mean",), "as_of": as_of}
    request = a_request(**own | {"future_prediction_time_period": ahead} | changes)
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


def places(path: str = "", measurement: str = "usage") -> DataPlaces:
    return DataPlaces(source=Place(name="files", path=f"{path}*.csv"), destination=Place(name="charts", measurement=measurement))


MIXTURES: dict[str, dict[str, Any]] = {
    "cluster files:west": {"data": places("west/")},
    "step_seconds 7200": {"aggregation_time_period": Duration(2, "h")},
    "aggregation max": {"aggregation": Aggregation.MAX},
    "day_timezone Europe/Berlin": {"aggregation_time_period": Duration(1, "d"), "timezone": "Europe/Berlin"},
    "where partition=default": {"cluster": "prod", "where": {"partition": ("default",)}},
}
APART: tuple[dict[str, Any], ...] = (
    {"data": places("west/"), "cluster": "west"},
    {"aggregation": Aggregation.MAX, "job_name": "highest"},
    {"aggregation": Aggregation.MAX, "data": places(measurement="highest")},
    {"aggregation": Aggregation.MAX, "project": "another"},
)


@pytest.mark.parametrize("told", MIXTURES)
def test_series_that_a_sink_cannot_tell_apart_are_refused_before_any_model(
    delivering: Resources, influxd_with_users: Influxd, told: str
) -> None:
    folder = delivering.settings.files_dir
    assert folder is not None
    write_loads(folder / "west", QUEUE)
    table = pd.read_csv(folder / f"{QUEUE}.csv").assign(partition="default")
    table.to_csv(folder / f"{QUEUE}.csv", index=False)
    changes = MIXTURES[told]
    run(delivering, "other", MONDAY, 3, **changes)
    steps_of_other = influxd_with_users.query('SELECT * FROM "usage"', DATABASE)
    ours = {"cluster": changes["cluster"]} if "cluster" in changes else {}
    for as_of in (MONDAY, MONDAY - timedelta(days=1)):
        with pytest.raises(SinkRefused, match=f"{told}.* another `job_name` or another place"):
            run(delivering, f"ours of {as_of:%d}", as_of, 3, **ours)
    assert influxd_with_users.query('SELECT * FROM "usage"', DATABASE) == steps_of_other
    run(delivering, "over", MONDAY - timedelta(days=1), 1, **changes, job_name="changed")
    run(delivering, "since", MONDAY, 3, **ours, job_name="changed")  # whoever moved on is let on


def test_what_a_sink_tells_apart_goes_side_by_side(delivering: Resources, influxd_with_users: Influxd) -> None:
    assert delivering.settings.files_dir is not None
    write_loads(delivering.settings.files_dir / "west", QUEUE)
    run(delivering, "ours", MONDAY, 3)
    for number, changes in enumerate(APART):
        run(delivering, f"other-{number}", MONDAY, 3, **changes)
    counts = [influxd_with_users.count(measurement, DATABASE) for measurement in ("usage", "highest")]
    assert counts == [4 * 72, 72]


def test_a_run_in_the_past_is_the_newest_where_nothing_later_was_written(
    delivering: Resources, influxd_with_users: Influxd
) -> None:
    elsewhere = DataPlaces(source=WHERE.source, destination=Place(name="files"))
    run(delivering, "live", MONDAY, 3, data=elsewhere)
    run(delivering, "past", MONDAY - timedelta(days=1), 1)
    run(delivering, "before", MONDAY - timedelta(days=2), 3)
    found = influxd_with_users.query('SELECT prediction, issued_at FROM "usage"', DATABASE)
    yesterday = int((MONDAY - timedelta(days=1)).timestamp())
    assert [row[2] for row in found[0].rows] == [yesterday] * 24
    assert influxd_with_users.count("usage_issued", DATABASE) == 24 + 72


def test_of_an_older_and_a_newer_forecast_in_one_moment_the_newer_one_stays(
    delivering: Resources, influxd_with_users: Influxd
) -> None:
    newer = a_forecast(job_id="newer", prediction=(1.0,) * 72, lower_bound=(1.0,) * 72, upper_bound=(1.0,) * 72)
    older = replace(newer, job_id="older", issued_at=MONDAY - timedelta(hours=5), prediction=(2.0,) * 72)
    both = Barrier(2)

    def write(forecast: object) -> None:
        both.wait(10)
        Delivery(delivering, request).write(forecast)  # type: ignore[arg-type]

    for turn in range(5):
        request = a_request(data=WHERE, job_name=f"turn {turn}")
        for job_id in ("newer", "older"):
            delivering.store.jobs.add(a_job(job_id=f"{job_id}-{turn}", request=request))
        pair = [replace(each, job=request.job_name, job_id=f"{each.job_id}-{turn}") for each in (newer, older)]
        with ThreadPoolExecutor(2) as two:
            list(two.map(write, pair))
    found = influxd_with_users.query(f'SELECT prediction FROM "usage" WHERE time >= {int(MONDAY.timestamp())}s', DATABASE)
    assert [row[1] for row in found[0].rows] == [1.0] * 5 * 72


def test_who_dies_while_it_writes_keeps_others_out_for_half_a_minute(
    run_state: RunState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, "ALONE_PATIENCE_SECONDS", 0.1)
    with run_state.alone(["root.etl"]):
        with run_state.alone(["root.adhoc"]):
            pass
        with pytest.raises(BrokerAway, match="another process writes the same"), run_state.alone(["root.etl"]):
            pass
        [key] = run_state.client.keys("alone:*")
        assert 20 < run_state.client.ttl(key) <= 30
    assert run_state.client.keys("alone:*") == []
