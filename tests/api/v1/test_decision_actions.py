"""What people do with decisions: once, by whoever may, at the right time; and who is told why not."""

from __future__ import annotations

import io
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any, get_args

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from api.edge.context import Services
from api.schema.decisions import OPEN, AskedState
from shared.domain.jobs import JobState
from shared.domain.policies import Freeze, Policy, QueueRule
from shared.domain.proposal_states import ProposalState
from shared.domain.proposals import Proposal
from shared.store import Store
from tests.api.a_cluster import NOW, a_tree
from tests.api.decided import id_of, keep_proposal, with_cluster
from tests.api.scene import Granting, Headers
from tests.decisions import DAY
from tests.factories import a_job, a_schedule

WHY = {"reason": "month's end"}
NO_HEADERS: Headers = {}


@pytest.fixture(autouse=True)
def cluster(services: Services) -> None:
    with_cluster(services, "prod")


def act(client: FlaskClient, made: Proposal, action: str, headers: Headers = NO_HEADERS, body: Any = None) -> TestResponse:
    return client.post(f"/v1/decisions/{made.decision_id}/{action}", json=body or WHY, headers=headers)


def said(store: Store, **changes: Any) -> None:
    default = Policy(cluster="prod", parent="root")
    assert store.policies.replace(default, replace(default, version=1, **changes))


def test_a_decision_is_approved_and_exported_each_step_with_its_trace(client: FlaskClient, store: Store, grant: Granting) -> None:
    made, headers = keep_proposal(store), grant("approve")
    approved = act(client, made, "approve", headers)
    assert (approved.status_code, approved.json["state"]) == (200, "approved")
    assert approved.json["actions"]["export"] is None
    exported = act(client, made, "export", headers)
    assert (exported.status_code, exported.json["state"]) == (200, "exported")
    assert [file["name"] for file in exported.json["files"]] == ["README.txt", "sched-conf.xml"]
    whose = id_of(store, headers)
    trail = [(entry.what, entry.who, entry.source, entry.reason) for entry in store.audits.of(made.decision_id)]
    assert trail == [
        ("proposed", "queuecast", "", ""),
        ("approved", whose, "127.0.0.1", "month's end"),
        ("exported", whose, "127.0.0.1", "month's end"),
    ]


@pytest.mark.parametrize("action", ["approve", "export"])
def test_nobody_opens_the_way_by_a_policy_and_then_goes_it(
    client: FlaskClient, store: Store, grant: Granting, action: str
) -> None:
    made, mine, theirs, theirs_too = keep_proposal(store), grant("approve"), grant("approve"), grant("approve")
    said(store, freezes=freezes_of_now())
    if action == "export":
        store.policies.replace(policy := store.policies.of(made.group), replace(policy, freezes=(), version=2))
        assert act(client, made, "approve", theirs).status_code == 200
        store.policies.replace(policy := store.policies.of(made.group), replace(policy, freezes=freezes_of_now(), version=3))
    lifted = client.put("/v1/policies/root", json={}, headers={"If-Match": "*", **mine})
    assert lifted.status_code == 200
    assert client.put("/v1/policies/root", json={"max_changes": 4}, headers={"If-Match": "*", **theirs_too}).status_code == 200
    refused = act(client, made, action, mine)
    assert (refused.status_code, "changed the policy of root" in refused.json["detail"]) == (403, True)
    assert act(client, made, action, theirs).status_code == 200


def test_who_has_chosen_the_policy_decides_for_a_day_on_nothing_made_under_it(
    client: FlaskClient, store: Store, grant: Granting
) -> None:
    mine, theirs = grant("approve"), grant("approve")
    assert client.put("/v1/policies/root", json={"max_changes": 4}, headers={"If-Match": "*", **mine}).status_code == 200
    made = keep_proposal(store)
    refused = act(client, made, "approve", mine)
    assert (refused.status_code, "made under it before" in refused.json["detail"]) == (403, True)
    told = client.get(f"/v1/decisions/{made.decision_id}", headers=mine).json
    assert "changed the policy of root" in told["actions"]["approve"]
    assert act(client, made, "approve", theirs).status_code == 200


def freezes_of_now() -> tuple[Freeze, ...]:
    return (Freeze(start_at=NOW - DAY, end_at=NOW + 2 * DAY),)


def test_what_is_done_again_by_the_same_person_is_answered_the_same(client: FlaskClient, store: Store, grant: Granting) -> None:
    made, mine, theirs = keep_proposal(store), grant("approve"), grant("approve")
    first, again = act(client, made, "approve", mine), act(client, made, "approve", mine)
    assert (again.status_code, again.json) == (200, first.json)
    other = act(client, made, "approve", theirs)
    assert (other.status_code, "it is approved" in other.json["detail"]) == (409, True)
    assert act(client, made, "export", mine).json == act(client, made, "export", theirs).json
    assert act(client, made, "approve", mine).status_code == 200
    assert [act(client, made, "reject", who).status_code for who in (theirs, theirs, mine)] == [200, 200, 409]
    assert [step.state for step in store.proposals.get(made.decision_id).steps] == [
        *("proposed", "approved", "exported", "rejected")
    ]


