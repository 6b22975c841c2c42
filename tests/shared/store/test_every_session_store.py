"""The promises of shared/store/sessions.py, held with every database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from shared.domain.tokens import Session
from shared.store import Store
from shared.store.sessions import SESSIONS
from tests.factories import MONDAY

HOUR = timedelta(hours=1)
TOKEN = "t-1"


def a_session(digest: str = "digest", token_id: str = TOKEN, hours: int = 0) -> Session:
    created_at = MONDAY + hours * HOUR + timedelta(microseconds=7)
    return Session(digest=digest, token_id=token_id, created_at=created_at, expires_at=created_at + 12 * HOUR)


def test_a_session_is_found_by_its_whole_digest_only_and_as_it_was_first_given(store: Store) -> None:
    assert store.sessions.find("digest") is None
    store.sessions.add(a_session(), 9)
    store.sessions.add(a_session(token_id="t-2", hours=5), 9)
    assert store.sessions.find("digest") == a_session()
    for digest in ("", "dig%", "DIGEST", "' OR '1'='1", '{"$gt": ""}'):
        assert store.sessions.find(digest) is None


def test_a_session_that_was_ended_is_gone_and_may_be_ended_again(store: Store) -> None:
    store.sessions.add(a_session(), 9)
    store.sessions.add(a_session("another"), 9)
    for _ in range(2):
        store.sessions.end("digest")
        assert store.sessions.find("digest") is None
    assert store.sessions.find("another") == a_session("another")


def test_all_sessions_of_a_token_end_and_those_of_others_stay(store: Store) -> None:
    for session in (a_session("a"), a_session("b"), a_session("c", "t-2")):
        store.sessions.add(session, 9)
    for _ in range(2):
        store.sessions.end_all(TOKEN)
    assert [store.sessions.find(digest) for digest in "abc"] == [None, None, a_session("c", "t-2")]


def test_of_a_token_with_too_many_sessions_the_oldest_ends(store: Store) -> None:
    store.sessions.add(a_session("other", "t-2"), 2)
    for number in range(4):
        store.sessions.add(a_session(f"d{number}", hours=number), 2)
    assert [store.sessions.find(f"d{number}") is not None for number in range(4)] == [False, False, True, True]
    assert store.sessions.find("other") is not None


def test_sessions_that_begin_at_once_are_all_kept(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: store.sessions.add(a_session(f"d{number}"), 99), range(16)))
    assert all(store.sessions.find(f"d{number}") for number in range(16))


def test_expired_sessions_go_with_retention_slice_by_slice(store: Store) -> None:
    for number in range(4):
        store.sessions.add(a_session(f"d{number}", hours=number), 9)
    at = MONDAY + 15 * HOUR
    assert [store.retention.forget(SESSIONS, at, 2) for _ in range(3)] == [2, 1, 0]
    assert [store.sessions.find(f"d{number}") is not None for number in range(4)] == [False, False, False, True]
