"""A service that is away, or lets us in no longer: 503 everywhere, the rest in the log."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest
from flask import Flask

from shared.config.settings import Settings
from shared.drivers.redis_server import redis_client, redis_server
from tests.api.bodies import a_body

NEED_THE_BROKER = [
    ("POST", "/v1/jobs", a_body()),
    ("POST", "/v1/jobs/validate", a_body()),
    ("GET", "/v1/models", None),
    ("GET", "/readyz", None),
]
GO_ON = [
    ("GET", "/v1/jobs", 200),
    ("GET", "/v1/queues", 200),
    ("GET", "/metrics", 200),
    ("GET", "/", 200),
    ("GET", "/status", 200),
]


@pytest.fixture
def locked_out(own_broker: tuple[Settings, subprocess.Popen[bytes]], make_app: Callable[[Settings], Flask]) -> Flask:
    """A service that has used its broker, whose password somebody has changed since."""
    settings, _ = own_broker
    app = make_app(settings)
    assert app.test_client().post("/v1/jobs", json=a_body()).status_code == 202
    with redis_client(redis_server(settings).run_state, is_patient=True) as other:
        other.config_set("requirepass", "another")
        other.execute_command("CLIENT KILL TYPE normal SKIPME yes")
    return app


def test_a_password_that_was_changed_is_an_outage_and_no_fault(locked_out: Flask) -> None:
    client = locked_out.test_client()
    for _ in range(2):  # also when a client has found out
        for method, path, body in NEED_THE_BROKER:
            answer = client.open(path, method=method, json=body)
            assert (answer.status_code, answer.headers.get("Retry-After")) == (503, "5"), (path, answer.text)
            assert "NOAUTH" not in answer.text
        for method, path, status in GO_ON:
            assert client.open(path, method=method).status_code == status, path
