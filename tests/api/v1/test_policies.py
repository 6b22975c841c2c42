"""Policies over HTTP: who may say them, for whom they are there, and what cannot be said."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from api.edge.context import Services
from shared.store import Store
from tests.api.bodies import a_body
from tests.api.decided import id_of, with_cluster
from tests.api.scene import Granting, Headers

ROOT = "/v1/policies/root"
ETL: dict[str, Any] = {"queue": "root.etl", "queue_class": "critical", "floor": 20.0}
ANY = {"If-Match": "*"}


@pytest.fixture(autouse=True)
def cluster(services: Services) -> None:
    with_cluster(services, "prod", "red")


def put(client: FlaskClient, body: Any, headers: Headers | None = None, path: str = ROOT) -> TestResponse:
    return client.put(path, json=body, headers=ANY | (headers or {}))


def test_what_nobody_has_said_is_at_its_default_and_what_is_said_holds(client: FlaskClient, store: Store) -> None:
    default = client.get(ROOT)
    assert (default.headers["ETag"], default.json["version"], default.json["queues"]) == ('"0"', 0, [])
    assert default.json["kappas"] == {"critical": 20.0, "normal": 10.0, "best-effort": 4.0}
    assert client.get("/v1/policies").json == {"policies": []}
    body = {
        "queues": [ETL],
        "max_changes": 2,
        "freezes": [{"start_at": "2026-12-24T00:00:00Z", "end_at": "2027-01-02T00:00:00Z"}],
    }
    said = client.put(ROOT, json=body, headers={"If-Match": default.headers["ETag"]})
    assert (said.status_code, said.headers["ETag"]) == (200, '"1"')
    assert said.json == client.get(ROOT).json == client.get("/v1/policies").json["policies"][0]
    [rule] = said.json["queues"]
    assert ETL.items() <= rule.items()
    assert (rule["weight"], said.json["max_changes"], said.json["partition"], said.json["changed_by"]) == (
        20,
        2,
        "default",
        "local",
    )
    [entry] = store.audits.between()
    assert (entry.what, entry.subject, entry.who, entry.source, entry.before) == ("policy", "root", "local", "127.0.0.1", "")


def test_the_trail_says_what_was_changed_from_what_to_what(client: FlaskClient, store: Store) -> None:
    put(client, {"queues": [ETL], "max_changes": 2})
    put(client, {"queues": [ETL | {"floor": 10}], "budget_percent": 20})
    first, second = (entry.reason for entry in store.audits.between())
    assert first == 'max_changes 5 → 2; root.etl queue_class "normal" → "critical"; root.etl floor null → 20.0'
    assert second == "budget_percent 10.0 → 20.0; max_changes 2 → 5; root.etl floor 20.0 → 10.0"


def test_each_parent_partition_and_project_has_its_own(client: FlaskClient) -> None:
    for path in (ROOT, f"{ROOT}?partition=gpu", "/v1/policies/-?project=web", "/v1/policies/root.users"):
        assert put(client, {"max_changes": 1}, path=path).json["version"] == 1
        assert client.get(path).json["max_changes"] == 1
    listed = client.get("/v1/policies").json["policies"]
    told = [(each["cluster"], each["parent"], each["partition"], each["project"]) for each in listed]
    assert told == [
        ("", "", "default", "web"),
        ("prod", "root", "default", ""),
        ("prod", "root", "gpu", ""),
        ("prod", "root.users", "default", ""),
    ]
    assert [each["parent"] for each in client.get("/v1/policies?parent=root.users").json["policies"]] == ["root.users"]
    assert [each["parent"] for each in client.get("/v1/policies?parent=-").json["policies"]] == [""]
    assert client.get("/v1/policies?cluster=test").json["policies"] == []


def test_nobody_overwrites_what_somebody_else_has_said(client: FlaskClient) -> None:
    missing = client.put(ROOT, json={"max_changes": 1})
    assert (missing.status_code, missing.json["type"]) == (428, "urn:queuecast:version-missing")
    assert 'If-Match: "0"' in missing.json["detail"]
    assert client.put(ROOT, json={"max_changes": 1}, headers={"If-Match": '"0"'}).status_code == 200
    late = client.put(ROOT, json={"max_changes": 2}, headers={"If-Match": '"0"'})
    assert (late.status_code, late.json["type"]) == (412, "urn:queuecast:version-differs")
    assert "version 1" in late.json["detail"]
    again = client.put(ROOT, json={"max_changes": 1}, headers={"If-Match": '"0"'})
    assert (again.status_code, again.json["version"]) == (200, 1)


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        ({"queues": [ETL, ETL]}, ["queues"]),
        ({"queues": [ETL | {"queue": "root.nowhere"}]}, ["queues"]),
        ({"queues": [ETL | {"queue": "root.users.ada"}]}, ["queues"]),
        ({"queues": [ETL | {"floor": 101}]}, ["queues", "0", "floor"]),
        ({"queues": [ETL | {"floor": 60}, ETL | {"queue": "root.users", "floor": 60}]}, ["queues"]),
        ({"queues": [ETL | {"kappa": -1}]}, ["queues", "0", "kappa"]),
        ({"queues": [ETL | {"kappa": "10"}]}, ["queues", 0, "kappa"]),
        ({"queues": [ETL | {"queue_class": "vital"}]}, ["queues", 0, "queue_class"]),
        ({"queues": [ETL | {"queue": "root.\x1b[31m"}]}, ["queues", 0, "queue"]),
        ({"queues": [ETL | {"owners": ["nobody"]}]}, ["queues", "0", "owners"]),
        ({"queues": ETL}, ["queues"]),
        ({"owners": ["0123456789"]}, ["owners"]),
        ({"owners": ["a\nb"]}, ["owners", 0]),
        ({"owners": ["x"] * 51}, ["owners"]),
        ({"budget_percent": 101}, ["budget_percent"]),
        ({"price_hours": True}, ["price_hours"]),
        ({"max_changes": -1}, ["max_changes"]),
        ({"max_changes": 2.5}, ["max_changes"]),
        ({"schedule_id": "none"}, ["schedule_id"]),
        ({"freezes": [{"start_at": "2026-12-24T00:00:00Z", "end_at": "2026-12-24T00:00:00Z"}]}, ["freezes", "0"]),
        ({"freezes": [{"start_at": "tomorrow", "end_at": "2026-12-24T00:00:00Z"}]}, ["freezes", 0, "start_at"]),
        ({"kappa": 10}, ["kappa"]),
        ({"version": 7}, ["version"]),
    ],
)
def test_what_cannot_be_kept_to_is_refused_at_its_field(client: FlaskClient, store: Store, body: Any, loc: list[Any]) -> None:
    refused = put(client, body)
    assert (refused.status_code, refused.json["errors"][0]["loc"]) == (422, loc)
    assert store.policies.find(None) == []
    assert store.audits.between() == []


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "1" * 5_000])
def test_no_number_that_is_none_is_kept(client: FlaskClient, store: Store, number: str) -> None:
    for name in ("price_hours", "budget_percent", "max_changes"):
        refused = client.put(ROOT, data=f'{{"{name}": {number}}}', headers=ANY, content_type="application/json")
        assert refused.status_code in {400, 422}
    assert store.policies.find(None) == []


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/policies/root.nowhere", 404),
        ("/v1/policies/root.etl", 404),
        ("/v1/policies/root?cluster=test", 404),
        ("/v1/policies/root?partition=x", 422),
        ("/v1/policies/root?project=web", 422),
        ("/v1/policies/-?partition=gpu", 422),
        ("/v1/policies/root%00", 404),
        ("/v1/policies/root%0a?cluster=prod", 404),
        ("/v1/policies/%ed%a0%80", 404),
        ("/v1/policies/" + "x." * 3_000, 404),
        ("/v1/policies/$where", 404),
        ("/v1/policies/root?cluster[$ne]=x", 422),
        ("/v1/policies/root?cluster=%1b", 422),
    ],
)
def test_where_there_is_nothing_nothing_is_kept(client: FlaskClient, store: Store, path: str, status: int) -> None:
    for answer in (client.get(path), put(client, {}, path=path)):
        assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert store.policies.find(None) == []


def test_a_body_that_is_too_large_or_of_another_kind_is_refused(client: FlaskClient) -> None:
    assert put(client, {"queues": [ETL | {"queue": f"root.q{n}"} for n in range(900)]}).status_code == 413
    assert put(client, [ETL]).status_code == 400
    assert client.put(ROOT, data=json.dumps({}), headers=ANY, content_type="text/plain").status_code == 415
    assert client.put(ROOT, data="{", headers=ANY, content_type="application/json").status_code == 400


def test_to_say_one_needs_the_scope_approve(client: FlaskClient, grant: Granting, store: Store) -> None:
    assert client.get(ROOT, headers=grant("read")).status_code == 200
    assert put(client, {}, grant("write")).status_code == 403
    assert put(client, {"max_changes": 1}, grant("approve")).status_code == 200
    assert put(client, {"max_changes": 3}).status_code == 401


def test_for_projects_that_may_not_use_the_cluster_it_is_not_there(client: FlaskClient, grant: Granting) -> None:
    put(client, {"max_changes": 1})
    put(client, {"max_changes": 1}, path="/v1/policies/-?project=red")
    red, blue = grant("approve", "red"), grant("approve", "blue")
    unknown = client.get("/v1/policies/root?cluster=none", headers=blue)
    for path in (ROOT, f"{ROOT}?cluster=prod"):
        assert client.get(path, headers=red).json["version"] == 1
        hidden = client.get(path, headers=blue)
        assert (hidden.status_code, hidden.json["type"]) == (404, unknown.json["type"])
        assert put(client, {}, blue, path).status_code == 404
    assert client.get("/v1/policies/-?project=red", headers=blue).status_code == 404
    assert put(client, {}, blue, "/v1/policies/-?project=red").status_code == 403
    assert client.get("/v1/policies/-", headers=blue).json["version"] == 0
    assert len(client.get("/v1/policies", headers=red).json["policies"]) == 2
    assert client.get("/v1/policies", headers=blue).json == {"policies": []}


def test_owners_are_named_by_administrators_and_then_change_what_they_own(
    client: FlaskClient, grant: Granting, store: Store
) -> None:
    admin, owner, other = grant("admin"), grant("approve"), grant("approve")
    whose = id_of(store, owner)
    refused = put(client, {"owners": [whose]}, other)
    assert (refused.status_code, refused.json["type"]) == (403, "urn:queuecast:owners-only")
    assert "it has no owners yet; an administrator names others" in refused.json["detail"]
    said = put(client, {"queues": [ETL | {"owners": [whose]}]}, admin)
    assert (said.json["queues"][0]["owners"], said.json["owner_names"]) == ([whose], {whose: "ci"})
    mine, theirs = ETL | {"owners": [whose], "floor": 30.0}, {"queue": "root.users", "floor": 10.0}
    assert put(client, {"queues": [mine]}, other).status_code == 403
    assert put(client, {"queues": [mine, theirs]}, owner).status_code == 403
    assert put(client, {"queues": [mine], "max_changes": 1}, owner).status_code == 403
    assert put(client, {"queues": [mine]}, owner).json["queues"][0]["floor"] == 30.0
    assert put(client, {"queues": [mine], "owners": [whose]}, admin).status_code == 200
    assert put(client, {"queues": [mine, theirs], "owners": [whose]}, owner).status_code == 200


def test_an_owner_has_to_be_able_to_approve(client: FlaskClient, grant: Granting, store: Store) -> None:
    admin, reader, owner = grant("admin"), grant("read"), grant("approve")
    refused = put(client, {"owners": [id_of(store, reader)]}, admin)
    assert (refused.status_code, refused.json["errors"][0]["loc"]) == (422, ["owners"])
    assert put(client, {"owners": [id_of(store, owner)]}, admin).status_code == 200


def test_whose_schedule_is_not_seen_keeps_it(client: FlaskClient, grant: Granting, store: Store, services: Services) -> None:
    with_cluster(services, "shared", "red", "blue")
    red, blue = grant("approve", "red"), grant("approve", "blue")
    schedule = {"name": "daily", "cron": "0 6 * * *", "request": a_body("project", "red")}
    schedule_id = client.post("/v1/schedules", json=schedule, headers=red).json["schedule_id"]
    path = "/v1/policies/root?cluster=shared"
    assert put(client, {"schedule_id": schedule_id}, blue, path).status_code == 422
    assert put(client, {"schedule_id": schedule_id}, red, path).json["schedule_id"] == schedule_id
    assert client.get(path, headers=blue).json["schedule_id"] is None
    assert put(client, {"max_changes": 1}, blue, path).status_code == 200
    assert client.get(path, headers=red).json["schedule_id"] == schedule_id


def test_of_many_who_say_it_at_once_one_does(client: FlaskClient, store: Store) -> None:
    app, version = client.application, {"If-Match": '"0"'}

    def say(number: int) -> int:
        return app.test_client().put(ROOT, json={"max_changes": number}, headers=version).status_code

    with ThreadPoolExecutor(6) as pool:
        statuses = sorted(pool.map(say, range(1, 7)))
    assert statuses == [200, *[412] * 5]
    assert [entry.what for entry in store.audits.between()] == ["policy"]
    assert store.policies.find(None)[0].version == 1
