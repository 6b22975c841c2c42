"""A source and a sink are two files each, a heavy model is one: put into a copy of the house, they serve a whole stack."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, chdir
from dataclasses import dataclass
from pathlib import Path

import pytest
import urllib3

from api.command.client import Client
from shared.errors import InvalidRequest
from tests.api.bodies import BODY
from tests.factories import MONDAY
from tests.polling import eventually
from tests.up import QUEUECAST, Stack, stack_up

pytestmark = pytest.mark.nightly  # half a minute, most of it the start of a stack

ROOT = Path(__file__).parents[2]
FILES = {  # each goes where the README says
    "waves.py": "shared/connections",
    "waves_source.py": "worker/sources",
    "waves_sink.py": "worker/sinks",
    "slow_model.py": "worker/models",
}
TIDES = {"source": {"name": "tide", "shape": "sine"}, "destination": {"name": "tide"}}
REQUEST = BODY | {"data": TIDES, "model": ["slow"], "target": "level", "as_of": MONDAY.isoformat()}


@dataclass(frozen=True)
class Extended:
    """A stack of a house with four more files, and where these write."""

    stack: Stack
    client: Client
    environment: dict[str, str]
    taken: Path
    lanes: Path


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Extended]:
    folder = tmp_path_factory.mktemp("extended")
    house, data = folder / "house", folder / "data"
    for package in ("api", "worker", "shared", "deploy"):
        shutil.copytree(ROOT / package, house / package)
    for file, place in FILES.items():
        shutil.copy(Path(__file__).parent / "plug_ins" / file, house / place)
    connections = {"tide": {"kind": "waves", "height": 40, "key": "s3cr3t", "taken": str(folder / "taken")}}
    environment = {
        "PYTHONPATH": str(house),
        "QUEUECAST_CONNECTIONS": json.dumps(connections),
        "LANES_SEEN": str(folder / "lanes"),
    }
    data.mkdir()
    with ExitStack() as opened:
        with chdir(house):  # Celery looks for its application here before all other places
            stack = opened.enter_context(stack_up(data, environment))
        yield Extended(stack, Client(stack.url), environment, folder / "taken", folder / "lanes")


def said(extended: Extended, *arguments: str) -> str:
    """What a command says, in the same house."""
    environment = os.environ | extended.environment | {"QUEUECAST_DATA_DIR": str(extended.stack.data_dir)}
    return subprocess.run([QUEUECAST, *arguments], env=environment, capture_output=True, text=True, check=False).stdout


def test_a_job_reads_and_writes_by_the_new_kind_and_its_model_has_the_heavy_lane(extended: Extended) -> None:
    client = extended.client
    cards = eventually(lambda: client.get("models")["models"], what="a worker's announcement of its models")
    assert {card["name"]: card["lane"] for card in cards}["slow"] == "heavy"
    assert urllib3.request("POST", f"{extended.stack.url}/v1/jobs/validate", json=REQUEST, timeout=60).json()["valid"]
    job = client.wait(client.post("jobs", body=REQUEST)["job_id"], 90)
    assert (job["state"], job["reason"]) == ("succeeded", None)
    assert job["request"]["data"]["source"]["shape"] == "sine"
    assert json.loads(extended.taken.read_text()).keys() == {"queue", "model", "steps"}
    board = client.get("jobs", job["job_id"], "queues", "root.tide")["leaderboard"]
    assert "slow" in {entry["model"] for entry in board}
    assert set(extended.lanes.read_text().split()) == {"heavy"}


def test_what_the_new_kind_asks_for_is_checked_described_and_shown(extended: Extended) -> None:
    for source, reason in (
        ({"name": "tide"}, "a source of kind waves needs shape"),
        ({"name": "tide", "shape": "SINE"}, "accepted are small letters"),
        ({"name": "tide", "shape": "saw"}, "accepted are sine, square"),
        ({"name": "files", "shape": "sine"}, "accepted: path"),
    ):
        request = REQUEST | {"data": {"source": source, "destination": {"name": "files"}}}
        with pytest.raises(InvalidRequest, match=reason):
            extended.client.post("jobs", body=request)
    document = urllib3.request("GET", f"{extended.stack.url}/openapi.json").json()
    described = document["components"]["schemas"]["PlaceBody"]["properties"]["shape"]
    assert described["description"] == "waves, source: sine or square"
    shown = [finding for finding in json.loads(said(extended, "doctor", "--json")) if finding["name"] == "connection tide"]
    assert [finding["detail"] for finding in shown] == ["40 high"]
    config = said(extended, "config", "show", "--json")
    assert "waves" in config
    assert "s3cr3t" not in config
