"""A database that is a store of ours is neither source nor sink, by whatever address and as whatever user it is reached."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from shared.connections.mongodb import MongodbConnection
from shared.domain.jobs import Place
from shared.drivers.mongo import OURS
from shared.errors import InvalidRequest
from shared.store import open_store
from shared.store.mongo_schema import RETIRED
from shared.store.tables import TABLES
from tests.factories import a_job
from tests.servers import MongoServer

DATABASE = "own_store"


@pytest.fixture
def server(mongod_with_users: MongoServer) -> Iterator[MongoServer]:
    """A server with our store in one of its databases, a view of its jobs, and a user who may read two collections only."""
    only = [{"resource": {"db": DATABASE, "collection": name}, "actions": ["find"]} for name in ("usage", "jobs")]
    with mongod_with_users.client() as client:
        client.drop_database(DATABASE)
        open_store(mongod_with_users.url_of(DATABASE)).jobs.add(a_job())
        client[DATABASE].create_collection("view_of_jobs", viewOn="jobs", pipeline=[])
        client[DATABASE].usage.insert_one({"queue": "root"})
        client[DATABASE].command("createRole", "two", privileges=only, roles=[])
        client[DATABASE].command("createUser", "narrow", pwd="narrow", roles=["two"])
        yield mongod_with_users
        client[DATABASE].command("dropUser", "narrow")
        client[DATABASE].command("dropRole", "two")


def reach(url: str, collection: str, database: str | None = None) -> Any:
    connection = MongodbConnection(url=SecretStr(url))
    return connection.collection(Place(name="mongodb", collection=collection, database=database))


@pytest.mark.parametrize("collection", ["jobs", "tokens", "usage", "view_of_jobs", "not_there_yet"])
@pytest.mark.parametrize("user", ["", "reader:reader", "writer:writer"])
def test_no_collection_of_it_is_reached_by_any_user(server: MongoServer, user: str, collection: str) -> None:
    with pytest.raises(InvalidRequest, match=f"the database '{DATABASE}' is Queuecast's own store"):
        reach(server.url_of(DATABASE, user), collection)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1", "[::ffff:127.0.0.1]"])
def test_no_other_name_of_the_host_leads_to_it(server: MongoServer, host: str) -> None:
    url = server.url_of(DATABASE).replace("127.0.0.1", host, 1)
    with pytest.raises(InvalidRequest, match="own store"):
        reach(url, "usage")


def test_a_connection_to_another_database_does_not_lead_to_it(server: MongoServer) -> None:
    with pytest.raises(InvalidRequest, match="own store"):
        reach(server.url_of("elsewhere"), "usage", database=DATABASE)
    assert reach(server.url_of("elsewhere"), "usage").name == "usage"


def test_who_may_not_see_the_mark_reaches_nothing_that_a_store_has(server: MongoServer) -> None:
    narrow = server.url_of(DATABASE, "narrow:narrow", authentication=DATABASE)
    with pytest.raises(OperationFailure, match="not authorized"):
        reach(narrow, "jobs")
    assert reach(narrow, "usage").find_one({}, {"_id": 0}) == {"queue": "root"}


def test_the_doctor_says_so(server: MongoServer) -> None:
    with pytest.raises(InvalidRequest, match="own store"):
        MongodbConnection(url=SecretStr(server.url_of(DATABASE))).look("mongodb")


def test_every_collection_of_a_store_is_known_as_ours(server: MongoServer) -> None:
    with MongoClient[dict[str, Any]](server.url_of(DATABASE)) as client:
        assert {"queuecast_store", *(table.name for table in TABLES), *RETIRED, "admissions"} == OURS
        assert set(client[DATABASE].list_collection_names()) - OURS <= {"usage", "view_of_jobs", "system.views"}
