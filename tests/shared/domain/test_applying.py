"""How often changes are sent to a cluster."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.domain.applying import why_too_often
from shared.domain.configuration_change import ConfigChange
from tests.decisions import a_proposal
from tests.factories import MONDAY

HOUR = timedelta(hours=1)


def test_what_undoes_the_last_change_need_not_wait_for_six_hours() -> None:
    first, last = (a_proposal(at=MONDAY + hours * HOUR, put_at=MONDAY + hours * HOUR) for hours in (0, 1))
    now = MONDAY + 2 * HOUR
    new = a_proposal(at=now, proposed_by="t1")
    assert "changed less than 6 h ago" in why_too_often(new, [first, last], [], now)
    assert "so from 2026-01-05 07:00" in why_too_often(new, [first, last], [], now)
    assert why_too_often(a_proposal(at=now, undoes=last.decision_id), [first, last], [], now) == ""
    assert why_too_often(a_proposal(at=now, undoes=first.decision_id), [first, last], [], now) != ""
    assert why_too_often(new, [first, last], [], MONDAY + 7 * HOUR) == ""


@pytest.mark.parametrize(
    ("queue", "by", "before", "waits"),
    [
        ("root.bi", "seen", "40", True),
        ("root.bi", "another", "40", True),
        ("root.bi", "", "40", False),
        ("root.bi", "seen", "", False),
        ("root.users.ada", "seen", "40", False),
    ],
    ids=["by-hand", "another-decision", "what-it-undoes", "seen-first", "elsewhere"],
)
def test_what_others_have_changed_below_the_parent_counts_too(queue: str, by: str, before: str, *, waits: bool) -> None:
    undone = a_proposal(at=MONDAY, proposed_by="t2").decision_id
    row = ConfigChange(
        cluster="prod",
        queue=queue,
        partition="default",
        changed_at=MONDAY,
        mode="percentage",
        capacity="45",
        maximum="",
        weight=None,
        state="RUNNING",
        by=by or undone,
        before=before,
    )
    new = a_proposal(at=MONDAY + HOUR, undoes=undone if not by else "")
    assert ("changed less than 6 h ago" in why_too_often(new, [], [row], MONDAY + HOUR)) is waits
    assert why_too_often(new, [], [row], MONDAY + 6 * HOUR) == ""
