"""Where the service may listen."""

from __future__ import annotations

import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest

from api.edge.bind_address import OPEN, bind, check_address
from shared.config.addresses import is_loopback
from shared.config.settings import Settings
from shared.domain.tokens import Scope, make_token
from shared.errors import SetupError
from shared.store import open_store

OTHERS = ["0.0.0.0", "10.0.0.1", "::", "example.org", ""]  # noqa: S104 - that it is none of them is the test


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost", "::ffff:127.0.0.1"])
def test_loopback_addresses_are_ours(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", OTHERS)
def test_without_any_token_no_other_address_is_taken(settings: Settings, host: str) -> None:
    assert not is_loopback(host)
    with pytest.raises(SetupError, match="no token exists"):
        check_address(host, settings, print)


def test_who_may_ask_is_said(settings: Settings) -> None:
    assert check_address("127.0.0.1", settings, print) == OPEN
    store = open_store(settings.store_location)
    store.tokens.add(make_token(name="ci", scope=Scope.READ, created_at=datetime.now(UTC))[0])
    store.close()
    assert {check_address(host, settings, print) for host in ("127.0.0.1", *OTHERS)} == {""}


def test_a_store_that_is_away_keeps_nobody_from_starting(tmp_path: Path) -> None:
    (tmp_path / "queuecast.db").mkdir()
    away = Settings(data_dir=tmp_path)
    assert "nobody is let in before it says which tokens there are" in check_address("0.0.0.0", away, print)  # noqa: S104 - as a fleet does


def test_a_port_that_is_taken_is_told_before_anything_starts() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SetupError, match=rf"--port {port} on 127\.0\.0\.1 cannot be had \(Address already in use\)"):
            bind("127.0.0.1", port)
    with pytest.raises(SetupError, match="--port 80 on no-such-host"):
        bind("no-such-host.invalid", 80)


@pytest.mark.parametrize(("host", "client"), [("::1", "::1"), ("::", "::1"), ("::", "127.0.0.1"), ("localhost", "127.0.0.1")])
def test_addresses_of_both_kinds_can_be_listened_on(host: str, client: str) -> None:
    with bind(host, 0) as sock:
        sock.listen()
        socket.create_connection((client, sock.getsockname()[1]), timeout=60).close()
