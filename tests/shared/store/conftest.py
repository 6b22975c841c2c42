"""The store with every database: the same promises, whatever lies below."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.store import Store, open_store
from tests.servers import MongoServer


@pytest.fixture(params=["sqlite", "mongodb"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a store may be made: nothing is there."""
    if request.param == "sqlite":
        return f"sqlite://{tmp_path / 'data' / 'queuecast.db'}"
    server: MongoServer = request.getfixturevalue("mongod")
    return server.make_database("store")


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """An empty store."""
    opened = open_store(url)
    yield opened
    opened.close()
