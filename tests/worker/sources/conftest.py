"""Places in which the tests of sources store rows, and the check that queues read together are what each is by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pandas as pd
import pytest

from shared.errors import DataError
from worker.job.readings import from_bytes, to_bytes
from worker.sources.base import Query, Reading
from worker.sources.file_source import FileSource


@pytest.fixture(scope="module")
def empty_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Makes one at each call."""
    return lambda: tmp_path_factory.mktemp("data")


@pytest.fixture(autouse=True)
def read_in_both_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a test reads of files is read once more with all the other queues of the place, and kept in between."""
    alone = FileSource.read

    def read(source: FileSource, query: Query) -> Reading:
        try:
            found: Reading | DataError = alone(source, query)
        except DataError as error:
            found = error
        assert_same(from_bytes(to_bytes(together(source, query))), found)
        if isinstance(found, DataError):
            raise found
        return found

    monkeypatch.setattr(FileSource, "read", read)


def together(source: FileSource, query: Query) -> Reading | DataError:
    try:
        others = source.queues(query)
    except DataError:
        others = ["another"]
    try:
        return dict(source.scan(query, [*others, query.queue]))[query.queue]
    except DataError as error:
        return error


def assert_same(found: Reading | DataError, wanted: Reading | DataError) -> None:
    if isinstance(wanted, DataError) or isinstance(found, DataError):
        assert (type(found), str(found)) == (type(wanted), str(wanted))
        assert getattr(found, "last_at", None) == getattr(wanted, "last_at", None)
        return
    pd.testing.assert_frame_equal(found.frame, wanted.frame, check_exact=True, check_freq=False)
    pd.testing.assert_frame_equal(found.regressors, wanted.regressors, check_exact=True, check_freq=False)
    for part in fields(Reading):
        if part.name not in {"frame", "regressors"}:
            assert getattr(found, part.name) == getattr(wanted, part.name), part.name
