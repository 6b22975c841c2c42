"""JSON answers by their ETags."""

from __future__ import annotations

from flask.testing import FlaskClient

from tests.api.bodies import BODY


def test_what_has_not_changed_is_answered_without_a_body(client: FlaskClient) -> None:
    address = client.post("/v1/jobs", json=BODY).headers["Location"]
    first = client.get(address)
    again = client.get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["X-Request-ID"]
    assert client.post(f"{address}/cancel", json={}, headers={"If-None-Match": first.headers["ETag"]}).status_code == 202
    changed = client.get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert (changed.status_code, changed.json["state"]) == (200, "cancelled")


def test_errors_and_pages_have_none(client: FlaskClient) -> None:
    assert "ETag" not in client.get("/v1/jobs/none").headers
    assert "ETag" not in client.get("/").headers
