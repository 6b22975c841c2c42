"""Where weeks cannot be learned from the history asked for, and the source has more, one sentence says what to ask for."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.factories import MONDAY, a_load, a_spec
from tests.worker.pipeline.factories import a_snapshot
from worker.pipeline.more_history import more_history
from worker.sources.base import Reading


def sentence(days: int, oldest_at: datetime | None, **changes: int) -> str | None:
    load = a_load(days * 24)
    return more_history(a_snapshot(load), Reading(frame=load.to_frame(), rows=len(load), oldest_at=oldest_at), a_spec(**changes))


def test_what_to_ask_for_is_said() -> None:
    assert sentence(14, MONDAY - timedelta(days=21)) == (
        "the history asked for is too short to learn weeks, and the source has more, from 2025-12-15 00:00 UTC on at the latest: "
        "ask for `data_ingestion_time_period` of 28d"
    )


@pytest.mark.parametrize(
    ("days", "days_there", "changes"),
    [(14, 14, {}), (14, None, {}), (28, 60, {}), (20, 60, {}), (14, 60, {"step_seconds": 86_400, "window_steps": 1})],
    ids=["it has no more", "nobody saw more", "it was asked for", "weeks can be learned", "steps of days"],
)
def test_nothing_is_said_where_more_would_not_help(days: int, days_there: int | None, changes: dict[str, int]) -> None:
    assert sentence(days, days_there and MONDAY - timedelta(days=days_there), **changes) is None
