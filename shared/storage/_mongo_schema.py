"""Collections of the MongoDB store: their indexes, and the names that several of its methods share."""

from __future__ import annotations

from typing import Any

from pymongo import ASCENDING, DESCENDING

STEP_COLUMNS = ("timestamp", "step", "prediction", "lower_bound", "upper_bound")  # arrays of a forecast's document
SERIES = ("queue", "metric", "job")
# collection → keys of an index, and its options; made by us, on our own collections only
INDEXES: dict[str, list[tuple[dict[str, int], dict[str, Any]]]] = {
    "jobs": [
        ({"created_at": DESCENDING, "_id": DESCENDING}, {}),
        ({"state": ASCENDING, "created_at": DESCENDING}, {}),
        (
            {"client": ASCENDING, "idempotency_key": ASCENDING},
            {"unique": True, "partialFilterExpression": {"idempotency_key": {"$type": "string"}}},
        ),
    ],
    "leaderboards": [({"job_id": ASCENDING, "queue": ASCENDING}, {"unique": True})],
    "outcomes": [({"job_id": ASCENDING, "queue": ASCENDING, "rank": ASCENDING}, {"unique": True})],
    "forecasts": [
        ({"queue": ASCENDING, "metric": ASCENDING, "job": ASCENDING, "issued_at": DESCENDING}, {"unique": True}),
        ({"job_id": ASCENDING}, {}),
        ({"created_at": ASCENDING}, {}),
    ],
    "accuracy": [
        (
            {"queue": ASCENDING, "metric": ASCENDING, "job": ASCENDING, "issued_at": DESCENDING, "first_step": ASCENDING},
            {"unique": True},
        ),
        ({"metric": ASCENDING, "issued_at": ASCENDING}, {}),
        ({"created_at": ASCENDING}, {}),
    ],
    "tokens": [({"digest": ASCENDING}, {"unique": True})],
    "actuals": [
        (
            {"queue": ASCENDING, "metric": ASCENDING, "period_seconds": ASCENDING, "timestamp": ASCENDING},
            {"unique": True},
        )
    ],
}
