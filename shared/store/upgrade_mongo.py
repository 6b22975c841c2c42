"""What would be done to a MongoDB, asked as a user who may only read."""

from __future__ import annotations

from collections.abc import Iterator

from pymongo.database import Database

from shared.drivers.faults import translated
from shared.drivers.mongo import MARK, Document, mongo_client, mongo_database
from shared.errors import InvalidSettings, StoreAway
from shared.store import schema
from shared.store.mongo_place import ONE
from shared.store.mongo_schema import TOUCHED, indexes_of
from shared.store.outlook import OPEN, Outlook, migrations_from
from shared.store.tables import TABLES


def look(url: str) -> Outlook:
    """What would be done to the database that the URL names."""
    try:
        database = mongo_database(mongo_client(url, patience="store"), None)
    except InvalidSettings as error:
        raise InvalidSettings(f"QUEUECAST_STORE_URL: {error.detail}") from None
    with translated(StoreAway):
        names = set(database.list_collection_names())
        if not names & {MARK, "jobs"}:
            return Outlook(found=None)
        found = (database[MARK].find_one({"_id": ONE}) or {}).get("schema") or schema.COLUMNS
        records = {
            number: {name: database[name].estimated_document_count() for name in tables if name in names}
            for number, tables in TOUCHED.items()
            if number >= found
        }
        size = database.command("dbStats")
        return Outlook(
            found=found,
            migrations=migrations_from(found, records),
            made=tuple(_missing(database, names)) if found <= schema.VERSION else (),
            size_bytes=int(size["dataSize"]),
            free_bytes=int(size["fsTotalSize"] - size["fsUsedSize"]) if "fsTotalSize" in size else None,
            open_jobs=database["jobs"].count_documents({"state": {"$in": list(OPEN)}}),
        )


def _missing(database: Database[Document], names: set[str]) -> Iterator[str]:
    """Indexes that are not there."""
    for table in TABLES:
        known = database[table.name].index_information().values() if table.name in names else ()
        made = {tuple(name for name, _ in index["key"]) for index in known}
        yield from (f"{table.name} ({', '.join(keys)})" for keys, _options in indexes_of(table) if keys not in made)
