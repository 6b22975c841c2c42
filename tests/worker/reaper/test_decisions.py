"""Decisions whose task is lost: sent again, and ended after a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from shared.config.settings import Settings
from shared.domain.decision_requests import FIRST_PAUSE, MAX_PAUSE, MAX_SENT, NOBODY, Outcome, asked_by_hand
from shared.domain.policies import Group
from tests.factories import MONDAY
from worker.job.resources import Resources
from worker.reaper.decisions import send_lost

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
