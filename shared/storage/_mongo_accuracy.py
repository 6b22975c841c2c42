"""Accuracy in MongoDB: one document per lead of an issued forecast."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pymongo.collection import Collection as Documents

from shared.accuracy import SUMS, Accuracy, AccuracyFilter, ErrorSums
from shared.storage._accuracy_rows import KEY, accuracy, accuracy_row, sums, wanted_values
from shared.storage._mongo_writes import replace_all, speaks_mongo
from shared.storage._reading import page


class MongoAccuracies:
    """The part of MongoStore that keeps accuracy. Promises: shared/storage/accuracy.py."""

    def __init__(self, of: Callable[[str], Documents[dict[str, Any]]]) -> None:
        self._of = of

    @speaks_mongo()
    def save(self, records: Sequence[Accuracy]) -> None:
        """Keep records; the same key again replaces the earlier one."""
        if records:
            replace_all(self._of("accuracy"), KEY, [accuracy_row(record) for record in records])

    @speaks_mongo()
    def of_queue(self, queue: str, wanted: AccuracyFilter, limit: int) -> list[Accuracy]:
        """Records of the queue, the newest issue first; at most `limit`."""
        order = [("issued_at", -1), ("job", 1), ("first_step", 1)]
        matching = _matching(wanted) | {"queue": {"$eq": queue}}
        return page("accuracy", lambda most: list(self._of("accuracy").find(matching, sort=order, limit=most)), limit, accuracy)

    @speaks_mongo()
    def by_lead(self, queue: str, wanted: AccuracyFilter) -> dict[int, ErrorSums]:
        """First step of a lead → its sums over all forecasts of the queue."""
        added = {name: {"$sum": f"${name}"} for name in SUMS}
        return self._added(_matching(wanted) | {"queue": {"$eq": queue}}, "$first_step", added)

    @speaks_mongo()
    def by_queue(self, wanted: AccuracyFilter) -> dict[str, ErrorSums]:
        """Queue → its sums over all its forecasts and leads."""
        added: dict[str, Any] = {name: {"$sum": f"${name}"} for name in SUMS}
        once = {"$sum": {"$cond": [{"$eq": ["$first_step", 1]}, "$forecasts", 0]}}
        return self._added(_matching(wanted), "$queue", added | {"forecasts": once})

    def _added(self, matching: dict[str, Any], by: str, added: dict[str, Any]) -> dict[Any, ErrorSums]:
        stages = [
            {"$match": matching},
            {"$group": {"_id": by, **added}},
            {"$match": {"steps": {"$gt": 0}}},
            {"$sort": {"_id": 1}},
        ]
        return {found["_id"]: sums(found) for found in self._of("accuracy").aggregate(stages)}


def _matching(wanted: AccuracyFilter) -> dict[str, Any]:
    values = wanted_values(wanted)
    given = {name: {"$eq": values[name]} for name in ("metric", "period_seconds", "job") if values[name] is not None}
    return given | {"issued_at": {"$gte": values["since"], "$lt": values["until"]}}
