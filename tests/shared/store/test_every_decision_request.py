"""Requests for decisions, held with every database."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.domain.decision_requests import FIRST_PAUSE, MAX_SENT, NOBODY, Outcome, asked_by_hand, ended, sent_again
from shared.domain.policies import Group
from shared.errors import ProposalNotFound
from shared.store import Store
from tests.factories import MONDAY

ASKED = asked_by_hand(Group("", "prod", "root"), MONDAY, "t1", "ops", 12.0)
LATER = MONDAY + FIRST_PAUSE


def test_what_is_asked_for_is_kept_once_and_is_due_until_it_is_over(store: Store) -> None:
    requests = store.decision_requests
    assert requests.find(ASKED.decision_id) is None
    assert requests.add(ASKED)
    assert not requests.add(replace(ASKED, horizon_hours=6.0))
    assert requests.get(ASKED.decision_id) == requests.find(ASKED.decision_id) == ASKED
    assert requests.due(MONDAY, 10) == []
    assert requests.due(LATER, 10) == [ASKED]
    requests.end(ASKED.decision_id, Outcome.NOTHING, "nothing is forecast of them", LATER)
    requests.end(ASKED.decision_id, Outcome.DECIDED, "", LATER)
    assert requests.get(ASKED.decision_id) == ended(ASKED, Outcome.NOTHING, "nothing is forecast of them", LATER)
    assert requests.due(LATER, 10) == []


def test_of_two_who_send_it_again_one_does(store: Store) -> None:
    requests, again = store.decision_requests, sent_again(ASKED, LATER)
    requests.add(ASKED)
    assert requests.replace(ASKED, again)
    assert not requests.replace(ASKED, again)
    assert requests.get(ASKED.decision_id) == again


def test_what_is_gone_is_neither_replaced_nor_ended(store: Store) -> None:
    requests = store.decision_requests
    assert not requests.replace(ASKED, sent_again(ASKED, LATER))
    requests.end(ASKED.decision_id, Outcome.FAILED, NOBODY, LATER)
    with pytest.raises(ProposalNotFound):
        requests.get(ASKED.decision_id)


def test_a_task_is_sent_again_with_growing_pauses_and_an_end() -> None:
    request, pauses = ASKED, list[float]()
    while request.due_at is not None:
        now = request.due_at
        request = sent_again(request, now)
        pauses += [] if request.due_at is None else [(request.due_at - now).total_seconds()]
    assert pauses == [120.0, 240.0, 480.0, 600.0][: MAX_SENT - 1]
    assert (request.outcome, request.error) == (Outcome.FAILED, NOBODY)
