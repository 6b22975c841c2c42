"""Health, and what is answered in under two seconds while a service is away."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from shared.config.settings import Settings
from shared.domain.jobs import JobFilter
from shared.fleet.runstate import RunState
from shared.store import Store
from tests.api.bodies import a_body
from tests.api.scene import expect_away, in_time

NEED_THE_BROKER = [("POST", "/v1/jobs", a_body()), ("GET", "/v1/models", None), ("GET", "/readyz", None)]


def test_readyz_says_that_every_service_answers(client: FlaskClient) -> None:
    assert client.get("/readyz").json == {"status": "ok", "checks": {"broker": "ok", "store": "ok"}}


def test_the_version_is_that_of_the_package(client: FlaskClient) -> None:
    assert client.get("/version").json == {"name": "queuecast", "version": version("queuecast")}


@pytest.mark.parametrize("fault", [signal.SIGKILL, signal.SIGSTOP], ids=["gone", "frozen"])
def test_while_the_broker_is_away_jobs_are_refused_and_nothing_is_written(
    make_app: Callable[[Settings], Flask], own_broker: tuple[Settings, subprocess.Popen[bytes]], fault: signal.Signals
) -> None:
    settings, server = own_broker
    app = make_app(settings)
    client = app.test_client()
    assert client.get("/readyz").status_code == 200
    path = client.post("/v1/jobs", json=a_body()).headers["Location"]
    server.send_signal(fault)
    for call in NEED_THE_BROKER:
        expect_away(in_time(client, *call))
    assert client.get("/readyz").json["checks"]["store"] == "ok"
    assert len(in_time(client, "GET", "/v1/jobs", None).json["jobs"]) == 1
    assert in_time(client, "GET", path, None).json["state"] == "queued"


def test_the_broker_is_found_again(
    make_app: Callable[[Settings], Flask], own_broker: tuple[Settings, subprocess.Popen[bytes]]
) -> None:
    settings, server = own_broker
    client = make_app(settings).test_client()
    assert client.post("/v1/jobs", json=a_body()).status_code == 202
    server.send_signal(signal.SIGSTOP)
    expect_away(in_time(client, "POST", "/v1/jobs", a_body()))
    server.send_signal(signal.SIGCONT)
    assert client.post("/v1/jobs", json=a_body()).status_code == 202


def test_a_broker_that_was_never_started_is_told_in_words(make_app: Callable[[Settings], Flask], tmp_path: Path) -> None:
    answer = make_app(Settings(data_dir=tmp_path)).test_client().post("/v1/jobs", json=a_body())
    expect_away(answer)
    assert "start `queuecast up`" in answer.json["detail"]


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
