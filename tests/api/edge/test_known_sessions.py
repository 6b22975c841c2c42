"""Sessions as the API's processes know them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from api.edge.known import KnownSessions
from shared.domain.tokens import SESSION_LIFE
from shared.store import Store, open_store
from tests.factories import MONDAY


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(f"sqlite://{tmp_path / 'queuecast.db'}")) as store:
        yield store


@pytest.fixture
def known(store: Store) -> KnownSessions:
    return KnownSessions(lambda: store.sessions)


def test_the_store_keeps_no_id_that_would_open_anything(store: Store, known: KnownSessions, tmp_path: Path) -> None:
    session_id = known.begin("t-1", MONDAY)
    store.close()
    assert session_id.encode() not in (tmp_path / "queuecast.db").read_bytes()


@pytest.mark.parametrize("cookie", ["", "x", "x.y.z", "a" * 42, "a" * 44, "ä" * 43, "a" * 42 + "\n", "." * 3_000])
def test_what_has_not_the_form_of_an_id_is_not_looked_up(store: Store, known: KnownSessions, cookie: str) -> None:
    store.close()  # asked now, it would raise
    assert known.token_of(cookie, MONDAY) is None
    known.end(cookie)


def test_a_session_ends_after_half_a_day(known: KnownSessions) -> None:
    session_id = known.begin("t-1", MONDAY)
    assert known.token_of(session_id, MONDAY + SESSION_LIFE - timedelta(seconds=1)) == "t-1"
    assert known.token_of(session_id, MONDAY + SESSION_LIFE) is None
