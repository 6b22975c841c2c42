"""Decisions whose task is lost: sent again, and ended after a while; and what becomes of proposals that nobody looks after."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.config.settings import Settings
from shared.domain.decision_requests import FIRST_PAUSE, MAX_PAUSE, MAX_SENT, NOBODY, Outcome, asked_by_hand
from shared.domain.notices import NoticeKind
from shared.domain.policies import Group
from shared.domain.proposal_states import ProposalState
from shared.domain.proposals import Step
from tests.decisions import DAY, a_proposal
from tests.factories import MONDAY
from worker.job.resources import Resources
from worker.reaper.decisions import APPLYING_EVERY, Rounds, expire, look, send_applying, send_lost, tell_expiring

ASKED = asked_by_hand(Group("", "prod", "root"), MONDAY, "t1", "ops")


@pytest.fixture
def here(settings: Settings) -> Iterator[Resources]:
    made = Resources(settings)
    with closing(made.store):
        yield made


def test_a_lost_decision_is_sent_again_until_it_has_been_sent_often_enough(here: Resources) -> None:
    sent = list[str]()
    here.store.decision_requests.add(ASKED)
    send_lost(here, MONDAY, sent.append)
    assert sent == []
    for times in range(2 * MAX_SENT):
        send_lost(here, MONDAY + FIRST_PAUSE + times * MAX_PAUSE, sent.append)
    assert sent == [ASKED.decision_id] * (MAX_SENT - 1)
    found = here.store.decision_requests.get(ASKED.decision_id)
    assert (found.outcome, found.error) == (Outcome.FAILED, NOBODY)


def test_what_is_over_is_not_sent_again(here: Resources) -> None:
    sent = list[str]()
    here.store.decision_requests.add(ASKED)
    here.store.decision_requests.end(ASKED.decision_id, Outcome.NOTHING, "nothing is forecast", MONDAY)
    send_lost(here, MONDAY + MAX_PAUSE, sent.append)
    assert sent == []


APPLYING = Step(state=ProposalState.APPLYING, at=MONDAY, who="t1", name="ops")


def test_what_nobody_has_put_into_force_in_its_time_expires(here: Resources) -> None:
    states = {"root.a": ProposalState.PROPOSED, "root.b": ProposalState.EXPORTED, "root.c": ProposalState.APPLYING}
    proposals = [a_proposal(parent=parent, state=state) for parent, state in states.items()]
    for proposal in proposals:
        here.store.proposals.add(proposal)
    expire(here, MONDAY + DAY - timedelta(seconds=1))
    assert {each.state for each in here.store.proposals.find()} == set(states.values())
    expire(here, MONDAY + DAY)
    found = [here.store.proposals.get(proposal.decision_id) for proposal in proposals]
    assert [each.state for each in found] == [ProposalState.EXPIRED, ProposalState.EXPIRED, ProposalState.APPLYING]
    assert [entry.what for entry in here.store.audits.of(proposals[0].decision_id)] == ["proposed", "expired"]


def test_what_is_being_applied_is_looked_after_once_a_minute(here: Resources) -> None:
    sent, rounds = list[str](), Rounds()
    proposal = a_proposal(state=ProposalState.APPLYING, steps=(APPLYING,))
    here.store.proposals.add(proposal)
    for seconds in (0, 59, 60, 65, 119, 120, 125):
        send_applying(here, MONDAY + timedelta(seconds=seconds), rounds, sent.append)
    assert sent == [proposal.decision_id] * 2
    here.store.proposals.change(proposal.decision_id, lambda known: replace(known, state=ProposalState.SEEN))
    send_applying(here, MONDAY + 9 * APPLYING_EVERY, rounds, sent.append)
    assert (len(sent), rounds.applying) == (2, {})


def test_what_is_missing_in_the_audit_trail_is_written(here: Resources) -> None:
    proposal = a_proposal()
    here.store.proposals.add(proposal)
    look(here, MONDAY, Rounds())
    assert [entry.what for entry in here.store.audits.of(proposal.decision_id)] == ["proposed"]


def test_of_a_proposal_that_expires_soon_people_are_told_once(here: Resources) -> None:
    proposal, rounds = a_proposal(), Rounds()
    other = a_proposal(cluster="test", state=ProposalState.REJECTED)
    for each in (proposal, other):
        here.store.proposals.add(each)
    for hours in (3, 1.5, 1):
        tell_expiring(here, proposal.end_at - timedelta(hours=hours), rounds)
    (notice,) = here.store.notices.due(proposal.end_at, 10)
    assert notice.kind is NoticeKind.PROPOSAL_EXPIRING
    assert notice.told["decision"]["decision_id"] == proposal.decision_id
    assert notice.told["decision"]["sentence"] == proposal.sentence
