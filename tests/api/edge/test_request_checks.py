"""What every request passes: its id, its body, the headers of its answer; and the order in which it is refused."""

from __future__ import annotations

import json

import pytest
import structlog
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from tests.api.bodies import a_body

JSON = "application/json"


@pytest.mark.parametrize(
    ("body", "content_type", "status", "detail"),
    [
        (b"job_name=x", "application/x-www-form-urlencoded", 415, "accepted is application/json"),
        (b"{}", "text/plain", 415, "found 'text/plain'"),
        (b"{}", "", 415, "no Content-Type"),
        (b"", JSON, 400, "not JSON"),
        (b"{", JSON, 400, "line 1 column 2"),
        (b"\xff\xfe", JSON, 400, "not JSON"),
        (b"[1]", JSON, 400, "accepted is a JSON object"),
        (b"null", JSON, 400, "accepted is a JSON object"),
        (b'{"interval": NaN}', JSON, 400, "NaN is no JSON number"),
        (b'{"interval": -Infinity}', JSON, 400, "-Infinity is no JSON number"),
        (b'{"model": "var", "model": "lstm"}', JSON, 400, "'model' is given twice"),
        (b"[" * 20_000, JSON, 400, "nested too deeply"),
        (b'{"interval": ' + b"9" * 5_000 + b"}", JSON, 400, "not JSON"),
        (b" " * 20_001, JSON, 413, "larger than the accepted 20000 bytes"),
        (b'{"interval": 1e999}', JSON, 422, "finite"),
        (b'{"user_name": "\\ud800"}', JSON, 422, "user_name: '\\ud800' is not accepted"),
        (b"{}", "application/json; charset=utf-8", 422, "it is missing"),
        (b"{}", "application/merge-patch+json", 422, "it is missing"),
    ],
)
def test_a_body_that_is_not_one_json_object_is_refused(
    client: FlaskClient, body: bytes, content_type: str, status: int, detail: str
) -> None:
    answer = client.post("/v1/jobs", data=body, content_type=content_type)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    texts = [answer.json["detail"], *(f"{'.'.join(wrong['loc'])}: {wrong['msg']}" for wrong in answer.json.get("errors", []))]
    assert any(detail in text for text in texts)


@pytest.mark.parametrize("verb", ["cancel", "retry"])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 404),  # curl -X POST
        ({"Content-Type": JSON}, 404),
        ({"Origin": "http://localhost"}, 404),
        ({"Origin": "https://LOCALHOST"}, 404),  # a proxy may speak TLS for us
        ({"Origin": "http://localhost:8081"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "https://localhost.evil.example"}, 403),
        ({"Origin": "null"}, 403),  # a page in a sandbox
        ({"Origin": "http://["}, 403),
        ({"Origin": ""}, 403),
        ({"Content-Type": "text/plain"}, 415),  # forms of other web pages
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
    ],
)
def test_where_no_body_is_needed_only_pages_of_other_origins_are_kept_out(
    client: FlaskClient, verb: str, headers: dict[str, str], status: int
) -> None:
    answer = client.post(f"/v1/jobs/nobody/{verb}", headers=headers)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")


@pytest.mark.parametrize(
    ("verb", "body", "status"),
    [
        ("cancel", {}, 404),
        ("cancel", {"queues": ["root.etl"]}, 422),  # it would cancel more than was meant
        ("retry", {"queues": "all"}, 404),
        ("retry", {"queues": ["root.etl"]}, 404),
        ("retry", {"queues": []}, 422),
        ("retry", {"queues": "some"}, 422),
        ("retry", {"queue": "all"}, 422),
        ("retry", [], 400),
    ],
)
def test_a_body_that_is_given_is_obeyed_or_refused(client: FlaskClient, verb: str, body: object, status: int) -> None:
    assert client.post(f"/v1/jobs/nobody/{verb}", json=body, headers={"Origin": "http://localhost"}).status_code == status


def test_a_wrong_method_is_answered_with_the_accepted_ones(client: FlaskClient) -> None:
    answer = client.delete("/v1/jobs")
    assert {"GET", "POST"} <= {method.strip() for method in answer.headers["Allow"].split(",")}
    assert "found DELETE, accepted here: GET" in answer.json["detail"]


@pytest.mark.parametrize("path", ["/healthz", "/v1/jobs", "/v1/jobs/none", "/nowhere", "/openapi.json", "/docs"])
def test_every_answer_carries_the_headers_of_security(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    assert (headers["X-Content-Type-Options"], headers["X-Frame-Options"]) == ("nosniff", "DENY")
    assert (headers["Referrer-Policy"], headers["Cache-Control"]) == ("no-referrer", "no-store")
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "unsafe-eval" not in headers["Content-Security-Policy"]


def test_the_id_of_a_request_comes_back(client: FlaskClient) -> None:
    assert client.get("/nowhere", headers={"X-Request-ID": "ui-7.a_b"}).headers["X-Request-ID"] == "ui-7.a_b"


def test_the_id_of_a_request_is_in_its_log_lines(client: FlaskClient) -> None:
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        client.post("/v1/jobs", data=json.dumps(a_body()), content_type=JSON, headers={"X-Request-ID": "ui-7"})
    assert [(line["event"], line["request_id"]) for line in lines] == [("audit", "ui-7")]
