"""What becomes of looks at a cluster over time: kept once, rolled up, put together, read by jobs, and gone when it is old."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog

from shared.connections.files import FilesConnection
from shared.connections.yarn import YarnConnection
from shared.domain.places import Place
from shared.domain.waiting import Cause
from shared.errors import SinkAway
from shared.store import open_store
from tests.factories import MONDAY
from tests.worker.collect.cluster import a_tree
from tests.worker.sources.queries import a_query
from worker.collect.keeping import FIRST, Keeping
from worker.collect.sinks.parquet import ParquetSamples
from worker.collect.tables import CLUSTER, CONFIG, QUEUES, ROLLUPS, Table
from worker.sources.file_source import FileSource

STEP = timedelta(seconds=30)
CONNECTION = YarnConnection(cluster="prod", addresses=("http://rm:8088",))
DEFAULT = "prod/default"


def new(folder: Path) -> Keeping:
    """Of a process that has kept nothing yet."""
    return Keeping(CONNECTION, ParquetSamples(folder), open_store(f"sqlite://{folder / 'store.db'}"))


def keep(folder: Path, start: datetime, used: list[int], *, keeping: Keeping | None = None) -> Keeping:
    """Looks every half minute at a cluster whose first queue uses so much."""
    keeping = keeping or new(folder)
    for place, each in enumerate(used):
        keeping.keep(a_tree(each), start + place * STEP)
    return keeping


def rows(folder: Path, table: Table = QUEUES) -> list:
    found = ParquetSamples(folder).read(table, "prod", FIRST, datetime(2100, 1, 1, tzinfo=UTC))
    return sorted(found, key=lambda row: (getattr(row, table.time), str(row)))


def files(folder: Path, table: Table = QUEUES) -> list[str]:
    return sorted(file.name for file in (folder / table.name).rglob("*") if file.is_file())


def test_what_a_process_kept_before_it_was_killed_stays_and_the_next_goes_on(tmp_path: Path) -> None:
    keep(tmp_path, MONDAY, [1, 2, 3])
    keep(tmp_path, MONDAY + 4 * STEP, [5, 6])
    etl = [row for row in rows(tmp_path) if row.queue == "root.etl"]
    assert [row.used_memory_mb for row in etl] == [1, 2, 3, 5, 6]
    assert [row.timestamp for row in etl] == [MONDAY + place * STEP for place in (0, 1, 2, 4, 5)]
    assert len(rows(tmp_path, CONFIG)) == 3
    assert len(rows(tmp_path, CLUSTER)) == 5
    assert files(tmp_path) == ["2026-01-05T00-00.parquet"]


def test_five_minutes_are_put_together_also_those_of_a_process_that_died_in_them(tmp_path: Path) -> None:
    keep(tmp_path, MONDAY, [0, 1_024, 8_000, 9_000])
    keep(tmp_path, MONDAY + 4 * STEP, [0, 0, 0, 0, 0, 0, 7])
    [first] = [row for row in rows(tmp_path, ROLLUPS) if row.queue == "root.etl"]
    assert (first.timestamp, first.samples) == (MONDAY, 10)
    assert (first.demand_memory_mb, first.demand_memory_mb_p95, first.demand_memory_mb_max) == (1_802.4 + 1_024, 10_024, 10_024)
    assert (first.demand_memory_mb_above, first.guaranteed_memory_mb) == (0.2, 8_192)


def test_a_missed_look_is_a_gap_and_five_minutes_without_any_are_no_row(tmp_path: Path) -> None:
    keeping = keep(tmp_path, MONDAY, [10, 20])
    keep(tmp_path, MONDAY + timedelta(minutes=16), [30], keeping=keeping)
    assert [(row.timestamp, row.samples) for row in rows(tmp_path, ROLLUPS) if row.queue == "root.etl"] == [(MONDAY, 2)]


def test_what_nobody_takes_waits_for_the_next_look(tmp_path: Path) -> None:
    blocked = tmp_path / "yarn_queue"
    blocked.write_text("a file where a folder should be")
    keeping = new(tmp_path)
    with pytest.raises(SinkAway):
        keeping.keep(a_tree(1), MONDAY)
    blocked.unlink()
    keeping.keep(a_tree(2), MONDAY + STEP)
    assert [row.used_memory_mb for row in rows(tmp_path) if row.queue == "root.etl"] == [1, 2]


def test_a_change_has_the_time_at_which_it_was_seen_also_while_nobody_takes_it(tmp_path: Path) -> None:
    keeping = keep(tmp_path, MONDAY, [1])
    away, blocked = tmp_path / "away", tmp_path / "yarn_queue"
    blocked.rename(away)
    blocked.write_text("a file where a folder should be")
    for place, percent in ((1, 60.0), (2, 40.0), (3, 50.0)):
        with pytest.raises(SinkAway):
            keeping.keep(a_tree(1, percent=percent), MONDAY + place * STEP)
    blocked.unlink()
    away.rename(blocked)
    keeping.keep(a_tree(1, percent=50.0), MONDAY + 4 * STEP)
    changes = [row for row in rows(tmp_path, CONFIG) if row.queue == "root.etl" and row.before]
    assert [(row.changed_at, row.before, row.capacity) for row in changes] == [
        (MONDAY + 2 * STEP, "60, RUNNING", "40"),
        (MONDAY + 3 * STEP, "40, RUNNING", "50"),
    ]
    assert len(rows(tmp_path)) == 15


def test_the_last_minutes_of_a_collector_are_put_together_by_the_next_one(tmp_path: Path) -> None:
    keep(tmp_path, MONDAY, [1, 2])
    keeping, later = new(tmp_path), MONDAY + timedelta(hours=30)
    keeping.forget_what_was_known(MONDAY + STEP)
    keep(tmp_path, later, [3], keeping=keeping)
    assert [(row.timestamp, row.samples) for row in rows(tmp_path, ROLLUPS) if row.queue == "root.etl"] == [(MONDAY, 2)]


def test_files_are_put_together_by_the_hour_and_the_day_and_nothing_is_lost(tmp_path: Path) -> None:
    sink, hours = ParquetSamples(tmp_path), [MONDAY + timedelta(hours=hour) for hour in range(24)]
    for hour in hours:
        keep(tmp_path, hour, [1, 2])
        keep(tmp_path, hour + timedelta(minutes=30), [3])
    before = rows(tmp_path)
    assert len(before) == 24 * 9
    tomorrow = MONDAY + timedelta(days=1, minutes=10)
    sink.tidy(QUEUES, "prod", tomorrow)
    assert {"2026-01-05.parquet", "2026-01-05T07.parquet", "2026-01-05T07-30.parquet"} < set(files(tmp_path))
    assert rows(tmp_path) == before
    for file in tmp_path.rglob("*.parquet"):
        os.utime(file, (MONDAY.timestamp(), MONDAY.timestamp()))  # as if that were a while ago
    for _ in range(2):
        sink.tidy(QUEUES, "prod", tomorrow)
    assert files(tmp_path) == ["2026-01-05.parquet"]
    assert rows(tmp_path) == before
    keep(tmp_path, MONDAY, [9])
    sink.tidy(QUEUES, "prod", tomorrow)
    assert [row.used_memory_mb for row in rows(tmp_path) if (row.queue, row.timestamp) == ("root.etl", MONDAY)] == [9]


def test_days_are_put_together_by_a_process_of_its_own_and_no_look_waits_for_it(tmp_path: Path) -> None:
    for hour in range(24):
        keep(tmp_path, MONDAY + timedelta(hours=hour), [1, 2])
    before, sink = rows(tmp_path), ParquetSamples(tmp_path, has_day_maker=True)
    sink.tidy(QUEUES, "prod", MONDAY + timedelta(days=1, minutes=10))
    assert sink.day_maker is not None
    assert sink.day_maker.wait(60) == 0
    assert "2026-01-05.parquet" in files(tmp_path)
    assert rows(tmp_path) == before
    sink.tidy(QUEUES, "prod", datetime.now(UTC) + timedelta(hours=1))
    assert files(tmp_path) == ["2026-01-05.parquet"]


def test_a_day_that_could_not_be_put_together_is_told_and_tried_again(tmp_path: Path) -> None:
    sink, broken = ParquetSamples(tmp_path, has_day_maker=True), tmp_path / "yarn_queue/prod/default/2026-01-05T03.parquet"
    keep(tmp_path, MONDAY, [1, 2])
    broken.write_bytes(b"no Parquet")
    late = MONDAY + timedelta(days=1, minutes=10)
    assert sink.day_maker is not None
    with structlog.testing.capture_logs() as said:
        for _ in range(2):
            sink.tidy(QUEUES, "prod", late)
            assert sink.day_maker.wait(60) == 1
    assert [line["event"] for line in said] == ["files of samples were not put together; they are tried again"]


def test_what_is_old_goes_by_its_own_setting_and_the_configuration_stays(tmp_path: Path) -> None:
    keep(tmp_path, MONDAY, [1] * 11)
    keep(tmp_path, MONDAY + timedelta(days=15), [1])
    assert {name[:10] for name in files(tmp_path)} == {"2026-01-20"}
    assert {name[:10] for name in files(tmp_path, ROLLUPS)} == {"2026-01-05"}
    keep(tmp_path, MONDAY + timedelta(days=402), [1])
    assert files(tmp_path, ROLLUPS) == []
    assert len(rows(tmp_path, CONFIG)) == 3


def test_jobs_read_demand_and_its_rollups_as_files(tmp_path: Path) -> None:
    keep(tmp_path, MONDAY, [1_000] * 60 + [3_000] * 61)
    source = FileSource(FilesConnection(path=tmp_path))
    span = {"start": MONDAY, "end": MONDAY + timedelta(hours=1), "step_seconds": 1_800}
    for place, column in (
        ("yarn_queue", "demand_memory_mb"),
        ("yarn_queue_5m", "demand_memory_mb"),
        ("yarn_queue_5m", "demand_memory_mb_p95"),
    ):
        query = a_query(Place(name="files", path=f"{place}/{DEFAULT}"), target=column, **span)
        assert source.queues(query) == ["root", "root.adhoc", "root.etl"]
        reading = source.read(query)
        assert list(reading.frame[column]) == [2_024.0, 4_024.0]
        assert reading.losses == ()


def test_five_minutes_tell_how_much_of_them_waited_and_for_what(tmp_path: Path) -> None:
    keep(tmp_path, MONDAY, [1_000] * 5 + [16_384] * 6)
    [etl] = [row for row in rows(tmp_path, ROLLUPS) if row.queue == "root.etl"]
    assert (etl.saturated, etl.waiting, etl.waiting_ceiling, etl.waiting_unexplained) == (1.0, 1.0, 0.5, 0.5)
    assert etl.waiting == sum(getattr(etl, f"waiting_{cause}") for cause in Cause)
