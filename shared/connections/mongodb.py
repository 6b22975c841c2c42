"""Collections of a MongoDB."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal
from urllib.parse import unquote

from pydantic import AfterValidator, Field

from shared.config.connection import Look, PlaceField, kinds
from shared.config.setting_kinds import KeptFor
from shared.connections._databases import DATABASE, DatabaseConnection, of_the_caller
from shared.domain import identifiers
from shared.domain.durations import MAX_TEXT, Duration
from shared.domain.places import Place
from shared.domain.texts import SHORT, PlaceName
from shared.errors import InvalidSettings, SourceAway

if TYPE_CHECKING:
    from pymongo.database import Database

    from shared.drivers.mongo import Document, Documents

MAX_COLLECTIONS = 20  # that are looked at
QUEUE, TIME = "queue", "timestamp"  # as requests call them unless they say otherwise
EXPIRES_IN = "expires_in"
_PORT = re.compile(r":\d+$")
KEPT = Duration(400, "d")  # a year and a month, so that a forecast can be laid beside that of a year ago


def _lifetime(text: str) -> str:
    Duration.parse(text).after(datetime.now(UTC))
    return text


Lifetime = Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(_lifetime)]
CollectionName = Annotated[PlaceName, of_the_caller(identifiers.is_reserved_collection)]


@kinds.register("mongodb")
class MongodbConnection(DatabaseConnection):
    """Without `database`, its own database is the one in the URL."""

    asks: ClassVar = {
        "collection": PlaceField(accepts=CollectionName, is_needed=True),
        "document": PlaceField(accepts=Annotated[str, SHORT], roles=("source",), hint="selects by the discriminator field"),
        "database": DATABASE,
        EXPIRES_IN: PlaceField(accepts=Lifetime, roles=("destination",), hint="when it is dropped, such as 30d"),
    }
    taken_from: ClassVar = {"url": "mongodb_url"}
    noun = "collection"
    named_in = "its `database`, or the URL's"

    takes_samples: ClassVar = True

    kind: Literal["mongodb"] = "mongodb"
    document_field: str = Field("document", description="the discriminator field behind `document`")
    keep: KeptFor = Field(KEPT, description="how long forecasts stay there unless a request says `expires_in`, or forever")

    @property
    def own_database(self) -> str | None:
        """The database of requests that name none: `database`, or the one in the URL."""
        if self.database:
            return self.database
        path = self.url.get_secret_value().partition("://")[2].partition("?")[0].partition("/")[2]
        return unquote(path).partition(".")[0] or None  # as MongoDB reads it: after a dot stands a collection

    @property
    def servers(self) -> frozenset[str]:
        """Of a replica set each, with its port; behind `mongodb+srv` the name that stands for all of them."""
        scheme, _, address = self.url.get_secret_value().partition("://")
        hosts = address.partition("?")[0].partition("/")[0].rpartition("@")[2].lower().split(",")
        is_name = scheme.endswith("+srv")
        return frozenset(host if is_name or _PORT.search(host) else f"{host}:27017" for host in hosts)

    def expiry(self, place: Place, created_at: datetime) -> datetime | None:
        """When a forecast that is written there is dropped; None = never."""
        lifetime = Duration.parse(place.given[EXPIRES_IN]) if EXPIRES_IN in place.given else self.keep
        return lifetime.after(created_at) if lifetime else None

    def collection(self, place: Place) -> Documents:
        """The collection that a request's place means; raises as `mongo_collection` does."""
        from shared.drivers.mongo import mongo_collection

        url, database = self.url.get_secret_value(), place.database or self.database
        return mongo_collection(url, database, place.collection, connection=place.name)

    def let_go(self) -> None:
        """Close its client, with its threads and sockets."""
        from shared.drivers.mongo import forget_client

        forget_client(self.url.get_secret_value(), patience="source")

    def look(self, name: str) -> Look:
        """A real read, as a ping succeeds without credentials; and whether collections have the index that jobs want."""
        import pymongo

        from shared.drivers.faults import translated
        from shared.drivers.mongo import REACHED_SECONDS, mongo_client, mongo_database, refuse_own_store

        if identifiers.is_reserved_database(self.own_database or ""):
            raise InvalidSettings(f"the connection {name} names {self.own_database!r}, a database of MongoDB's own")
        client = mongo_client(self.url.get_secret_value(), patience="source")
        with translated(SourceAway, connection=name), pymongo.timeout(REACHED_SECONDS):
            database = mongo_database(client, self.database)
            refuse_own_store(database)
            all_names = database.list_collection_names(filter={"type": "collection"}, authorizedCollections=True)
            collections = sorted(collection for collection in all_names if self.may_read(database.name, collection))
            advice = "; ".join(_wanted_indexes(database, collections[:MAX_COLLECTIONS]))
        return Look(detail=f"answers, {len(collections)} collections in {database.name!r}", advice=advice)


def _wanted_indexes(database: Database[Document], collections: list[str]) -> Iterator[str]:
    """The command for each collection of samples that has to be read as a whole for every queue."""
    for name in collections:
        sample = database[name].find_one() or {}
        if QUEUE in sample and isinstance(sample.get(TIME), datetime):
            keys = [[field for field, _ in index["key"]] for index in database[name].index_information().values()]
            if not any(fields[:2] == [QUEUE, TIME] for fields in keys):
                yield f'db.getCollection("{name}").createIndex({{"{QUEUE}": 1, "{TIME}": 1}})'
