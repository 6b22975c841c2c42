"""Our records in MongoDB, for fleets of several machines. Every write is one document, so no transaction is needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from secrets import token_hex
from typing import Any, TypeVar

import structlog
from pymongo import ReplaceOne
from pymongo.errors import BulkWriteError, DocumentTooLarge, DuplicateKeyError, WriteError

from shared.drivers.faults import in_every_method, translated
from shared.drivers.mongo import Document, Documents, Patience
from shared.errors import RecordRefused, StoreAway
from shared.store.codec import Cell, Row, from_cell, to_row
from shared.store.mongo_admission import admitting
from shared.store.mongo_place import MongoPlace
from shared.store.mongo_statements import Stages, joining, matching, name_of, newest, plain, preceding, sort_of, taken_by
from shared.store.reading import page, read_one
from shared.store.records import Is, Order, Waiting, Where, of_key
from shared.store.tables import Kind, Table

T = TypeVar("T")

REVISION = "revision"  # another one after each write: who changes a document sees whether somebody else has, too
TRIES = 200  # each that fails is somebody else's success
DUPLICATE_KEY = 11_000
REFUSED = "a unique index or a validator of the database is in the way"

log = structlog.get_logger(__name__)


@contextmanager
def speaks_mongo() -> Iterator[None]:
    """Context or decorator: raises StoreAway while the server is away, RecordRefused for a record that it does not take."""
    with translated(StoreAway):
        try:
            yield
        except DocumentTooLarge as error:
            log.exception("the store refused a record")
            raise RecordRefused("it is larger than the 16 MB that MongoDB takes") from error
        except (WriteError, BulkWriteError) as error:  # a duplicate key is such a WriteError
            if isinstance(error, BulkWriteError) and not error.details.get("writeErrors"):
                raise StoreAway("not enough servers have confirmed what was written") from error
            log.exception("the store refused a record")
            raise RecordRefused(REFUSED) from error


@in_every_method(speaks_mongo())
class MongoRecords:
    """Records in one database; safe for threads and forks, since each process has its own client. Promises: records.py."""

    def __init__(self, url: str, *, patience: Patience) -> None:
        self._place = MongoPlace(url, patience=patience)

    def add(self, table: Table[T], value: T) -> bool:
        row = to_row(table, value)
        try:
            self._of(table).insert_one(_document(table, row))
        except DuplicateKeyError:
            if self._of(table).find_one({"$or": taken_by(table, row)}, {"_id": 1}) is None:
                raise
            return False
        return True

    def get(self, table: Table[T], *key: object) -> T:
        return read_one(table, self._found(table, key))

    def find(
        self,
        table: Table[T],
        where: Where = (),
        *,
        order: Order = (),
        limit: int | None = None,
        before: Sequence[object] | None = None,
        newest_of: Sequence[str] = (),
    ) -> list[T]:
        if newest_of:
            stages: Stages = [*matching(table, where), *newest(table, newest_of), {"$sort": sort_of(table, order)}]
        else:
            since: Stages = [{"$match": preceding(table, order, before)}] if before is not None else []
            stages = [*since, *_sorted(table, where, order)]

        def fetch(most: int | None) -> list[Row]:
            first: Stages = [] if most is None else [{"$limit": most}]
            documents = self._of(table).aggregate([*stages, *first], allowDiskUse=True)
            return [_row(table, document) for document in documents]

        return page(table, fetch, limit)

    def first(self, table: Table[T], where: Where, *, order: Order = ()) -> T | None:
        for document in self._of(table).aggregate([*_sorted(table, where, order), {"$limit": 1}], allowDiskUse=True):
            return read_one(table, _row(table, document))
        return None

    def update_if(self, table: Table[T], key: Sequence[object], change: Callable[[T], T | None]) -> bool:
        for _ in range(TRIES):
            known = self._found(table, key)
            new = change(read_one(table, known))
            if new is None:
                return False
            same = {"_id": known["_id"], REVISION: {"$eq": known.get(REVISION)}}
            if self._of(table).replace_one(same, _document(table, to_row(table, new))).matched_count:
                return True
        raise StoreAway("too many change the same record at once")

    def put_many(self, table: Table[T], values: Sequence[T]) -> None:
        if values:
            key = [name_of(table, name) for name in table.key]
            _replace_all(self._of(table), key, [_document(table, to_row(table, value)) for value in values])

    def delete_some(self, table: Table[T], where: Where, *, order: Order = (), limit: int | None = None) -> int:
        collection, own = self._of(table), plain(table, where)
        if limit == 0:  # refused by a server
            return 0
        if limit is None and not joining(table, where):
            return collection.delete_many(own).deleted_count
        first: Stages = [] if limit is None else [{"$limit": limit}]
        stages: Stages = [*_sorted(table, where, order), *first, {"$project": {"_id": 1}}]
        old = [document["_id"] for document in collection.aggregate(stages, allowDiskUse=True)]
        return collection.delete_many({"$and": [{"_id": {"$in": old}}, own]}).deleted_count

    def sum_by(self, table: Table[T], where: Where, by: str, columns: Sequence[str]) -> dict[object, dict[str, float]]:
        added = {name: {"$sum": f"${name}"} for name in columns}
        group = {"$group": {"_id": f"${name_of(table, by)}", "count": {"$sum": 1}, **added}}
        rows = self._of(table).aggregate([*matching(table, where), group, {"$sort": {"_id": 1}}])
        return {from_cell(table.by_name[by], row["_id"]): {name: row[name] for name in ("count", *columns)} for row in rows}

    def distinct(self, table: Table[T], columns: Sequence[str]) -> list[tuple[object, ...]]:
        tuples: list[tuple[object, ...]] = [()]
        for name in columns:
            tuples = [(*known, value) for known in tuples for value in self._values(table, columns, known, name)]
        return tuples

    def has_any(self, table: Table[T]) -> bool:
        return self._of(table).find_one({}, {"_id": 1}) is not None

    def together(self) -> AbstractContextManager[None]:
        """Nothing: a server that stands alone has no transactions."""
        return nullcontext()

    @contextmanager
    def admitting(self, account: str, record_id: str, weight: int, check: Callable[[Waiting], None]) -> Iterator[None]:
        with speaks_mongo(), admitting(self._place.of, account, record_id, weight, check):
            yield

    def had_tokens(self) -> bool:
        return self._place.had_tokens()

    def note_tokens(self) -> None:
        self._place.note_tokens()

    def check(self) -> None:
        """A real write: a ping succeeds without credentials, and a read while nothing can be kept."""
        self._place.try_to_write()

    def close(self) -> None:
        """The client belongs to the process, and others may use it."""

    def _of(self, table: Table[T]) -> Documents:
        return self._place.of(table.name)

    def _values(self, table: Table[T], columns: Sequence[str], known: Sequence[object], name: str) -> list[Any]:
        """The different values of a column among the records with these values of the columns before it."""
        own = plain(table, [Is(column, value) for column, value in zip(columns, known, strict=False)])
        kind = str if table.by_name[name].kind is Kind.TEXT else int
        return sorted(value for value in self._of(table).distinct(name_of(table, name), own) if isinstance(value, kind))

    def _found(self, table: Table[T], key: Sequence[object]) -> Row:
        document = self._of(table).find_one(plain(table, of_key(table, key)))
        if document is None:
            raise table.missing(**dict(zip(table.key, key, strict=True)))
        return _row(table, document)


def _sorted(table: Table[T], where: Where, order: Order) -> Stages:
    """Stages that keep the documents that match, in order: sorted by an index before others are looked up for them."""
    return [{"$match": plain(table, where)}, {"$sort": sort_of(table, order)}, *joining(table, where)]


def _replace_all(documents: Documents, key: Sequence[str], rows: Sequence[Document]) -> None:
    """Upserts; one that another process has just made is tried again, and then replaces."""
    writes = [ReplaceOne({part: {"$eq": row[part]} for part in key}, row, upsert=True) for row in rows]
    try:
        documents.bulk_write(writes, ordered=False)
    except BulkWriteError as error:
        if any(refusal["code"] != DUPLICATE_KEY for refusal in error.details["writeErrors"]):
            raise
        documents.bulk_write(writes, ordered=False)


def _document(table: Table[T], row: Mapping[str, Cell]) -> Document:
    document = {name_of(table, name): cell for name, cell in row.items()}
    return {**document, REVISION: token_hex(8)} if table.has_document else document


def _row(table: Table[T], document: Document) -> Row:
    """The row of a document: the id is a column too, where the key is one."""
    return document | {table.key[0]: document["_id"]} if len(table.key) == 1 else document
