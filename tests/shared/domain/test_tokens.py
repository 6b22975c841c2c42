"""Tokens: what a secret is made of, what is kept of it, and when it opens something."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from shared.domain.tokens import Scope, Token, digest_of, make_token
from tests.factories import MONDAY

HOUR = timedelta(hours=1)


def made(**changes: Any) -> tuple[Token, str]:
    values: dict[str, Any] = {"name": "ci", "scope": Scope.READ, "created_at": MONDAY}
    return make_token(**(values | changes))


def test_a_secret_has_256_random_bits_and_a_prefix_that_people_recognise() -> None:
    secrets = {made()[1] for _ in range(100)}
    assert len(secrets) == 100
    assert all(re.fullmatch(r"qc_[A-Za-z0-9_-]{43}", secret) for secret in secrets)


def test_of_the_secret_only_its_digest_is_kept() -> None:
    token, secret = made()
    assert secret.removeprefix("qc_") not in repr(token)
    assert token.digest == digest_of(secret)
    assert len(bytes.fromhex(token.digest)) == 32


def test_only_its_secret_opens_it() -> None:
    token, secret = made()
    assert token.is_opened_by(secret)
    assert not any(
        token.is_opened_by(other) for other in ("", secret[:-1], secret + "x", secret.swapcase(), token.digest, "\ud800")
    )


def test_it_is_valid_until_it_expires_or_is_revoked() -> None:
    token, _ = made(expires_at=MONDAY + HOUR)
    assert token.is_valid(MONDAY + HOUR - timedelta(microseconds=1))
    assert not token.is_valid(MONDAY + HOUR)
    assert not Token(token_id="t", name="", digest="", scope=Scope.READ, created_at=MONDAY, revoked_at=MONDAY).is_valid(MONDAY)


@pytest.mark.parametrize(("scope", "covered"), [("read", 1), ("write", 2), ("approve", 3), ("admin", 4)])
def test_a_scope_includes_those_before_it(scope: str, covered: int) -> None:
    assert [needed for needed in Scope if Scope(scope).covers(needed)] == list(Scope)[:covered]


def test_projects_are_kept_once_and_in_order() -> None:
    assert made(projects=["b", "a", "b"])[0].projects == ("a", "b")
