"""Messages that nobody of us has sent: each is dropped and logged, no worker dies of one, and jobs go on."""

from __future__ import annotations

import base64
import json
import pickle
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from shared.domain.jobs import JobState
from shared.domain.lanes import Lane
from shared.drivers.redis_server import redis_client, redis_server
from tests.integration.fleet import Fleet
from tests.polling import eventually

MESSAGES: dict[str, bytes] = {}
UNPICKLED = Path(gettempdir(), "queuecast-unpickled")


def envelope(
    body: bytes = b'[["job-x"], {}, {}]',
    headers: Mapping[str, Any] | None = None,
    properties: Mapping[str, Any] | None = None,
    outer: Mapping[str, Any] | None = None,
) -> bytes:
    """A message as kombu lays it into a list, with what a test changes."""
    known = {"lang": "py", "task": "queuecast.plan", "id": "evil", "root_id": "evil", "parent_id": None, "group": None}
    own = {"delivery_tag": "evil-tag", "body_encoding": "base64", "delivery_info": {"exchange": "", "routing_key": "plan"}}
    told = {
        "body": base64.b64encode(body).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": known | (headers or {}),
        "properties": own | {"priority": 0, "correlation_id": "evil", "reply_to": "evil"} | (properties or {}),
    }
    return json.dumps(told | (outer or {})).encode()


class Bomb:
    """Unpickled, it would leave a file."""

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (str(UNPICKLED), "w")


MESSAGES |= {
    "raw bytes": b"\x80\x81\xff not text",
    "text": b"hello",
    "empty": b"",
    "a list": b"[1, 2, 3]",
    "a number": b"7",
    "null": b"null",
    "an empty object": b"{}",
    "deep": b"[" * 100_000,
    "no delivery tag": envelope(properties={"delivery_tag": None}),
    "properties that are none": envelope(outer={"properties": "x"}),
    "headers that are none": envelope(outer={"headers": None}),
    "headers that are a list": envelope(outer={"headers": [1]}),
    "no task": envelope(headers={"task": None}),
    "an unknown task": envelope(headers={"task": "os.system"}),
    "a task that is a list": envelope(headers={"task": ["queuecast.plan"]}),
    "no id": envelope(headers={"id": None}),
    "an id that is a dict": envelope(headers={"id": {"a": 1}}),
    "pickle": envelope(
        pickle.dumps(Bomb()), outer={"content-type": "application/x-python-serialize", "content-encoding": "binary"}
    ),
    "yaml": envelope(b"!!python/object/apply:os.system [id]", outer={"content-type": "application/x-yaml"}),
    "no content type": envelope(outer={"content-type": None}),
    "a charset that is none": envelope(outer={"content-encoding": "klingon"}),
    "a body that is no base64": envelope(outer={"body": "%%%"}),
    "a body that is a number": envelope(outer={"body": 7}),
    "a body encoding that is none": envelope(properties={"body_encoding": "rot13"}),
    "a body that is no JSON": envelope(b"{"),
    "a body that is a number in JSON": envelope(b"7"),
    "a body of two": envelope(b"[[], {}]"),
    "arguments that are a dict": envelope(b'[{"a": 1}, {}, {}]'),
    "no arguments": envelope(b"[[], {}, {}]"),
    "too many arguments": envelope(b"[[1, 2, 3, 4, 5], {}, {}]"),
    "a job id that is a dict": envelope(b'[[{"$ne": null}], {}, {}]'),
    "a job id that is null": envelope(b"[[null], {}, {}]"),
    "a job id with a NUL": envelope(b'[["a\\u0000b"], {}, {}]'),
    "a job id that is half a character": envelope(b'[["\\ud800"], {}, {}]'),
    "embedded garbage": envelope(b'[["job-x"], {}, {"chord": 5, "callbacks": "x", "errbacks": [7], "chain": {"a": 1}}]'),
    "eta": envelope(headers={"eta": "yesterday, perhaps"}),
    "eta that is a number": envelope(headers={"eta": 1e300}),
    "expires": envelope(headers={"expires": {"at": "noon"}}),
    "expires in text": envelope(headers={"expires": "soon"}),
    "time limits": envelope(headers={"timelimit": ["a", {}]}),
    "time limits that are none": envelope(headers={"timelimit": 3}),
    "retries": envelope(headers={"retries": "many"}),
    "a stamp": envelope(headers={"stamped_headers": 5, "stamps": "x"}),
    "compression": envelope(headers={"compression": "application/x-zlib"}),
    "compression that is none": envelope(headers={"compression": {"a": 1}}),
    "a parent and a group": envelope(headers={"group": {"a": 1}, "parent_id": [1], "root_id": 3, "group_index": "x"}),
    "a traceparent": envelope(headers={"traceparent": {"x": 1}, "tracestate": 5, "baggage": [1]}),
    "a reply to": envelope(properties={"reply_to": {"x": 1}, "correlation_id": [1]}),
    "a priority": envelope(properties={"priority": "high", "delivery_mode": {}}),
    "delivery info": envelope(properties={"delivery_info": "x"}),
    "delivery info to nowhere": envelope(properties={"delivery_info": {"exchange": 5, "routing_key": {"a": 1}}}),
    "score with texts": envelope(b'[["job-x", "q", "a", "b", "c"], {}, {}]', {"task": "queuecast.score"}),
    "score without end": envelope(b'[["job-x", "q", 0, 1e18, true], {}, {}]', {"task": "queuecast.score"}),
    "select with a dict": envelope(b'[["job-x", {"q": 1}, false], {}, {}]', {"task": "queuecast.select"}),
    "select after nothing": envelope(b"[[], {}, {}]", {"task": "queuecast.select_after_error"}),
    "check with a list": envelope(b'[[["x"]], {}, {}]', {"task": "queuecast.check"}),
    "a chord of Celery's own": envelope(b'[[{"task": "queuecast.plan"}, {}, 1], {}, {}]', {"task": "celery.chord_unlock"}),
    "a group of Celery's own": envelope(b'[[[], "x", "y"], {}, {}]', {"task": "celery.group"}),
    "a map of Celery's own": envelope(b'[[{"task": "queuecast.plan"}, [[1]]], {}, {}]', {"task": "celery.starmap"}),
    "version 1": json.dumps({"body": "eyJ0YXNrIjogInF1ZXVlY2FzdC5wbGFuIn0=", "properties": {"delivery_tag": "v1"}}).encode(),
    "giant": envelope(b'[["' + b"x" * 20_000_000 + b'"], {}, {}]'),
}


def test_what_nobody_of_us_has_sent_is_dropped_and_logged_and_jobs_go_on(fleet: Fleet) -> None:
    worker = fleet.worker(lanes="select,check,plan", slots=1)  # a single slot that was not given back would be the end
    main, lane = fleet.children(worker)[0], Lane.PLAN.value
    with closing(redis_client(redis_server(fleet.settings).broker, is_patient=True)) as broker:
        for name, message in MESSAGES.items():
            broker.lpush(lane, message)
            eventually(lambda: not broker.llen(lane) and not broker.hlen("unacked"), what=f"{name} to be gone")
    job_id = fleet.submit(model=("hour_mean",))
    eventually(lambda: fleet.store.jobs.get(job_id).state is JobState.RUNNING, what="a job that is planned")
    assert (main.is_running(), worker.poll()) == (True, None)
    assert not UNPICKLED.exists()
    log = (fleet.settings.data_dir / "fleet.log").read_text()
    assert log.count("a message was dropped") > 20
    assert "Unrecoverable error" not in log
