"""Notices of ended jobs, to a real receiver that fails first."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from shared.config.settings import Settings, load_settings
from shared.domain.allowances import UNLIMITED
from shared.domain.calibration import Calibration
from shared.domain.jobs import Job, JobState, QueueState
from shared.domain.notices import KEEP_TRYING, notice_of, notice_of_calibration
from shared.domain.reports import QueueReport
from shared.drivers import webhook
from shared.errors import InvalidSettings
from tests.factories import a_job, a_request
from tests.parrot import answering
from worker.job.resources import Resources
from worker.reaper import notices
from worker.reaper.notices import send_due

SECRET = "s" * 32
NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)


@dataclass
class Receiver:
    """Where it is, how it answers, and what it was sent."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)  # one a request, then 204
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def told(self) -> list[tuple[str, str]]:
        return [(json.loads(body)["kind"], json.loads(body)["job"]["job_id"]) for _, body in self.received]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()

    def answer(request: BaseHTTPRequestHandler, body: bytes) -> None:
        found.received.append(({name.lower(): value for name, value in request.headers.items()}, body))
        request.send_response(found.statuses.pop(0) if found.statuses else 204)
        request.send_header("Location", f"{found.url}/elsewhere")
        request.end_headers()

    with answering(answer) as url:
        found.url = url
        yield found


def resources_with(settings: Settings, **connections: Any) -> Resources:
    """Resources with these connections."""
    return Resources(settings.model_copy(update={"connections": Settings(connections=connections).connections}))


@pytest.fixture
def here(settings: Settings, receiver: Receiver) -> Iterator[Resources]:
    made = resources_with(settings, chat={"kind": "webhook", "url": f"{receiver.url}/hook?token=t", "secret": SECRET})
    with closing(made.store):
        yield made


def ended(here: Resources, job_id: str, state: JobState = JobState.FAILED, **changes: Any) -> Job:
    """A job whose only run ends now."""
    job = here.store.jobs.add(a_job(job_id=job_id, created_at=NOW, request=a_request(**changes)))
    here.store.notices.add(notice_of(job, NOW))
    here.store.jobs.move(job_id, {JobState.QUEUED}, JobState.RUNNING, None, NOW)
    here.store.jobs.move(job_id, {JobState.RUNNING}, state, "no data", NOW)
    return here.store.jobs.get(job_id)


def test_a_receiver_is_told_once_signed_and_without_data(here: Resources, receiver: Receiver) -> None:
    job = ended(here, "job-1")
    for _ in range(2):
        send_due(here, NOW)
    [(headers, body)] = receiver.received
    told = json.loads(body)
    assert (told["kind"], told["job"]["reason"], told["id"]) == ("job_failed", "no data", headers["webhook-id"])
    assert told["job"]["job_name"] == job.request.job_name
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.PARTIAL])
def test_every_end_of_a_job_leaves_a_notice(here: Resources, receiver: Receiver, state: JobState) -> None:
    job = here.store.jobs.add(a_job(job_id="job-1", created_at=NOW))
    here.run_state.begin_job(job.job_id, datetime.now(UTC) + timedelta(hours=1))
    if state is JobState.PARTIAL:
        here.store.reports.save(QueueReport(job_id="job-1", queue="root.etl", state=QueueState.SUCCEEDED))
    here.lifecycle.end("job-1", "no more", NOW)
    send_due(here, NOW)
    assert receiver.told == [(f"job_{state.value}", "job-1")]


@pytest.mark.parametrize("status", [500, 404, 302])
def test_what_is_not_taken_is_tried_again_later_under_the_same_id(here: Resources, receiver: Receiver, status: int) -> None:
    receiver.statuses = [status, status]
    ended(here, "job-1")
    send_due(here, NOW)
    send_due(here, NOW)  # its pause is not over
    assert len(receiver.received) == 1
    send_due(here, NOW + timedelta(seconds=10))
    send_due(here, NOW + timedelta(seconds=29))
    assert len(receiver.received) == 2
    send_due(here, NOW + timedelta(seconds=30))
    send_due(here, NOW + timedelta(hours=3))
    assert len({headers["webhook-id"] for headers, _ in receiver.received}) == 1
    assert len(receiver.received) == 3


def test_one_that_is_never_taken_is_lost_after_a_day_and_says_so(settings: Settings) -> None:
    here = resources_with(settings, gone={"kind": "webhook", "url": "http://127.0.0.1:9/x", "secret": SECRET})
    with closing(here.store):
        ended(here, "job-1")
        send_due(here, NOW)
        [notice] = here.store.notices.of_job("job-1")
        assert (notice.receivers, notice.attempts) == (("gone",), 1)
        send_due(here, NOW + KEEP_TRYING)
        [notice] = here.store.notices.of_job("job-1")
        assert (notice.lost, notice.due_at) == (("gone",), None)
        assert "127.0.0.1" not in notice.error


def test_a_receiver_that_is_away_keeps_no_other_from_its_news(settings: Settings, receiver: Receiver) -> None:
    here = resources_with(
        settings,
        a={"kind": "webhook", "url": "http://127.0.0.1:9/x", "secret": SECRET},
        b={"kind": "webhook", "url": receiver.url, "secret": SECRET},
    )
    with closing(here.store):
        ended(here, "job-1")
        ended(here, "job-2")
        send_due(here, NOW)
        send_due(here, NOW + timedelta(seconds=20))
        assert sorted(receiver.told) == [("job_failed", "job-1"), ("job_failed", "job-2")]


