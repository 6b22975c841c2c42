"""MongoSource: a MongoDB collection with one document per sample, resampled in the server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from pymongo.errors import OperationFailure

from shared.connections.mongodb import MongodbConnection
from shared.domain.identifiers import listed
from shared.domain.losses import Loss
from shared.domain.places import Place
from shared.drivers.faults import translated
from shared.drivers.mongo import Document, Documents
from shared.errors import DataError, EmptySeries, SourceAway, SourceNotFound, UnreadableData
from worker.sources import sources
from worker.sources._covariates import Fitted, fitted, fitted_names
from worker.sources._names import joined
from worker.sources.base import MAX_QUEUES, MAX_TOGETHER, Query, Reading, SourceView, check_count, fitting_together, raise_all
from worker.sources.mongo.fields import Kinds, numeric, textual
from worker.sources.mongo.looks import fields_in, oldest_before, span_of
from worker.sources.mongo.lost import doubts_of, losses_of, timeless
from worker.sources.mongo.nameless import Nameless
from worker.sources.mongo.names import queue_text
from worker.sources.mongo.pipeline import Filter, checked, documents_at, documents_of, samples_of
from worker.sources.mongo.reasons import (
    faults,
    is_anywhere,
    missing_index,
    no_collection,
    no_field,
    why_no_document,
    why_no_number,
    why_no_sample,
)
from worker.sources.mongo.steps import Steps, read_steps
from worker.sources.mongo.together import Usual, can_group, usual_queues
from worker.sources.mongo.unasked import refuse_turns, refuse_unasked, shared_dates
from worker.sources.mongo.written import has_written, read_written

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
        every = replace(query, queue="")
        with translated(SourceAway, connection=query.place.name):
            documents, among = self._documents(query.place)
            found = _distinct(documents, every, among) if len(query.queue_fields) == 1 else _combinations(documents, every, among)
            names = {name for name in found if name}
            check_count(names, query.queue_field)
            if not names:
                raise why_no_document(documents, every, among)
            return sorted(names)

    def check(self, query: Query) -> SourceView:
        """Look at the collection, and at one queue for its fields and times: the query's, else the first."""
        with translated(SourceAway, connection=query.place.name):
            documents, among = self._documents(query.place)
            query, said = fitted(query, lambda: partial(is_anywhere, documents, among))
            if documents.find_one(among) is not None:
                raise_all(faults(documents, query, among, fields_in(documents, among)))
        queues = self.queues(query)
        one = replace(query, queue=query.queue or queues[0])
        with translated(SourceAway, connection=query.place.name):
            advice = missing_index(documents, one, among)
            kinds = fields_in(documents, documents_of(query, among)) | fields_in(
                documents, samples_of(one, among), newest_by=None if advice else one.time_field
            )
            is_written = has_written(documents, one, among)
        if is_written:
            times = self.read(one).frame.index
            start_at, end_at = times[0].to_pydatetime(), times[-1].to_pydatetime()
        else:
            with translated(SourceAway, connection=query.place.name):
                start_at, end_at = span_of(documents, one, among)
        columns = query.chosen(self._unnamed(replace(query, columns=None), kinds))
        notes = (*said, *([advice] if advice else []))
        return SourceView(queues=tuple(queues), columns=columns, start_at=start_at, end_at=end_at, notes=notes)

    def read(self, query: Query) -> Reading:
        """The resampled history of one queue; raises SourceNotFound, EmptySeries, UnreadableData."""
        with translated(SourceAway, connection=query.place.name):
            documents, among = self._documents(query.place)
            query, said = fitted(query, lambda: partial(is_anywhere, documents, among))
            advice = missing_index(documents, query, among)
            is_written = has_written(documents, query, among)
            own = documents_of(query, among) if is_written else samples_of(query, among)
            kinds = fields_in(documents, own, newest_by=None if advice or is_written else query.time_field)
            columns = query.chosen(self._unnamed(query, kinds))
            steps = _steps(documents, query, among, columns, is_written=is_written)
            losses = (*steps.losses, *losses_of(documents, query, among, columns, steps))
            _refuse_useless(documents, query, among, steps, losses)
            nobodys = Nameless(documents, query, among, is_written).losses(query, columns, steps)
            oldest_at = None if advice else oldest_before(documents, query, among)
            has_texts = query.target in kinds and kinds[query.target]["text"] > 0
            doubts = tuple(doubts_of(documents, query, own)) if has_texts else ()
            found = self._reading(query, kinds, steps, said, (*([advice] if advice else []), *steps.advice, *doubts))
            return replace(found, oldest_at=oldest_at, losses=(*losses, *nobodys))

    def scan(self, query: Query, names: Sequence[str]) -> Iterator[tuple[str, Reading | DataError]]:
        """What `read` gives or raises for each of the queues, in any order; without an index, by few passes for all of them."""
        with translated(SourceAway, connection=query.place.name):
            documents, among = self._documents(query.place)
            at_place = fitted_names(query, names, lambda: partial(is_anywhere, documents, among))
            advice = missing_index(documents, at_place.query, among)
            usual = {} if advice is None or query.holds else self._usual(documents, at_place, among)
            nobodys = Nameless(documents, at_place.query, among, is_written=False)
            for name, own, said in at_place.names:
                told = usual.pop(name, None)
                if isinstance(told, Usual):
                    found = self._reading(own, told.kinds, told.steps, said, (str(advice),))
                    yield name, replace(found, losses=tuple(nobodys.losses(own, told.columns, told.steps)))
                else:
                    yield name, told or self._read_or_error(replace(query, queue=name))

    def together(self, query: Query, queues: int) -> int:
        """As many as may be kept at a time; none where an index leads to each of them, or all samples are needed."""
        with translated(SourceAway, connection=query.place.name):
            documents, among = self._documents(query.place)
            query, _ = fitted(query, lambda: partial(is_anywhere, documents, among))
            if query.holds or missing_index(documents, query, among) is None or not can_group(documents):
                return 0
            columns = query.chosen(self._unnamed(query, fields_in(documents, among)))
        return min(queues, fitting_together(query, len(columns)), MAX_TOGETHER)

    def _usual(self, documents: Documents, at_place: Fitted, among: Filter) -> dict[str, Usual | UnreadableData]:
        """By the names that are asked for."""

        def columns_of(query: Query, kinds: Kinds) -> Sequence[str]:
            return query.chosen(self._unnamed(query, kinds))

        known = usual_queues(documents, at_place.query, among, list({own.queue for _, own, _ in at_place.names}), columns_of)
        return {name: known[own.queue] for name, own, _ in at_place.names if own.queue in known}

    def _read_or_error(self, query: Query) -> Reading | DataError:
        try:
            return self.read(query)
        except DataError as error:
            return error

    def _reading(self, query: Query, kinds: Kinds, steps: Steps, said: tuple[str, ...], advice: tuple[str, ...]) -> Reading:
        unasked = [name for name in steps.frame if name not in query.required]
        return Reading(
            frame=steps.frame.drop(columns=[name for name in unasked if steps.frame[name].isna().all()]),
            rows=steps.rows,
            duplicates=steps.rows - steps.moments,
            non_finite=steps.moments - steps.usable,
            newest_at=steps.newest_at,
            notes=(*said, *self._about_fields(query, kinds), *steps.notes),
            advice=advice,
        )

    def _about_fields(self, query: Query, kinds: Kinds) -> list[str]:
        """What to say of fields that nobody asked for."""
        notes = [note] if (note := query.note_unnamed(len(self._unnamed(query, kinds)))) else []
        if query.columns is None and (texts := self._unknown(textual(kinds), query)):
            notes.append(f"fields of text that nobody asked for: left out {listed(texts)}")
        return notes

    def _documents(self, place: Place) -> tuple[Documents, Filter]:
        """The collection, and what its documents of this place have in common."""
        documents = self._connection.collection(place)
        if self._connection.hides(documents.database.name, documents.name):
            raise no_collection(documents)
        return documents, documents_at(place, self._connection.document_field)

    def _unnamed(self, query: Query, kinds: Kinds) -> list[str]:
        names = self._unknown(numeric(kinds), query)
        return names if query.columns is None else [name for name in names if query.may_be_limit(name)]

    def _unknown(self, names: list[str], query: Query) -> list[str]:
        """Those that nobody has given a meaning."""
        known = {*query.required, *query.queue_fields, *query.where, query.time_field, self._connection.document_field}
        return [name for name in names if name not in known]


