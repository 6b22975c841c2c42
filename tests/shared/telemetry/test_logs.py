"""Log lines: one JSON object each, with whom they are about and without secrets."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from pydantic import SecretStr

from shared.telemetry.logs import audit, configure_logs, log_about


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Where this test's logs go."""
    logging.getLogger().handlers.clear()  # keeps pytest's own handlers from being closed
    target = io.StringIO()
    configure_logs("INFO", target)
    yield target
    logging.captureWarnings(capture=False)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    """The logged objects."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_says_when_what_and_who(stream: io.StringIO) -> None:
    structlog.get_logger("worker.job.steps").info("queue planned", candidates=12)
    (line,) = lines(stream)
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "queue planned", "candidates": 12, "level": "info", "logger": "worker.job.steps"}


def test_lines_inside_the_block_carry_the_ids_and_lines_after_it_do_not(stream: io.StringIO) -> None:
    with log_about(job_id="job-1", queue="root.etl"):
        structlog.get_logger().info("inside")
        logging.getLogger("celery.worker").warning("of the library %s", "too", extra={"status": 202})
    structlog.get_logger().info("after")
    ours, theirs, after = lines(stream)
    assert (ours["job_id"], ours["queue"], "model" in ours) == ("job-1", "root.etl", False)
    assert (theirs["job_id"], theirs["event"], theirs["logger"]) == ("job-1", "of the library too", "celery.worker")
    assert theirs["status"] == 202
    assert "job_id" not in after


def test_an_exception_stays_on_one_line_with_its_traceback(stream: io.StringIO) -> None:
    try:
        int("no good")
    except ValueError:
        structlog.get_logger().exception("failed")
    (line,) = lines(stream)
    assert "Traceback" in line["exception"]
    assert line["exception"].endswith("'no good'")


@pytest.mark.parametrize("url", ["redis://:hunter2@host:6379/0", "mongodb://bob:hun@ter2@host/db", "https://hunter2@host"])
def test_credentials_in_a_url_become_stars_wherever_they_stand(stream: io.StringIO, url: str) -> None:
    structlog.get_logger().info(f"connecting to {url}", deep={"urls": [url]})
    logging.getLogger("kombu").error("Cannot connect to %s", url)
    assert "ter2" not in stream.getvalue()
    assert stream.getvalue().count("**********@host") == 3
    structlog.get_logger().info("listening", url="http://127.0.0.1:8080/docs?a=b@c")
    assert lines(stream)[-1]["url"] == "http://127.0.0.1:8080/docs?a=b@c"  # there is nothing to hide


def test_fields_named_like_secrets_and_secret_values_are_hidden(stream: io.StringIO) -> None:
    fields = {"influxdb_token": "hunter2", "Authorization": "Bearer hunter2", "url": SecretStr("hunter2")}
    structlog.get_logger().info("settings", **fields)
    assert "hunter2" not in stream.getvalue()


def test_lines_below_the_level_are_not_written(stream: io.StringIO) -> None:
    structlog.get_logger().debug("detail")
    logging.getLogger("kombu").debug("detail")
    logging.getLogger("urllib3.connectionpool").info("chatter")
    assert stream.getvalue() == ""


def test_configuring_twice_writes_every_line_once(stream: io.StringIO) -> None:
    configure_logs("INFO", stream)
    structlog.get_logger().info("once")
    assert len(lines(stream)) == 1


def test_a_process_logs_to_stdout_and_its_warnings_are_lines_too() -> None:
    code = "import warnings; from shared.telemetry.logs import configure_logs; configure_logs('INFO'); warnings.warn('old')"
    done = subprocess.run([sys.executable, "-W", "default", "-c", code], capture_output=True, text=True, check=True)
    (line,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert "UserWarning: old" in line["event"]
    assert done.stderr == ""


class Terminal(io.StringIO):
    """Where a person looks."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def test_on_a_terminal_an_audit_line_is_a_sentence(stream: io.StringIO) -> None:
    about: dict[str, Any] = {"who": "ann", "name": "command line", "source": "", "outcome": "done"}
    configure_logs("INFO", terminal := Terminal())
    audit("create_token", **about, changed="3f9a", changed_name="ci\x1b[2J", scope="write")
    structlog.get_logger("worker").info("queue planned")
    said, line = terminal.getvalue().splitlines()
    assert said == "audit: create_token by ann, 3f9a ci[2J write: done"
    assert json.loads(line)["event"] == "queue planned"
    configure_logs("INFO", stream)
    audit("create_token", **about)
    assert lines(stream)[0]["what"] == "create_token"
