"""The collector: one look at a cluster, what it tells of it, and who of two collects."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from shared.config.settings import Settings
from shared.connections.yarn import YarnConnection
from shared.fleet.runstate import RunState
from shared.store import open_store
from tests.polling import eventually
from tests.worker.collect.cluster import a_cluster, a_tree, leading_to
from worker.collect.keeping import Keeping
from worker.collect.loop import Collector
from worker.collect.sinks.parquet import ParquetSamples
from worker.collect.tables import CONFIG
from worker.collect.watch import Outcome, Watch


def a_watch(connection: YarnConnection, folder: Path, run_state: RunState) -> Watch:
    store = open_store(f"sqlite://{folder / 'store.db'}")
    return Watch("hadoop", connection, Keeping(connection, ParquetSamples(folder), store), run_state, threading.Event())


def test_a_look_asks_two_questions_keeps_what_it_sees_and_tells_of_it(run_state: RunState, tmp_path: Path) -> None:
    with a_cluster() as (cluster, seen):
        watch = a_watch(leading_to(seen), tmp_path, run_state)
        assert watch.look() is Outcome.COLLECTED
        assert watch.look() is Outcome.TOO_SOON
        assert [path.rpartition("/")[2] for _, path, _ in seen.asked] == ["info", "scheduler", "metrics", "scheduler-conf"]
        told = run_state.collections.all()["prod"]
        assert (told.connection, told.series, told.interval_seconds, told.problem) == ("hadoop", 3, 30, "")
        cluster.tree = a_tree(percent=50.0)
        run_state.client.delete("asked:prod")  # ten seconds later
        assert watch.look() is Outcome.COLLECTED
    assert len(list((tmp_path / CONFIG.name).rglob("*.parquet"))) == 1


def test_a_cluster_that_is_away_is_told_with_what_was_collected_last(run_state: RunState, tmp_path: Path) -> None:
    with a_cluster() as (cluster, seen):
        watch = a_watch(leading_to(seen), tmp_path, run_state)
        watch.look()
        collected_at = run_state.collections.all()["prod"].collected_at
        cluster.is_away = True
        run_state.client.delete("asked:prod")
        assert watch.look() is Outcome.FAILED
    told = run_state.collections.all()["prod"]
    assert "503" in told.problem
    assert told.collected_at == collected_at


def collect(settings: Settings, stop: threading.Event) -> None:
    """As its main thread does, which the lock belongs to."""
    Collector(settings).run(stop)


def test_one_of_two_collects_and_the_other_takes_over_when_it_ends(run_state: RunState, settings: Settings) -> None:
    with a_cluster() as (_, seen):
        own = settings.model_copy(update={"connections": {"hadoop": leading_to(seen, interval_seconds=10)}})
        stops = [threading.Event() for _ in range(2)]
        threads = [threading.Thread(target=collect, args=(own, stop)) for stop in stops]
        threads[0].start()
        eventually(run_state.collections.all, what="a first look")
        threads[1].start()
        stops[0].set()
        threads[0].join()
        eventually(lambda: run_state.members.is_held("collector"), what="the other to take over")
        stops[1].set()
        threads[1].join()
    assert not run_state.members.is_held("collector")
    assert {path.rpartition("/")[2] for _, path, _ in seen.asked} >= {"info", "scheduler", "metrics"}


def test_a_cluster_of_two_connections_is_collected_once(run_state: RunState, settings: Settings) -> None:
    with a_cluster() as (_, seen):
        own = settings.model_copy(update={"connections": {"a": leading_to(seen), "b": leading_to(seen, user="bob")}})
        collector = Collector(own)
        collector._follow()
        assert list(collector._watches) == ["a"]
        collector._settings = settings.model_copy(update={"connections": {"b": leading_to(seen)}})
        collector._follow()
        assert list(collector._watches) == ["b"]
        collector._stop()


SCRIPT = """
import sys
from shared.command.root import main
sys.argv[1:] = ["collect", "--once"]
try:
    main()
finally:
    assert "pandas" not in sys.modules
"""


@pytest.mark.usefixtures("run_state")
def test_the_command_collects_once_in_a_process_without_pandas(settings: Settings, tmp_path: Path) -> None:
    with a_cluster() as (_, seen):
        file = tmp_path / "queuecast.toml"
        file.write_text(f'[connections.hadoop]\nkind = "yarn"\ncluster = "prod"\naddresses = ["{seen.url}"]\n')
        places = {"QUEUECAST_DATA_DIR": str(settings.data_dir), "QUEUECAST_FILES_DIR": str(settings.files_dir)}
        environment = {"QUEUECAST_CONFIG_FILE": str(file)} | places
        ended = subprocess.run(
            [sys.executable, "-c", SCRIPT], check=False, env=environment, capture_output=True, text=True, timeout=120
        )
    assert ended.returncode == 0, ended.stderr
    assert "hadoop: collected" in ended.stderr
    assert list((settings.files_folder / "yarn_queue" / "prod" / "default").glob("*.parquet"))
