"""What is taken of the numbers of a step once they are in order: the middle, or what 95 % of them do not pass."""

from __future__ import annotations

from collections.abc import Sequence

from shared.domain.samples import Aggregation
from shared.drivers.mongo import Document
from worker.sources._resampling import P95

MIDDLE: tuple[Document, ...] = (
    {"$floor": {"$divide": [{"$subtract": ["$$n", 1]}, 2]}},
    {"$floor": {"$divide": ["$$n", 2]}},
)
HIGH: tuple[Document, ...] = ({"$subtract": [{"$floor": {"$add": [{"$divide": [{"$multiply": ["$$n", P95]}, 100]}, 0.5]}}, 1]},)
CHOSEN = {Aggregation.MEDIAN: MIDDLE, Aggregation.P95: HIGH}  # the places in the n numbers of a step, in order


def chosen(values: Sequence[str], aggregation: Aggregation) -> list[Document]:
    """What is taken of each collected array, exactly: `$median` and `$percentile` of MongoDB 7.0 are approximate."""
    if aggregation not in CHOSEN:
        return []
    numbers = {value: {"$filter": {"input": f"${value}", "cond": {"$isNumber": "$$this"}}} for value in values}
    ordered = {value: {"$sortArray": {"input": filtered, "sortBy": 1}} for value, filtered in numbers.items()}
    return [{"$set": ordered}, {"$set": {value: _taken(f"${value}", CHOSEN[aggregation]) for value in values}}]


def _taken(ordered: str, places: Sequence[Document]) -> Document:
    """The mean of the numbers at these places, which may be one and the same; null when there is none."""
    numbers = [{"$arrayElemAt": [ordered, place]} for place in places]
    taken = numbers[0] if len(numbers) == 1 else {"$avg": numbers}
    return {"$let": {"vars": {"n": {"$size": ordered}}, "in": {"$cond": [{"$eq": ["$$n", 0]}, None, taken]}}}
