"""The service in this process: on the running broker, with a store of the test's own."""

from __future__ import annotations

import io
import logging
import signal
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from api.edge.context import EXTENSION, Services
from deploy.valkey import forget_socket, valkey_command
from shared.config.settings import Settings
from shared.drivers.redis_server import redis_client, redis_server
from shared.fleet.runstate import RunState
from shared.store import Store
from shared.telemetry.logs import configure_logs
from tests.api.scene import Granting, MakeApp, OwnBroker, make_app, token_for

__all__ = ["make_app"]  # a fixture


@pytest.fixture
def everything(settings: Settings) -> Settings:
    """Settings with a connection of every kind."""
    connections = {"archive": {"kind": "mongodb", "url": "mongodb://archive", "database": "yarn", "databases": ["yarn_2025"]}}
    return Settings(
        data_dir=settings.data_dir,
        store_url=settings.store_location,
        mongodb_url="mongodb://localhost/yarn",
        influxdb_url="http://localhost:8086",
        influxdb_database="db_name",
        connections=connections,
        max_body_bytes=20_000,
    )


@pytest.fixture
def client(run_state: RunState, everything: Settings, make_app: MakeApp) -> FlaskClient:
    """A caller of the service; no worker has published its models yet."""
    return make_app(everything).test_client()


@pytest.fixture
def services(client: FlaskClient) -> Services:
    """What the views of `client` stand on."""
    found: Services = client.application.extensions[EXTENSION]
    return found


@pytest.fixture
def store(services: Services) -> Store:
    """The store behind `client`."""
    return services.store


@pytest.fixture
def storeless(settings: Settings, tmp_path: Path) -> Settings:
    """Settings with the running broker and a store that cannot be reached."""
    (tmp_path / "file").touch()
    place = Settings(store_url=f"sqlite:///{tmp_path / 'file' / 'x.db'}").store_url
    return settings.model_copy(update={"store_url": place})


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[OwnBroker]:
    """Settings with a broker that a test may stop, and its process."""
    folder = tmp_path / "own"
    server = subprocess.Popen(valkey_command(folder), stdout=subprocess.DEVNULL)
    settings = Settings(data_dir=folder)
    client = redis_client(redis_server(settings).run_state, is_patient=True)
    client.ping()
    client.close()
    yield settings, server
    server.send_signal(signal.SIGCONT)
    server.send_signal(signal.SIGTERM)
    server.wait(60)
    forget_socket(folder)


@pytest.fixture
def grant(client: FlaskClient) -> Granting:
    """Makes a token for `client`, which is then open to nobody without one, and gives the header that brings it."""
    return partial(token_for, client.application)


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What this process logs, as an operator reads it, who wants to see errors only."""
    stream = io.StringIO()
    configure_logs("ERROR", stream)
    yield stream
    logging.captureWarnings(capture=False)
