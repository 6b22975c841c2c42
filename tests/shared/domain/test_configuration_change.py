"""What has changed of a queue's configuration, in words."""

from __future__ import annotations

import pytest

from shared.domain.configuration_change import GONE, ConfigChange
from tests.factories import MONDAY


@pytest.mark.parametrize(
    ("before", "capacity", "maximum", "state", "words"),
    [
        ("40, maximum 100, RUNNING", "60", "100", "RUNNING", "capacity 40 → 60"),
        ("40, maximum 100, RUNNING", "40", "80", "STOPPED", "maximum 100 → 80; state RUNNING → STOPPED"),
        ("40", "2w", "", "", "capacity 40 → 2w"),
        ("40, RUNNING", "40", "50", "RUNNING", "maximum none → 50"),
        ("40, maximum 50", "40", "", "", "maximum 50 → none"),
        ("[memory=1,vcores=2]", "[memory=3,vcores=2]", "", "", "capacity [memory=1,vcores=2] → [memory=3,vcores=2]"),
        ("", "40", "100", "RUNNING", "new: 40, maximum 100, RUNNING"),
        ("40, RUNNING", "40", "", GONE, "gone; it was 40, RUNNING"),
    ],
)
def test_a_change_says_what_was_and_what_is(before: str, capacity: str, maximum: str, state: str, words: str) -> None:
    change = ConfigChange(
        cluster="prod",
        queue="root.etl",
        partition="default",
        changed_at=MONDAY,
        mode="percentage",
        capacity=capacity,
        maximum=maximum,
        weight=None,
        state=state,
        by="seen",
        before=before,
    )
    assert change.words == words
