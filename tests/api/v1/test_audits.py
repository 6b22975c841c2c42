"""The audit trail over HTTP: lines of JSON for administrators, in parts where there are very many."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl

import pytest
from flask.testing import FlaskClient

from shared.domain.audits import AuditEntry
from shared.store import Store
from tests.api.a_cluster import HOUR, NOW
from tests.api.scene import Granting


@pytest.fixture(autouse=True)
def entries(store: Store) -> None:
    for number in range(5):
        names = {"cluster": "prod", "project": "", "subject": f"d{number}", "who": "t1", "name": "ops\n{}"}
        store.audits.add(AuditEntry(entry_id=f"d{number}.approved", at=NOW + number * HOUR, what="approved", **names))


def lines(text: str) -> list[str]:
    return [json.loads(line)["subject"] for line in text.splitlines()]


def test_entries_are_told_the_first_first_and_of_the_time_that_is_asked_for(client: FlaskClient) -> None:
    whole = client.get("/v1/audit")
    assert (whole.mimetype, lines(whole.text)) == ("application/x-ndjson", ["d0", "d1", "d2", "d3", "d4"])
    between = {"since": (NOW + HOUR).isoformat(), "until": (NOW + 3 * HOUR).isoformat()}
    assert lines(client.get("/v1/audit", query_string=between).text) == ["d1", "d2"]


def test_of_very_many_the_rest_is_where_the_answer_says(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.v1.audits.MAX_ENTRIES", 3)
    first = client.get("/v1/audit")
    following = dict(parse_qsl(first.headers["Link"].removeprefix("<?").partition(">")[0]))
    second = client.get("/v1/audit", query_string=following)
    assert [*lines(first.text), *lines(second.text)] == ["d0", "d1", "d2", "d2", "d3", "d4"]


@pytest.mark.parametrize("query", ["since=yesterday", "until=x", "since=2026-01-05", "nobody=knows", "since=%0a"])
def test_what_is_no_time_is_refused(client: FlaskClient, query: str) -> None:
    assert client.get(f"/v1/audit?{query}").status_code == 422
    same = {"since": NOW.isoformat(), "until": NOW.isoformat()}
    assert client.get("/v1/audit", query_string=same).status_code == 422


def test_it_is_for_administrators_alone(client: FlaskClient, grant: Granting) -> None:
    for scope, projects in (("read", ()), ("write", ()), ("approve", ()), ("approve", ("red",))):
        assert client.get("/v1/audit", headers=grant(scope, *projects)).status_code == 403
    assert client.get("/v1/audit").status_code == 401
    assert client.get("/v1/audit", headers=grant("admin")).status_code == 200
