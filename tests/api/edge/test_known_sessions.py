"""How old what is known of sessions may be, and what counts while the store is away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from api.edge.known_sessions import KnownSessions
from api.edge.known_tokens import LIFE_SECONDS, STALE_SECONDS
from shared.domain.sessions import SESSION_LIFE
from shared.errors import StoreAway
from shared.store import Store, open_store
from shared.store.sessions import Sessions
from tests.factories import MONDAY


@dataclass
class Place:
    """A store that counts how often it is asked, may go away, and has a clock of its own."""

    store: Store
    seconds: float = 1_000.0
    looks: int = 0
    is_away: bool = False

    def open(self) -> Sessions:
        self.looks += 1
        if self.is_away:
            raise StoreAway("as told")
        return self.store.sessions


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with closing(open_store(f"sqlite://{tmp_path / 'queuecast.db'}")) as store:
        yield Place(store)


@pytest.fixture
def known(place: Place) -> KnownSessions:
    return KnownSessions(place.open, lambda: place.seconds)


@pytest.fixture
def elsewhere(place: Place) -> KnownSessions:
    """Another process of the same fleet."""
    return KnownSessions(place.open, lambda: place.seconds)


def test_a_session_is_known_at_once_everywhere(known: KnownSessions, elsewhere: KnownSessions) -> None:
    session_id = known.begin("t-1", MONDAY)
    assert known.token_of(session_id, MONDAY) == elsewhere.token_of(session_id, MONDAY) == "t-1"


def test_the_store_keeps_no_id_that_would_open_anything(place: Place, known: KnownSessions, tmp_path: Path) -> None:
    session_id = known.begin("t-1", MONDAY)
    place.store.close()
    assert session_id.encode() not in (tmp_path / "queuecast.db").read_bytes()


def test_one_look_is_good_for_all_requests_of_its_time(place: Place, known: KnownSessions) -> None:
    session_id, place.looks = known.begin("t-1", MONDAY), 0
    for _ in range(10):
        assert known.token_of(session_id, MONDAY) == "t-1"
    assert place.looks == 1


@pytest.mark.parametrize("cookie", ["", "x", "x.y.z", "a" * 42, "a" * 44, "ä" * 43, "a" * 42 + "\n", "." * 3_000])
def test_what_has_not_the_form_of_an_id_is_not_looked_up(place: Place, known: KnownSessions, cookie: str) -> None:
    assert known.token_of(cookie, MONDAY) is None
    known.end(cookie)
    assert place.looks == 0


def test_a_session_ends_here_at_once_and_elsewhere_with_the_next_look(
    place: Place, known: KnownSessions, elsewhere: KnownSessions
) -> None:
    session_id = known.begin("t-1", MONDAY)
    assert elsewhere.token_of(session_id, MONDAY) == known.token_of(session_id, MONDAY) == "t-1"
    known.end(session_id)
    assert known.token_of(session_id, MONDAY) is None
    place.seconds += LIFE_SECONDS
    assert elsewhere.token_of(session_id, MONDAY) is None


def test_a_session_that_ends_while_it_is_looked_up_is_not_remembered(
    known: KnownSessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id, find = known.begin("t-1", MONDAY), Sessions.find

    def ends_meanwhile(sessions: Sessions, digest: str) -> object:
        session = find(sessions, digest)
        known.end(session_id)
        return session

    with monkeypatch.context() as patch:
        patch.setattr(Sessions, "find", ends_meanwhile)
        known.token_of(session_id, MONDAY)
    assert known.token_of(session_id, MONDAY) is None


def test_a_session_ends_after_half_a_day(known: KnownSessions) -> None:
    session_id = known.begin("t-1", MONDAY)
    assert known.token_of(session_id, MONDAY + SESSION_LIFE - timedelta(seconds=1)) == "t-1"
    assert known.token_of(session_id, MONDAY + SESSION_LIFE) is None


def test_while_the_store_is_away_its_last_word_counts_and_few_requests_ask_it(place: Place, known: KnownSessions) -> None:
    session_id = known.begin("t-1", MONDAY)
    assert known.token_of(session_id, MONDAY) == "t-1"
    place.is_away, place.looks = True, 0
    place.seconds += LIFE_SECONDS
    for _ in range(10):
        assert known.token_of(session_id, MONDAY) == "t-1"
    assert place.looks == 1
    with pytest.raises(StoreAway):
        known.end(session_id)
    place.seconds += STALE_SECONDS
    with pytest.raises(StoreAway):
        known.token_of(session_id, MONDAY)
