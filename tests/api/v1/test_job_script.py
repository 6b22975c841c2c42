"""A job as a script: run by a shell it submits the same request, on the history that the job had."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from shared.domain.durations import Duration
from shared.domain.runs import Run
from shared.store import Store
from tests.api.scene import Granting
from tests.factories import MONDAY, a_job, a_request


def run(script: str, folder: Path) -> dict[str, object]:
    """What the script gives to `queuecast submit`."""
    fake = folder / "queuecast"
    fake.write_text('#!/bin/sh\necho "$QUEUECAST_URL $*" > "$0.said"; cat\n')
    fake.chmod(0o755)
    place = {"PATH": f"{folder}:/usr/bin:/bin"}
    done = subprocess.run(
        ["/bin/sh", "-s"],
        input=script,
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
        env=place,
    )
    assert (folder / "queuecast.said").read_text() == "http://localhost submit --wait -\n"
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize("delay", [None, Duration(2, "h")])
def test_a_script_submits_the_request_of_a_job_as_of_its_time(
    client: FlaskClient, store: Store, tmp_path: Path, delay: Duration | None
) -> None:
    name = "$(touch owned) `touch owned` REQUEST \u00e9"
    first = store.jobs.add(a_job(request=a_request(as_of=None, job_name=name, ingestion_delay=delay)))
    later = replace(first, job_id="job-2", issued_at=MONDAY - timedelta(hours=3), run=Run.REFIT)
    store.jobs.add(later)
    for job, issued_at in ((first, first.request.issue_time(MONDAY)), (later, later.issued_at)):
        answer = client.get(f"/v1/jobs/{job.job_id}/script")
        assert (answer.status_code, answer.mimetype) == (200, "text/x-shellscript")
        assert ("all candidates compete" in answer.text) == (job is later)
        body = run(answer.text, tmp_path)
        assert body["job_name"] == name
        made = client.post("/v1/jobs", json=body)
        assert made.status_code == 202, made.text
        again = store.jobs.get(made.json["job_id"])  # type: ignore[index] # of an accepted job
        assert again.request.issue_time(again.created_at) == issued_at
    assert not (tmp_path / "owned").exists()


def test_a_request_that_looked_back_keeps_its_time(client: FlaskClient, store: Store, tmp_path: Path, grant: Granting) -> None:
    store.jobs.add(a_job(created_at=MONDAY + timedelta(days=3)))
    assert "/v1/jobs/job-1/script" in client.get("/jobs/job-1").text
    assert run(client.get("/v1/jobs/job-1/script").text, tmp_path)["as_of"] == MONDAY.isoformat()
    assert client.get("/v1/jobs/job-1/script", headers=grant("read", "another")).status_code == 404
