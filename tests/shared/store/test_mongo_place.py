"""The database under a MongoDB store: dropped, emptied, replaced; and indexes that somebody else has made in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from pymongo.database import Database

from shared.domain.jobs import JobFilter
from shared.domain.tokens import Scope, make_token
from shared.errors import RecordRefused, StoreAway
from shared.store import Store, open_store
from tests.factories import MONDAY, a_forecast, a_job, a_schedule
from tests.polling import eventually
from tests.servers import MongoServer


@pytest.fixture
def url(mongod: MongoServer) -> str:
    return mongod.make_database("place")


@pytest.fixture
def database(mongod: MongoServer) -> Iterator[Database[Any]]:
    """As somebody else sees it."""
    with mongod.client() as client:
        yield client["place"]


@pytest.fixture
def store(url: str) -> Store:
    """A store with a job and a token, in use."""
    opened = open_store(url)
    opened.jobs.add(a_job())
    opened.tokens.add(make_token(name="ci", scope=Scope.READ, created_at=MONDAY)[0])
    return opened


def is_away(store: Store) -> bool:
    try:
        store.tokens.all()
    except StoreAway:
        return True
    return False


def test_a_database_that_is_dropped_is_away_within_a_second_and_not_made_again(store: Store, database: Database[Any]) -> None:
    store.check()
    database.client.drop_database("place")
    with pytest.raises(StoreAway, match="was dropped or replaced"):
        store.check()  # readiness sees it at once
    eventually(lambda: is_away(store), what="the drop to be seen")
    calls: tuple[Callable[[], object], ...] = (store.check, store.tokens.were_made, lambda: store.jobs.find(JobFilter(), 10))
    for call in calls:
        with pytest.raises(StoreAway, match="was dropped or replaced"):
            call()
    assert "place" not in database.client.list_database_names()


def test_the_same_database_is_known_when_it_is_back(store: Store, database: Database[Any]) -> None:
    mark = database.queuecast_store.find_one_and_delete({})
    eventually(lambda: is_away(store), what="the mark to be missed")
    assert mark is not None
    database.queuecast_store.insert_one(mark)
    assert store.jobs.get("job-1") == a_job()
    store.check()


def test_tokens_that_are_gone_leave_the_service_closed_after_a_restart_too(
    store: Store, url: str, database: Database[Any]
) -> None:
    database.tokens.delete_many({})
    for opened in (store, open_store(url)):
        assert opened.tokens.all() == []
        assert opened.tokens.were_made()


def test_tokens_of_an_earlier_release_are_noted_when_the_database_is_opened(
    store: Store, url: str, database: Database[Any]
) -> None:
    database.queuecast_store.drop()
    open_store(url).check()
    database.tokens.drop()
    assert open_store(url).tokens.were_made()


@pytest.mark.parametrize(
    ("collection", "write"),
    [
        ("schedules", lambda store, number: store.schedules.add(a_schedule(schedule_id=f"schedule-{number}"))),
        ("tokens", lambda store, _: store.tokens.add(make_token(name="ci", scope=Scope.READ, created_at=MONDAY)[0])),
        ("jobs", lambda store, number: store.jobs.add(a_job(job_id=f"job-{number}"))),
        ("forecasts", lambda store, number: store.forecasts.save(a_forecast(queue=f"root.{number}"))),
    ],
)
def test_a_unique_index_of_somebody_else_is_an_error_and_nothing_is_lost_silently(
    store: Store, database: Database[Any], collection: str, write: Callable[[Store, int], object]
) -> None:
    store.check()
    database[collection].create_index("foreign", unique=True)  # none of our documents has the field: there may be one
    with pytest.raises(RecordRefused, match="a unique index"):
        list(map(partial(write, store), range(3)))
