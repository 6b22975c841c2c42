"""The configuration file changes under `queuecast up`: what begins afterwards has the new connections, nothing is restarted."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from api.command.client import Client
from shared.config.origins import CONFIG_FILE
from shared.errors import UnknownConnection
from tests.api.bodies import BODY
from tests.factories import MONDAY, write_loads
from tests.polling import eventually
from tests.up import QUEUECAST, Stack, stack_up

REQUEST = BODY | {"job_name": "Trial", "model": "hour_mean", "baselines": False, "as_of": MONDAY.isoformat()}
SCHEDULE = '[[schedule]]\nname = "yearly"\ncron = "0 0 1 1 *"\nrequest = "late.json"\n'
LATE = REQUEST | {"data": {"source": {"name": "late"}, "destination": {"name": "files"}}}


def taken(client: Client) -> str:
    """The id of a job over the late connection, or "" while nobody knows that."""
    try:
        return str(client.post("jobs", body=LATE)["job_id"])
    except UnknownConnection:
        return ""


def succeeds(client: Client, job_id: str) -> bool:
    return bool(client.wait(job_id, 120)["state"] == "succeeded")


def pids(stack: Stack) -> set[int]:
    return {stack.named(*words).pid for words in (("serve",), ("reap",), ("worker.app", "select,check,plan,score"))}


@pytest.mark.nightly
def test_connections_come_and_go_under_a_running_stack_and_broken_files_do_nothing(tmp_path: Path) -> None:
    file = tmp_path / "queuecast.toml"
    write_loads(tmp_path / "elsewhere", "root.late")
    own = tmp_path / "data"
    with stack_up(own, {CONFIG_FILE: str(file)}) as stack:
        client, begun = Client(stack.url), pids(stack)
        assert succeeds(client, client.post("jobs", body=REQUEST)["job_id"])  # so that the workers have looked already
        assert not taken(client)
        declared = tmp_path / "declared.toml"
        declared.write_text(f'{SCHEDULE}[connections.late]\nkind = "files"\npath = "{tmp_path / "elsewhere"}"\n')
        (tmp_path / "late.json").write_text(json.dumps(LATE))
        command = [QUEUECAST, "apply", str(declared), "--url", stack.url, "--data-dir", str(own)]
        done = subprocess.run(command, env=os.environ | {CONFIG_FILE: str(file)}, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "done: 2 added"), done.stderr
        assert [each["managed_by"] for each in client.get("schedules")["schedules"]] == ["default"]
        assert succeeds(client, taken(client))

        file.write_text("[connections.late]\nkind = 'files'\npath = \n")
        refused = lambda: "is refused" in (own / "logs" / "reaper.log").read_text()  # noqa: E731
        eventually(refused, what="a line about the broken file", within=20)
        assert succeeds(client, taken(client))

        file.write_text("")
        eventually(lambda: not taken(client), what="the end of the connection", within=20)
        assert succeeds(client, client.post("jobs", body=REQUEST)["job_id"])
        assert pids(stack) == begun
