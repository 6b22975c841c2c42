"""Tokens as the API's processes know them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from api.edge.known import FRESH_SECONDS, KnownTokens
from shared.domain.tokens import Scope, Token, make_token
from shared.errors import StoreAway
from shared.store import open_store
from shared.store.tokens import Tokens
from tests.factories import MONDAY


@dataclass
class Place:
    """A store that counts how often it is asked, may go away, and has a clock of its own."""

    tokens: Tokens
    seconds: float = 1_000.0
    looks: int = 0
    is_away: bool = False

    def open(self) -> Tokens:
        self.looks += 1
        if self.is_away:
            raise StoreAway("as told")
        return self.tokens

    def add(self) -> tuple[Token, str]:
        token, secret = make_token(name="ci", scope=Scope.READ, created_at=MONDAY)
        self.tokens.add(token)
        return token, secret


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(open_store(f"sqlite://{tmp_path / 'tokens.db'}").tokens)


@pytest.fixture
def known(place: Place) -> KnownTokens:
    return KnownTokens(place.open, lambda: place.seconds)


def test_a_wrong_secret_makes_no_more_than_a_few_looks_in_a_second(place: Place, known: KnownTokens) -> None:
    for _ in range(100):
        assert known.with_secret("wrong", MONDAY) is None
    assert place.looks == 1
    _, secret = place.add()
    place.seconds += FRESH_SECONDS
    assert known.with_secret(secret, MONDAY) is not None
    assert place.looks == 2


def test_its_use_is_noted_once_in_an_hour_also_where_that_fails(place: Place, known: KnownTokens) -> None:
    token, _ = place.add()
    for minutes in (0, 59, 60):
        known.note_use(token, MONDAY + timedelta(minutes=minutes))
    assert place.looks == 2
    assert place.tokens.all()[0].last_used_at == MONDAY + timedelta(hours=1)
    place.is_away = True
    with pytest.raises(StoreAway):
        known.note_use(token, MONDAY + timedelta(hours=5))
    known.note_use(token, MONDAY + timedelta(hours=5))


def test_a_store_that_forgets_its_tokens_does_not_open_the_service_after_a_restart(place: Place, tmp_path: Path) -> None:
    place.add()
    note = tmp_path / "tokens.made"
    assert KnownTokens(place.open, lambda: place.seconds, note=note).exist()
    place.tokens = open_store(f"sqlite://{tmp_path / 'another.db'}").tokens
    restarted = KnownTokens(place.open, lambda: place.seconds, note=note)
    assert restarted.exist()
    note.unlink()
    assert not KnownTokens(place.open, lambda: place.seconds, note=note).exist()
