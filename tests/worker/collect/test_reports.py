"""Reports of every queue: once a day by a process of its own, also when something is away, and all at once on demand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
import structlog

from shared.command.reading import load_settings
from shared.config.settings import Settings
from shared.domain.collected import ClusterSample, QueueSample
from shared.domain.evidence import evidence_of
from shared.store import Store, open_store
from tests.factories import MONDAY
from worker.collect.daily_reports import DailyReports
from worker.collect.reports import Reports
from worker.collect.rollups import Surroundings, rollups
from worker.collect.sinks.parquet import ParquetSamples
from worker.collect.tables import ROLLUPS, Rollup

LOOK, HOUR, DAY = timedelta(seconds=30), timedelta(hours=1), timedelta(days=1)
GB = 1_024
WAITS = {
    "used_memory_mb": 40 * GB,
    "guaranteed_memory_mb": 80 * GB,
    "maximum_memory_mb": 160 * GB,
    "free_memory_mb": 100 * GB,
    "pending_memory_mb": 8 * GB,
    "pending_containers": 2,
    "apps_active": 3,
    "apps_pending": 1,
}
MANY = [f"root.q{number:02}" for number in range(20)]
SECONDS = 120.0  # for a process that takes two


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """As a process that is begun reads them too: samples in files, a store in the data folder."""
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "queuecast.toml").write_text(f'[connections.samples]\nkind = "files"\npath = "{tmp_path / "samples"}"\n')
    monkeypatch.setenv("QUEUECAST_CONFIG_FILE", str(tmp_path / "queuecast.toml"))
    monkeypatch.setenv("QUEUECAST_STORE_URL", f"sqlite:///{tmp_path / 'data' / 'store.db'}")
    return load_settings(data_dir=tmp_path / "data")


@pytest.fixture
def store(own: Settings) -> Iterator[Store]:
    opened = open_store(own.store_location)
    yield opened
    opened.close()


def daily(own: Settings, store: Store) -> DailyReports:
    return DailyReports(own, store, "samples", "prod")


def a_sink(folder: Path, queues: list[str], *, days: int = 1, until: datetime = MONDAY) -> ParquetSamples:
    """Each hour five minutes in which half of it waited for masters."""
    sink = ParquetSamples(folder)
    shares = {"waiting": 0.5, "waiting_masters": 0.5, "waiting_ceiling": 0.0, "am_used_memory_mb": 95.0}
    demands = {f"demand_{kind}_{part}": 10.0 for kind in ("memory_mb", "vcores") for part in ("p95", "max")}
    limits = {"guaranteed_memory_mb": 30.0, "guaranteed_vcores": 20.0}
    for hour in range(24 * days):
        at = until - (hour + 1) * HOUR
        whose = {"cluster": "prod", "partition": "default", "timestamp": at, "samples": 10}
        sink.write(ROLLUPS, [Rollup(queue=queue, **whose, **shares, **demands, **limits) for queue in queues])
    return sink


def test_reports_are_made_of_every_queue_and_again_when_they_are_made_again(tmp_path: Path, store: Store) -> None:
    reports = Reports(store, a_sink(tmp_path, MANY), "prod")
    assert reports.make(MONDAY) == 20
    [report] = store.usages.find(["prod"], MANY[3])
    assert (report.waits.hours, report.waits.known_hours, report.made_at) == (pytest.approx(1.0), pytest.approx(2.0), MONDAY)
    assert report.reason == "its demand is known of 0.1 days of the last 28; at least 7 are needed"
    a_sink(tmp_path, MANY[:1], until=MONDAY + DAY)
    assert reports.make(MONDAY + DAY) == 1
    assert [(each.queue, each.made_at) for each in store.usages.find(["prod"])] == [(MANY[0], MONDAY + DAY)]


def test_a_cluster_of_which_nothing_is_kept_has_none(tmp_path: Path, store: Store) -> None:
    assert Reports(store, ParquetSamples(tmp_path), "prod").make(MONDAY) == 0
    assert store.usages.find(["prod"]) == []


def test_a_process_makes_them_once_a_day_whoever_begins_it(tmp_path: Path, own: Settings, store: Store) -> None:
    a_sink(tmp_path / "samples", MANY)
    first = daily(own, store)
    first.go_on(MONDAY)
    assert first.wait(SECONDS) == 0
    assert {(report.queue, report.made_at) for report in store.usages.find(["prod"])} == {(name, MONDAY) for name in MANY}
    for reports in (first, daily(own, store)):
        for at in (MONDAY + LOOK, MONDAY + DAY - LOOK):
            reports.go_on(at)
            assert reports.wait(SECONDS) == 0
    assert store.usages.newest_at("prod") == MONDAY
    a_sink(tmp_path / "samples", MANY[:1], until=MONDAY + DAY)
    first.go_on(MONDAY + DAY)
    assert first.wait(SECONDS) == 0
    assert [(each.queue, each.made_at) for each in store.usages.find(["prod"])] == [(MANY[0], MONDAY + DAY)]


def test_a_new_cluster_has_its_first_reports_within_hours_and_not_a_day_later(
    tmp_path: Path, own: Settings, store: Store
) -> None:
    reports = daily(own, store)
    reports.go_on(MONDAY)
    assert reports.wait(SECONDS) == 0
    a_sink(tmp_path / "samples", MANY[:1], until=MONDAY + HOUR)
    for look in (LOOK, HOUR, HOUR + LOOK):
        reports.go_on(MONDAY + look)
        assert reports.wait(SECONDS) == 0
    assert [each.made_at for each in store.usages.find(["prod"])] == [MONDAY + HOUR + LOOK]


def test_what_cannot_be_made_is_said_and_made_an_hour_later(tmp_path: Path, own: Settings, store: Store) -> None:
    a_sink(tmp_path / "samples", MANY[:1])
    [file] = (tmp_path / "samples").rglob("*23-00.parquet")
    kept = file.read_bytes()
    file.write_bytes(b"no Parquet")
    reports = daily(own, store)
    with structlog.testing.capture_logs() as said:
        reports.go_on(MONDAY)
        assert reports.wait(SECONDS) == 1
        reports.go_on(MONDAY + LOOK)
        file.write_bytes(kept)
        for look in (HOUR, HOUR + LOOK, HOUR + 2 * LOOK):
            reports.go_on(MONDAY + look)
            assert reports.wait(SECONDS) == 0
    assert [line["event"] for line in said] == ["reports of queues are not made", "reports of queues are made again"]
    assert said[0]["reason"].endswith("the process that makes them ended with 1")
    assert [report.made_at for report in store.usages.find(["prod"])] == [MONDAY + HOUR + LOOK]


def test_who_collects_no_more_makes_none(tmp_path: Path, own: Settings, store: Store) -> None:
    a_sink(tmp_path / "samples", MANY)
    reports = daily(own, store)
    reports.go_on(MONDAY)
    reports.end()
    assert reports.wait(SECONDS) == -15
    assert store.usages.find(["prod"]) == []


def test_a_store_that_is_away_costs_no_look_and_reports_come_later(tmp_path: Path, own: Settings, store: Store) -> None:
    folder = tmp_path / "away"
    folder.write_text("a file where a folder should be")
    a_sink(tmp_path / "samples", MANY[:1])
    away = open_store(f"sqlite://{folder}/store.db")
    reports = daily(own, away)
    reports.go_on(MONDAY)
    folder.unlink()
    folder.mkdir()
    for look in (HOUR - LOOK, HOUR, HOUR + LOOK):
        reports.go_on(MONDAY + look)
        assert reports.wait(SECONDS) == 0
    away.close()
    assert [report.made_at for report in store.usages.find(["prod"])] == [MONDAY + HOUR]


def test_reports_have_the_numbers_of_what_is_around_a_queue_that_waits(tmp_path: Path, store: Store) -> None:
    """The limit of its parent, the largest room on a node, and what is free without a label."""
    rows: list[Rollup] = []
    for look in range(0, 3600, 30):
        whose = {"cluster": "prod", "timestamp": MONDAY - HOUR + timedelta(seconds=look)}
        sample = partial(QueueSample, **whose | WAITS | {"partition": "default"})
        samples = [
            replace(sample(queue="root.etl"), apps_active=5),
            replace(sample(queue="root"), max_parallel_apps=9, apps_active=9),
            replace(sample(queue="root.ml.a"), reserved_memory_mb=4 * GB),
            sample(queue="root.ml"),
            replace(sample(queue="root.gpu"), partition="gpu", apps_pending=0),
            QueueSample(queue="root.gpu", **whose, partition="default", pending_memory_mb=0, free_memory_mb=70 * GB),
        ]
        room = ClusterSample(**whose, largest_free_memory_mb=2 * GB)
        rows += rollups(samples, Surroundings(samples, [room]))
    sink = ParquetSamples(tmp_path)
    sink.write(ROLLUPS, rows)
    Reports(store, sink, "prod").make(MONDAY)
    told = {usage.queue: usage.waits.causes for usage in store.usages.find(["prod"]) if usage.waits.causes}
    assert {queue: evidence_of(causes[0].verdict) for queue, causes in told.items()} | {"root": ""} == {
        "root": "",
        "root.etl": "9 applications ran below its parent of at most 9, 5 of them its own; 1 waited.",
        "root.ml": "9 applications ran below its parent of at most 9, 3 of them its own; 1 waited.",
        "root.ml.a": "4 GB were reserved on nodes without room, and no node had more than 2 GB free; it asked for 8 GB in "
        "containers of 4 GB.",
        "root.gpu": "8 GB waited for its nodes, while 70 GB were free on nodes without a label.",
    }
