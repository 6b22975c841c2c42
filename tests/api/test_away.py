"""A broker that is away or refuses, a store that is away: 503 in time where they are needed, never 500, and the rest goes on."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from pydantic import SecretStr
from redis import Redis

from shared.config.settings import Settings
from shared.domain.jobs import JobFilter
from shared.drivers.redis_server import redis_client, redis_server
from shared.fleet.runstate import RunState
from shared.store import Store
from tests.api.bodies import a_body
from tests.api.scene import MakeApp, OwnBroker, expect_away, in_time
from tests.certificates import Certificates
from tests.redis_servers import PASSWORD, running_trio

NEED_THE_BROKER = [("POST", "/v1/jobs", a_body()), ("POST", "/v1/jobs/validate", a_body()), ("GET", "/readyz", None)]
GO_ON = ("/v1/jobs", "/v1/queues", "/metrics", "/", "/status", "/glance")
AWAY = "The broker cannot be reached"
Step = signal.Signals | list[tuple[str, ...]]
CLOSED: Step = [("CONFIG SET requirepass", "another"), ("CLIENT KILL TYPE normal SKIPME yes",)]


def take(step: Step, admin: Redis, server: subprocess.Popen[bytes]) -> None:
    """Send the broker's process a signal, or the broker commands."""
    if isinstance(step, signal.Signals):
        server.send_signal(step)
    else:
        for command in step:
            admin.execute_command(*command)


@pytest.mark.parametrize(
    ("fault", "mend", "reason", "reading"),  # reading: what is answered where the broker is only read
    [
        (signal.SIGKILL, None, AWAY, {503}),
        (signal.SIGSTOP, signal.SIGCONT, AWAY, {503}),
        ([("REPLICAOF 127.0.0.1 1",)], [("REPLICAOF NO ONE",)], "The broker's address leads to a replica", {200, 503}),
        ([("CONFIG SET maxmemory 1",)], [("CONFIG SET maxmemory 0",)], AWAY, {200}),
        (CLOSED, [("CONFIG SET requirepass", "")], "The broker refuses Queuecast's user name or password", {503}),
    ],
    ids=["gone", "frozen", "replica", "full", "closed"],
)
def test_while_the_broker_is_away_nothing_is_started_and_all_else_is_answered(  # noqa: PLR0917 - a table's columns
    make_app: MakeApp, own_broker: OwnBroker, fault: Step, mend: Step | None, reason: str, reading: set[int]
) -> None:
    settings, server = own_broker
    client = make_app(settings).test_client()
    assert client.get("/readyz").json == {"status": "ok", "checks": {"broker": "ok", "store": "ok"}}
    path = client.post("/v1/jobs", json=a_body()).headers["Location"]
    with redis_client(redis_server(settings).run_state, is_patient=True) as admin:
        take(fault, admin, server)
        for call in NEED_THE_BROKER * 2:  # also when a client has found out
            answer = in_time(client, *call)
            expect_away(answer)
            assert "NOAUTH" not in answer.text
        assert in_time(client, "GET", "/readyz", None).json["checks"] == {"broker": reason, "store": "ok"}
        assert in_time(client, "GET", "/v1/models", None).status_code in reading
        assert [in_time(client, "GET", page, None).status_code for page in GO_ON] == [200] * len(GO_ON)
        assert in_time(client, "GET", path, None).json["state"] == "queued"
        assert len(client.get("/v1/jobs?state=queued").json["jobs"]) == 1
        if mend:
            take(mend, admin, server)
            assert client.post("/v1/jobs", json=a_body()).status_code == 202
            assert client.get("/readyz").status_code == 200


def test_a_broker_that_was_never_started_is_told_in_words(make_app: MakeApp, tmp_path: Path) -> None:
    client = make_app(Settings(data_dir=tmp_path)).test_client()
    answer = client.post("/v1/jobs", json=a_body())
    expect_away(answer)
    assert "start `queuecast up`" in answer.json["detail"]
    assert "The broker is away" in client.get("/status").text
    scraped = client.get("/metrics").text
    assert ("queuecast_lane_" in scraped, "queuecast_http_requests_total" in scraped) == (False, True)


@pytest.mark.nightly
@pytest.mark.parametrize("has_tls", [False, True], ids=["plain", "tls"])
def test_the_api_follows_the_sentinels_to_the_next_master(
    make_app: MakeApp, tmp_path: Path, certificates: Certificates, has_tls: bool
) -> None:
    with running_trio(tmp_path / "redis", password=PASSWORD, certificates=certificates if has_tls else None) as trio:
        client = make_app(Settings(data_dir=tmp_path / "data", broker_url=SecretStr(trio.url))).test_client()
        assert client.post("/v1/jobs", json=a_body()).status_code == 202
        trio.fail_over()
        assert in_time(client, "GET", "/readyz", None).status_code == 200
        assert in_time(client, "POST", "/v1/jobs", a_body()).status_code == 202


def test_a_store_that_somebody_keeps_locked_is_away_for_writing(
    client: FlaskClient, store: Store, settings: Settings, run_state: RunState
) -> None:
    assert store.jobs.find(JobFilter(), 1) == []
    other = sqlite3.connect(settings.store_location.removeprefix("sqlite://"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    expect_away(in_time(client, "POST", "/v1/jobs", a_body()))
    assert client.get("/v1/jobs").json["jobs"] == []
    other.close()
    assert run_state.active() == set()
