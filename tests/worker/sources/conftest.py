"""Places in which the tests of sources store rows, and the check that queues read together are what each is by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import pytest
from pymongo.errors import PyMongoError

from shared.errors import DataError, QueuecastError
from tests.worker.sources.same import assert_same
from worker.job.readings import from_bytes, to_bytes
from worker.sources.base import Query, Reading, ScannedSource
from worker.sources.file_source import FileSource
from worker.sources.mongo_source import MongoSource

Read = Callable[[ScannedSource, Query], Reading]


@pytest.fixture(scope="module")
def empty_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Makes one at each call."""
    return lambda: tmp_path_factory.mktemp("data")


@pytest.fixture(autouse=True)
def read_in_both_ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a test reads of files is read once more with all the other queues of the place, and kept in between.

    So it is with MongoDB where tests are about it alone: making and dropping indexes takes its time.
    """
    kinds = (FileSource, MongoSource) if request.module.__name__.endswith("test_mongo_source") else (FileSource,)
    for kind in kinds:
        monkeypatch.setattr(kind, "read", in_both_ways(kind.read))


def in_both_ways(alone: Read) -> Read:
    """Reads of a source as they are, each compared with what is read together where there is something to be won by it."""

    def read(source: ScannedSource, query: Query) -> Reading:
        if not isinstance(query.queue, str):  # what an attack sends; queues that are read together were named by us
            return alone(source, query)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(type(source), "read", alone)
            with without_indexes(source, query) if isinstance(source, MongoSource) else nullcontext():
                assert_same(from_bytes(to_bytes(together(source, query))), outcome(alone, source, query))
            found = outcome(alone, source, query)
        if isinstance(found, DataError):
            raise found
        return found

    return read


def outcome(read: Read, source: ScannedSource, query: Query) -> Reading | DataError:
    try:
        return read(source, query)
    except DataError as error:
        return error


@contextmanager
def without_indexes(source: MongoSource, query: Query) -> Iterator[None]:
    """Meanwhile the collection has none, so that there is something to be won by reading queues together."""
    kept: dict[str, Any] = {}
    with suppress(PyMongoError, QueuecastError):  # a view has none, and not everybody may look at them
        documents, _ = source._documents(query.place)
        indexes = dict(documents.index_information())
        documents.drop_indexes()
        kept = indexes
    yield
    for name, index in kept.items():
        documents.create_index(index.pop("key"), name=name, **{key: index[key] for key in index if key != "v"})


def together(source: ScannedSource, query: Query) -> Reading | DataError:
    try:
        others = source.queues(query)
    except DataError:
        others = ["another"]
    try:
        return dict(source.scan(query, [*others, query.queue]))[query.queue]
    except DataError as error:
        return error
