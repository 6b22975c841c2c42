"""Who asks: a token, as a bearer or through a session; or anybody on this machine, while no token exists."""

from __future__ import annotations

from dataclasses import dataclass

from flask import g, request

from shared.domain.jobs import LOCAL
from shared.domain.tokens import Scope, Token


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who sent the request that is being answered.

    caller_id: of the token; "local" without one.
    projects: whose jobs are seen and started; None = all.
    is_session: identified by the cookie, which browsers also attach to requests that other sites cause (CSRF).
    """

    caller_id: str
    name: str
    scope: Scope
    projects: tuple[str, ...] | None = None
    is_session: bool = False

    @classmethod
    def of(cls, token: Token, *, is_session: bool) -> Caller:
        """Whoever has the token."""
        projects = token.projects or None
        return cls(caller_id=token.token_id, name=token.name, scope=token.scope, projects=projects, is_session=is_session)

    @property
    def is_local(self) -> bool:
        """Whether there is no token yet, so that this machine may do everything."""
        return self.caller_id == LOCAL


ANYBODY_HERE = Caller(caller_id=LOCAL, name=LOCAL, scope=Scope.ADMIN)


def caller() -> Caller:
    """Who asks; only for views that ask for a token."""
    who = known_caller()
    if who is None:
        raise RuntimeError("this route is open to everybody, so the caller was not identified")
    return who


def known_caller() -> Caller | None:
    """Who asks; None = unknown: the route is open, or the request is about to be refused."""
    who: Caller | None = g.get("caller")
    return who


def is_reading() -> bool:
    """Whether the request only looks."""
    return request.method in {"GET", "HEAD", "OPTIONS"}


def let_in(who: Caller) -> None:
    """This is who asks."""
    g.caller = who


def note_wrong_secret() -> None:
    """Whoever asks has tried a secret that opens nothing."""
    g.has_tried = True


def has_tried() -> bool:
    """Whether a secret was tried that opens nothing."""
    return bool(g.get("has_tried"))
