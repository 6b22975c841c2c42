"""Reports of every queue: once a day, a few queues with each look, also when something is away, and all at once on demand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from shared.store import Store, open_store
from tests.factories import MONDAY
from worker.collect.reports import QUEUES_TOGETHER, Reports
from worker.collect.sinks.parquet import ParquetSamples
from worker.collect.tables import ROLLUPS, Rollup

LOOK, HOUR, DAY = timedelta(seconds=30), timedelta(hours=1), timedelta(days=1)
MANY = [f"root.q{number:02}" for number in range(20)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite://{tmp_path / 'store.db'}")
    yield opened
    opened.close()


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


def test_reports_are_made_a_few_queues_with_each_look_and_again_a_day_later(tmp_path: Path, store: Store) -> None:
    reports = Reports(store, a_sink(tmp_path, MANY), "prod")
    counts = []
    for look in range(6):
        reports.go_on(MONDAY + look * LOOK)
        counts.append(len(store.usages.find(["prod"])))
    assert counts == [0, QUEUES_TOGETHER, 2 * QUEUES_TOGETHER, 20, 20, 20]
    [report] = store.usages.find(["prod"], MANY[3])
    assert (report.waits.hours, report.waits.known_hours, report.made_at) == (pytest.approx(1.0), pytest.approx(2.0), MONDAY)
    assert report.reason == "its demand is known of 0.1 days of the last 28; at least 7 are needed"
    a_sink(tmp_path, MANY[:1], until=MONDAY + DAY)
    reports.go_on(MONDAY + DAY - LOOK)
    assert store.usages.newest_at("prod") == MONDAY
    for look in range(3):
        reports.go_on(MONDAY + DAY + look * LOOK)
    assert [(each.queue, each.made_at) for each in store.usages.find(["prod"])] == [(MANY[0], MONDAY + DAY)]


def test_a_new_cluster_has_its_first_reports_within_hours_and_not_a_day_later(tmp_path: Path, store: Store) -> None:
    reports = Reports(store, ParquetSamples(tmp_path), "prod")
    for look in range(2):
        reports.go_on(MONDAY + look * LOOK)
    a_sink(tmp_path, MANY[:1], until=MONDAY + HOUR)
    for look in range(2):
        reports.go_on(MONDAY + HOUR + look * LOOK)
    assert [each.made_at for each in store.usages.find(["prod"])] == [MONDAY + HOUR]


def test_who_takes_over_makes_none_that_were_just_made(tmp_path: Path, store: Store) -> None:
    sink = a_sink(tmp_path, MANY[:2])
    assert Reports(store, sink, "prod").make(MONDAY) == 2
    other = Reports(store, sink, "prod")
    for hour in range(3):
        other.go_on(MONDAY + hour * HOUR)
    assert store.usages.newest_at("prod") == MONDAY


def test_a_cluster_of_which_nothing_is_kept_has_none(tmp_path: Path, store: Store) -> None:
    assert Reports(store, ParquetSamples(tmp_path), "prod").make(MONDAY) == 0
    reports = Reports(store, ParquetSamples(tmp_path), "prod")
    for look in range(3):
        reports.go_on(MONDAY + look * LOOK)
    assert store.usages.find(["prod"]) == []


def test_a_store_that_is_away_costs_no_look_and_reports_come_later(tmp_path: Path, store: Store) -> None:
    folder = tmp_path / "away"
    folder.write_text("a file where a folder should be")
    sink = a_sink(tmp_path / "samples", MANY[:1])
    reports = Reports(open_store(f"sqlite://{folder}/store.db"), sink, "prod")
    reports.go_on(MONDAY)
    folder.unlink()
    folder.mkdir()
    for look in (HOUR - LOOK, HOUR, HOUR + LOOK):
        reports.go_on(MONDAY + look)
    again = open_store(f"sqlite://{folder}/store.db")
    assert [report.made_at for report in again.usages.find(["prod"])] == [MONDAY + HOUR]
    again.close()
