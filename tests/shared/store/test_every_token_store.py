"""The promises of shared/store/tokens.py, held with every database."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shared.domain.tokens import Scope, Token
from shared.errors import TokenNotFound
from shared.store import Store
from tests.factories import MONDAY

HOUR = timedelta(hours=1)


def a_token(**changes: Any) -> Token:
    values: dict[str, Any] = {"token_id": "t-1", "name": "ci", "scope": Scope.WRITE, "created_at": MONDAY}
    values |= changes
    return Token(**({"digest": f"digest of {values['token_id']}"} | values))


def test_a_token_comes_back_as_it_was_given(store: Store) -> None:
    whole = a_token(
        projects=("etl", 'a "quoted" ünit'),
        created_at=MONDAY + timedelta(microseconds=7),
        expires_at=MONDAY + HOUR,
        revoked_at=MONDAY + 2 * HOUR,
        last_used_at=MONDAY + 3 * HOUR,
    )
    assert store.tokens.all() == []
    store.tokens.add(whole)
    assert store.tokens.all() == [whole]


def test_tokens_come_oldest_first(store: Store) -> None:
    for token in (a_token(token_id="c"), a_token(token_id="a", created_at=MONDAY + HOUR), a_token(token_id="b")):
        store.tokens.add(token)
    assert [token.token_id for token in store.tokens.all()] == ["b", "c", "a"]


def test_a_token_is_revoked_once_and_the_same_again_stays_as_it_has_become(store: Store) -> None:
    store.tokens.add(a_token())
    assert store.tokens.revoke("t-1", MONDAY) == a_token(revoked_at=MONDAY)
    assert store.tokens.revoke("t-1", MONDAY + HOUR) == a_token(revoked_at=MONDAY)
    store.tokens.add(a_token())
    assert store.tokens.all() == [a_token(revoked_at=MONDAY)]


def test_only_the_token_that_is_named_is_revoked(store: Store) -> None:
    store.tokens.add(a_token())
    for name in ("t-2", "", "' OR '1'='1", '{"$gt": ""}'):
        with pytest.raises(TokenNotFound):
            store.tokens.revoke(name, MONDAY)
    assert store.tokens.all() == [a_token()]


def test_its_last_use_never_goes_back(store: Store) -> None:
    store.tokens.add(a_token())
    for at in (MONDAY, MONDAY + HOUR, MONDAY):
        store.tokens.note_use("t-1", at)
    store.tokens.note_use("gone", MONDAY)
    assert store.tokens.all() == [a_token(last_used_at=MONDAY + HOUR)]
