"""The shell's completion against the real service: names and ids as they are there, and silence where there is none."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
import structlog
from flask import Flask
from typer.testing import CliRunner

from api.edge.context import EXTENSION
from shared.command.root import build_app
from shared.config.settings import Settings
from shared.fleet.runstate import RunState
from tests.api.a_cluster import NOW, PROD, a_tree
from tests.api.decided import keep_proposal
from tests.api.families import keep_cluster
from tests.api.scene import MakeApp
from tests.api.serving import serving
from tests.factories import a_job, a_schedule


@pytest.fixture
def app(run_state: RunState, settings: Settings, make_app: MakeApp) -> Flask:
    return make_app(Settings(**settings.model_dump() | {"connections": {"hadoop": PROD}}))


@pytest.fixture
def url(app: Flask) -> Iterator[str]:
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())  # its log must not mix with what a command says
    with serving(app) as address:
        yield address
    structlog.reset_defaults()


def offered(line: str, **environment: str) -> list[str]:
    """What the shell is offered for the word that this line ends with."""
    asked = {"_QUEUECAST_COMPLETE": "complete_bash", "COMP_WORDS": f"queuecast {line}", "COMP_CWORD": str(line.count(" ") + 1)}
    result = CliRunner().invoke(build_app(), [], env=asked | environment, prog_name="queuecast")
    assert result.stderr == ""
    return result.stdout.split()


def test_names_and_ids_are_offered_as_the_service_has_them(app: Flask, url: str) -> None:
    store = app.extensions[EXTENSION].store
    keep_cluster(store)
    store.trees.put("prod", a_tree(), NOW)
    for job_id in ("20260105T000012-3f9a", "20260106T000012-3f9a"):
        store.jobs.add(a_job(job_id=job_id))
    store.schedules.add(a_schedule())
    made = keep_proposal(store)
    there = {"QUEUECAST_URL": url}
    assert offered("jobs show 20260106", **there) == ["20260106T000012-3f9a"]
    assert sorted(offered("jobs retry ", **there)) == ["20260105T000012-3f9a", "20260106T000012-3f9a"]
    assert offered("queues show root.etl.d", **there) == ["root.etl.daily"]
    assert offered(f"queues show --url {url} root.etl.h") == ["root.etl.hourly"]
    assert offered("jobs list --queue root.bi.a", **there) == ["root.bi.adhoc"]
    assert offered("decisions approve ", **there) == [made.decision_id]
    assert offered("schedules pause ", **there) == ["s-1"]
    assert offered("tree root.users.", **there) == ["root.users.ada", "root.users.bob"]
    assert offered("policies show root", **there) == ["root", "root.users"]
    assert offered("config accept-move fi") == ["files"]


def test_where_no_service_answers_nothing_is_offered_soon() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:  # accepts, and never answers
        begin = time.monotonic()
        assert offered("jobs show ", QUEUECAST_URL=f"http://127.0.0.1:{silent.getsockname()[1]}") == []
        assert time.monotonic() - begin < 3
    assert offered("jobs show ", QUEUECAST_URL="http://127.0.0.1:1") == []
    assert offered("jobs show ", QUEUECAST_URL="nonsense") == []
    assert offered("jobs show ", QUEUECAST_PORT="x", QUEUECAST_NO_SUCH="1") == []
    assert offered("config accept-move ", QUEUECAST_NO_SUCH="1") == []
