from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator

import pytest

from shared import errors
from shared.errors import JobNotFound, QueuecastError, SeriesTooShort, StoreAway


def every_error(kind: type[QueuecastError] = QueuecastError) -> Iterator[type[QueuecastError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from every_error(below)


EVERY_ERROR = [kind for kind in every_error() if kind.__module__.startswith(errors.__name__)]


def test_the_docstring_is_the_message() -> None:
    assert str(SeriesTooShort()) == "The history is too short to forecast from"


def test_a_call_adds_where_and_what() -> None:
    assert str(JobNotFound(job_id="job-1")) == "No job has this id (job_id job-1)"
    assert str(StoreAway("database is locked")) == "The store cannot be reached: database is locked"
    error = SeriesTooShort("found 2 hours", queue="root.etl", step=3)
    assert str(error) == "The history is too short to forecast from (queue root.etl, step 3): found 2 hours"


def test_detail_and_ids_can_be_asked_for() -> None:
    error = SeriesTooShort("found 2 hours", queue="root.etl")
    assert (error.headline, error.detail, error.ids) == (
        "The history is too short to forecast from", "found 2 hours", {"queue": "root.etl"},
    )  # fmt: skip


@pytest.mark.parametrize("kind", EVERY_ERROR, ids=lambda kind: kind.__name__)
def test_every_error_says_something_of_its_own_and_crosses_processes_whole(kind: type[QueuecastError]) -> None:
    error = kind("found this", queue="root.etl")
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):  # noqa: S301 - our own bytes
        assert type(twin) is kind
        assert (str(twin), twin.detail, twin.ids) == (str(error), error.detail, error.ids)
    assert kind.__doc__ is not None
    assert kind.__doc__.partition("\n")[0].endswith(".")


def test_no_two_errors_say_the_same() -> None:
    headlines = [kind().headline for kind in EVERY_ERROR]
    assert len(set(headlines)) == len(headlines) > 40


def test_an_error_without_words_of_its_own_uses_those_of_its_family() -> None:
    class Unheard(StoreAway):
        pass

    assert str(Unheard()) == "The store cannot be reached"


@pytest.mark.parametrize("kind", [errors.SourceAway, errors.SinkAway, errors.StoreAway, errors.CredentialsRefused])
def test_readers_do_not_learn_what_a_driver_says_nor_where_things_lie(kind: type[QueuecastError]) -> None:
    error = kind("db.internal:27017: [Errno 111]", connection="archive", file="/srv/queuecast.db")
    assert error.public == f"{kind().headline} (connection archive)"
    assert "/srv/queuecast.db" in str(error)


def test_of_all_else_readers_learn_everything() -> None:
    error = SeriesTooShort("found 2 hours", queue="root.etl")
    assert error.public == str(error)
