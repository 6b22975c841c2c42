"""`queuecast up` as an operator starts it: a job through HTTP, a worker killed in the middle, and an end without leftovers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import urllib3

from api.command.client import Client
from shared.config.data_folder import entries
from shared.drivers.redis_server import SOCKET_NOTE
from tests.api.bodies import BODY
from tests.deploy.monitoring import raised_by
from tests.factories import MONDAY
from tests.polling import eventually
from tests.scraping import sample
from tests.up import Stack, stack_up

REQUEST = BODY | {"job_name": "Trial", "model": ["prophet", "hour_mean"], "as_of": MONDAY.isoformat()}


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    """A stack of the test's own."""
    with stack_up(tmp_path) as running:
        yield running


def test_a_job_succeeds_although_a_worker_is_killed_and_nothing_is_left_at_the_end(stack: Stack, tmp_path: Path) -> None:
    client = Client(stack.url)
    job_id = client.post("jobs", body=REQUEST)["job_id"]
    main = stack.named("worker.app", "select,check,plan,score")
    eventually(lambda: client.get("jobs", job_id)["state"] == "running", what="a running job")
    for process in (main, *main.children()):
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)
    job = client.wait(job_id, 120)
    assert job["state"] == "succeeded"
    assert {queue["queue"] for queue in job["queues"]} == {"root.adhoc", "root.etl"}
    report = client.get("jobs", job_id, "queues", "root.etl")
    assert len(report["forecast"]["steps"]) == 24
    assert report["forecast"]["steps"][0]["timestamp"] == "2026-01-05T00:00:00Z"
    text = urllib3.request("GET", f"{stack.url}/metrics", timeout=60).data.decode()  # of the whole stack
    assert sample(text, "queuecast_jobs_total", state="succeeded") == 1
    assert sample(text, "queuecast_http_requests_total", method="POST", route="/v1/jobs", status="202") == 1
    assert sample(text, "queuecast_candidates_total", model="lstm", outcome="ProcessLost") == 0  # before it is tried
    assert raised_by(text, tmp_path) == ""

    assert urllib3.request("GET", f"{stack.flower_url}/tasks", timeout=60).status == 401
    listed = urllib3.request("GET", f"{stack.flower_url}/api/tasks", headers=urllib3.make_headers(basic_auth="operator:secret"))
    shown = {task["args"] for task in listed.json().values()}
    assert any(each.startswith("root.etl hour_mean days=7") for each in shown), shown  # queue, model and hyperparameters

    socket = Path((stack.data_dir / SOCKET_NOTE).read_text())
    processes = stack.processes()
    assert len(processes) > 5
    assert [each.path for each in entries(stack.data_dir) if each.is_wide] == []
    assert socket.parent.stat().st_mode & 0o077 == 0
    assert [command for process in processes if "operator" in (command := " ".join(process.cmdline()))] == []  # as `ps` shows it
    stack.process.terminate()
    assert stack.process.wait(90) == 0
    assert [process for process in processes if process.is_running()] == []
    assert not socket.parent.exists()


@pytest.mark.nightly
def test_the_demo_shows_one_real_job(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "deploy.demo", "--json", "--queues", "3"]
    root = Path(__file__).parents[2]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=root, env=os.environ | {"TMPDIR": str(tmp_path)}
    )
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout.splitlines()[-1])
    assert shown["state"] == "succeeded"
    assert shown.keys() == {"job_id", "state", "queues", "forecast_rows", "dashboard_url"}
    assert len(shown["queues"]) == 3
    assert shown["forecast_rows"] == 3 * 24
    assert all(queue["model"] and queue["mape"] for queue in shown["queues"].values())
    assert list(tmp_path.glob("queuecast*")) == []  # libraries of workers that were stopped leave folders of their own
