"""Collections of a store in MongoDB: their indexes, and those that an earlier release has left."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any, TypeVar, cast

import structlog
from pymongo import ReplaceOne, UpdateMany, UpdateOne
from pymongo.database import Database
from pymongo.errors import OperationFailure

from shared.domain.series import UNASSIGNED
from shared.drivers.mongo import Document
from shared.store import schema
from shared.store.actuals import SERIES
from shared.store.codec import to_row
from shared.store.forecasts import FORECASTS
from shared.store.mongo_statements import name_of
from shared.store.reading import DISORDER
from shared.store.schema_4 import EARLIER_TABLES, migrated
from shared.store.schema_5 import NAME, OF_FORECAST, Name, Owners, accepting_losses, scored, with_series
from shared.store.tables import DOCUMENT, TABLES, Table

T = TypeVar("T")

BATCH = 500  # documents of one bulk write, or of one update
MAX_WRITES = 20  # such updates at once: each call has its time limit
ACTUALS_AT_ONCE = 50_000
INDEX_NOT_FOUND = 27
OLD = {"revision": {"$exists": False}}
OF_NO_SERIES = {"series_id": {"$exists": False}}
MIGRATED = {"revision": "migrated"}
OF_COLUMNS = tuple(name for name in EARLIER_TABLES if name != FORECASTS.name)
TOUCHED = {schema.COLUMNS: OF_COLUMNS, schema.NAMES: ("forecasts", "accuracy", "actuals", "schedules")}  # as in SQLite
# collections of earlier releases that nothing reads any more, and indexes that others have replaced
RETIRED = ("signing_keys", "leaderboards")
FIRST_INDEX_OF_RELEASE_0_1 = "created_at_-1__id_-1"
RETIRED_INDEXES = frozenset(
    {
        FIRST_INDEX_OF_RELEASE_0_1,
        "state_1_created_at_-1",
        "queue_1_metric_1_job_1_issued_at_-1",
        "queue_1_metric_1_job_1_issued_at_-1_first_step_1",
        "queue_1_metric_1_job_1_issued_at_1",
        "queue_1_metric_1_job_1_issued_at_1_first_step_1",
        "metric_1_issued_at_1",
        "queue_1_metric_1_period_seconds_1_timestamp_1",
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
    _make_indexes(database, TABLES)
    _keep_out_release_0_1(database)


def _keep_out_release_0_1(database: Database[Document]) -> None:
    """It looks at no number, and would keep records here that nobody reads: let the first index that it makes be refused.

    Where it has just made it, it runs already; that nothing of it may is said in deploy/README.md.
    """
    nothing: Document = {"partialFilterExpression": {"of_release_0_1": {"$exists": True}}}
    with suppress(OperationFailure):
        database["jobs"].create_index([("of_release_0_1", 1)], name=FIRST_INDEX_OF_RELEASE_0_1, **nothing)


def _make_indexes(database: Database[Document], tables: Iterable[Table[Any]]) -> None:
    for table in tables:
        for keys, options in indexes_of(table):
            database[table.name].create_index([(name, 1) for name in keys], **options)


def _read_columns(database: Database[Document]) -> int:
    """Records that were columns are written as they are today; forecasts with the next step, which knows their series."""
    _drop_retired_indexes(database)
    _make_indexes(database, [EARLIER_TABLES[name].table for name in OF_COLUMNS])  # so that two processes write no record twice
    for name in OF_COLUMNS:
        _migrate(database, name)
    for name in RETIRED:
        database.drop_collection(name)
    return schema.NAMES


def _assign(database: Database[Document]) -> int:
    """What was kept by a queue's name joins its series; what another process has assigned meanwhile stays as it is."""
    _drop_retired_indexes(database)  # the unique ones are in the way of records of today
    jobs = (document | {"job_id": document["_id"]} for document in database["jobs"].find({}, {DOCUMENT: 1}))
    owners = Owners.of(jobs, _complete(database, "reports", ("job_id", "queue")), _complete(database, "forecasts", OF_FORECAST))
    for name, assigned in (("forecasts", _forecast), ("accuracy", _accuracy)):
        writes = list[ReplaceOne[Document]]()
        for document in _counted(database, name, OF_NO_SERIES):
            writes.append(ReplaceOne({"_id": document["_id"]} | OF_NO_SERIES, assigned(document, owners)))
            if len(writes) == BATCH:
                database[name].bulk_write(writes, ordered=False)
                writes = []
        if writes:
            database[name].bulk_write(writes, ordered=False)
    _assign_actuals(database, owners)
    for schedule in database["schedules"].find({}, {DOCUMENT: 1}):
        database["schedules"].update_one(schedule, {"$set": {DOCUMENT: accepting_losses(schedule[DOCUMENT])}})
    return schema.VERSION


