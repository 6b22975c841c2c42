"""What the processes of a stack have said, as one account."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli import app
from deploy.log_files import Line, following, lines_of
from shared.command.root import build_app


def said(second: int, event: str, **about: object) -> str:
    """A line as processes write it."""
    return json.dumps({"event": event, "level": "info", "timestamp": f"2026-11-30T08:00:{second:02}.5Z", **about}) + "\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of a worker, whose file has begun anew once, and an API."""
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "worker.log.1").write_text(
        said(1, "job planned", job_id="a") + said(2, "broke", job_id="a") + "Traceback\n\n  x\x1b[31m\n"
    )
    (logs / "worker.log").write_text(said(5, "forecast delivered", job_id="b"))
    (logs / "api.log").write_text(said(3, "POST /v1/jobs", job_id="b"))
    return logs


def shown(folder: Path, *words: str) -> list[str]:
    """What the command prints."""
    result = CliRunner().invoke(app, ["logs", "--data-dir", str(folder.parent), *words])
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()


def test_lines_of_all_processes_are_told_by_time(folder: Path) -> None:
    assert shown(folder) == [
        "2026-11-30T08:00:01Z worker info: job planned job_id=a",
        "2026-11-30T08:00:02Z worker info: broke job_id=a",
        "worker: Traceback",
        "worker:   x[31m",
        "2026-11-30T08:00:03Z api info: POST /v1/jobs job_id=b",
        "2026-11-30T08:00:05Z worker info: forecast delivered job_id=b",
    ]
    assert len(shown(folder, "-n", "2")) == 2
    assert len(shown(folder, "api")) == 1


def test_a_job_is_followed_through_all_processes(folder: Path) -> None:
    told = [json.loads(line) for line in shown(folder, "--job", "b", "--json")]
    assert [(line["process"], line["event"]) for line in told] == [("api", "POST /v1/jobs"), ("worker", "forecast delivered")]


def test_of_a_job_that_is_in_no_log_that_is_said(folder: Path) -> None:
    result = CliRunner().invoke(build_app(), ["logs", "api", "--job", "a", "--data-dir", str(folder.parent)])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("No job has this id: found nothing of the job 'a' in the logs of api")


def test_numbers_are_short_and_what_is_not_there_is_not_told(folder: Path) -> None:
    (folder / "api.log").write_text(said(3, "job ended", mape=7.123456789, seconds=0.00123456, queues=2, reason=None))
    assert shown(folder, "api") == ["2026-11-30T08:00:03Z api info: job ended mape=7.12 seconds=0.0012 queues=2"]


def test_what_is_not_there_is_said_with_what_is(folder: Path) -> None:
    for words, message in (
        (["logs", "flower", "--data-dir", str(folder.parent)], "there are api, worker"),
        (["logs", "--data-dir", str(folder)], "`queuecast up` writes them there"),
    ):
        result = CliRunner().invoke(build_app(), words)
        assert result.exit_code == 2
        assert message in " ".join(result.stderr.split())


def test_what_callers_have_chosen_makes_no_line_and_moves_no_cursor(folder: Path) -> None:
    forged = "/v1/x\n2026-11-30T08:00:00Z api info: forged \x1b[2J\x9b"
    trace = "Traceback\n  x\x1b[31m\nValueError"
    (folder / "api.log").write_text(said(3, "request\nforged", path=forged, exception=trace))
    assert shown(folder, "api") == [
        "2026-11-30T08:00:03Z api info: request\\nforged "
        "path=/v1/x\\n2026-11-30T08:00:00Z api info: forged \\x1b[2J\\x9b exception=Traceback",
        "      x\\x1b[31m",
        "    ValueError",
    ]


def test_following_goes_on_in_a_file_that_begins_anew(folder: Path) -> None:
    with closing(following(folder, ["api", "worker"])) as news:
        assert next(news) is None  # what was said before is no news
        with (folder / "worker.log").open("a") as file:
            file.write(said(6, "one") + '{"half')
        assert events(news, 1) == ["one"]
        os.truncate(folder / "worker.log", 0)
        assert next(news) is None
        with (folder / "worker.log").open("a") as file:
            file.write(said(7, "two"))
        (folder / "api.log").rename(folder / "api.log.1")
        (folder / "api.log").write_text(said(8, "three"))
        assert sorted(events(news, 2)) == ["three", "two"]


def events(news: Iterator[Line | None], count: int) -> list[str]:
    """The next so many."""
    found = (line.known["event"] for line in news if line)
    return [str(next(found)) for _ in range(count)]


def test_a_line_that_is_cut_is_a_line(folder: Path) -> None:
    (folder / "api.log").write_bytes(b'{"event": "half\n\xff\n[1]\n')
    assert [line.text for line in lines_of(folder, ["api"])] == ['{"event": "half', "\ufffd", "[1]"]
