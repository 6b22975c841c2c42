"""Collections of a MongoDB, one for each table: a document a row, at most one of each time and tags."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from operator import attrgetter

from pymongo import IndexModel, ReplaceOne
from pymongo.errors import BulkWriteError, OperationFailure

from shared.connections.mongodb import MongodbConnection
from shared.domain.collected import Series
from shared.domain.places import Place
from shared.domain.timegrid import to_epoch
from shared.drivers.faults import translated
from shared.drivers.mongo import Document, Documents
from shared.errors import SinkAway, SinkRefused
from worker.collect.sinks.gathered import Gathered
from worker.collect.tables import ROLLUPS, Row, Table
from worker.sinks.mongo_sink import REFUSALS


class MongoSamples:
    """Collections of ours in the connection's database, made with their indexes before the first write to each."""

    def __init__(self, connection: MongodbConnection, name: str) -> None:
        self._connection, self._name = connection, name
        self._indexed: set[str] = set()

    def write(self, table: Table, rows: Sequence[Row]) -> None:
        """Put each in the place of the one with its key."""
        statements = [_put(table, document_of(table, row)) for row in rows]
        if not statements:  # pymongo takes that for a mistake
            return
        with self._documents(table) as documents:
            try:
                documents.bulk_write(statements, ordered=False)
            except BulkWriteError:  # another collector has just written the same: now it is replaced
                documents.bulk_write(statements, ordered=False)

    def read(self, table: Table, cluster: str, start: datetime, end: datetime) -> list[Row]:
        """By the index of its times."""
        span = {"cluster": {"$eq": cluster}, table.time: {"$gte": start, "$lt": end}}
        with self._documents(table) as documents:
            return [table.made(document) for document in documents.find(span, {"_id": 0})]

    def series(
        self, cluster: str, columns: Sequence[str], start: datetime, end: datetime, *, queues: Sequence[str] | None = None
    ) -> list[Series]:
        """By the index of the queues, if some are meant."""
        span = {"cluster": {"$eq": cluster}, ROLLUPS.time: {"$gte": start, "$lt": end}}
        if queues is not None:
            span["queue"] = {"$in": [*queues]}
        wanted = {"_id": False} | dict.fromkeys(("queue", "partition", ROLLUPS.time, *columns), True)
        gathered = Gathered(columns)
        with self._documents(ROLLUPS) as documents:
            for document in documents.find(span, wanted):
                values = [document.get(name) for name in columns]
                gathered.put(document["queue"], document["partition"], to_epoch(document[ROLLUPS.time]), values)
        return gathered.series()

    def forget(self, table: Table, cluster: str, before: datetime) -> None:
        """All at once: an hour's worth, unless nobody has done so for a while."""
        with self._documents(table) as documents:
            documents.delete_many({"cluster": {"$eq": cluster}, table.time: {"$lt": before}})

    def tidy(self, table: Table, cluster: str, now: datetime) -> None:
        """The server does that by itself."""

    @contextmanager
    def _documents(self, table: Table) -> Iterator[Documents]:
        with translated(SinkAway, connection=self._name):
            try:
                documents = self._connection.collection(Place(name=self._name, collection=table.name))
                if table.name not in self._indexed:
                    documents.create_indexes(list(_indexes(table)))
                    self._indexed.add(table.name)
                yield documents
            except OperationFailure as error:
                if error.code not in REFUSALS:
                    raise
                raise SinkRefused(str(error), connection=self._name, collection=table.name) from error


def document_of(table: Table, row: Row) -> Document:
    """A row without what is not told."""
    values = zip(table.columns, attrgetter(*table.columns)(row), strict=True)
    return {name: value for name, value in values if value is not None}


def _put(table: Table, document: Document) -> ReplaceOne[Document]:
    return ReplaceOne({name: document[name] for name in (*table.tags, table.time)}, document, upsert=True)


def _indexes(table: Table) -> Iterator[IndexModel]:
    """The key, what jobs read by, and what is read and dropped by its time."""
    yield IndexModel([(name, 1) for name in (*table.tags, table.time)], unique=True)
    if "queue" in table.tags:
        yield IndexModel([("cluster", 1), (table.time, 1)])
        yield IndexModel([("queue", 1), (table.time, 1)])
