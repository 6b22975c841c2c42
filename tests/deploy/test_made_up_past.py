"""Days that a collector did not look on are kept as if it had, and a job reads them."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deploy.fake_cluster import FakeCluster, simulated
from deploy.fake_rm import running
from deploy.made_up_past import FIRST, Past
from shared.config.settings import Settings
from shared.connections.files import FilesConnection
from shared.connections.yarn import YarnConnection
from shared.domain.collected import QueueSample
from shared.domain.configuration_change import ConfigChange
from shared.drivers.yarn import YarnCluster
from shared.errors import UsageError
from worker.collect.configuration import changes, newest
from worker.collect.sampler import queue_samples
from worker.collect.tables import CONFIG, QUEUES, ROLLUPS, TABLES

END = datetime(2026, 3, 3, 4, 7, tzinfo=UTC)
RUN = [sys.executable, "-c", "from shared.command.root import main; main()", "simulate", "--yarn", "--port", "0"]


@pytest.fixture
def known(tmp_path: Path) -> Settings:
    cluster = YarnConnection(cluster="prod", addresses=("http://127.0.0.1:1",))
    other = cluster.model_copy(update={"may_apply": True})
    return Settings(
        data_dir=tmp_path,
        connections={"yarn": cluster, "writes": other, "files": FilesConnection(path=tmp_path / "files")},
    )


def test_the_past_is_what_looks_would_have_seen_and_is_there_once(known: Settings) -> None:
    past, cluster, told = Past.opened(known, "yarn"), FakeCluster(simulated(2)), []
    past.refuse_kept()
    assert [past.write(cluster, timedelta(hours=3), END, told.append) for _ in range(2)] == [36, 36]
    first = datetime(2026, 3, 3, 1, 5, tzinfo=UTC)
    assert told[:3] == [first + timedelta(hours=hour + 1) for hour in range(3)]
    kept = past.sink.read(QUEUES, "prod", FIRST, END)
    at = first + timedelta(minutes=35)
    assert sorted(map(str, queue_samples(cluster.tree(at.timestamp()), "prod", at))) == sorted(
        str(row) for row in kept if isinstance(row, QueueSample) and row.timestamp == at
    )
    assert set(Counter(row.queue for row in kept if isinstance(row, QueueSample)).values()) == {36}
    assert len(past.sink.read(ROLLUPS, "prod", FIRST, END)) == len(kept)
    configured = [row for row in past.sink.read(CONFIG, "prod", FIRST, END) if isinstance(row, ConfigChange)]
    assert {row.changed_at for row in configured} == {first}
    with running(cluster, [0]) as fleet:  # who collects from now on sees no change in what was made up
        assert changes(YarnCluster(fleet.urls).snapshot().tree, newest(configured), "prod", END) == []
    pieces = [file.stem for file in (known.data_dir / "files" / TABLES[0].name).rglob("*.parquet")]
    assert {f"2026-03-03T0{hour}" for hour in (1, 2, 3)} <= set(pieces)  # put together by the hour
    assert len(pieces) < 36
    with pytest.raises(UsageError, match="samples of prod are kept in files since 2026-03-03 01:05 UTC; take another"):
        past.refuse_kept()


@pytest.mark.parametrize("name", ["files", "writes"])
def test_only_a_cluster_that_is_collected_of_has_a_past(known: Settings, name: str) -> None:
    with pytest.raises(UsageError, match="accepted with --yarn is a connection of kind yarn that is collected of"):
        Past.opened(known, name)


def test_the_command_writes_it_and_then_runs_the_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "queuecast.toml").write_text(
        '[connections.yarn]\nkind="yarn"\ncluster="prod"\naddresses=["http://127.0.0.1:1"]\n'
    )
    monkeypatch.setenv("QUEUECAST_DATA_DIR", str(tmp_path / "data"))
    command = [*RUN, "--to", "yarn", "--queues", "1", "--days", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("YARN answers at http://127.0.0.1:")
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
    assert (process.returncode, told.splitlines()[0]) == (0, "making up 1 day of looks every 5 minutes")
    assert "288 looks at prod in files" in told
    again = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (again.returncode, "take another `cluster` for the connection, or --force" in again.stderr) == (2, True)
