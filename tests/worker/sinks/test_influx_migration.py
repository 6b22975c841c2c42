"""`queuecast migrate influxdb` on a real influxd that a release before has written to, also cut off at every point."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from shared.config.settings import Settings
from shared.connections.influxdb import InfluxdbConnection
from shared.domain.forecasts import Forecast
from shared.domain.jobs import DataPlaces, Place
from shared.errors import SinkAway
from shared.store import Store, open_store
from tests.factories import a_forecast, a_job, a_request
from tests.influx_server import Influxd
from tests.worker.sinks.cut_off import cut_off
from tests.worker.sinks.v2_gateway import v2_gateway
from worker.sinks import sinks
from worker.sinks._influx_migration import Change, migrate
from worker.sinks._influx_points import lines_of

DATABASE, PLACE = "charts", Place(name="charts", measurement="usage")
NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
HOUR = timedelta(hours=1)
Points = list[dict[str, Any]]


def of_steps(count: int, issued_at: datetime, **changes: Any) -> Forecast:
    level = (issued_at - NOW) / HOUR
    numbers = dict.fromkeys(("prediction", "lower_bound", "upper_bound"), (level,) * count)
    values = {"cluster": "files:", "project": "etl", **numbers} | changes
    return a_forecast(issued_at=issued_at, created_at=issued_at + timedelta(minutes=2), **values)


@pytest.fixture
def settings(influxd: Influxd, tmp_path: Path) -> Settings:
    influxd.make_database(DATABASE)
    return settings_for(influxd.url, tmp_path)


def settings_for(url: str, folder: Path, version: str = "1") -> Settings:
    charts = InfluxdbConnection(url=SecretStr(url), version=version, database=DATABASE)  # type: ignore[arg-type]
    return Settings(data_dir=folder, store_url=f"sqlite:///{folder / 'queuecast.db'}", connections={"charts": charts})


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    with closing(open_store(settings.store_location)) as opened:
        yield opened


def keep(store: Store, *forecasts: Forecast, cluster: str = "") -> None:
    """The forecasts and their jobs, in the store."""
    for each in forecasts:
        data = DataPlaces(source=Place(name="files", path="*"), destination=PLACE)
        request = a_request(job_name=each.job, project=each.project, cluster=cluster, data=data)
        store.jobs.add(a_job(job_id=each.job_id, request=request))
        store.forecasts.save(each)


def as_before(influxd: Influxd, *forecasts: Forecast) -> None:
    """As the release before has written them: without project and cluster, `step` of `_issued` as tag and as field."""
    for each in forecasts:
        lines = [line.replace(f"project={each.project},", "") for line in lines_of(each, "usage")]
        tagged = [
            line.replace(" issued_at=", f" step={line.partition('step=')[2][:3].lstrip('0')}i,issued_at=", 1) for line in lines
        ]
        influxd.write(
            [new if line.startswith("usage_issued") else line for line, new in zip(lines, tagged, strict=True)], DATABASE
        )


def points(influxd: Influxd, measurement: str) -> Points:
    found = influxd.query(
        f'SELECT * FROM "{measurement}" GROUP BY "queue"', DATABASE
    )  # one answer has at most 10,000 rows a series
    rows = [dict(zip(series.columns, row, strict=True)) | dict(series.tags) for series in found for row in series.rows]
    return sorted(({name: cell for name, cell in row.items() if cell is not None} for row in rows), key=str)


def told(changes: list[Change]) -> list[tuple[Any, ...]]:
    return [(each.measurement, each.queue, each.project, each.cluster, each.points, each.what) for each in changes]


def all_of(influxd: Influxd) -> dict[str, Points]:
    names = ("usage", "usage_issued", "usage_run", "usage_issued_migrating")
    return {name: points(influxd, name) for name in names}


def silent(_text: str) -> None:
    """Nobody listens to how far it is."""


def test_what_lies_ahead_gets_its_tags_and_is_told_first(influxd: Influxd, store: Store, settings: Settings) -> None:
    old, other = of_steps(30, NOW - 5 * HOUR), of_steps(10, NOW - HOUR, queue="root.x", project="", job_id="job-2")
    keep(store, old, other, cluster="")
    as_before(influxd, old, other)
    before = all_of(influxd)
    dry = list(migrate(store, settings, apply=False, tell=silent))
    assert all_of(influxd) == before
    assert [each[-1] for each in told(dry)] == [
        "`step` is tag and field: the field would go",
        *("would get its tags", "its job names neither project nor cluster") * 2,
    ]
    done = list(migrate(store, settings, apply=True, tell=silent))
    assert [each[:5] for each in told(done)] == [each[:5] for each in told(dry)]
    assert [each[-1] for each in told(done)][:2] == ["`step` is a tag only now", "has its tags"]
    after = all_of(influxd)
    ahead = int(datetime.now(UTC).timestamp())
    for name in ("usage", "usage_issued"):
        assert without(after[name], "project") == without(before[name], "step_1" if name == "usage_issued" else "")
        of_old = [point for point in after[name] if point["queue"] == "root.etl"]
        assert {point.get("project") for point in of_old if point["time"] >= ahead} == {"etl"}
        assert {point.get("project") for point in of_old if point["time"] < ahead} == {None}
        assert not any("project" in point for point in after[name] if point["queue"] == "root.x")
    assert after["usage_run"] == before["usage_run"]
    assert after["usage_issued_migrating"] == []
    again = list(migrate(store, settings, apply=True, tell=silent))
    assert {each[-1] for each in told(again)} == {"its job names neither project nor cluster"}
    assert all_of(influxd) == after


def without(found: Points, name: str) -> Points:
    """The points without a tag or field; of `step` as tag and field the server calls the second `step_1`, which is the tag."""
    rows = [row | {"step": row.get("step_1", row.get("step"))} for row in found]
    return sorted(({key: cell for key, cell in row.items() if key not in {name, "step_1"}} for row in rows), key=str)


def test_a_newer_forecast_under_the_tags_keeps_its_steps(influxd: Influxd, store: Store, settings: Settings) -> None:
    old, new = of_steps(48, NOW - 5 * HOUR), of_steps(6, NOW - HOUR, job_id="job-2")
    keep(store, old, new)
    as_before(influxd, old)
    sinks["influxdb"](settings.connection("charts"), settings).write(new, PLACE)
    list(migrate(store, settings, apply=True, tell=silent))
    ahead = [point for point in points(influxd, "usage") if point["time"] >= int(datetime.now(UTC).timestamp())]
    assert {(point["project"], point["prediction"]) for point in ahead} == {("etl", -1)}
    assert len(points(influxd, "usage_issued")) == 48 + 6


def test_of_two_projects_each_gets_its_own_and_the_cluster_that_its_connection_names(
    influxd: Influxd, store: Store, settings: Settings, tmp_path: Path
) -> None:
    first, second = of_steps(30, NOW - 5 * HOUR), of_steps(8, NOW - 4 * HOUR, project="ml", job_id="job-2")
    lost = of_steps(40, NOW - 6 * HOUR, project="gone", job_id="job-3")
    keep(store, first, second)
    as_before(influxd, lost, first, second)
    named = settings.model_copy(update={"connections": {**settings.connections, "files": files_of("east", tmp_path)}})
    done = list(migrate(store, named, apply=True, tell=silent))
    assert "several projects or clusters may have issued them" in done[1].what
    live = [point for point in points(influxd, "usage") if point["time"] >= int(datetime.now(UTC).timestamp())]
    found = {(point.get("project"), point.get("cluster"), point["prediction"]) for point in live}
    assert found == {("etl", "east", -5), ("ml", "east", -4), (None, None, -6)}
    assert len(points(influxd, "usage")) == 40  # as many as before


def files_of(cluster: str, folder: Path) -> Any:
    files = {"kind": "files", "path": folder, "cluster": cluster}
    return Settings(data_dir=folder, connections={"files": files}).connections["files"]


@pytest.mark.parametrize("every", [pytest.param(1, marks=pytest.mark.nightly), 9])
@pytest.mark.parametrize("is_heard", [False, True])
def test_cut_off_at_any_request_nothing_is_lost_and_the_next_one_ends_it(
    influxd: Influxd, store: Store, settings: Settings, *, is_heard: bool, every: int
) -> None:
    old = of_steps(30, NOW - 5 * HOUR)
    keep(store, old)
    as_before(influxd, old)
    list(migrate(store, settings, apply=True, tell=silent))
    expected, number = all_of(influxd), 0
    while True:
        influxd.make_database(DATABASE)
        as_before(influxd, old)
        with cut_off(influxd.url, number, is_heard=is_heard) as url:
            try:
                list(migrate(store, settings_for(url, settings.data_dir), apply=True, tell=silent))
            except SinkAway:
                list(migrate(store, settings, apply=True, tell=silent))
            else:
                break
        assert all_of(influxd) == expected, number
        number += every
    assert number > 25


@pytest.mark.parametrize("deletes", [True, False])
def test_on_versions_2_and_3_the_points_have_their_tags_and_what_stays_is_told(
    influxd: Influxd, store: Store, settings: Settings, tmp_path: Path, deletes: bool
) -> None:
    old = of_steps(30, NOW - 5 * HOUR)
    keep(store, old)
    as_before(influxd, old)
    with v2_gateway(influxd.url, deletes=deletes) as url:
        for _ in range(2):
            done = list(migrate(store, settings_for(url, tmp_path, "2" if deletes else "3"), apply=True, tell=silent))
    ahead = [point for point in points(influxd, "usage") if point["time"] >= int(datetime.now(UTC).timestamp())]
    assert [point for point in ahead if point.get("project") == "etl"]
    if deletes:
        assert done == []
        assert all(point.get("project") == "etl" for point in ahead)
    else:
        assert "name another measurement" in done[0].what
        assert "deletes nothing by DELETE" in done[1].what


def test_every_retention_policy_is_led_on(influxd: Influxd, store: Store, settings: Settings) -> None:
    influxd.query(f'CREATE RETENTION POLICY "2y" ON "{DATABASE}" DURATION 104w REPLICATION 1')
    old = of_steps(30, NOW - 5 * HOUR)
    keep(store, old)
    as_before(influxd, old)
    influxd.query('SELECT * INTO "2y"."usage" FROM "usage" GROUP BY *', DATABASE)
    influxd.query('SELECT * INTO "2y"."usage_issued" FROM "usage_issued" GROUP BY *', DATABASE)
    list(migrate(store, settings, apply=True, tell=silent))
    for name in ("usage", "usage_issued"):
        found = [influxd.query(f'SELECT * FROM "{policy}"."{name}"', DATABASE)[0] for policy in ("autogen", "2y")]
        assert found[0] == found[1]
        assert len(found[0].rows) == 30


@pytest.mark.nightly
def test_killed_again_and_again_it_loses_nothing(influxd: Influxd, store: Store, settings: Settings, tmp_path: Path) -> None:
    runs = [(queue, hours) for queue in range(40) for hours in range(9)]
    forecasts = [of_steps(72, NOW - hours * HOUR, queue=f"root.q{queue}", job_id=f"{queue}") for queue, hours in runs]
    keep(store, *forecasts)
    as_before(influxd, *forecasts)
    before = without(points(influxd, "usage_issued"), "")
    environment = os.environ | {"QUEUECAST_DATA_DIR": str(tmp_path), "QUEUECAST_STORE_URL": settings.store_location}
    environment |= {"QUEUECAST_CONFIG_FILE": str(tmp_path / "queuecast.toml")}
    (tmp_path / "queuecast.toml").write_text(
        f'[connections.charts]\nkind = "influxdb"\nurl = "{influxd.url}"\nversion = "1"\ndatabase = "{DATABASE}"\n'
    )
    verb = [sys.executable, "-c", "from shared.command.root import main; main()"]
    command = [*verb, "migrate", "influxdb", "--apply", "--json"]
    kills, seconds = 0, 2.0
    while True:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
        try:
            output, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            kills, seconds = kills + 1, seconds + 0.5
            continue
        break
    assert (process.returncode, kills > 3) == (0, True)
    assert json.loads(output) is not None
    assert without(points(influxd, "usage_issued"), "project") == before
    assert list(migrate(store, settings, apply=True, tell=silent)) == []
