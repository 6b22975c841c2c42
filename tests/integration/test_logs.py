"""What a fleet says of a job: each thing once, at a level that fits."""

from __future__ import annotations

import json
from typing import Any

from shared.domain.jobs import DataPlaces
from shared.domain.places import Place
from tests.integration.fleet import Fleet
from tests.polling import eventually


def said(fleet: Fleet, text: str) -> list[dict[str, Any]]:
    """The lines that hold the text."""
    lines = (fleet.settings.data_dir / "fleet.log").read_text().splitlines()
    return [json.loads(line) for line in lines if line.startswith("{") and text in line]


def test_a_queue_that_fails_is_one_warning_and_a_source_that_is_away_another(fleet: Fleet) -> None:
    fleet.environment |= {"QUEUECAST_MONGODB_URL": "mongodb://127.0.0.1:1/nowhere", "QUEUECAST_LOG_LEVEL": "DEBUG"}
    assert fleet.settings.files_dir is not None
    (fleet.settings.files_dir / "root.bad.csv").write_text("timestamp,used_capacity\n2026-01-01T00:00Z,1\n")
    worker = fleet.worker(slots=1)

    job_id = fleet.submit(queues=("root.bad",), model=("hour_mean",))
    fleet.ended(job_id)
    about = [line for line in said_of(fleet, job_id, "no usable value") if line["event"] != "job ended"]
    assert [(line["event"], line["level"], line["queue"]) for line in about] == [("queue failed", "warning", "root.bad")]

    child = fleet.children(worker)[-1]
    child.kill()
    [line] = eventually(lambda: said(fleet, f"pid:{child.pid}"), what="the line of the child")
    assert (line["level"], "SIGKILL" in line["event"]) == ("error", True)

    place = Place(name="mongodb", database="nowhere", collection="usage")
    job_id = fleet.submit(data=DataPlaces(source=place, destination=Place(name="files")))
    about = eventually(lambda: several(said_of(fleet, job_id, "source cannot be reached")), what="the try after the first")
    assert [line["level"] for line in about][:2] == ["warning", "debug"]
    assert {line["event"] for line in about} == {"a service is away"}


def said_of(fleet: Fleet, job_id: str, text: str) -> list[dict[str, Any]]:
    """Those of one job: the file has the lines of earlier fleets, too."""
    return [line for line in said(fleet, text) if line.get("job_id") == job_id]


def several(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return lines if len(lines) >= 2 else []