def test_of_many_who_approve_at_once_one_does(client: FlaskClient, store: Store, grant: Granting) -> None:
    made, people = keep_proposal(store), [grant("approve") for _ in range(6)]
    app = client.application
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda headers: act(app.test_client(), made, "approve", headers), people * 2))
    counts = [sum(answer.status_code == status for answer in answers) for status in (200, 409)]
    whose = store.proposals.get(made.decision_id).steps[-1].who
    assert counts == [2, 10]  # the one who was first has asked twice
    assert [entry.what for entry in store.audits.of(made.decision_id)] == ["proposed", "approved"]
    assert whose in {id_of(store, headers) for headers in people}


def test_approved_and_rejected_at_once_it_is_one_of_both(client: FlaskClient, store: Store, grant: Granting) -> None:
    made, app = keep_proposal(store), client.application
    calls = [("approve", grant("approve")), ("reject", grant("approve"))] * 3
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda call: act(app.test_client(), made, *call), calls))
    steps = [step.state.value for step in store.proposals.get(made.decision_id).steps]
    assert steps in (["proposed", "rejected"], ["proposed", "approved", "rejected"])
    assert [entry.what for entry in store.audits.of(made.decision_id)] == steps


def test_who_has_asked_by_hand_does_not_approve_it(client: FlaskClient, store: Store, grant: Granting) -> None:
    mine, theirs = grant("approve"), grant("approve")
    made = keep_proposal(store, proposed_by=id_of(store, mine), proposed_by_name="ci")
    refused = act(client, made, "approve", mine)
    assert (refused.status_code, refused.json["type"]) == (403, "urn:queuecast:second-person-needed")
    told = client.get(f"/v1/decisions/{made.decision_id}", headers=mine).json["actions"]["approve"]
    assert told == refused.json["detail"]
    assert act(client, made, "approve", theirs).status_code == 200


def test_while_there_is_no_token_nobody_is_a_second_person(client: FlaskClient, store: Store) -> None:
    by_hand = keep_proposal(store, proposed_by="local", proposed_by_name="local")
    refused = act(client, by_hand, "approve")
    assert (refused.status_code, "queuecast token create --scope approve" in refused.json["detail"]) == (403, True)
    assert act(client, by_hand, "reject").status_code == 200
    assert act(client, keep_proposal(store), "approve").status_code == 200


def test_the_scope_and_the_owners_of_a_policy_decide_who_may(client: FlaskClient, store: Store, grant: Granting) -> None:
    made, owner, half, other, admin = (
        keep_proposal(store),
        *(grant(scope) for scope in ("approve", "approve", "approve", "admin")),
    )
    rules = (
        QueueRule(queue="root.etl", owners=(id_of(store, owner), id_of(store, half))),
        QueueRule(queue="root.adhoc", owners=(id_of(store, owner),)),
    )
    said(store, queues=rules)
    for action in ("approve", "reject"):
        refused = act(client, made, action, grant("write"))
        assert (refused.status_code, refused.json["type"]) == (403, "urn:queuecast:scope-missing")
        for headers in (half, other, admin):
            refused = act(client, made, action, headers)
            assert (refused.status_code, "name others as owners" in refused.json["detail"]) == (403, True)
    assert act(client, made, "approve", owner).status_code == 200
    for action in ("export", "reject"):
        assert act(client, made, action, half).status_code == 403
    assert act(client, made, "export", owner).status_code == 200


def test_nothing_is_approved_or_exported_out_of_its_time(client: FlaskClient, store: Store) -> None:
    late = keep_proposal(store, at=NOW - 2 * DAY)
    for action in ("approve", "export"):
        assert act(client, late, action).status_code == 409
    made = keep_proposal(store)
    said(store, freezes=(Freeze(start_at=NOW - DAY, end_at=NOW + timedelta(hours=3), reason="month's end"),))
    frozen = act(client, made, "approve")
    assert (frozen.status_code, "(month's end)" in frozen.json["detail"]) == (409, True)


def test_a_tree_that_was_configured_otherwise_since_forbids_both(client: FlaskClient, store: Store, services: Services) -> None:
    made, root = keep_proposal(store), a_tree().by_path["root.etl"]
    assert act(client, made, "approve").status_code == 200
    others = tuple(queue for queue in a_tree().queues if queue is not root and queue.path != "root.etl")
    store.trees.put("prod", replace(a_tree(), queues=others), NOW + DAY)
    refused = act(client, made, "export")
    assert (refused.status_code, "ask for a new one" in refused.json["detail"]) == (409, True)
    assert store.proposals.get(made.decision_id).state is ProposalState.APPROVED
    newer = keep_proposal(store, at=NOW + timedelta(minutes=1), cluster="test")
    unread = act(client, newer, "approve")
    assert (unread.status_code, "queuecast collect" in unread.json["detail"]) == (409, True)


