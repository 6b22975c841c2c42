"""Collections of a store in MongoDB: their indexes, and those that an earlier release has left."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

import structlog
from pymongo import ReplaceOne, UpdateOne
from pymongo.database import Database

from shared.drivers.mongo import Document
from shared.store import schema
from shared.store.mongo_statements import name_of
from shared.store.schema_4 import EARLIER_TABLES, migrated
from shared.store.tables import TABLES, Table

T = TypeVar("T")

BATCH = 500  # documents of one bulk write
OLD = {"revision": {"$exists": False}}
MIGRATED = {"revision": "migrated"}
# collections of earlier releases that nothing reads any more, and indexes that others have replaced
RETIRED = ("signing_keys", "leaderboards")
RETIRED_INDEXES = frozenset(
    {
        "created_at_-1__id_-1",
        "state_1_created_at_-1",
        "queue_1_metric_1_job_1_issued_at_-1",
        "queue_1_metric_1_job_1_issued_at_-1_first_step_1",
        "token_id_1_created_at_-1",
    }
)

log = structlog.get_logger(__name__)


def prepare(database: Database[Document], version: int | None) -> None:
    """Make the indexes that are missing, and migrate what an earlier release has left; nothing happens the second time.

    Args:
        version: the schema that the mark names; None = it names none, as until release 0.1.

    Raises:
        InvalidSettings: it is of a newer release.
    """
    version = version or schema.COLUMNS
    schema.check_known(version, "database")
    schema.migrate(database, version, STEPS)
    _make_indexes(database)


def _make_indexes(database: Database[Document]) -> None:
    for table in TABLES:
        for keys, options in _indexes(table):
            database[table.name].create_index([(name, 1) for name in keys], **options)


def _read_columns(database: Database[Document]) -> int:
    """Records that were columns are written as they are today."""
    _make_indexes(database)  # two processes that do so at once must not both write the same record
    for name in EARLIER_TABLES:
        _migrate(database, name)
    _drop_retired(database)
    return schema.VERSION


STEPS: schema.Steps[Database[Document]] = {schema.COLUMNS: _read_columns}


def _indexes(table: Table[T]) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """The columns of each index, and its options; a key of one column is the document's id, which has one."""
    if len(table.key) > 1:
        yield table.key, {"unique": True}
    for index in table.indexes:
        yield tuple(name_of(table, name) for name in index), {}
    if table.unique:
        given = {name: {"$type": "string"} for name in table.unique if table.by_name[name].may_lack}
        yield table.unique, {"unique": True} | ({"partialFilterExpression": given} if given else {})


def _migrate(database: Database[Document], name: str) -> None:
    """Documents of an earlier release become ours, one at a time: the next process carries an interrupted migration on.

    One that another process has migrated meanwhile, or written since, stays as it is.
    """
    table = EARLIER_TABLES[name].table
    writes, count = list[UpdateOne | ReplaceOne[Document]](), 0
    for document in database[name].find(OLD):
        row = {name_of(table, column): cell for column, cell in migrated(name, _with_key(table, document)).items()} | MIGRATED
        if name == table.name:
            writes.append(ReplaceOne({"_id": document["_id"]} | OLD, row))
        else:
            writes.append(UpdateOne({part: row[part] for part in table.key}, {"$setOnInsert": row}, upsert=True))
        if len(writes) == BATCH:
            database[table.name].bulk_write(writes, ordered=False)
            writes, count = [], count + BATCH
    if writes:
        database[table.name].bulk_write(writes, ordered=False)
    if count + len(writes):
        log.info("records of the store were migrated", kind=name, records=count + len(writes))


def _drop_retired(database: Database[Document]) -> None:
    for name in RETIRED:
        database.drop_collection(name)
    for table in TABLES:
        for name in RETIRED_INDEXES.intersection(database[table.name].index_information()):
            database[table.name].drop_index(name)


def _with_key(table: Table[T], document: Document) -> Document:
    return document | {table.key[0]: document["_id"]} if len(table.key) == 1 else document
