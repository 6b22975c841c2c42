"""Requests that cost their sender nothing, each as large as is accepted: what a service must refuse cheaply and briefly."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.api.bodies import a_body

MOST = 1_048_576  # bytes of a body; the default of QUEUECAST_MAX_BODY_BYTES
JOBS, VALIDATE, SCHEDULES = "/v1/jobs", "/v1/jobs/validate", "/v1/schedules"
LONG_LINE = "x" * 60_000


@dataclass(frozen=True, kw_only=True)
class Attack:
    """One request."""

    name: str
    path: str = JOBS
    method: str = "POST"
    body: bytes = b""
    mimetype: str = "application/json"
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)


def sent(client: FlaskClient, attack: Attack) -> TestResponse:
    """What the service answers."""
    return client.open(
        attack.path,
        method=attack.method,
        data=attack.body or None,
        content_type=attack.mimetype or None,
        query_string=attack.query,
        headers=attack.headers,
    )


def attacks() -> Iterator[Attack]:
    """Every request, those with a body of JSON as a job and as a question."""
    for name, body in bodies():
        assert len(body) <= MOST, (name, len(body))
        yield Attack(name=name, body=body)
        yield Attack(name=f"{name}, asked", body=body, path=VALIDATE)
    deep = json.dumps({"name": "x", "cron": "* * * * *", "request": a_body("queues", [1] * 300_000)})
    yield Attack(name="a schedule of wrong queues", body=deep.encode(), path=SCHEDULES)
    for name, cron in (("long", "*/1," * 50_000), ("wide", "0-59," * 39 + " * * * *"), ("of spaces", " " * 900_000)):
        yield Attack(name=f"a {name} cron", body=_json({"name": "x", "cron": cron, "request": a_body()}), path=SCHEDULES)
    yield Attack(name="an empty object for nothing", body=_json({f"f{n}": 1 for n in range(80_000)}), path=f"{JOBS}/x/cancel")
    yield from _forms()
    yield from _lines()


def bodies() -> Iterator[tuple[str, bytes]]:
    """Bodies of a job by what is wrong with them."""
    yield from _shapes()
    yield from _texts()
    for name, body in _almost_too_many():
        yield f"almost too many: {name}", _json(body)
    for name, path, value in _fields():
        yield name, _json(a_body(path, value))


def _shapes() -> Iterator[tuple[str, bytes]]:
    many = MOST // 20
    yield "deep lists", b"[" * (MOST // 2) + b"]" * (MOST // 2)
    yield "deep objects", b'{"a":' * 100_000 + b"1" + b"}" * 100_000
    yield "a list", b"[" + b"1," * (MOST // 2 - 2) + b"1]"
    yield "a number", b"9" * MOST
    yield "a text", b'"' + b"x" * (MOST - 2) + b'"'
    yield "no JSON at its end", b'{"queues": [' + b"1," * (MOST // 2 - 8) + b"]"
    yield "no UTF-8", b'{"job_name": "' + b"\xff" * (MOST - 20) + b'"}'
    yield "only spaces", b" " * MOST
    yield "objects in a list", b'{"queues": [' + b"{}," * (MOST // 3 - 8) + b"{}]}"
    yield "fields nobody knows", b"{" + b",".join(b'"f%d":1' % number for number in range(MOST // 11 - 2)) + b"}"
    yield "short fields nobody knows", b"{" + b",".join(b'"%x":1' % number for number in range(100_000)) + b"}"
    yield "a field nobody knows", b'{"' + b"x" * (MOST - 10) + b'": 1}'
    yield "one field many times", b"{" + b",".join([b'"f":1'] * (MOST // 6 - 2)) + b"}"
    yield "the last field twice", b"{" + b",".join(b'"f%d":1' % number for number in range(many)) + b',"f%d":1}' % (many - 1)
    yield "objects with a field twice", b'{"a": [' + b",".join([b'{"b":1}'] * 100_000 + [b'{"b":1,"b":1}']) + b"]}"


def _texts() -> Iterator[tuple[str, bytes]]:
    yield "a large whole number", _with("max_candidates", b"9" * 1_000_000)
    yield "a number of 4,000 digits", _with("max_candidates", b"9" * 4_000)
    yield "many numbers of 4,000 digits", _with("queues", b"[" + b",".join([b"9" * 4_000] * 250) + b"]")
    yield "1e400", _with("interval", b"1e400")
    yield "a long fraction", _with("interval", b"0." + b"9" * 1_000_000)
    yield "NaN", _with("interval", b"NaN")
    yield "Infinity", _with("interval", b"-Infinity")
    yield "lone surrogates", _with("job_name", b'"' + b"\\ud800" * 170_000 + b'"')
    yield "escapes", _with("job_description", b'"' + b"\\u0000" * 170_000 + b'"')


def _fields() -> Iterator[tuple[str, str, Any]]:
    for name in ("job_name", "job_description", "queues", "model", "timezone", "holidays", "as_of", "deadline", "target"):
        yield f"long {name}", name, "a" * 1_000_000
    for name in ("data_ingestion_time_period", "aggregation_time_period"):
        yield f"{name} of spaces", name, " " * 500_000 + "1" + " " * 500_000
        yield f"{name} of digits", name, "1" * 1_000_000 + "h"
    yield "title of spaces", "job_name", "a" + " " * 1_000_000
    yield "dots of a column", "target", "a." * 500_000
    yield "a path of globs", "data.source.path", "*/" * 500_000
    for name, item in (("numbers", 1), ("texts", "a"), ("long texts", "a" * 300), ("lists", []), ("nothing", None)):
        times = 1_000_000 // (len(json.dumps(item)) + 2)
        for where in ("queues", "model", "columns", "holidays", "bounds", "data.source"):
            yield f"{name} as {where}", where, [item] * times
    yield "globs", "queues", ["*"] * 200_000
    yield "unpaired places", "data.source", [{}] * 250_000
    yield "five places of unknown fields", "data.source", [{f"f{n}": 1 for n in range(16_000)}] * 5
    yield "wrong dates", "holidays", ["2026-02-30"] * 74_000
    yield "dates", "holidays", ["2026-02-20"] * 74_000
    yield "exclude", "exclude", [{"start": "x"}] * 60_000
    yield "a moment of lists", "as_of", [[]] * 300_000
    yield "grids of many values", "hyperparameters", {"prophet": {"growth": list(range(100_000))}}
    yield "grids of wrong values", "hyperparameters", {"prophet": {"growth": [{}] * 200_000}}
    yield "grids of many names", "hyperparameters", {"prophet": {f"g{n}": [1] for n in range(60_000)}}
    yield "grids of many models", "hyperparameters", {f"m{n}": {} for n in range(80_000)}
    yield "grids without values", "hyperparameters", {f"m{n}": 1 for n in range(80_000)}
    full = {f"m{m}": {f"h{h}": [None] * 60 for h in range(50)} for m in range(50)}
    yield "grids that are full", "hyperparameters", full
    right = {f"m{m}": {f"h{h}": list(range(60)) for h in range(50)} for m in range(50)}
    yield "grids that are full of numbers", "hyperparameters", right
    long_names = {"m" * 20_000 + str(n): {} for n in range(50)}
    yield "grids of long names", "hyperparameters", long_names
    yield "a grid beyond counting", "hyperparameters", {"seasonal_naive": {"days": list(range(1, 101))}}


def _almost_too_many() -> Iterator[tuple[str, Any]]:
    """As many wrong values as are looked at."""
    place = {f"f{n}": 1 for n in range(95)} | {"name": 1}
    grids = {f"{'m' * 50_000}{m}": {f"h{h}": [{}] * 10 for h in range(4)} for m in range(20)}
    lists = {"queues": [{}] * 1_000, "columns": [{}] * 100, "model": [{}] * 50, "holidays": ["2026-01-0"] * 1_000}
    wrong = lists | {"hyperparameters": grids, "data": {"source": [place] * 5, "destination": place}} | dict.fromkeys(place, 2)
    yield "all wrong", wrong
    yield "all wrong, in control characters", wrong | {"hyperparameters": {"\x01" * 3_000 + str(n): {} for n in range(50)}}
    yield "unknown fields", {"\x01" * 1_000 + str(n): 1 for n in range(100)}
    yield "unknown fields of places", {"data": {"source": [{"ü" * 3_000 + str(n): 1 for n in range(9)}] * 5, "destination": 1}}
    yield "wrong queues", a_body("queues", ["\U0001f600" * 100 + "\n"] * 800)
    yield "19,000 fields", {f"f{n}": 1 for n in range(9_500)}
    yield "19,000 objects", a_body("queues", [{}] * 9_500)
    yield "19,000 lists", a_body("holidays", [[]] * 9_500)
    yield "19,000 floats", a_body("columns", [1.5e5] * 19_000)
    yield "a deep value", a_body("queues", json.loads("[" * 900 + "]" * 900))
    yield "two right grids too many", a_body("hyperparameters", {"m": {f"h{h}": list(range(100)) for h in range(11)}})


def _forms() -> Iterator[Attack]:
    kind = "application/x-www-form-urlencoded"
    for name, body in (
        ("fields", b"&".join(b"f%d=x" % number for number in range(100_000))),
        ("tokens", b"&".join([b"token=x"] * 120_000)),
        ("a long token", b"token=" + b"x" * 1_000_000),
        ("a long next", b"next=/" + b"%2f" * 300_000),
        ("ampersands", b"&" * MOST),
        ("percents", b"%" * MOST),
    ):
        yield Attack(name=f"form of {name}", path="/login", body=body, mimetype=kind)
    parts = b"".join(b'--b\r\nContent-Disposition: form-data; name="f%d"\r\n\r\nx\r\n' % number for number in range(15_000))
    yield Attack(name="form of parts", path="/login", body=parts + b"--b--", mimetype="multipart/form-data; boundary=b")


def _lines() -> Iterator[Attack]:
    """Long addresses and headers; our server takes heads of up to 32 KiB."""
    get = {"method": "GET", "mimetype": ""}
    yield Attack(name="a long path", path=f"/v1/{LONG_LINE}", **get)
    yield Attack(name="a long job", path=f"/v1/jobs/{LONG_LINE}", **get)
    yield Attack(name="a long queue", path=f"/v1/queues/{LONG_LINE}/series", **get)
    for name in ("owner", "queue", "state", "cursor", "limit", "nobody_knows"):
        yield Attack(name=f"a long {name}", query=f"{name}={LONG_LINE}", **get)
    yield Attack(name="filters nobody knows", query="&".join(f"f{n}=1" for n in range(8_000)), **get)
    yield Attack(name="one filter many times", query="&".join(["owner=a"] * 8_000), **get)
    for name in ("from", "issued_at", "points", "metric"):
        yield Attack(name=f"a long {name}", path="/v1/queues/q/series", query=f"{name}={LONG_LINE}", **get)
    for name in ("Idempotency-Key", "X-Request-ID", "Authorization", "Origin", "Cookie", "Accept"):
        yield Attack(name=f"a long {name}", body=_json(a_body("queues", [])), headers={name: LONG_LINE})


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _with(name: str, raw: bytes) -> bytes:
    """The small body with a field whose value is written out."""
    return _json(a_body(name, "@@@")).replace(b'"@@@"', raw)