def _counted(database: Database[Document], name: str, condition: Document, columns: Document | None = None) -> Iterator[Document]:
    return schema.counted(database[name].find(condition, columns), name, database[name].estimated_document_count())


def _complete(database: Database[Document], name: str, columns: Sequence[str]) -> Iterator[Document]:
    """Documents of a collection that have all of these columns, as texts or numbers."""
    return iter(database[name].find({column: {"$type": ["string", "number"]} for column in columns}, dict.fromkeys(columns, 1)))


def _assign_actuals(database: Database[Document], owners: Owners) -> None:
    """One pass over all of them, as no index of today finds those of a name; what is done already is not found again."""
    ids: dict[Name, list[object]] = defaultdict(list)
    unassigned = 0
    for number, value in enumerate(_counted(database, "actuals", OF_NO_SERIES, dict.fromkeys(NAME, 1)), start=1):
        ids[cast("Name", tuple(value.get(name) for name in NAME))].append(value["_id"])
        if number % ACTUALS_AT_ONCE == 0:
            unassigned += _give_series(database, owners, ids)
    unassigned += _give_series(database, owners, ids)
    if unassigned:
        log.warning("actual values of queues that several series have used are shown nowhere", values=unassigned)


def _give_series(database: Database[Document], owners: Owners, ids: dict[Name, list[object]]) -> int:
    """Assign the actual values of these names, and forget their ids; how many are nobody's."""
    writes: dict[bool, list[UpdateMany]] = {False: [], True: []}  # nobody's apart, as they are counted
    for name in list(ids):
        series, of_name = owners.of_name(name), ids.pop(name)
        row = {name_of(SERIES, column): cell for column, cell in to_row(SERIES, series).items()} | MIGRATED
        database["series"].replace_one({"_id": series.series_id}, row, upsert=True)
        assigned: Document = {"$set": {"series_id": series.series_id}, "$unset": dict.fromkeys(NAME, "")}
        for first in range(0, len(of_name), BATCH):
            condition = {"_id": {"$in": of_name[first : first + BATCH]}} | OF_NO_SERIES
            writes[series.cluster == UNASSIGNED].append(UpdateMany(condition, assigned))
    done = dict.fromkeys(writes, 0)
    for is_nobodys, updates in writes.items():
        for first in range(0, len(updates), MAX_WRITES):
            answer = database["actuals"].bulk_write(updates[first : first + MAX_WRITES], ordered=False)
            done[is_nobodys] += answer.modified_count
    return done[True]


def _forecast(document: Document, owners: Owners) -> Document:
    try:
        return migrated("forecasts", with_series(document, owners.of_forecast(document), owners.interval_of(document))) | MIGRATED
    except DISORDER:
        return _unreadable(document)


def _accuracy(document: Document, owners: Owners) -> Document:
    try:
        return _without_id(scored(document, owners.of_forecast(document), owners.interval_of(document)))
    except DISORDER:
        return _unreadable(document)


def _unreadable(document: Document) -> Document:
    """As it is, but in nobody's way."""
    return document | {"series_id": f"of {document['_id']}"}


def _without_id(row: Document) -> Document:
    return {name: value for name, value in row.items() if name != "_id"}


STEPS: schema.Steps[Database[Document]] = {schema.COLUMNS: _read_columns, schema.NAMES: _assign}


def indexes_of(table: Table[T]) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
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
    for document in _counted(database, name, OLD):
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


def _drop_retired_indexes(database: Database[Document]) -> None:
    for table in TABLES:
        for name in RETIRED_INDEXES.intersection(database[table.name].index_information()):
            try:
                database[table.name].drop_index(name)
            except OperationFailure as error:
                if error.code != INDEX_NOT_FOUND:  # another process was faster
                    raise


def _with_key(table: Table[T], document: Document) -> Document:
    return document | {table.key[0]: document["_id"]} if len(table.key) == 1 else document
