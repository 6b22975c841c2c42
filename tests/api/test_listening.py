"""Where the service may listen."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from api.listening import check_address, is_loopback
from shared.errors import SetupError
from shared.settings import Settings
from shared.storage import open_store
from shared.tokens import Scope, make_token

OTHERS = ["0.0.0.0", "10.0.0.1", "::", "example.org", ""]  # noqa: S104 - that it is none of them is the test


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost", "::ffff:127.0.0.1"])
def test_loopback_addresses_are_ours(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", OTHERS)
def test_every_other_address_is_not(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize("host", OTHERS)
def test_without_any_token_no_other_address_is_taken(settings: Settings, host: str) -> None:
    with pytest.raises(SetupError, match="no token exists"):
        check_address(host, settings)


def test_who_may_ask_is_said(settings: Settings) -> None:
    assert check_address("127.0.0.1", settings)
    store = open_store(settings.store_location)
    store.tokens.add(make_token(name="ci", scope=Scope.READ, created_at=datetime.now(UTC))[0])
    store.close()
    assert not any(check_address(host, settings) for host in ("127.0.0.1", *OTHERS))
