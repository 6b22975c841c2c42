"""A cluster as a source of jobs, over every kind of connection that keeps what is collected of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from math import sin
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import SecretStr

from shared.config.connection import Connection
from shared.config.settings import Settings
from shared.connections.files import FilesConnection
from shared.connections.influxdb import InfluxdbConnection
from shared.connections.mongodb import MongodbConnection
from shared.connections.prometheus import PrometheusConnection
from shared.connections.yarn import YarnConnection
from shared.domain.collected import QueueSample
from shared.domain.places import Place
from shared.domain.samples import Aggregation
from shared.domain.timegrid import MINUTE
from shared.errors import DataError, EmptySeries, QueueGone, SourceNotFound
from tests.factories import MONDAY
from tests.worker.collect.days import write_days
from tests.worker.sources.queries import a_query
from worker.collect.rollups import rollups
from worker.collect.sinks.opened import open_samples
from worker.collect.tables import QUEUES, ROLLUPS, Rollup
from worker.job.readings import from_bytes, to_bytes
from worker.pipeline.wholeness import whole_steps
from worker.sources.base import Query, Reading, ScannedSource
from worker.sources.yarn.kept import ENDINGS, LIMITS, ROLLED, SATURATED
from worker.sources.yarn_source import YarnSource, collected

KINDS = ("files", "mongodb", "influxdb")
DAYS = 3
END = MONDAY + timedelta(days=DAYS)
STOPPED_AT, GONE_AT = END - timedelta(days=1), END - timedelta(hours=5)
ADDRESS = "http://rm:8088"


def a_connection(keep_samples: str = "forever", **changes: Any) -> YarnConnection:
    return YarnConnection.model_validate(
        {"cluster": "prod", "addresses": [ADDRESS], "samples": "kept", "keep_samples": keep_samples} | changes
    )


def made_up() -> Iterator[QueueSample]:
    """Every minute: a queue that works, one that was stopped a day ago, one that went five hours ago, one that always was."""
    for minute in range(DAYS * 1_440):
        at = MONDAY + timedelta(minutes=minute)
        used = 4_000 + int(2_000 * sin(minute / 230)) + minute * 37 % 500
        waits = 3_000 if minute % 60 >= 20 else 0
        common = {
            "cluster": "prod",
            "partition": "default",
            "timestamp": at,
            "guaranteed_memory_mb": 5_000,
            "maximum_memory_mb": 9_000,
        }
        full = {"demand_memory_mb": used + waits, "used_memory_mb": used, "pending_memory_mb": waits}
        more = {"is_saturated": int(waits > 0), "apps_pending": int(waits > 0), "users_active": 1 + minute % 2, "is_running": 1}
        yield QueueSample(queue="root", **common, **full)
        yield QueueSample(queue="root.etl", **common, **full, **more)
        yield QueueSample(queue="root.etl", **(common | {"partition": "gpu"}), demand_memory_mb=7, used_memory_mb=7)
        yield QueueSample(queue="root.off", **common, **(full if at < STOPPED_AT else {}), is_running=int(at < STOPPED_AT))
        yield QueueSample(queue="root.never", **common, is_running=0)
        if at < GONE_AT:
            yield QueueSample(queue="root.old", **common, **full)
            yield QueueSample(queue="root.ended", **common, **(full if at < STOPPED_AT else {}), is_running=int(at < STOPPED_AT))
            yield QueueSample(queue="root.unused", **common, is_running=0)


SAMPLES = list(made_up())


@pytest.fixture(scope="module", params=KINDS)
def kept_at(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Connection:
    """What was collected, in a place whose `readable` names something else."""
    connection = _place(request, tmp_path_factory.mktemp("kept"))
    for table, rows in {QUEUES: SAMPLES, ROLLUPS: rollups(SAMPLES)}.items():
        if isinstance(connection, FilesConnection):
            write_days(connection.path, table, rows)
        else:
            open_samples(Settings(connections={"kept": connection}), "kept").write(table, rows)
    return connection


def _place(request: pytest.FixtureRequest, folder: Path) -> Connection:
    if request.param == "files":
        return FilesConnection(path=folder, readable=("other/*",))
    if request.param == "mongodb":
        mongod = request.getfixturevalue("mongod")
        mongod.make_database("of_yarn")
        return MongodbConnection(url=SecretStr(mongod.url_of("of_yarn")), readable=("other",))
    influxd = request.getfixturevalue("influxd")
    influxd.make_database("of_yarn")
    url, token = SecretStr(influxd.url), influxd.token
    return InfluxdbConnection(url=url, version="1", token=token, database="of_yarn", readable=("other",))


def asked(queue: str = "root.etl", partition: str | None = None, **changes: Any) -> Query:
    others = {"partition": partition} if partition else {}
    place = Place(name="prod", others=others)
    span: dict[str, Any] = {"target": "demand_memory_mb", "start": MONDAY, "end": END, "aggregation": Aggregation.P95}
    return a_query(place, queue=queue, **(span | changes))


def steps_of(column: str, statistic: str, queue: str = "root.etl") -> pd.Series:
    """What the samples of the default partition come to."""
    own = [each for each in SAMPLES if each.queue == queue and each.partition == "default"]
    values = pd.Series(
        [getattr(each, column) for each in own], index=pd.DatetimeIndex([each.timestamp for each in own]), dtype=float
    )
    hours = values.resample("1h")
    return hours.mean() if statistic == "mean" else hours.apply(lambda hour: sorted(hour)[(190 * len(hour) + 100) // 200 - 1])


def test_the_95_percent_quantile_is_read_with_what_tells_how_to_take_it(kept_at: Connection) -> None:
    reading = collected(a_connection(), kept_at).read(asked())
    assert reading.frame.demand_memory_mb.tolist() == steps_of("demand_memory_mb", "p95").tolist()
    assert set(reading.frame) == {"demand_memory_mb", "apps_pending", "guaranteed_memory_mb", "maximum_memory_mb"}
    expected = {"mean": "demand_memory_mb", "used": "used_memory_mb", "pending": "pending_memory_mb", "saturated": "is_saturated"}
    for name, column in expected.items():
        np.testing.assert_allclose(reading.beside[name], steps_of(column, "mean"), rtol=1e-12)
    np.testing.assert_allclose(reading.beside.waiting, 2 / 3)
    assert reading.notes[0] == "read from the samples"
    back = from_bytes(to_bytes(reading))
    assert isinstance(back, Reading)
    pd.testing.assert_frame_equal(back.beside, reading.beside, check_freq=False, check_names=False)


def test_beside_the_mean_is_the_quantile(kept_at: Connection) -> None:
    reading = collected(a_connection(), kept_at).read(asked(aggregation=Aggregation.MEAN))
    np.testing.assert_allclose(reading.frame.demand_memory_mb, steps_of("demand_memory_mb", "mean"), rtol=1e-12)
    assert reading.beside.p95.tolist() == steps_of("demand_memory_mb", "p95").tolist()
    assert {"used", "pending", "saturated"} <= set(reading.beside)
    assert "used_memory_mb" not in reading.frame


@pytest.mark.parametrize("aggregation", ENDINGS)
def test_what_samples_do_not_cover_is_read_from_five_minutes(kept_at: Connection, aggregation: Aggregation) -> None:
    """Of steps that are five minutes they say the same, but for the ranks of quantiles."""
    connection = a_connection("14d")
    query = asked(aggregation=aggregation, step_seconds=3_600)
    reading = collected(connection, kept_at).read(query)
    exact = collected(a_connection(), kept_at).read(query)
    assert reading.notes[0].startswith("read from five minutes (yarn_queue_5m), as the history begins")
    assert reading.rows == len(exact.frame) * 12
    ratio = reading.frame.demand_memory_mb / exact.frame.demand_memory_mb
    near = 0.05 if aggregation is Aggregation.P95 else 1e-9
    assert ratio.between(1 - near, 1 + near).all()
    np.testing.assert_allclose(reading.beside.saturated, exact.beside.saturated)
    newest = replace(query, start=END - timedelta(hours=6), history_start=MONDAY)
    assert collected(a_connection("14d"), kept_at).read(newest).notes[0] == reading.notes[0]


def test_five_minutes_that_are_not_together_yet_keep_no_step_waiting(kept_at: Connection) -> None:
    """The last ones of an hour are put together a little after it, when a job has begun to read."""
    query = asked(end=END - timedelta(hours=1))
    reading = collected(a_connection("14d"), kept_at).read(query)
    assert reading.newest_at == query.end - timedelta(seconds=1)
    late = replace(reading, newest_at=query.end - timedelta(seconds=301))
    whole = whole_steps(late, "demand_memory_mb", grid=query.grid, aggregation=query.aggregation)
    assert len(whole.frame) == len(reading.frame)


def test_a_cluster_has_covariates_for_another_place(kept_at: Connection) -> None:
    """Of the queues of the same names, with no target of its own."""
    source = collected(a_connection(), kept_at)
    reading = source.read(asked(target=None, aggregation=Aggregation.MEAN))
    assert {"demand_memory_mb", "apps_pending"} <= set(reading.frame)
    assert reading.beside.empty
    np.testing.assert_allclose(reading.frame.demand_memory_mb, steps_of("demand_memory_mb", "mean"), rtol=1e-12)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"step_seconds": 420}, "steps are not of five minutes each"),
        ({"aggregation": Aggregation.MEDIAN}, "five minutes have no median"),
        ({"columns": ("users_active",)}, "five minutes have no users_active"),
    ],
)
def test_what_five_minutes_cannot_tell_is_read_from_the_samples(kept_at: Connection, changes: dict[str, Any], why: str) -> None:
    start = MONDAY + timedelta(days=1)
    query = asked(**({"start": start, "end": start + timedelta(hours=7)} | changes))
    source = collected(a_connection("14d"), kept_at)
    assert source.read(query).notes[0] == f"read from the samples, which are kept for 14d only: {why}"


def test_queues_that_are_stopped_or_gone_are_told(kept_at: Connection) -> None:
    source = collected(a_connection(), kept_at)
    assert source.queues(asked("")) == ["root", "root.ended", "root.etl", "root.never", "root.off", "root.old", "root.unused"]
    for queue, why in {
        "root.off": f"stopped since {STOPPED_AT:%Y-%m-%d %H:%M}",
        "root.never": f"stopped since {MONDAY:%Y-%m-%d %H:%M}",
        "root.old": "gone: the newest that is told of it is of",
        "root.ended": "gone: the newest that is told of it is of",  # it was stopped before
        "root.unused": "gone: the newest that is told of it is of",
    }.items():
        with pytest.raises(QueueGone, match=why):
            source.read(asked(queue))
    assert isinstance(source.read(asked("root")), Reading)
    before = asked("root.old", end=GONE_AT)
    assert isinstance(source.read(before), Reading)


def test_a_partition_is_a_series_of_its_own(kept_at: Connection) -> None:
    source = collected(a_connection(), kept_at)
    assert set(source.read(asked(partition="gpu")).frame.demand_memory_mb) == {7.0}
    assert source.queues(asked("", partition="gpu")) == ["root.etl"]
    with pytest.raises(DataError):
        source.queues(asked("", partition="fpga"))


def test_many_queues_are_read_by_two_scans(kept_at: Connection) -> None:
    source = collected(a_connection(), kept_at)
    assert isinstance(source, ScannedSource) == (kept_at.kind != "influxdb")
    if not isinstance(source, ScannedSource):
        return
    names = ["root.etl", "root.off", "root.old", "root.never", "root", "root.ended"]
    found = dict(source.scan(asked(""), names))
    assert {name for name, each in found.items() if isinstance(each, QueueGone)} == {*names} - {"root.etl", "root"}
    assert "gone" in str(found["root.ended"])
    assert "stopped since" in str(found["root.off"])
    alone, together = source.read(asked()), found["root.etl"]
    assert isinstance(together, Reading)
    pd.testing.assert_frame_equal(together.frame, alone.frame, check_freq=False)
    pd.testing.assert_frame_equal(together.beside, alone.beside, check_freq=False)
    assert (source.together(asked(""), 5) > 0) == (kept_at.kind == "files")


@pytest.mark.parametrize("changes", [{"target": "demand_memry_mb"}, {"columns": ("nonsense",)}])
def test_a_column_that_there_is_not_is_told(kept_at: Connection, changes: dict[str, Any]) -> None:
    with pytest.raises(SourceNotFound, match=r"demand_memry_mb|nonsense"):
        collected(a_connection(), kept_at).read(asked(**changes))


def test_a_look_says_what_there_is(kept_at: Connection) -> None:
    view = collected(a_connection("14d"), kept_at).check(asked(""))
    assert "root.etl" in view.queues
    assert "demand_memory_mb" in view.columns
    assert view.notes[0].startswith("read from five minutes")


def test_where_nothing_is_collected_it_says_so(tmp_path: Path) -> None:
    source = collected(a_connection(), FilesConnection(path=tmp_path))
    with pytest.raises(
        SourceNotFound, match="in what `queuecast collect` keeps of the partition default of the cluster prod"
    ) as it:
        source.queues(asked(""))
    assert "the first five minutes are there after some ten" in str(it.value)


def test_a_new_cluster_says_since_when_it_is_collected_and_when_its_first_step_ends(kept_at: Connection, tmp_path: Path) -> None:
    begun_at = MONDAY + timedelta(minutes=41, seconds=7)
    begun = f"collected since {begun_at:{MINUTE}}; the first step of 1 h ends {MONDAY + timedelta(hours=1):{MINUTE}}"
    since = lambda: begun_at  # noqa: E731
    fresh = asked(start=MONDAY - timedelta(days=7), end=MONDAY + timedelta(minutes=50), history_start=MONDAY - timedelta(days=7))
    bare = collected(a_connection(), FilesConnection(path=tmp_path), since)
    with pytest.raises(SourceNotFound, match=begun):
        bare.queues(replace(fresh, queue=""))
    later = replace(fresh, end=MONDAY + timedelta(minutes=71))
    with pytest.raises(SourceNotFound, match="the first five minutes are there after some ten"):
        bare.queues(replace(later, queue=""))
    source = collected(a_connection(), kept_at, since)
    early = replace(fresh, end=MONDAY - timedelta(minutes=5), queue="root.etl")
    with pytest.raises((EmptySeries, SourceNotFound), match=begun):
        source.read(early)


def test_samples_are_kept_by_connections_that_take_them() -> None:
    with pytest.raises(SourceNotFound, match="`samples` names no place for them"):
        YarnSource(a_connection(), PrometheusConnection(url=SecretStr("http://prometheus:9090")))


def test_the_columns_are_those_of_the_collector() -> None:
    known = set(Rollup.__dataclass_fields__)
    assert {f"{name}{ending}" for name in ROLLED for ending in ENDINGS.values()} | set(LIMITS) <= known
    assert SATURATED[ROLLUPS.name] in known
    assert SATURATED[QUEUES.name] in QueueSample.__dataclass_fields__