def _steps(documents: Documents, query: Query, among: Filter, columns: Sequence[str], *, is_written: bool) -> Steps:
    """Whole steps of what is one thing."""
    if is_written:
        steps, shared = read_written(documents, query, among, columns)
    else:
        steps = read_steps(documents, query, among, columns)
        shared = shared_dates(documents, query, among, columns, steps)
    refuse_unasked(documents, query, among, steps, shared)
    if not query.is_one_thing:
        refuse_turns(documents, query, among, steps, is_written=is_written)
    if is_written:
        return steps
    return replace(steps, losses=tuple(timeless(documents, query, among, columns, steps)))


def _distinct(documents: Documents, query: Query, among: Filter) -> list[str | None]:
    """The names in the one field that has them; raises UnreadableData for more than an answer of MongoDB holds."""
    try:
        return [queue_text(value) for value in documents.distinct(checked(query.queue_field), documents_of(query, among))]
    except OperationFailure as error:
        if error.code != TOO_MANY_VALUES:
            raise
        raise UnreadableData(
            f"the names in {query.queue_field!r} are more than MongoDB answers at once: it is no column of queues"
        ) from error


def _combinations(documents: Documents, query: Query, among: Filter) -> list[str | None]:
    """The names that the values of several fields make up, of those that are there together; raises SourceNotFound."""
    parts = {f"p{place}": f"${checked(name)}" for place, name in enumerate(query.queue_fields)}
    groups: list[Document] = [{"$match": documents_of(query, among)}, {"$group": {"_id": parts}}, {"$limit": MAX_QUEUES + 1}]
    found = [row["_id"] for row in documents.aggregate(groups, allowDiskUse=True)]
    unseen = [name for part, name in zip(parts, query.queue_fields, strict=True) if not any(part in own for own in found)]
    if found:
        kinds = fields_in(documents, among) if unseen else {}
        raise_all([SourceNotFound(no_field(name, kinds)) for name in unseen if not is_anywhere(documents, among, name)])
    return [joined([queue_text(own.get(part)) for part in parts]) for own in found]


def _refuse_useless(documents: Documents, query: Query, among: Filter, steps: Steps, losses: Sequence[Loss]) -> None:
    """Raises why there is nothing to forecast from, or a column asked for has no number; a loss that explains it comes first."""
    if not steps.rows:
        nothing = why_no_sample(documents, query, among)
        lost = [loss.text for loss in losses if loss.column == query.time_field]
        raise UnreadableData("; ".join(lost), queue=query.queue) if lost and not isinstance(nothing, SourceNotFound) else nothing
    for name in query.required:
        if not steps.frame[name].isna().all():
            continue
        if own := [loss.text for loss in losses if loss.column == name]:
            raise UnreadableData("; ".join(own), queue=query.queue)
        if reason := why_no_number(documents, query, among, name):
            raise reason
    if not steps.usable:
        what = query.target or "any field"
        raise EmptySeries(f"none of the {steps.rows:,} values of {what!r} is a finite number", queue=query.queue)
