"""Log lines of one job, of the files that `queuecast up` writes."""

from __future__ import annotations

import json
from pathlib import Path

from flask.testing import FlaskClient

from api.dashboard.job_log import MAX_BYTES, SHOWN, lines_of
from shared.store import Store
from tests.api.scene import Granting
from tests.factories import a_job, a_request


def line(second: int, event: str, job_id: str = "job-1", **more: object) -> str:
    return json.dumps({"event": event, "level": "info", "job_id": job_id, **more, "timestamp": f"2026-01-05T00:00:{second:02}Z"})


def test_the_newest_lines_of_a_job_are_told_of_all_processes(tmp_path: Path) -> None:
    (tmp_path / "worker.log.1").write_text(line(1, "job planned", queues=2) + "\n")
    others = [line(4, "of another", "job-12"), json.dumps(["job-1"]), "Traceback: job-1", line(5, "cut")[:30]]
    worker = [line(2, "queue failed", queue="root.a", reason="no data", exception="secrets"), *others]
    (tmp_path / "worker.log").write_text("\n".join(worker))
    (tmp_path / "reaper.log").write_text(line(3, "job ended", state="partial"))
    told = [(each.process, each.text) for each in lines_of(tmp_path, "job-1")]
    assert told == [
        ("reaper", "job ended · state partial"),
        ("worker", "queue failed · queue root.a · reason no data"),
        ("worker", "job planned · queues 2"),
    ]


def test_of_large_files_the_end_is_read_and_few_lines_are_shown(tmp_path: Path) -> None:
    filler = [line(0, "x" * 1_000) for _ in range(MAX_BYTES // 1_000)]
    (tmp_path / "worker.log").write_text("\n".join([line(59, "lost in front"), *filler, line(58, "last")]))
    found = lines_of(tmp_path, "job-1")
    assert (len(found), found[0].text) == (SHOWN, "last")


def test_the_page_is_of_jobs_that_the_caller_may_see(client: FlaskClient, store: Store, grant: Granting) -> None:
    store.jobs.add(a_job(request=a_request(project="etl")))
    assert client.get("/jobs/job-1/log", headers=grant("read", "ml")).status_code == 404
    page = client.get("/jobs/job-1/log", headers=grant("read", "etl"))
    assert (page.status_code, "log" in page.text) == (200, True)
