"""The service in this process: on the running broker, with a store of the test's own."""

from __future__ import annotations

import io
import logging
import signal
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from api.app import create_app
from api.edge.context import EXTENSION, Services
from deploy.valkey import forget_socket, valkey_command
from shared.config.settings import Settings
from shared.domain.tokens import Scope, make_token
from shared.drivers.redis_server import redis_client, redis_server
from shared.fleet.runstate import RunState
from shared.store import Store
from shared.telemetry.logs import configure_logs
from tests.api.scene import Granting, Headers


@pytest.fixture
def make_app() -> Iterator[Callable[[Settings], Flask]]:
    """Makes applications, and closes afterwards what they opened."""
    made: list[Services] = []

    def make(settings: Settings) -> Flask:
        app = create_app(settings)
        made.append(app.extensions[EXTENSION])
        return app

    yield make
    for services in made:
        for name in vars(services).keys() & {"store", "run_state", "_app"}:
            getattr(services, name).close()


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
def services(run_state: RunState, everything: Settings, make_app: Callable[[Settings], Flask]) -> Services:
    """What the views of `client` stand on."""
    found: Services = make_app(everything).extensions[EXTENSION]
    return found


@pytest.fixture
def client(run_state: RunState, everything: Settings, make_app: Callable[[Settings], Flask]) -> FlaskClient:
    """A caller of the service; no worker has published its models yet."""
    return make_app(everything).test_client()


@pytest.fixture
def store(client: FlaskClient) -> Store:
    """The store behind `client`."""
    services: Services = client.application.extensions[EXTENSION]
    return services.store


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[tuple[Settings, subprocess.Popen[bytes]]]:
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
    services: Services = client.application.extensions[EXTENSION]

    def make(scope: Scope | str = Scope.ADMIN, *projects: str, expires_at: datetime | None = None) -> Headers:
        token, secret = make_token(
            name="ci", scope=Scope(scope), created_at=datetime.now(UTC), projects=projects, expires_at=expires_at
        )
        services.store.tokens.add(token)
        vars(services).pop("known_tokens", None)  # it would know of the token in a moment
        return {"Authorization": f"Bearer {secret}"}

    return make


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What this process logs, as an operator reads it, who wants to see errors only."""
    stream = io.StringIO()
    configure_logs("ERROR", stream)
    yield stream
    logging.captureWarnings(capture=False)
