"""MongoSource: a MongoDB collection with one document per sample, resampled in the server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from pymongo.errors import OperationFailure

from shared.connections.mongodb import MongodbConnection
from shared.domain.identifiers import listed
from shared.domain.places import Place
from shared.drivers.faults import translated
from shared.drivers.mongo import Documents
from shared.errors import EmptySeries, SourceAway, SourceNotFound, UnreadableData
from worker.sources import sources
from worker.sources._mongo_fields import Kinds, kinds_of, numeric, textual
from worker.sources._mongo_pipeline import Filter, checked, documents_at, documents_of, queue_text, samples_of
from worker.sources._mongo_reasons import (
    MAX_UNDATED,
    SAMPLED,
    count_undated,
    missing_index,
    no_field,
    why_no_document,
    why_no_number,
    why_no_sample,
)
from worker.sources._mongo_steps import Steps, read_steps
from worker.sources.base import Query, Reading, SourceView, check_count

TOO_MANY_VALUES = 17217  # `distinct too big, 16mb cap`


@sources.register("mongodb")
class MongoSource:
    """Collections of the connection's databases: each document has a queue, a date, and numbers, which may be nested (`a.b`).

    Of documents with one timestamp the last inserted wins. The index that makes this fast is its owner's to make: notes tell it.
    """

    def __init__(self, connection: MongodbConnection) -> None:
        self._connection = connection

    def queues(self, query: Query) -> list[str]:
        """Every queue at this place, sorted; raises SourceNotFound, EmptySeries when the collection is empty."""
        place, name = query.place, query.queue_field
        with translated(SourceAway, connection=place.name):
            documents, among = self._documents(place)
            names = {queue_text(value) for value in _distinct(documents, name, among)}
            check_count(names, name)
            if not any(names):
                raise why_no_document(documents, among, name)
            return sorted(name for name in names if name)

    def check(self, query: Query) -> SourceView:
        """Look at the collection, and at one queue for its fields and times: the query's, else the first."""
        queues = self.queues(query)
        one = replace(query, queue=query.queue or queues[0])
        with translated(SourceAway, connection=query.place.name):
            documents, among = self._documents(query.place)
            advice = missing_index(documents, one, among)
            kinds = _fields(documents, documents_of(query, among)) | _fields(
                documents, samples_of(one, among), newest_by=None if advice else one.time_field
            )
            if missing := [name for name in (query.time_field, *query.required) if kinds and name not in kinds]:
                raise SourceNotFound(no_field(missing[0], kinds))
            if kinds and not kinds[query.time_field]["date"]:
                raise why_no_sample(documents, one, among)
            start_at, end_at = _span(documents, one, among)
        columns = query.chosen(self._unnamed(replace(query, columns=None), kinds))
        notes = (advice,) if advice else ()
        return SourceView(queues=tuple(queues), columns=columns, start_at=start_at, end_at=end_at, notes=notes)

    def read(self, query: Query) -> Reading:
        """The resampled history of one queue; raises SourceNotFound, EmptySeries, UnreadableData."""
        with translated(SourceAway, connection=query.place.name):
            documents, among = self._documents(query.place)
            advice = missing_index(documents, query, among)
            kinds: Kinds = {}
            if query.columns is None:
                newest_by = None if advice else query.time_field
                kinds = _fields(documents, samples_of(query, among), newest_by=newest_by)
            columns = query.chosen(self._unnamed(query, kinds))
            steps = read_steps(documents, query, among, columns)
            _refuse_useless(documents, query, among, steps)
            notes = [*steps.notes, *_left_out(documents, query, among, steps)]
        if texts := self._unknown(textual(kinds), query):
            notes.insert(0, f"fields of text that nobody asked for: left out {listed(texts)}")
        if note := query.note_unnamed(len(self._unnamed(query, kinds))):
            notes.insert(0, note)
        unasked = [name for name in steps.frame if name not in query.required]
        return Reading(
            frame=steps.frame.drop(columns=[name for name in unasked if steps.frame[name].isna().all()]),
            rows=steps.rows,
            duplicates=steps.rows - steps.moments,
            non_finite=steps.moments - steps.usable,
            notes=tuple(notes),
            advice=(advice,) if advice else (),
        )

    def _documents(self, place: Place) -> tuple[Documents, Filter]:
        """The collection, and what its documents of this place have in common."""
        documents = self._connection.collection(place)
        return documents, documents_at(place, self._connection.document_field)

    def _unnamed(self, query: Query, kinds: Kinds) -> list[str]:
        return self._unknown(numeric(kinds) if query.columns is None else [], query)

    def _unknown(self, names: list[str], query: Query) -> list[str]:
        """Those that nobody has given a meaning."""
        known = {*query.required, query.queue_field, query.time_field, self._connection.document_field}
        return [name for name in names if name not in known]


def _distinct(documents: Documents, queue_field: str, among: Filter) -> list[object]:
    """The values of the field; raises UnreadableData for more than an answer of MongoDB holds."""
    try:
        return documents.distinct(checked(queue_field), among)
    except OperationFailure as error:
        if error.code != TOO_MANY_VALUES:
            raise
        raise UnreadableData(
            f"the names in {queue_field!r} are more than MongoDB answers at once: it is no column of queues"
        ) from error


def _fields(documents: Documents, among: Filter, newest_by: str | None = None) -> Kinds:
    """What a few documents tell: the first, and the newest where an index leads to them."""
    kinds = kinds_of(documents.find(among, limit=SAMPLED))
    if newest_by:
        for name, counts in kinds_of(documents.find(among, limit=SAMPLED, sort=[(newest_by, -1)])).items():
            kinds[name] = kinds.get(name, counts) + counts
    return kinds


def _span(documents: Documents, query: Query, among: Filter) -> tuple[datetime | None, datetime | None]:
    time = f"${query.time_field}"
    ends = {"$group": {"_id": None, "start_at": {"$min": time}, "end_at": {"$max": time}}}
    for span in documents.aggregate([{"$match": samples_of(query, among)}, ends]):
        return span["start_at"], span["end_at"]
    return None, None


def _refuse_useless(documents: Documents, query: Query, among: Filter, steps: Steps) -> None:
    """Raises why there is nothing to forecast from, or a column asked for has no number."""
    if not steps.rows:
        raise why_no_sample(documents, query, among)
    for name in query.required:
        if steps.frame[name].isna().all() and (reason := why_no_number(documents, query, among, name)):
            raise reason
    if not steps.usable:
        what = query.target or "any field"
        raise EmptySeries(f"none of the {steps.rows:,} values of {what!r} is a finite number", queue=query.queue)


def _left_out(documents: Documents, query: Query, among: Filter, steps: Steps) -> Iterator[str]:
    """What was not read, in plain words."""
    if undated := count_undated(documents, query, among):
        more = " or more" if undated == MAX_UNDATED else ""
        yield f"documents with text or a number as {query.time_field!r}: {undated:,}{more} left out"
    texts = {**samples_of(query, among), query.target or "": {"$type": "string"}}
    if query.target and steps.moments > steps.usable and (count := documents.count_documents(texts)):
        yield f"values of {query.target!r} that are text: {count:,} left out"
