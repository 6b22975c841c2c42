"""Decisions that are put into force, or tried: by whoever may, where a connection may, and never while that is switched off."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient

from api.edge.context import Services
from deploy.fake_cluster import FakeCluster
from deploy.fake_rm import Fleet, running
from shared.domain.policies import Policy, QueueRule
from shared.domain.property_change import PropertyChange
from shared.domain.proposal_states import ProposalState
from shared.domain.proposals import Proposal
from shared.drivers.yarn import YarnCluster
from shared.fleet.broker import TaskName
from shared.fleet.runstate import RunState
from shared.store import Store
from shared.yarn.fingerprint import fingerprint
from tests.api.decided import id_of, keep_proposal, with_applier, with_cluster
from tests.api.scene import Granting, waiting_in_the_plan_lane
from tests.shared.yarn.trees import properties

PATCH = (
    PropertyChange(queue="root.etl", key="capacity", before="60", after="55.5"),
    PropertyChange(queue="root.bi", key="capacity", before="40", after="44.5"),
)


@pytest.fixture(autouse=True)
def cluster(services: Services) -> None:
    with_cluster(services, "prod")


@pytest.fixture
def fleet(services: Services) -> Iterator[Fleet]:
    with running(FakeCluster(properties(etl="60", bi="40")), [0]) as fleet:
        with_applier(services, *fleet.urls)
        services.store.trees.put("prod", YarnCluster(fleet.urls).snapshot().tree, datetime.now(UTC))
        yield fleet


def approved(client: FlaskClient, made: Proposal) -> str:
    path = f"/v1/decisions/{made.decision_id}"
    assert client.post(f"{path}/approve").status_code == 200
    return path


def of_fleet(store: Store, fleet: Fleet) -> Proposal:
    tree = YarnCluster(fleet.urls).snapshot().tree
    return keep_proposal(store, patch=PATCH, tree_hash=fingerprint(tree, "root", ""))


def test_an_approved_decision_is_applied_by_somebody_who_is_told(
    client: FlaskClient, services: Services, store: Store, run_state: RunState
) -> None:
    with_applier(services)
    path = approved(client, keep_proposal(store))
    accepted = client.post(f"{path}/apply")
    assert (accepted.status_code, accepted.headers["Location"], accepted.json["state"]) == (202, path, "applying")
    [message] = [each for each in waiting_in_the_plan_lane(run_state) if each["headers"]["task"] == TaskName.APPLY]
    assert path.rpartition("/")[2] in message["headers"]["argsrepr"]
    assert client.post(f"{path}/apply").json["state"] == "applying"
    assert [step["state"] for step in client.get(path).json["steps"]] == ["proposed", "approved", "applying"]
    assert client.post(f"{path}/reject", json={"reason": "too late"}).status_code == 409


def test_where_nothing_may_be_applied_why_is_told(client: FlaskClient, services: Services, store: Store) -> None:
    made = keep_proposal(store)
    path = f"/v1/decisions/{made.decision_id}"
    early = client.post(f"{path}/apply")
    assert (early.status_code, "applying follows on approved or exported" in early.json["detail"]) == (409, True)
    approved(client, made)
    for action in ("apply", "validate"):
        without = client.post(f"{path}/{action}")
        assert (without.status_code, "no connection may apply to the cluster prod" in without.json["detail"]) == (409, True)
    with_applier(services)
    services.settings = services.settings.model_copy(update={"apply": "off"})
    for action in ("apply", "validate"):
        off = client.post(f"{path}/{action}")
        assert (off.status_code, "QUEUECAST_APPLY is off" in off.json["detail"]) == (409, True)
    assert store.proposals.get(made.decision_id).state is ProposalState.APPROVED
    assert "QUEUECAST_APPLY is off" in client.get(path).json["actions"]["apply"]


def test_only_owners_have_it_applied_or_tried(
    client: FlaskClient, services: Services, store: Store, grant: Granting, fleet: Fleet
) -> None:
    made, owner, other = of_fleet(store, fleet), grant("approve"), grant("approve")
    rules = tuple(QueueRule(queue=queue, owners=(id_of(store, owner),)) for queue in made.queues)
    default = Policy(cluster="prod", parent="root")
    assert store.policies.replace(default, Policy(cluster="prod", parent="root", queues=rules, version=1))
    path = f"/v1/decisions/{made.decision_id}"
    assert client.post(f"{path}/approve", headers=owner).status_code == 200
    for action in ("apply", "validate"):
        assert client.post(f"{path}/{action}", headers=other).json["type"] == "urn:queuecast:owners-only"
        assert client.post(f"{path}/{action}", headers=grant("write")).json["type"] == "urn:queuecast:scope-missing"
    assert client.post(f"{path}/validate", headers=owner).status_code == 200
    assert client.post(f"{path}/apply", headers=owner).status_code == 202


def test_the_cluster_tries_it_and_takes_nothing_up(client: FlaskClient, store: Store, fleet: Fleet) -> None:
    made = of_fleet(store, fleet)
    path = f"/v1/decisions/{made.decision_id}/validate"
    told = client.post(path, json={"reason": "a look"})
    assert (told.status_code, told.json) == (200, {"decision_id": made.decision_id, "is_accepted": True, "words": ""})
    assert fleet.cluster.properties["yarn.scheduler.capacity.root.etl.capacity"] == "60"
    [_, entry] = store.audits.of(made.decision_id)
    assert (entry.what, entry.who, entry.source, entry.reason) == ("validated", "local", "127.0.0.1", "a look")
    again = client.post(path)
    assert (again.status_code, "accepted is one in 5 min" in again.json["detail"]) == (409, True)


def test_what_the_cluster_has_against_it_is_told_in_its_words(client: FlaskClient, store: Store, fleet: Fleet) -> None:
    made = of_fleet(store, fleet)
    wrong = (PATCH[0], PropertyChange(queue="root.bi", key="capacity", before="40", after="99"))
    refused = keep_proposal(store, patch=wrong, tree_hash=made.tree_hash, proposed_by="t2")
    told = client.post(f"/v1/decisions/{refused.decision_id}/validate").json
    assert (told["is_accepted"], "Illegal capacity sum" in told["words"]) == (False, True)


def test_a_cluster_that_does_not_answer_is_told_as_such(client: FlaskClient, services: Services, store: Store) -> None:
    with_applier(services, "http://127.0.0.1:9")
    made = keep_proposal(store)
    away = client.post(f"/v1/decisions/{made.decision_id}/validate")
    assert (away.status_code, "127.0.0.1" in away.text) == (503, False)
    assert [entry.what for entry in store.audits.of(made.decision_id)] == ["proposed", "validated"]
    assert client.post(f"/v1/decisions/{made.decision_id}/validate").status_code == 409  # it may have come all the same


def test_what_is_in_force_is_undone_by_a_proposal_of_its_own(
    client: FlaskClient, store: Store, run_state: RunState, grant: Granting
) -> None:
    raised = (PropertyChange(queue="root.etl", key="capacity", before="40", after="60"),)  # as its tree has it
    seen, headers = keep_proposal(store, patch=raised, state=ProposalState.SEEN), grant("approve")
    path = f"/v1/decisions/{seen.decision_id}"
    asked = client.post(f"{path}/inverse", headers=headers)
    assert (asked.status_code, asked.json["state"], asked.json["proposed_by"]) == (202, "asked", id_of(store, headers))
    request = store.decision_requests.get(asked.json["decision_id"])
    assert (request.undoes, request.decision_id != seen.decision_id) == (seen.decision_id, True)
    assert [each["headers"]["task"] for each in waiting_in_the_plan_lane(run_state)] == [TaskName.DECIDE]
    assert store.proposals.get(seen.decision_id) == seen
    assert client.post(f"{path}/inverse", headers=grant("write")).status_code == 403


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"state": ProposalState.APPROVED}, "it is approved, and was not put into force"),
        ({"state": ProposalState.SEEN}, "its cluster does not show it"),
        ({"state": ProposalState.KEPT, "patch": ()}, "it changes nothing of a cluster"),
        ({"state": ProposalState.SEEN, "cluster": "test"}, "queuecast collect"),
    ],
)
def test_where_there_is_nothing_to_undo_why_is_told(
    client: FlaskClient, store: Store, changes: dict[str, object], why: str
) -> None:
    refused = client.post(f"/v1/decisions/{keep_proposal(store, **changes).decision_id}/inverse")
    assert (refused.status_code, why in refused.json["detail"]) == (409, True), refused.json["detail"]