@pytest.mark.parametrize("state", ["rejected", "superseded", "expired", "failed", "kept", "seen", "applying"])
def test_what_is_over_stays_as_it_is_and_says_what_to_do(client: FlaskClient, store: Store, state: str) -> None:
    made = keep_proposal(store, state=ProposalState(state))
    for action in ("approve", "reject"):
        refused = act(client, made, action)
        assert refused.status_code == 409
        assert ("ask for a new one" in refused.json["detail"]) == (state != "applying")
    assert store.proposals.get(made.decision_id) == made


@pytest.mark.parametrize(
    ("action", "body", "loc"),
    [
        ("reject", {}, "reason"),
        ("reject", {"reason": ""}, "reason"),
        ("reject", {"reason": "  "}, "reason"),
        ("reject", {"reason": None}, "reason"),
        ("reject", {"reason": 1}, "reason"),
        ("reject", {"reason": ["no"]}, "reason"),
        ("reject", {"reason": "x" * 1_001}, "reason"),
        ("reject", {"reason": "a\nb"}, "reason"),
        ("reject", {"reason": "\ud800"}, "reason"),
        ("approve", {"reason": {"$gt": ""}}, "reason"),
        ("approve", {"reason": "\x1b[31m"}, "reason"),
        ("approve", {"state": "seen"}, "state"),
        ("export", {"who": "somebody"}, "who"),
    ],
)
def test_what_is_no_reason_is_refused(client: FlaskClient, store: Store, action: str, body: Any, loc: str) -> None:
    made = keep_proposal(store)
    refused = client.post(f"/v1/decisions/{made.decision_id}/{action}", json=body)
    assert (refused.status_code, refused.json["errors"][0]["loc"]) == (422, [loc])
    assert store.proposals.get(made.decision_id) == made


def test_a_body_may_be_left_out_where_nothing_has_to_be_said(client: FlaskClient, store: Store) -> None:
    made = keep_proposal(store)
    assert client.post(f"/v1/decisions/{made.decision_id}/reject").status_code in {415, 422}
    assert client.post(f"/v1/decisions/{made.decision_id}/approve").status_code == 200
    assert client.post(f"/v1/decisions/{made.decision_id}/export").status_code == 200
    assert client.post(f"/v1/decisions/{made.decision_id}/export", data="x" * 30_000).status_code == 413


def test_pages_of_others_decide_nothing(client: FlaskClient, store: Store) -> None:
    made = keep_proposal(store)
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        refused = act(client, made, "approve", headers)
        assert (refused.status_code, refused.json["type"]) == (403, "urn:queuecast:cross-site-request")
    assert store.proposals.get(made.decision_id) == made


def test_every_step_is_in_the_log_also_one_that_is_refused(client: FlaskClient, store: Store, written: io.StringIO) -> None:
    made = keep_proposal(store)
    act(client, made, "export")
    act(client, made, "approve")
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    mine = [line for line in lines if line.get("decision_id") == made.decision_id]
    told = [(line["what"], line["outcome"]) for line in mine]
    assert told[-3:] == [("export_decision", 409), ("decision_approved", "done"), ("approve_decision", 200)]


def test_every_state_can_be_asked_for() -> None:
    assert set(get_args(AskedState)) == {OPEN, *(state.value for state in ProposalState)}


def test_who_has_chosen_the_data_of_a_job_does_not_approve_what_comes_of_it(
    client: FlaskClient, store: Store, grant: Granting
) -> None:
    mine, other = grant("approve"), grant("approve")
    job = replace(a_job(), client=id_of(store, mine))
    store.jobs.add(job)
    made = keep_proposal(store, forecast_jobs=(job.job_id,))
    refused = act(client, made, "approve", mine)
    assert (refused.status_code, "its forecasts are of a job of yours" in refused.json["detail"]) == (403, True)
    assert act(client, made, "approve", other).status_code == 200
    schedule = replace(a_schedule(), client=id_of(store, mine))
    store.schedules.add(schedule)
    due = replace(a_job(job_id="20260105T060000-000000000a"), client=id_of(store, other), schedule_id=schedule.schedule_id)
    store.jobs.add(due)
    later = keep_proposal(store, forecast_jobs=(due.job_id,), at=NOW + timedelta(seconds=1))
    assert "of a schedule of yours" in act(client, later, "approve", mine).json["detail"]
    assert act(client, later, "approve", other).status_code == 200
    store.schedules.remove(schedule.schedule_id)  # what is gone is theirs all the same
    due_of_mine = replace(due, job_id="20260105T070000-000000000a", client=id_of(store, mine))
    store.jobs.add(replace(due_of_mine, state=JobState.SUCCEEDED, ended_at=NOW))
    last = keep_proposal(store, forecast_jobs=(due_of_mine.job_id,), at=NOW + timedelta(seconds=2))
    assert "of a schedule of yours" in act(client, last, "approve", mine).json["detail"]
    assert client.delete(f"/v1/jobs/{due_of_mine.job_id}", headers=other).status_code == 204
    assert "of a job of yours" in act(client, last, "approve", mine).json["detail"]
    assert act(client, last, "approve", other).status_code == 200