def test_a_receiver_that_answers_bit_by_bit_is_given_up_and_then_comes_last(
    settings: Settings, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "READ_SECONDS", 0.4)
    monkeypatch.setattr(notices, "LOOK_SECONDS", 0.2)
    is_over = threading.Event()

    def drip(request: BaseHTTPRequestHandler, _body: bytes) -> None:
        while not is_over.wait(0.05):  # no read waits for longer
            request.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    with answering(drip) as slow:
        a, b = ({"kind": "webhook", "url": url, "secret": SECRET} for url in (slow, receiver.url))
        here = resources_with(settings, a=a, b=b)
        with closing(here.store):
            ended(here, "job-1")
            began = time.monotonic()
            send_due(here, NOW)
            send_due(here, NOW + timedelta(seconds=10))
            took = time.monotonic() - began
        is_over.set()
    assert receiver.told == [("job_failed", "job-1")]
    assert took < 5


def test_a_host_whose_address_is_long_in_coming_keeps_nobody_waiting(
    settings: Settings, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_over, ask = threading.Event(), socket.getaddrinfo

    def slowly(host: str, *about: Any, **more: Any) -> Any:
        if host == "slow.example":
            is_over.wait(60)
        return ask(host, *about, **more)

    monkeypatch.setattr(socket, "getaddrinfo", slowly)  # no resolver of this machine is as slow as some are
    monkeypatch.setattr(webhook, "READ_SECONDS", 0.3)
    monkeypatch.setattr(webhook, "CONNECT_SECONDS", 0.3)
    a, b = ({"kind": "webhook", "url": url, "secret": SECRET} for url in ("http://slow.example/x", receiver.url))
    here = resources_with(settings, a=a, b=b)
    with closing(here.store):
        ended(here, "job-1")
        began = time.monotonic()
        send_due(here, NOW)
        took = time.monotonic() - began
        [waiting] = here.store.notices.due(NOW + KEEP_TRYING, 5)
    is_over.set()
    assert receiver.told == [("job_failed", "job-1")]
    assert (waiting.receivers, "no answer came in time" in waiting.error) == (("a",), True)
    assert took < 5


def test_who_is_told_of_what_is_the_administrators_choice(settings: Settings, receiver: Receiver) -> None:
    common = {"kind": "webhook", "url": receiver.url, "secret": SECRET}
    here = resources_with(settings, one=common | {"projects": ["etl"]}, two=common | {"notices": ["job_succeeded"]})
    with closing(here.store):
        ended(here, "of-etl", project="etl")
        ended(here, "of-others", project="hr")
        ended(here, "well", JobState.SUCCEEDED)
        send_due(here, NOW)
    assert sorted(receiver.told) == [("job_failed", "of-etl"), ("job_succeeded", "well")]


def test_lost_calibration_is_told_to_those_that_serve_all_projects(settings: Settings, receiver: Receiver) -> None:
    common = {"kind": "webhook", "url": receiver.url, "secret": SECRET}
    here = resources_with(settings, all=common, etl=common | {"projects": ["etl"]}, jobs=common | {"notices": ["job_failed"]})
    verdict = Calibration(checked_at=NOW, days=240, error=0.17, lost_at=NOW)
    with closing(here.store):
        for _ in range(2):  # one a day
            here.store.notices.add(notice_of_calibration(verdict, NOW))
            send_due(here, NOW)
    [(headers, body)] = receiver.received
    told = json.loads(body)
    assert (told["kind"], told["id"]) == ("calibration_lost", headers["webhook-id"])
    assert (told["calibration"]["queue_days"], told["calibration"]["error"]) == (240, 0.17)


def test_nothing_is_told_of_a_run_that_has_not_ended_or_is_over_and_done_with(here: Resources, receiver: Receiver) -> None:
    job = here.store.jobs.add(a_job(job_id="job-1", created_at=NOW))
    here.store.notices.add(notice_of(job, NOW))  # who wrote it died before the row
    send_due(here, NOW)
    assert receiver.told == []
    here.store.jobs.move("job-1", {JobState.QUEUED}, JobState.FAILED, "later", NOW)
    send_due(here, NOW + timedelta(seconds=30))
    assert receiver.told == [("job_failed", "job-1")]
    ended(here, "job-2")
    again = NOW + timedelta(seconds=1)
    here.store.jobs.reopen("job-2", {JobState.FAILED}, again, to_forget="failed", warnings=(), allowance=UNLIMITED)
    ended(here, "job-3", JobState.CANCELLED)
    send_due(here, NOW)
    assert len(receiver.told) == 1


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"url": "ftp://h/x"}, "accepted is http://host/path"),
        ({"url": "http://bob:secret@h/x"}, "without user and password"),
        ({"secret": "short"}, "at least 24 bytes"),
        ({"notices": ["job_ended"]}, "job_succeeded"),
    ],
)
def test_an_address_or_secret_that_is_none_is_refused_without_being_shown(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidSettings, match=message) as caught:
        load_settings(connections={"a": {"kind": "webhook", "url": "http://h/x", "secret": SECRET} | wrong})
    assert "bob" not in str(caught.value)
