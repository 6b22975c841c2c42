"""Decisions over HTTP: what is told of them, to whom, and page by page."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from api.edge.context import Services
from shared.domain.capacities import Resources
from shared.domain.policies import Freeze, Policy, QueueRule
from shared.domain.proposal_states import ProposalState
from shared.domain.proposals import ProposedChange, Step
from shared.store import Store
from tests.api.a_cluster import NOW
from tests.api.decided import id_of, keep_proposal, with_cluster
from tests.api.scene import Granting
from tests.decisions import DAY, a_proposed_change, a_recommendation
from tests.factories import a_job, a_request

GB = 1024


@pytest.fixture(autouse=True)
def cluster(services: Services) -> None:
    with_cluster(services, "prod", "red")


def a_raise() -> ProposedChange:
    given = {
        "present_resources": Resources(memory_mb=400 * GB, vcores=40),
        "proposed_resources": Resources(memory_mb=460 * GB, vcores=46),
    }
    return replace(a_proposed_change("root.etl", 40.0, 46.0, NOW), before_at=NOW + timedelta(hours=2), **given)


def test_a_decision_tells_what_to_change_before_when_and_what_it_costs_not_to(client: FlaskClient, store: Store) -> None:
    kept = a_recommendation("root.bi", 10.0, 10.0, NOW)
    made = keep_proposal(store, changes=(a_raise(),), kept=(kept,), because=("etl runs short",))
    told = client.get(f"/v1/decisions/{made.decision_id}").json
    assert {name: told[name] for name in ("state", "cluster", "parent", "partition", "sentence", "tree_hash")} == {
        "state": "proposed",
        "cluster": "prod",
        "parent": "root",
        "partition": "default",
        "sentence": made.sentence,
        "tree_hash": made.tree_hash,
    }
    assert told["valid_until"] == made.end_at.isoformat().replace("+00:00", "Z")
    [change] = told["changes"]
    numbers = {
        name: change[name] for name in ("queue", "mode", "from", "to", "from_mb", "to_mb", "binding", "confidence", "donors")
    }
    assert numbers == {
        "queue": "root.etl",
        "mode": "percentage",
        "from": 40.0,
        "to": 46.0,
        "from_mb": 400 * GB,
        "to_mb": 460 * GB,
        "binding": "memory",
        "confidence": "good",
        "donors": ["root.adhoc"],
    }
    before = {name: change["before"][name] for name in ("breach_probability", "hours_above", "shortfall_gbh", "slack_gbh")}
    assert before == {"breach_probability": None, "hours_above": 4.0, "shortfall_gbh": 4.0, "slack_gbh": 40.0}
    assert change["because"] == "02:00–05:00 needs 452 GB on most days"
    assert {name: told["cost"][name] for name in ("keep", "plan", "unit", "kappa")} == {
        "keep": 4020.0,
        "plan": 2310.0,
        "unit": "GB·h",
        "kappa": 10.0,
    }
    assert [(each["queue"], each["kept_because"]) for each in told["kept"]] == [("root.bi", "no other capacity costs less")]
    assert told["before_at"] == change["before_at"]
    assert [step["state"] for step in told["steps"]] == ["proposed"]
    assert [name for name, why_not in told["actions"].items() if why_not is None] == ["approve", "reject"]
    assert "it is proposed; exported follows on approved" in told["actions"]["export"]
    assert (told["files"], "approve it first" in told["files_reason"]) == ([], True)


def test_decisions_are_listed_newest_first_and_page_by_page(client: FlaskClient, store: Store) -> None:
    made = [keep_proposal(store, at=NOW + hours * timedelta(hours=1), cluster=f"c{hours}") for hours in range(5)]
    ids = [each.decision_id for each in reversed(made)]
    assert [each["decision_id"] for each in client.get("/v1/decisions").json["decisions"]] == ids
    first = client.get("/v1/decisions?limit=2")
    assert first.headers["Link"].endswith('rel="next"')
    second = client.get("/v1/decisions", query_string={"limit": 2, "cursor": first.json["next_cursor"]})
    third = client.get("/v1/decisions", query_string={"limit": 2, "cursor": second.json["next_cursor"]})
    assert [each["decision_id"] for page in (first, second, third) for each in page.json["decisions"]] == ids
    assert third.json["next_cursor"] is None
    assert client.get("/v1/decisions?cursor=x").status_code == 400


def test_they_are_found_by_what_they_are_about(client: FlaskClient, store: Store) -> None:
    etl = keep_proposal(store)
    gpu = keep_proposal(store, partition="gpu", changes=(a_proposed_change("root.users", 1.0, 2.0, NOW),))
    kept = keep_proposal(store, parent="root.users", state=ProposalState.KEPT, changes=())
    web = keep_proposal(store, parent="", cluster="", project="web")
    for query, found in (
        ("state=proposed&cluster=prod", [etl, gpu]),
        ("state=open", [etl, gpu, web]),
        ("state=kept", [kept]),
        ("state=seen", []),
        ("parent=root", [etl, gpu]),
        ("parent=-", [web]),
        ("project=web", [web]),
        ("partition=gpu", [gpu]),
        ("partition=default&parent=root", [etl]),
        ("queue=root.etl", [etl, web]),
        ("queue=root", []),
        ("cluster=prod&queue=root.users", [gpu]),
        ("owner=nobody", []),
    ):
        listed = client.get(f"/v1/decisions?{query}").json["decisions"]
        assert {each["decision_id"] for each in listed} == {each.decision_id for each in found}, query


def test_they_are_found_by_whoever_owns_what_they_change(client: FlaskClient, grant: Granting, store: Store) -> None:
    made, reader = keep_proposal(store), grant("read")
    keep_proposal(store, cluster="test")
    assert client.get("/v1/decisions?owner=t1", headers=reader).json["decisions"] == []
    rules = tuple(QueueRule(queue=queue, owners=("t1",)) for queue in made.queues)
    default = Policy(cluster="prod", parent="root")
    assert store.policies.replace(default, replace(default, queues=rules, version=1))
    [found] = client.get("/v1/decisions?owner=t1", headers=reader).json["decisions"]
    assert found["decision_id"] == made.decision_id
    assert client.get("/v1/decisions?owner=t2", headers=reader).json["decisions"] == []
    [token] = [each for each in store.tokens.all() if each.token_id == id_of(store, reader)]
    named = tuple(QueueRule(queue=queue, owners=(token.token_id,)) for queue in made.queues)
    assert store.policies.replace(replace(default, queues=rules, version=1), replace(default, queues=named, version=2))
    for owner in (token.token_id, token.name):
        assert len(client.get("/v1/decisions", query_string={"owner": owner}, headers=reader).json["decisions"]) == 1


@pytest.mark.parametrize(
    ("query", "loc"),
    [
        ("state=done", "state"),
        ("limit=0", "limit"),
        ("limit=x", "limit"),
        ("owner=", "owner"),
        ("owner=%0a", "owner"),
        ("queue=%00", "queue"),
        ("cluster[$ne]=x", "cluster[$ne]"),
        ("parent=%1b[31m", "parent"),
        ("nobody=knows", "nobody"),
        (f"cursor={'x' * 501}", "cursor"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(client: FlaskClient, query: str, loc: str) -> None:
    refused = client.get(f"/v1/decisions?{query}")
    assert (refused.status_code, refused.json["errors"][0]["loc"]) == (422, [loc])


def test_a_filter_over_many_is_answered_page_by_page(client: FlaskClient, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.v1.decisions.BATCH", 2)
    monkeypatch.setattr("api.v1.decisions.MAX_BATCHES", 2)
    old = keep_proposal(store, changes=(a_proposed_change("root.old", 1.0, 2.0, NOW),), cluster="old", at=NOW - DAY)
    for number in range(6):
        keep_proposal(store, cluster=f"c{number}")
    seen, cursor, pages = [], None, 0
    while pages == 0 or cursor:
        page = client.get("/v1/decisions", query_string={"queue": "root.old"} | ({"cursor": cursor} if cursor else {})).json
        seen += [each["decision_id"] for each in page["decisions"]]
        cursor, pages = page["next_cursor"], pages + 1
    assert (seen, pages) == ([old.decision_id], 2)


def test_for_outsiders_nothing_of_it_is_there(client: FlaskClient, grant: Granting, store: Store) -> None:
    made = keep_proposal(store, state=ProposalState.APPROVED)
    web = keep_proposal(store, parent="", cluster="", project="web", patch=())
    red, blue = grant("approve", "red"), grant("approve", "blue", "white")
    unknown = "20260105T060000-0123456789"
    for proposal in (made, web):
        path = f"/v1/decisions/{proposal.decision_id}"
        calls: list[tuple[str, str, Any]] = [
            ("GET", "", None),
            ("GET", "/files/sched-conf.xml", None),
            ("GET", "/files/none", None),
            ("POST", "/approve", {}),
            ("POST", "/reject", {"reason": "no"}),
            ("POST", "/export", {}),
            ("POST", "/apply", {}),
            ("POST", "/validate", {}),
            ("POST", "/inverse", {}),
        ]
        for method, rest, body in calls:
            hidden = client.open(path + rest, method=method, json=body, headers=blue)
            none = client.open(f"/v1/decisions/{unknown}{rest}", method=method, json=body, headers=blue)
            assert (hidden.status_code, none.status_code) == (404, 404)
            same = {name: none.json[name].replace(unknown, proposal.decision_id) for name in ("type", "title", "detail")}
            assert {name: hidden.json[name] for name in same} == same
    assert client.get("/v1/decisions", headers=blue).json["decisions"] == []
    assert client.get("/v1/decisions?project=web&owner=x", headers=blue).json["decisions"] == []
    [seen] = client.get("/v1/decisions", headers=red).json["decisions"]
    assert seen["decision_id"] == made.decision_id
    assert client.get(f"/v1/decisions/{web.decision_id}", headers=grant("read", "web")).status_code == 200
    assert len(client.get("/v1/decisions", headers=grant("read")).json["decisions"]) == 2


def test_jobs_and_addresses_are_told_only_to_those_who_may_know(client: FlaskClient, grant: Granting, store: Store) -> None:
    for project in ("red", "blue"):
        store.jobs.add(a_job(job_id=project, request=a_request(project=project, job_name=project)))
    made = keep_proposal(store, forecast_jobs=("red", "blue", "gone"))
    path = f"/v1/decisions/{made.decision_id}"
    client.post(f"{path}/reject", json={"reason": "no"}, headers=grant("approve"))
    told, whole = client.get(path, headers=grant("read", "red")).json, client.get(path, headers=grant("admin")).json
    assert (told["forecast_jobs"], whole["forecast_jobs"]) == (["red"], ["red", "blue", "gone"])
    assert [step["source"] for step in told["steps"]] == [None, None]
    assert [step["source"] for step in whole["steps"]] == ["", "127.0.0.1"]


@pytest.mark.parametrize(
    "name", ["%0a", "%00", "..%2f..", "x" * 3_000, "%ed%a0%80", "$where", "'; DROP TABLE proposals; --", "%1b[31m"]
)
def test_no_id_is_anything_else_than_an_id(client: FlaskClient, store: Store, name: str) -> None:
    made = keep_proposal(store)
    assert client.get(f"/v1/decisions/{name}").status_code == 404
    assert client.get(f"/v1/decisions/{made.decision_id}/files/{name}").status_code in {404, 409}
    for action in ("approve", "reject", "export", "apply", "validate", "inverse"):
        assert client.post(f"/v1/decisions/{name}/{action}", json={"reason": "x"}).status_code == 404


def test_files_are_given_out_once_it_is_exported(client: FlaskClient, store: Store) -> None:
    made = keep_proposal(store)
    path = f"/v1/decisions/{made.decision_id}"
    early = client.get(f"{path}/files/sched-conf.xml")
    assert (early.status_code, "approve it first" in early.json["detail"]) == (409, True)
    approved = client.post(f"{path}/approve").json
    assert (approved["files"], "once it is exported" in approved["files_reason"]) == ([], True)
    assert client.get(f"{path}/files/sched-conf.xml").status_code == 409
    [readme, conf] = client.post(f"{path}/export").json["files"]
    assert (readme["name"], conf["name"], conf["size"]) == ("README.txt", "sched-conf.xml", 13)
    file = client.get(conf["links"]["self"])
    assert (file.data, file.mimetype, file.headers["ETag"]) == (b"<sched-conf/>", "application/xml", f'"{conf["sha256"]}"')
    assert file.headers["Content-Disposition"] == "attachment; filename=sched-conf.xml"
    row = store.audits.of(made.decision_id)[-1]
    assert (row.what, row.reason, row.after, row.who, row.source) == (
        *("file", "sched-conf.xml", conf["sha256"]),
        *("local", "127.0.0.1"),
    )
    missing = client.get(f"{path}/files/passwd")
    assert (missing.status_code, "README.txt, sched-conf.xml" in missing.json["detail"]) == (404, True)
    client.post(f"{path}/reject", json={"reason": "no"})
    late = client.get(f"{path}/files/sched-conf.xml")
    assert (late.status_code, "ask for a new one" in late.json["detail"]) == (409, True)


def test_who_only_reads_gets_no_files_of_a_cluster(client: FlaskClient, grant: Granting, store: Store) -> None:
    made = keep_proposal(store)
    path, reader, approver = f"/v1/decisions/{made.decision_id}", grant("read"), grant("approve")
    client.post(f"{path}/approve", headers=approver)
    client.post(f"{path}/export", headers=approver)
    told, refused = client.get(path, headers=reader).json, client.get(f"{path}/files/README.txt", headers=reader)
    assert (told["files"], "needed is approve" in told["files_reason"]) == ([], True)
    assert (refused.status_code, "needed is approve" in refused.json["detail"]) == (403, True)
    assert client.get(f"{path}/files/README.txt", headers=approver).status_code == 200
    assert [row.what for row in store.audits.of(made.decision_id)].count("file") == 1


def test_files_are_for_the_owners_of_what_they_change(client: FlaskClient, grant: Granting, store: Store) -> None:
    owner, other = grant("approve"), grant("approve")
    default = Policy(cluster="prod", parent="root")
    assert store.policies.replace(default, replace(default, version=1, owners=(id_of(store, owner),)))
    path = f"/v1/decisions/{keep_proposal(store).decision_id}"
    assert [client.post(f"{path}/{step}", headers=owner).status_code for step in ("approve", "export")] == [200, 200]
    refused = client.get(f"{path}/files/sched-conf.xml", headers=other)
    assert (refused.status_code, "name others as owners" in refused.json["detail"]) == (403, True)
    assert client.get(f"{path}/files/sched-conf.xml", headers=owner).status_code == 200


def test_in_a_freeze_no_files_are_handed_over(client: FlaskClient, store: Store) -> None:
    made = keep_proposal(store)
    path = f"/v1/decisions/{made.decision_id}"
    client.post(f"{path}/approve")
    client.post(f"{path}/export")
    freeze = Freeze(start_at=NOW - DAY, end_at=NOW + 2 * DAY, reason="close of books")
    default = store.policies.of(made.group)
    assert store.policies.replace(default, replace(default, freezes=(freeze,), version=1))
    held = client.get(f"{path}/files/sched-conf.xml")
    assert (held.status_code, "close of books" in held.json["detail"]) == (409, True)


def test_of_queues_without_a_tree_files_are_there_at_once(client: FlaskClient, store: Store) -> None:
    made = keep_proposal(store, parent="", cluster="", project="web", patch=(), tree_hash="")
    told = client.get(f"/v1/decisions/{made.decision_id}").json
    assert [file["name"] for file in told["files"]] == ["README.txt", "sched-conf.xml"]
    assert client.get(f"/v1/decisions/{made.decision_id}/files/README.txt").data == b"read me"


def test_ids_of_owners_are_those_of_tokens(client: FlaskClient, grant: Granting, store: Store) -> None:
    headers = grant("approve")
    made = keep_proposal(store)
    told = client.post(f"/v1/decisions/{made.decision_id}/approve", json={"reason": "as agreed"}, headers=headers).json
    assert {name: told["steps"][-1][name] for name in ("who", "name", "reason")} == {
        "who": id_of(store, headers),
        "name": "ci",
        "reason": "as agreed",
    }


def test_what_was_undone_says_by_which_other_decision(client: FlaskClient, store: Store) -> None:
    done = {"state": ProposalState.SEEN, "steps": (Step(state=ProposalState.SEEN, at=NOW),)}
    made = keep_proposal(store, **done)
    inverse = keep_proposal(store, undoes=made.decision_id, proposed_by="t2", **done)
    assert f"Undone by {inverse.decision_id}." in client.get(f"/v1/decisions/{made.decision_id}").json["because"]
    assert client.get(f"/v1/decisions/{inverse.decision_id}").json["because"] == list(inverse.because)
