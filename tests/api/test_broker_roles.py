"""A broker that answers and refuses: the API says 503 in time, never 500, and goes on when the refusal ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydantic import SecretStr

from shared.config.settings import Settings
from tests.api.bodies import a_body
from tests.api.scene import expect_away, in_time
from tests.certificates import Certificates
from tests.redis_servers import PASSWORD, RedisServer, running_redis, running_trio

MakeApp = Callable[[Settings], Flask]


def client_on(make_app: MakeApp, folder: Path, url: str) -> FlaskClient:
    """A client of the API on this broker."""
    return make_app(Settings(data_dir=folder, broker_url=SecretStr(url))).test_client()


@contextmanager
def replica(server: RedisServer) -> Iterator[None]:
    """Inside, the server follows one that does not exist."""
    with server.client() as admin:
        admin.replicaof("127.0.0.1", 1)
        yield
        admin.replicaof("NO", "ONE")


@contextmanager
def full(server: RedisServer) -> Iterator[None]:
    """Inside, the server takes no more data."""
    with server.client() as admin:
        admin.config_set("maxmemory", "1")
        yield
        admin.config_set("maxmemory", "0")


@contextmanager
def closed(server: RedisServer) -> Iterator[None]:
    """Inside, the server knows another password, and has ended all connections."""
    with server.client() as admin:
        admin.config_set("requirepass", "another")
        admin.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        yield
        admin.config_set("requirepass", "")


@pytest.mark.parametrize(
    ("refusing", "reason"),
    [
        (replica, "The broker's address leads to a replica"),
        (full, "The broker cannot be reached"),
        (closed, "The broker refuses Queuecast's user name or password"),
    ],
)
def test_a_broker_that_refuses_is_away(make_app: MakeApp, tmp_path: Path, refusing: Callable[..., object], reason: str) -> None:
    with running_redis(tmp_path / "redis") as server:
        client = client_on(make_app, tmp_path / "data", f"redis://127.0.0.1:{server.port}/0")
        assert client.post("/v1/jobs", json=a_body()).status_code == 202
        with refusing(server):
            for _ in range(2):
                expect_away(in_time(client, "POST", "/v1/jobs", a_body()))
                ready = in_time(client, "GET", "/readyz", None)
                expect_away(ready)
                assert ready.json
                assert ready.json["checks"]["broker"] == reason
        assert client.post("/v1/jobs", json=a_body()).status_code == 202
        assert client.get("/readyz").status_code == 200


@pytest.mark.nightly
@pytest.mark.parametrize("has_tls", [False, True], ids=["plain", "tls"])
def test_the_api_follows_the_sentinels_to_the_next_master(
    make_app: MakeApp, tmp_path: Path, certificates: Certificates, has_tls: bool
) -> None:
    with running_trio(tmp_path / "redis", password=PASSWORD, certificates=certificates if has_tls else None) as trio:
        client = client_on(make_app, tmp_path / "data", trio.url)
        assert client.post("/v1/jobs", json=a_body()).status_code == 202
        trio.fail_over()
        assert in_time(client, "GET", "/readyz", None).status_code == 200
        assert in_time(client, "POST", "/v1/jobs", a_body()).status_code == 202
