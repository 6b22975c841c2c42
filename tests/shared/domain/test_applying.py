"""How often changes are sent to a cluster."""

from __future__ import annotations

from datetime import timedelta

from shared.domain.applying import why_too_often
from tests.decisions import a_proposal
from tests.factories import MONDAY

HOUR = timedelta(hours=1)


def test_what_undoes_the_last_change_need_not_wait_for_six_hours() -> None:
    first, last = (a_proposal(at=MONDAY + hours * HOUR, put_at=MONDAY + hours * HOUR) for hours in (0, 1))
    now = MONDAY + 2 * HOUR
    new = a_proposal(at=now, proposed_by="t1")
    assert "changed less than 6 h ago" in why_too_often(new, [first, last], now)
    assert "so from 2026-01-05 07:00" in why_too_often(new, [first, last], now)
    assert why_too_often(a_proposal(at=now, undoes=last.decision_id), [first, last], now) == ""
    assert why_too_often(a_proposal(at=now, undoes=first.decision_id), [first, last], now) != ""
    assert why_too_often(new, [first, last], MONDAY + 7 * HOUR) == ""
