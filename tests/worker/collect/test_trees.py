"""What the collector keeps for people in our own store, also when that or the sink is away for a while."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from shared.connections.yarn import YarnConnection
from shared.errors import SinkAway
from shared.store import Store, open_store
from tests.factories import MONDAY
from tests.worker.collect.cluster import a_tree
from worker.collect.keeping import Keeping
from worker.collect.sinks.parquet import ParquetSamples
from worker.collect.trees import REST

STEP = timedelta(seconds=30)
CONNECTION = YarnConnection(cluster="prod", addresses=("http://rm:8088",))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "queuecast.db"


@pytest.fixture
def store(file: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite://{file}", patience_seconds=1.0)
    yield opened
    opened.close()


def keeping_of(tmp_path: Path, store: Store) -> Keeping:
    return Keeping(CONNECTION, ParquetSamples(tmp_path / "samples"), store)


def used_now(store: Store) -> tuple[int | None, datetime] | None:
    kept = store.trees.newest("prod")
    if kept is None:
        return None
    used = kept.tree.by_path["root.etl"].shares[0].used
    return used and used.memory_mb, kept.at


def test_each_look_shows_what_is_used_now_and_a_change_how_it_was_configured(tmp_path: Path, store: Store) -> None:
    keeping = keeping_of(tmp_path, store)
    for number, (used, percent) in enumerate([(1, 60.0), (2, 60.0), (3, 50.0), (4, 50.0)]):
        keeping.keep(a_tree(used, percent=percent), MONDAY + number * STEP)
        assert used_now(store) == (used, MONDAY + number * STEP)
    first, second = (store.trees.at("prod", MONDAY + number * STEP) for number in (1, 3))
    assert first is not None
    assert second is not None
    assert (first.at, second.at) == (MONDAY, MONDAY + 2 * STEP)
    changes = store.changes.of("prod")
    assert {(row.queue, row.before, row.capacity) for row in changes} == {
        ("root.etl", "60, RUNNING", "50"),
        ("root.adhoc", "60, RUNNING", "50"),
    }


def test_looks_every_ten_seconds_write_the_tree_every_other_time_but_each_change(tmp_path: Path, store: Store) -> None:
    keeping, ten = keeping_of(tmp_path, store), timedelta(seconds=10)
    kept = []
    for number, percent in enumerate([60.0, 60.0, 60.0, 50.0, 50.0, 50.0]):
        keeping.keep(a_tree(number, percent=percent), MONDAY + number * ten)
        kept.append(used_now(store))
    assert [each and each[0] for each in kept] == [0, 0, 2, 3, 3, 5]


def test_a_store_that_is_away_loses_no_sample_and_learns_each_change_later(tmp_path: Path, file: Path, store: Store) -> None:
    keeping = keeping_of(tmp_path, store)
    keeping.keep(a_tree(1), MONDAY)
    aside = file.rename(tmp_path / "aside.db")
    for number, percent in enumerate([60.0, 50.0, 40.0], start=1):
        assert keeping.keep(a_tree(2, percent=percent), MONDAY + number * STEP) == 3
    aside.rename(file)
    assert used_now(store) == (1, MONDAY)
    back_at = MONDAY + 3 * STEP + REST
    keeping.keep(a_tree(5, percent=40.0), back_at)
    assert used_now(store) == (5, back_at)
    assert [row.capacity for row in store.changes.of("prod", "root.etl")] == ["40", "50"]
    held = store.trees.at("prod", MONDAY + 2 * STEP)
    assert held is not None
    assert held.at == MONDAY + 2 * STEP


def test_changes_that_a_process_took_with_it_are_found_in_the_sink(tmp_path: Path, file: Path, store: Store) -> None:
    keeping = keeping_of(tmp_path, store)
    keeping.keep(a_tree(1), MONDAY)
    aside = file.rename(tmp_path / "aside.db")
    keeping.keep(a_tree(1, percent=50.0), MONDAY + STEP)
    aside.rename(file)
    keeping_of(tmp_path, store).keep(a_tree(1, percent=50.0), MONDAY + 9 * STEP)
    assert [(row.queue, row.changed_at) for row in store.changes.of("prod")] == [
        (queue, MONDAY + STEP) for queue in ("root.etl", "root.adhoc")
    ]


def test_people_see_the_tree_also_while_nobody_takes_samples(tmp_path: Path, store: Store) -> None:
    (tmp_path / "samples").write_text("a file where a folder should be")
    with pytest.raises(SinkAway):
        keeping_of(tmp_path, store).keep(a_tree(7), MONDAY)
    assert used_now(store) == (7, MONDAY)
