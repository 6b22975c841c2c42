"""What every test may ask for: a clean environment, an embedded broker, settings that point at a temporary folder."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import hypothesis
import pytest
import structlog

from deploy.valkey import forget_socket, valkey_command
from shared.config.settings import Settings
from shared.drivers.redis_server import redis_client, redis_server
from shared.fleet.runstate import RunState
from tests.certificates import certificates
from tests.influx_server import influxd, influxd_with_users
from tests.metrics_server import metrics_server
from tests.servers import mongod, mongod_with_users

__all__ = ["certificates", "influxd", "influxd_with_users", "metrics_server", "mongod", "mongod_with_users"]  # fixtures

hypothesis.settings.register_profile("untimed", deadline=None)  # no time decides a test: others may have the machine
hypothesis.settings.load_profile("untimed")

LONG = ("chaos", "integration", "browser")  # folders whose files take longest: begun first, no process works on alone at the end
MEMORY = Path("/dev/shm")  # noqa: S108 - the folder made in it is for this user alone


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long ones first; the order is otherwise as it was."""
    here = Path(__file__).parent
    items.sort(key=lambda item: item.path.relative_to(here).parts[0] not in LONG)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The developer's own settings must not decide a test."""
    for name in [name for name in os.environ if name.startswith("QUEUECAST_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("QUEUECAST_CONFIG_FILE", str(tmp_path / "queuecast.toml"))


@pytest.fixture(autouse=True)
def _logs_as_they_were() -> Iterator[None]:
    """A command that sets the log up writes to what is its stdout then: a stream of one test, closed in the next."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    structlog.reset_defaults()  # a fixture of a whole file may have set it up, too
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def broker_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder whose embedded Valkey runs."""
    folder = tmp_path_factory.mktemp("broker")
    server = subprocess.Popen(valkey_command(folder), stdout=subprocess.DEVNULL, umask=0o077)
    redis_client(redis_server(Settings(data_dir=folder)).run_state, is_patient=True).ping()
    yield folder
    server.send_signal(signal.SIGTERM)
    assert server.wait(60) == 0  # a loaded disk takes its time to sync the append-only file
    forget_socket(folder)


@pytest.fixture
def in_memory() -> Iterator[Path]:
    """An empty folder of the test's own, in memory where the machine has such a place: what is synced there is not waited for."""
    with TemporaryDirectory(prefix="queuecast-", dir=MEMORY if os.access(MEMORY, os.W_OK) else None) as folder:
        yield Path(folder)


@pytest.fixture
def settings(broker_dir: Path, tmp_path: Path, in_memory: Path) -> Settings:
    """Settings with the running broker and a store of the test's own."""
    return Settings(data_dir=broker_dir, files_dir=tmp_path / "files", store_url=f"sqlite:///{in_memory / 'queuecast.db'}")


@pytest.fixture
def run_state(settings: Settings) -> Iterator[RunState]:
    """An empty run state on the running broker."""
    state = RunState.open(settings, is_patient=False)
    state.client.flushall()
    yield state
    state.client.close()
