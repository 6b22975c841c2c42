"""What is asked of sources: where the rows begin, the odd periods, and a query to be changed in one place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from shared.domain.jobs import Place
from shared.domain.samples import Aggregation
from worker.sources.base import Query

START = datetime(2026, 1, 1, tzinfo=UTC)  # a Thursday: engines disagree on weeks
DAYS = 30
PERIODS = {"1h": 3_600, "45min": 2_700, "7h": 25_200, "5d": 432_000, "1w": 604_800}


def all_queues(place: Place, *fields: str) -> Query:
    """What a source is asked for the queues that it has."""
    return a_query(place, queue="", queue_field=fields or ("queue",))


def a_query(place: Place, **changes: object) -> Query:
    values = {
        "place": place,
        "queue": "root.etl",
        "queue_fields": ("queue",),
        "time_field": "timestamp",
        "target": "used_capacity",
        "columns": None,
        "start": START,
        "end": START + timedelta(days=DAYS),
        "step_seconds": 3_600,
        "aggregation": Aggregation.MEAN,
    }
    if "queue_field" in changes:
        field = changes.pop("queue_field")
        changes["queue_fields"] = field if isinstance(field, tuple) else (field,)
    return Query(**(values | changes))  # type: ignore[arg-type]
