"""Collections of the MongoDB store: their indexes, those of earlier releases, and the names that several of its methods share."""

from __future__ import annotations

from typing import Any

from pymongo import ASCENDING, DESCENDING
from pymongo.database import Database

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
    "sessions": [({"token_id": ASCENDING, "created_at": DESCENDING}, {}), ({"expires_at": ASCENDING}, {})],
    "actuals": [
        (
            {"queue": ASCENDING, "metric": ASCENDING, "period_seconds": ASCENDING, "timestamp": ASCENDING},
            {"unique": True},
        )
    ],
}
RETIRED = ("signing_keys",)  # until release 0.1 a key that signed sessions; nothing reads it any more


def prepare(database: Database[dict[str, Any]]) -> None:
    """Make the indexes that are missing, and drop what an earlier release has left; nothing happens the second time."""
    for collection, indexes in INDEXES.items():
        for keys, options in indexes:
            database[collection].create_index(list(keys.items()), **options)
    for name in RETIRED:
        database.drop_collection(name)
