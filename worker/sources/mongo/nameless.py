"""Documents in the history that name no queue: whose they are nobody knows, and nothing else would tell that they are there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.domain.losses import Loss
from shared.drivers.mongo import Documents
from worker.sources._lost import nameless
from worker.sources._moments import as_index, moments_of
from worker.sources.base import MAX_SAMPLES, Query
from worker.sources.mongo.fields import value_at
from worker.sources.mongo.pipeline import Filter, documents_of, inside, nameless_of, projected, samples_of
from worker.sources.mongo.steps import Steps
from worker.sources.mongo.times import times_of
from worker.sources.mongo.written import NO_DATE

Found = tuple[int, datetime, datetime, object]  # how many, the first and the last, and the `_id` of one


@dataclass(frozen=True, slots=True)
class Nameless:
    """Those of a place: what is found of them, and how many documents there are of all queues, is asked for once.

    is_written: whether times are texts or numbers, which the server cannot compare with the history.
    """

    documents: Documents
    query: Query
    among: Filter
    is_written: bool
    _found: dict[tuple[str, ...], Sequence[Found]] = field(default_factory=dict)

    def losses(self, query: Query, columns: Sequence[str], steps: Steps) -> Iterator[Loss]:
        """Of documents with a value in the target, or in one of the columns where there is none; as one loss of this queue."""
        judged = tuple(query.judged(columns))
        if judged not in self._found:
            look = _written if self.is_written else _dated
            self._found[judged] = list(look(self.documents, self.query, self.among, columns))
        for count, first_at, last_at, example in self._found[judged]:
            yield nameless(query, count, (first_at, last_at), f"the document {example}", own=steps.rows, every=self._every)

    def _every(self) -> int:
        every = replace(self.query, queue="")
        rows = documents_of(every, self.among) if self.is_written else samples_of(every, self.among)
        return self.documents.count_documents(rows)


def _dated(documents: Documents, query: Query, among: Filter, columns: Sequence[str]) -> Iterator[Found]:
    time = f"${query.time_field}"
    ends = {"first_at": {"$min": time}, "last_at": {"$max": time}, "example": {"$first": "$_id"}}
    chosen = nameless_of(query, among, query.judged(columns), inside(query))
    for found in documents.aggregate([{"$match": chosen}, {"$group": {"_id": None, "count": {"$sum": 1}, **ends}}]):
        yield found["count"], found["first_at"], found["last_at"], found["example"]


def _written(documents: Documents, query: Query, among: Filter, columns: Sequence[str]) -> Iterator[Found]:
    chosen = nameless_of(query, among, query.judged(columns), {"$type": ["date", *NO_DATE]})
    rows = list(documents.find(chosen, projected([query.time_field]), limit=MAX_SAMPLES))
    moments = moments_of([times_of([value_at(row, query.time_field) for row in rows])], query)
    if moments.is_inside.any():
        index = as_index(moments.at[moments.is_inside])
        yield len(index), index.min().to_pydatetime(), index.max().to_pydatetime(), rows[int(moments.is_inside.argmax())]["_id"]
