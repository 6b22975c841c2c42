"""Who may look at Flower: this machine alone while no token exists, then whoever has its password.

Flower itself asks for a password only where one is configured, and never for /metrics and /healthcheck. It looks at no Host
header, so any web page could read it through a name that leads to this machine (DNS rebinding). And it lets whoever has the
password send tasks, although it is read-only.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import secrets
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from shared.config.addresses import host_of, is_address, is_loopback
from shared.config.data_folder import is_noted
from shared.errors import StoreAway

if TYPE_CHECKING:
    from shared.store import Store

CREDENTIALS = "FLOWER_BASIC_AUTH"  # Flower's own variable: user:password, several separated by commas
USER = "operator"
LOOK_SECONDS = 2.0  # as long as the API takes to know a new token
LOOKING = frozenset({"GET", "HEAD"})
ASKED_BY_POST = "/tasks/datatable"  # a list that is long to ask for


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What of a request decides whether it is answered."""

    method: str
    path: str
    host: str
    peer: str
    authorization: str


@dataclass(slots=True, kw_only=True)
class Access:
    """The rule of one running Flower.

    credentials: `user:password` of those who may look.
    names: by which it is asked beside addresses and localhost, such as that of the proxy in front of it.
    needs_password: whether the password is asked for now.
    """

    credentials: Sequence[str]
    names: Collection[str] = ()
    needs_password: Callable[[], bool]

    def refusal(self, asked: Asked) -> HTTPStatus | None:
        """Why it is not answered; None = it is."""
        host, needs_password = host_of(asked.host), self.needs_password()
        is_here = is_loopback(host) and is_loopback(asked.peer)
        is_ours = is_loopback(host) or is_address(host) or host in self.names
        if not (is_ours if needs_password else is_here):
            return HTTPStatus.FORBIDDEN
        if needs_password and not self._is_known(asked.authorization):
            return HTTPStatus.UNAUTHORIZED
        if asked.method not in LOOKING and (asked.method, asked.path) != ("POST", ASKED_BY_POST):
            return HTTPStatus.METHOD_NOT_ALLOWED
        return None

    def _is_known(self, authorization: str) -> bool:
        scheme, _, given = authorization.partition(" ")
        try:
            decoded = base64.b64decode(given.strip(), validate=True)
        except (binascii.Error, ValueError):
            return False
        matches = [hmac.compare_digest(decoded, known.encode()) for known in self.credentials]  # all of them: no early end
        return scheme.lower() == "basic" and any(matches)


@dataclass(slots=True)
class TokensExist:
    """Whether a token was ever made; once it was, for ever. A store that does not answer counts as one with tokens."""

    store: Store
    note: Path | None = None  # where this machine keeps that tokens were made
    _is_known: bool = False
    _looked_at: float = field(default=-LOOK_SECONDS)

    def __call__(self) -> bool:
        """Look at most every LOOK_SECONDS."""
        if self._is_known:
            return True
        if time.monotonic() - self._looked_at < LOOK_SECONDS:
            return False
        try:
            self._is_known = is_noted(self.note) or self.store.tokens.were_made()
        except StoreAway:
            return True
        self._looked_at = time.monotonic()
        return self._is_known


def credentials(folder: Path) -> list[str]:
    """What the environment says, else the password of our own making that is kept in the folder; none where there is none."""
    if given := os.environ.get(CREDENTIALS):
        return given.split(",")
    try:
        return [password_file(folder).read_text().strip()]
    except OSError:
        return []


def make_credentials(folder: Path) -> list[str]:
    """The same, after a password was made and kept in the folder, where there was none."""
    if not credentials(folder):
        new = password_file(folder).with_suffix(f".{os.getpid()}")
        new.touch(mode=0o600)
        new.write_text(f"{USER}:{secrets.token_urlsafe(18)}\n")
        new.replace(password_file(folder))
    return credentials(folder)


def password_file(folder: Path) -> Path:
    """Where Flower's own password is kept."""
    return folder / "password"
