"""Decisions that a person asks for: what is told until there is one, and of those of which nothing comes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from api.edge.context import Services
from shared.domain.decision_requests import Outcome, asked_by_job
from shared.fleet.broker import TaskName
from shared.fleet.runstate import RunState
from shared.store import Store
from tests.api.a_cluster import NOW
from tests.api.decided import id_of, keep_proposal, with_cluster
from tests.api.scene import Granting, waiting_in_the_plan_lane
from tests.decisions import DAY
from tests.factories import a_job, a_request


@pytest.fixture(autouse=True)
def cluster(services: Services) -> None:
    with_cluster(services, "prod", "red")


def test_what_is_asked_for_is_told_until_it_is_made(client: FlaskClient, store: Store, run_state: RunState) -> None:
    accepted = client.post("/v1/decisions", json={"parent": "root", "horizon": "36h"})
    told = accepted.json
    assert (accepted.status_code, accepted.headers["Location"]) == (202, told["links"]["self"])
    assert (told["state"], told["cluster"], told["parent"], told["actions"]) == ("asked", "prod", "root", {})
    asked = store.decision_requests.get(told["decision_id"])
    assert (asked.horizon_hours, asked.asked_by, asked.partition) == (36.0, "local", "")
    assert client.get(told["links"]["self"]).json == told
    [message] = [each for each in waiting_in_the_plan_lane(run_state) if each["headers"]["task"] == TaskName.DECIDE]
    assert told["decision_id"] in message["headers"]["argsrepr"]
    early = client.post(f"{told['links']['self']}/approve")
    assert (early.status_code, "it is being made" in early.json["detail"]) == (409, True)
    assert client.get("/v1/decisions").json["decisions"] == []


def test_of_what_nothing_comes_the_reason_is_told(client: FlaskClient, store: Store) -> None:
    for parent, outcome, state in (("root", Outcome.NOTHING, "nothing"), ("root.users", Outcome.FAILED, "failed")):
        made = client.post("/v1/decisions", json={"parent": parent}).json
        store.decision_requests.end(made["decision_id"], outcome, "nothing is forecast of them yet", datetime.now(UTC))
        told = client.get(made["links"]["self"]).json
        assert (told["state"], told["sentence"]) == (state, "nothing is forecast of them yet")
        refused = client.post(f"{made['links']['self']}/export")
        assert (refused.status_code, "nothing is forecast" in refused.json["detail"]) == (409, True)


def test_what_is_left_out_is_found_where_there_is_one_only(client: FlaskClient, services: Services, store: Store) -> None:
    told = client.post("/v1/decisions").json
    assert (told["cluster"], told["parent"], told["partition"]) == ("prod", "root", "default")
    told = client.post("/v1/decisions", json={"project": "web"}).json
    assert (told["cluster"], told["parent"], told["project"]) == ("", "", "web")
    told = client.post("/v1/decisions", json={"parent": "-"}).json
    assert (told["cluster"], told["parent"], told["project"]) == ("", "", "")
    with_cluster(services, "test")
    refused = client.post("/v1/decisions", json={"parent": "root"})
    assert (refused.status_code, "prod, test" in refused.json["detail"]) == (400, True)


@pytest.mark.parametrize(
    ("body", "status", "loc"),
    [
        ({"parent": "root.nowhere"}, 404, None),
        ({"parent": "root.etl"}, 404, None),
        ({"cluster": "none", "parent": "root"}, 404, None),
        ({"parent": "root", "partition": "x"}, 422, ["partition"]),
        ({"parent": "root", "project": "web"}, 422, ["project"]),
        ({"parent": "-", "partition": "gpu"}, 422, ["partition"]),
        ({"parent": ["root"]}, 422, ["parent"]),
        ({"parent": {"$gt": ""}}, 422, ["parent"]),
        ({"parent": "root\n"}, 422, ["parent"]),
        ({"parent": "x" * 501}, 422, ["parent"]),
        ({"cluster": "\ud800"}, 422, ["cluster"]),
        ({"horizon": "0h"}, 422, ["horizon"]),
        ({"horizon": 24}, 422, ["horizon"]),
        ({"horizon": "401d"}, 422, ["horizon"]),
        ({"decision_id": "x"}, 422, ["decision_id"]),
    ],
)
def test_what_cannot_be_decided_on_is_refused(
    client: FlaskClient, store: Store, body: Any, status: int, loc: list[Any] | None
) -> None:
    refused = client.post("/v1/decisions", json=body)
    assert refused.status_code == status
    assert loc is None or refused.json["errors"][0]["loc"] == loc


@pytest.mark.parametrize(
    "text", ['{"horizon": NaN}', '{"parent": Infinity}', '{"parent": "a", "parent": "b"}', "[]", "{", "\x00"]
)
def test_what_is_no_object_is_refused(client: FlaskClient, text: str) -> None:
    assert client.post("/v1/decisions", data=text, content_type="application/json").status_code in {400, 422}
    assert client.post("/v1/decisions", json={"parent": "x" * 30_000}).status_code == 413


def test_outsiders_ask_for_nothing_of_a_cluster_and_see_nothing_asked_for(
    client: FlaskClient, grant: Granting, store: Store
) -> None:
    red, blue, reader = grant("write", "red"), grant("write", "blue"), grant("read", "red")
    made = client.post("/v1/decisions", json={"parent": "root"}, headers=red).json
    assert made["proposed_by"] == id_of(store, red)
    for body in ({"parent": "root"}, {"parent": "root", "cluster": "prod"}):
        hidden = client.post("/v1/decisions", json=body, headers=blue)
        assert (hidden.status_code, hidden.json["type"]) == (404, "urn:queuecast:cluster-not-found")
    assert client.get(made["links"]["self"], headers=blue).status_code == 404
    assert client.post(f"{made['links']['self']}/approve", headers=grant("approve", "blue")).status_code == 404
    assert client.get(made["links"]["self"], headers=reader).status_code == 200
    assert client.post("/v1/decisions", json={"parent": "root"}, headers=reader).status_code == 403
    assert client.post("/v1/decisions", json={"project": "red"}, headers=blue).status_code == 403
    assert client.post("/v1/decisions", headers=blue).json["project"] == "blue"


def test_what_a_jobs_end_asks_for_is_no_decision_of_anybody(client: FlaskClient, store: Store) -> None:
    asked = asked_by_job(a_job(request=a_request()), NOW)
    store.decision_requests.add(asked)
    assert client.get(f"/v1/decisions/{asked.decision_id}").status_code == 404


def test_a_proposal_that_is_there_is_told_before_its_maker_has_noted_it(client: FlaskClient, store: Store) -> None:
    made = client.post("/v1/decisions", json={"parent": "root"}).json
    at = datetime.strptime(made["decision_id"][:15], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    kept = keep_proposal(store, at=at, proposed_by="local")
    assert kept.decision_id == made["decision_id"]
    assert client.get(made["links"]["self"]).json["state"] == "proposed"


def test_one_decision_is_made_with_another_policy_by_whoever_could_say_it(
    client: FlaskClient, store: Store, grant: Granting
) -> None:
    instead = {"queues": [{"queue": "root.etl", "floor": 20}], "max_changes": 8}
    body = {"parent": "root", "cluster": "prod", "policy": instead}
    refused = client.post("/v1/decisions", json=body, headers=grant("write"))
    assert (refused.status_code, "a policy takes approve" in refused.json["detail"]) == (403, True)
    made = client.post("/v1/decisions", json=body, headers=grant("approve"))
    assert made.status_code == 202
    asked = store.decision_requests.get(made.json["decision_id"]).policy
    assert asked is not None
    assert (asked.max_changes, asked.rule("root.etl").floor) == (8, 20.0)
    assert store.policies.find(None) == []


@pytest.mark.parametrize(
    ("policy", "loc"),
    [
        ({"owners": ["t1"]}, ["policy", "owners"]),
        ({"queues": [{"queue": "root.etl", "owners": ["t1"]}]}, ["policy", "queues", "0", "owners"]),
        ({"freezes": [{"start_at": "2026-12-24T00:00:00Z", "end_at": "2026-12-25T00:00:00Z"}]}, ["policy", "freezes"]),
        ({"schedule_id": "daily"}, ["policy", "schedule_id"]),
        ({"queues": [{"queue": "root.nowhere"}]}, ["queues"]),
        ({"budget_percent": 101}, ["budget_percent"]),
    ],
)
def test_a_policy_for_one_decision_changes_nothing_of_who_decides_and_when(
    client: FlaskClient, store: Store, policy: object, loc: list[object]
) -> None:
    refused = client.post("/v1/decisions", json={"parent": "root", "cluster": "prod", "policy": policy})
    assert (refused.status_code, refused.json["errors"][0]["loc"]) == (422, loc)
    assert store.decision_requests.due(NOW + DAY, 10) == []
