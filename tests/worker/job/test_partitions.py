"""Partitions of one queue in one file: what is kept of one is never that of another, whichever way out of the two was taken."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from flask.testing import FlaskClient

from shared.domain.accuracy import AccuracyFilter
from shared.domain.jobs import DataPlaces, JobRequest, Place
from tests.api.scene import MakeApp
from tests.factories import MONDAY, a_request
from tests.worker.job.whole_jobs import run
from worker.backtest.export import rows_of
from worker.job.resources import Resources

QUEUE, DAY = "root.ml", timedelta(days=1)
LEVELS = {"gpu": 80.0, "default": 20.0}
MONTH = AccuracyFilter.last_month(MONDAY + DAY)


def write_partitions(folder: Path) -> None:
    """Twenty days of hours of one queue in two partitions, far apart."""
    times = pd.date_range(MONDAY - 20 * DAY, MONDAY, freq="h", inclusive="left")
    wave = 5 * np.sin(times.hour.to_numpy() / 24 * 2 * np.pi) + np.random.default_rng(7).normal(0, 0.5, len(times))
    tables = [
        pd.DataFrame({"timestamp": times, "queue": QUEUE, "partition": name, "used_capacity": level + wave})
        for name, level in LEVELS.items()
    ]
    pd.concat(tables).to_csv(folder / "usage.csv", index=False)


@pytest.mark.parametrize("cluster", ["", "prod"])
def test_two_partitions_by_where_are_two_series_also_under_one_name_of_a_job(here: Resources, cluster: str) -> None:
    assert here.settings.files_dir is not None
    write_partitions(here.settings.files_dir)
    requests: dict[str, JobRequest] = {}
    for as_of in (MONDAY - DAY, MONDAY):
        for partition in LEVELS:
            changes: dict[str, Any] = {"where": {"partition": (partition,)}, "model": ("hour_mean",), "as_of": as_of}
            places = DataPlaces(source=Place(name="files", path="usage.csv"), destination=Place(name="files"))
            requests[partition] = a_request(data=places, cluster=cluster, **changes)
            run(here, requests[partition], f"{partition}-{as_of:%d}")
    for partition, level in LEVELS.items():
        series = requests[partition].series(QUEUE)
        values = [point.value for point in here.store.actuals.get(series.series_id, MONDAY - 20 * DAY, MONDAY)]
        assert len(values) == 14 * 24 + 24
        assert all(value is not None and abs(value - level) < 10 for value in values)
        forecasts = here.store.forecasts.issues(series.series_id, limit=9)
        assert [forecast.job_id for forecast in forecasts] == [f"{partition}-05", f"{partition}-04"]
        scored = here.store.accuracy.by_series([series.series_id], MONTH)[series.series_id]
        assert scored.wape is not None
        assert scored.wape < 10
        rows = f"partition={partition}"
        assert (series.cluster, series.where) == ((cluster, rows) if cluster else (f"files:usage.csv?{rows}", ""))
    assert len(here.store.forecasts.newest_of_each(QUEUE)) == 2


@pytest.fixture
def caller(here: Resources, make_app: MakeApp) -> FlaskClient:
    """Somebody who speaks to a service over the same store."""
    return make_app(here.settings).test_client()


def numbers(caller: FlaskClient, address: str) -> list[float]:
    """All that an answer says of usage, but for counts: a hundredth of what it is of the other partition at most."""
    answer = caller.get(address)
    assert answer.status_code == 200, (address, answer.text)
    found: list[float] = []

    def look(name: str, value: object) -> None:
        if isinstance(value, dict):
            for inner, its in value.items():
                look(inner, its)
        elif isinstance(value, list):
            for its in value:
                look(name, its)
        elif name in {"actual", "prediction", "peak"} and isinstance(value, float):
            found.append(value)

    look("", answer.json)
    return found


def test_two_partitions_by_a_list_of_columns_are_two_queues_on_every_route(here: Resources, caller: FlaskClient) -> None:
    assert here.settings.files_dir is not None
    write_partitions(here.settings.files_dir)
    places = DataPlaces(source=Place(name="files", path="usage.csv"), destination=Place(name="files"))
    for as_of in (MONDAY - DAY, MONDAY):
        request = a_request(data=places, queue_field=("queue", "partition"), model=("hour_mean",), as_of=as_of)
        run(here, request, f"both-{as_of:%d}")
    listed = {row["queue"]: row["peak"] for row in caller.get("/v1/queues").json["queues"]}
    assert set(listed) == {f"{QUEUE}/{partition}" for partition in LEVELS}
    assert "2 of 2 queues" in caller.get("/").text
    gauges = [line for line in caller.get("/metrics").text.splitlines() if line.startswith("queuecast_queue_mape{")]
    assert len(gauges) == 2
    for partition, level in LEVELS.items():
        queue = f"{QUEUE}/{partition}"
        addresses = [
            f"/v1/queues/{queue}/series",
            f"/v1/jobs/both-05/queues/{queue}",
            f"/v1/queues/{queue}/series?job_id=both-04",
        ]
        for values in ([listed[queue]], *(numbers(caller, address) for address in addresses)):
            assert values
            assert all(abs(value - level) < 12 for value in values)
        accuracy = caller.get(f"/v1/queues/{queue}/accuracy?from=2026-01-01T00:00:00Z&to=2026-01-09T00:00:00Z").json
        assert accuracy["overall"]["wape"] < 10
        issues = caller.get(f"/v1/queues/{queue}/forecasts").json["forecasts"]
        assert [issue["job_id"] for issue in issues] == ["both-05", "both-04"]
        page = caller.get(f"/queues/{queue}")
        assert page.status_code == 200
        assert sum(f'queue="{queue}"' in line for line in gauges) == 1
    exported = [row["queue"] for row in rows_of(here.store.forecasts.find(f"{QUEUE}/gpu"))]
    assert set(exported) == {f"{QUEUE}/gpu"}
