"""`queuecast flower` as a process: open to this machine while no token exists, then behind its password; no name leads to it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import urllib3

from shared.config.settings import Settings
from shared.domain.tokens import Scope, make_token
from shared.store import open_store
from tests.polling import eventually
from tests.servers import free_port
from tests.up import QUEUECAST

Ask = Callable[..., int]
PAGES = ("/", "/metrics", "/healthcheck", "/api/tasks", "/static/css/flower.css")


@pytest.fixture
def environment(settings: Settings, tmp_path: Path) -> dict[str, str]:
    """Settings of the test for a process, whose data folder is one of its own beside the broker's."""
    broker = (settings.data_dir / "broker.socket").read_text().strip()
    told = {
        "QUEUECAST_DATA_DIR": str(tmp_path / "data"),
        "QUEUECAST_STORE_URL": settings.store_location,
        "QUEUECAST_BROKER_URL": f"redis+socket://{broker}?virtual_host=0",
    }
    return {name: value for name, value in os.environ.items() if name != "FLOWER_BASIC_AUTH"} | told


@contextmanager
def running(environment: dict[str, str], said: Path, *arguments: str) -> Iterator[None]:
    """`queuecast flower` with these arguments, which ends well when it is asked to."""
    with said.open("w") as words:
        process = subprocess.Popen([QUEUECAST, "flower", *arguments], env=environment, stdout=words, stderr=words)
    try:
        yield
    finally:
        process.terminate()
        assert process.wait(60) == 0, said.read_text()


@pytest.fixture
def ask(environment: dict[str, str], tmp_path: Path) -> Iterator[Ask]:
    """A running Flower: the status of its answer to a request."""
    port = free_port()

    def status(path: str, *, method: str = "GET", body: bytes | None = None, **headers: str) -> int:
        try:
            told = urllib3.request(
                method, f"http://127.0.0.1:{port}{path}", headers=headers, body=body, retries=False, timeout=60
            )
        except urllib3.exceptions.HTTPError:
            return 0
        return told.status

    with running(environment, tmp_path / "said", "--port", str(port)):
        eventually(lambda: status("/healthcheck") == 200, what="Flower to answer")
        yield status


def test_a_port_that_is_taken_ends_it_with_5_and_one_sentence(environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = subprocess.run(
            [QUEUECAST, "flower", "--port", str(port)], env=environment, capture_output=True, text=True, check=False, timeout=60
        )
    assert (ended.returncode, f"--port {port} on 127.0.0.1 cannot be had" in ended.stderr) == (5, True)


def test_flower_is_behind_its_password_from_the_first_token_on(ask: Ask, settings: Settings, tmp_path: Path) -> None:
    assert {path: ask(path, Host="evil.example") for path in PAGES} == dict.fromkeys(PAGES, 403)
    message = json.dumps({"args": ["made-up"]}).encode()
    assert ask("/api/task/send-task/queuecast.plan", method="POST", body=message) == 405

    token, _ = make_token(name="admin", scope=Scope.ADMIN, created_at=datetime.now(UTC))
    open_store(settings.store_location).tokens.add(token)
    eventually(lambda: ask("/") == 401, what="Flower to know of the token")
    assert {path: ask(path) for path in PAGES} == dict.fromkeys(PAGES, 401)

    password = (tmp_path / "data" / "flower" / "password").read_text().strip()
    known = urllib3.make_headers(basic_auth=password)
    assert {path: ask(path, **known) for path in PAGES if not path.startswith("/api")} == {
        path: 200 for path in PAGES if not path.startswith("/api")
    }
    assert ask("/api/task/send-task/queuecast.plan", method="POST", body=message, **known) == 405


def test_flower_on_another_address_wants_its_password_always(environment: dict[str, str], tmp_path: Path) -> None:
    port = free_port()
    alive = [QUEUECAST, "flower", "--alive", "--port", str(port)]
    with running(environment, tmp_path / "said", "--host", "0.0.0.0", "--port", str(port)):  # noqa: S104 - this is what is tried
        eventually(lambda: subprocess.run(alive, env=environment, check=False).returncode == 0, what="Flower")
        assert urllib3.request("GET", f"http://127.0.0.1:{port}/metrics", retries=False, timeout=60).status == 401
    assert subprocess.run(alive, env=environment, check=False).returncode == 1
