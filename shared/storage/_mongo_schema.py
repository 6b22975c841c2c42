"""Collections of the MongoDB store: their indexes, and the names that several of its methods share."""

from __future__ import annotations

from typing import Any

from pymongo import ASCENDING, DESCENDING

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
    ],
    "tokens": [({"digest": ASCENDING}, {"unique": True})],
    "actuals": [
        (
            {"queue": ASCENDING, "metric": ASCENDING, "period_seconds": ASCENDING, "timestamp": ASCENDING},
            {"unique": True},
        )
    ],
}
