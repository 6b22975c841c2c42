"""The token in a form of our own pages: a session's change without a script, which cannot send the header HX-Request.

It is made from the session's id, which no other page can read, and differs each time, so that the size of compressed pages tells
nothing of it.
"""

from __future__ import annotations

from hmac import compare_digest, digest
from secrets import token_hex

from flask import request

from api.edge.login import COOKIE

FIELD = "form_token"


def form_token() -> str:
    """A new one, for a form of the page that is being answered."""
    nonce = token_hex(8)
    return f"{nonce}.{_signed(nonce)}"


def has_form_token() -> bool:
    """Whether the form that was sent has one of this session."""
    nonce, _, signed = request.form.get(FIELD, "").partition(".")
    return bool(request.cookies.get(COOKIE)) and compare_digest(signed.encode(), _signed(nonce).encode())


def _signed(nonce: str) -> str:
    return digest(request.cookies.get(COOKIE, "").encode(), nonce.encode(), "sha256").hex()
