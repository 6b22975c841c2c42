"""Decisions that count on another one: approved before it, put into force after it, and over with it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient

from api.edge.context import Services
from shared.decisions import carry
from shared.domain.proposal_states import ProposalState
from shared.domain.proposals import Proposal, Step
from shared.store import Store
from tests.api.decided import keep_proposal, with_applier, with_cluster


@pytest.fixture(autouse=True)
def cluster(services: Services) -> None:
    with_cluster(services, "prod")
    with_applier(services)


def counting(store: Store, state: ProposalState) -> tuple[Proposal, Proposal]:
    """One about root in that state, and one that counts on it, and on a tree which is not there yet."""
    above = keep_proposal(store, state=state)
    return above, keep_proposal(store, parent="root.etl", follows=above.decision_id, tree_hash="1" * 64)


def test_it_is_approved_before_and_handed_over_after_the_one_it_counts_on(client: FlaskClient, store: Store) -> None:
    above, made = counting(store, ProposalState.PROPOSED)
    path = f"/v1/decisions/{made.decision_id}"
    assert client.post(f"{path}/approve").status_code == 200
    for action in ("export", "apply", "validate"):
        refused = client.post(f"{path}/{action}")
        why = f"{above.decision_id}, which it counts on, has to be in force first"
        assert (refused.status_code, why in refused.json["detail"]) == (409, True), refused.json
    assert client.get(f"{path}/files/README.txt").status_code == 409
    assert client.get(path).json["files"] == []


@pytest.mark.parametrize("state", [ProposalState.REJECTED, ProposalState.SUPERSEDED, ProposalState.EXPIRED])
def test_nothing_can_be_done_with_it_once_the_one_it_counts_on_is_over(
    client: FlaskClient, store: Store, state: ProposalState
) -> None:
    _, made = counting(store, state)
    actions = client.get(f"/v1/decisions/{made.decision_id}").json["actions"]
    refused = client.post(f"/v1/decisions/{made.decision_id}/approve")
    assert (refused.status_code, "which it counted on" in refused.json["detail"]) == (409, True)
    assert "which it counted on" in actions["approve"]


def test_once_that_is_in_force_the_tree_has_to_be_as_counted_on(client: FlaskClient, store: Store) -> None:
    _, made = counting(store, ProposalState.SEEN)
    refused = client.post(f"/v1/decisions/{made.decision_id}/approve")
    assert (refused.status_code, "configured otherwise" in refused.json["detail"]) == (409, True)


def test_right_after_that_came_into_force_one_waits_until_the_cluster_is_read(client: FlaskClient, store: Store) -> None:
    above, made = counting(store, ProposalState.APPROVED)
    now = datetime.now(UTC) + timedelta(minutes=1)
    carry(store, above.decision_id, Step(state=ProposalState.EXPORTED, at=now, who="t1", name="ops"))
    carry(store, above.decision_id, Step(state=ProposalState.SEEN, at=now, who="queuecast", name="queuecast"))
    refused = client.post(f"/v1/decisions/{made.decision_id}/approve")
    assert refused.status_code == 409
    assert f"{above.decision_id} is in force since {now:%H:%M:%S} UTC: ask again in a moment" in refused.json["detail"]


def test_pages_name_and_link_what_it_counts_on(client: FlaskClient, store: Store) -> None:
    above, made = counting(store, ProposalState.PROPOSED)
    for page in (f"/decisions/{made.decision_id}", "/decisions"):
        assert f'counts on <a href="/decisions/{above.decision_id}">' in client.get(page).text
    assert "counts on" not in client.get(f"/decisions/{above.decision_id}").text
