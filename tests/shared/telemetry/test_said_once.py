"""One event is one line: libraries' lines of an outage are its beginning and its end, and our own likewise."""

from __future__ import annotations

import io
import json
import logging
import warnings

import pytest
import structlog
from celery.app.trace import LOG_RETRY, LOG_SUCCESS
from celery.exceptions import SecurityWarning, TimeLimitExceeded, WorkerLostError
from celery.platforms import ROOT_DISCOURAGED
from celery.worker.consumer.consumer import CONNECTION_ERROR, CONNECTION_RETRY

from shared.errors import BrokerAway, BrokerRefuses, SourceAway
from shared.telemetry.logs import configure_logs
from shared.telemetry.said_once import Outage

CONSUMER, CONNECTION = (logging.getLogger(f"celery.worker.consumer.{name}") for name in ("consumer", "connection"))
TRACE = logging.getLogger("celery.app.trace")


@pytest.fixture
def stream() -> io.StringIO:
    """What a process logs."""
    written = io.StringIO()
    configure_logs("INFO", written)
    return written


def said(stream: io.StringIO) -> list[str]:
    return [json.loads(line)["event"] for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize("is_first", [True, False], ids=["at the start", "later"])
def test_an_outage_of_the_broker_is_two_lines_of_a_worker(stream: io.StringIO, is_first: bool) -> None:
    for _ in range(2):
        if not is_first:
            CONSUMER.warning("%s (%r)", CONNECTION_RETRY, OSError("reset"))
        for seconds in (2, 4, 6):
            CONSUMER.error(CONNECTION_ERROR, "redis://h", "refused", f"Trying again in {seconds} s")
        logging.getLogger("py.warnings").warning("%s", "consumer.py:427: CPendingDeprecationWarning: In Celery 5.1 …")
        CONSUMER.info("Skipping prefetch count reduction after connection restart because …")
        CONNECTION.info("Connected to %s", "redis://h")
    begins = "consumer: Cannot connect to redis://h" if is_first else "consumer: Connection to broker lost"
    ends = f"Connected to redis://h, after {3 if is_first else 4} failures"
    assert [line[: len(expected)] for line, expected in zip(said(stream), [begins, ends] * 2, strict=True)] == [begins, ends] * 2


def test_a_connection_without_an_outage_is_told_as_it_is(stream: io.StringIO) -> None:
    CONNECTION.info("Connected to %s", "redis://h")
    assert said(stream) == ["Connected to redis://h"]


def test_a_task_that_has_ended_is_told_with_milliseconds_and_nothing_that_it_returns(stream: io.StringIO) -> None:
    about = {"name": "queuecast.plan", "id": "1", "runtime": 1.2040202460048022, "return_value": "None"}
    TRACE.info(LOG_SUCCESS, about, extra={"data": about})
    [line] = map(json.loads, stream.getvalue().splitlines())
    assert line["event"] == "Task queuecast.plan[1] succeeded in 1.204s"
    assert line["data"] == {"name": "queuecast.plan", "id": "1", "runtime": 1.204}


def test_the_limits_of_requests_do_not_repeat_that_the_broker_is_away(stream: io.StringIO) -> None:
    limiter = logging.getLogger("flask-limiter")
    limiter.warning("Rate limit storage unreachable - falling back to in-memory storage")
    limiter.info("Rate limit storage recovered")
    limiter.error("Failed to rate limit. Swallowing error")
    assert said(stream) == ["Failed to rate limit. Swallowing error"]


def test_celery_does_not_repeat_that_a_task_waits_for_a_service(stream: io.StringIO) -> None:
    TRACE.info(LOG_RETRY, {"name": "queuecast.plan", "id": "1", "exc": "SourceAway"})
    for error in (SourceAway("refused"), ValueError("a bug")):
        TRACE.error("Task raised unexpected", exc_info=error)
    [line] = stream.getvalue().splitlines()
    assert "a bug" in line


def test_our_own_outage_is_said_once_and_its_end_with_a_count(stream: io.StringIO) -> None:
    outage = Outage(structlog.get_logger("ours"), "the reaper waits", "the reaper goes on")
    outage.over()
    for error in (BrokerAway("refused"), BrokerRefuses("as told"), BrokerAway("refused")):
        outage.met(error)
    outage.over()
    outage.over()
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["event"], line.get("times")) for line in lines] == [
        *[("the reaper waits", None)] * 2,
        ("the reaper goes on", 3),
    ]
    assert ["refused" in lines[0]["reason"], "as told" in lines[1]["reason"], lines[2]["seconds"] < 60] == [True] * 3


def test_a_child_that_was_killed_is_not_told_again_with_a_traceback_of_celery(stream: io.StringIO) -> None:
    for error in (WorkerLostError("signal 9"), TimeLimitExceeded(5), ValueError("a bug")):
        logging.getLogger("celery.worker.request").error("Task handler raised error: %r", error)
    assert said(stream) == ["Task handler raised error: ValueError('a bug')"]


def test_what_is_of_no_concern_is_left_out_and_its_like_is_not(stream: io.StringIO) -> None:
    inspector = logging.getLogger("flower.inspector")
    inspector.warning("Inspect method %s failed", "stats")
    inspector.warning("Inspect method %s failed: %s", "stats", "a bug")
    text = ROOT_DISCOURAGED.format(uid=0, euid=0, gid=0, egid=0)
    logging.getLogger("py.warnings").warning("%s", warnings.formatwarning(text, SecurityWarning, "platforms.py", 1))
    assert said(stream) == ["Inspect method stats failed: a bug"]
