"""Text answers are compressed for whoever takes that, and say by what they vary."""

from __future__ import annotations

import gzip
import re

import pytest
from flask.testing import FlaskClient

from api.edge.context import Services
from tests.api.decided import with_cluster

GZIP = {"Accept-Encoding": "gzip, deflate, br"}
HTMX = {"HX-Request": "true"}


def style_of(client: FlaskClient) -> str:
    found = re.search(r"href=\"(/static/style[^\"]+)\"", client.get("/").text)
    assert found
    return found[1]


PATHS = ("/", "/jobs/new", "/openapi.json", "/metrics", "/static/style.css", "/static/vendor/uPlot.iife.min.js")


@pytest.mark.parametrize("path", PATHS)
def test_a_text_is_the_same_after_it_is_unpacked(client: FlaskClient, path: str) -> None:
    small, whole = client.get(path, headers=GZIP, buffered=True), client.get(path, buffered=True)
    assert (small.headers["Content-Encoding"], small.content_length) == ("gzip", len(small.data))
    assert "Content-Encoding" not in whole.headers
    for answer in (small, whole):
        assert "Accept-Encoding" in answer.headers["Vary"]
    assert len(small.data) < 0.5 * len(whole.data)
    if path != "/metrics":  # which counts the request between
        assert gzip.decompress(small.data) == whole.data


@pytest.mark.parametrize("accepted", ["", "identity", "gzip;q=0", "br", "gzip;q=0, *;q=1"])
def test_who_does_not_take_gzip_is_sent_none(client: FlaskClient, accepted: str) -> None:
    for path in ("/", style_of(client)):
        assert "Content-Encoding" not in client.get(path, headers={"Accept-Encoding": accepted}, buffered=True).headers


def test_what_is_short_stays_as_it_is(client: FlaskClient) -> None:
    for path in ("/healthz", "/static/icon.svg"):
        answer = client.get(path, headers=GZIP, buffered=True)
        assert (answer.status_code, "Accept-Encoding" in answer.headers["Vary"]) == (200, True)


def test_head_tells_what_get_would_send(client: FlaskClient) -> None:
    for path in ("/jobs/new", style_of(client)):
        asked, head = client.get(path, headers=GZIP, buffered=True), client.head(path, headers=GZIP, buffered=True)
        assert head.data == b""
        for name in ("Content-Encoding", "Content-Length", "Vary", "Content-Type"):
            assert head.headers[name] == asked.headers[name], (path, name)


def test_a_part_of_a_file_is_counted_in_its_own_bytes(client: FlaskClient) -> None:
    part = client.get("/static/style.css", headers={"Range": "bytes=0-99", **GZIP}, buffered=True)
    assert (part.status_code, len(part.data), "Content-Encoding" in part.headers) == (206, 100, False)


def test_a_file_is_known_again_in_both_of_its_forms(client: FlaskClient) -> None:
    etag = client.get("/static/style.css", headers=GZIP, buffered=True).headers["ETag"]
    for headers in (GZIP, {}):
        again = client.get("/static/style.css", headers={"If-None-Match": etag, **headers}, buffered=True)
        assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", etag)
        assert "Accept-Encoding" in again.headers["Vary"]


def test_a_document_is_known_again_in_both_of_its_forms(client: FlaskClient) -> None:
    etag = client.get("/openapi.json", headers=GZIP).headers["ETag"]
    for headers in (GZIP, {}):
        assert client.get("/openapi.json", headers={"If-None-Match": etag, **headers}).status_code == 304


def test_a_policy_keeps_the_strong_etag_that_a_change_has_to_name(client: FlaskClient, services: Services) -> None:
    with_cluster(services, "prod", "red")
    freezes = [{"start_at": f"20{year}-12-24T00:00:00Z", "end_at": f"20{year + 1}-01-02T00:00:00Z"} for year in range(26, 46)]
    answer = client.put("/v1/policies/root", json={"freezes": freezes}, headers={"If-Match": "*"})
    assert answer.status_code == 200, answer.json
    answer = client.get("/v1/policies/root", headers=GZIP)
    assert len(answer.data) > 1_000
    assert answer.headers["ETag"] == f'"{answer.json["version"]}"'


def test_the_answer_to_a_token_is_never_compressed(client: FlaskClient) -> None:
    answer = client.post("/login", data={"token": "qc_wrong", "next": "/" + "a" * 2_000}, headers=GZIP)
    assert "Content-Encoding" not in answer.headers


def test_a_part_of_a_page_is_asked_for_again_and_sent_once(client: FlaskClient) -> None:
    for path in ("/status", "/jobs"):
        first = client.get(path, headers=HTMX | GZIP)
        assert (first.status_code, first.headers["Cache-Control"]) == (200, "private, no-cache")
        assert {"Cookie", "HX-Request", "Accept-Encoding"} <= set(first.headers["Vary"].split(", "))
        again = client.get(path, headers=HTMX | GZIP | {"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
        assert client.get(path).headers["Cache-Control"] == "no-store"
