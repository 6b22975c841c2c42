"""Where browsers log in and where they are redirected afterwards; the name of the session's cookie."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from flask import request

PAGE = "/login"
COOKIE = "queuecast_session"


def wants_page() -> bool:
    """Whether a browser asks, which prefers HTML to JSON."""
    return request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html"


def asked_address() -> str:
    """The path and query that were asked for, as an address: a queue may be called `..` or `a?b`."""
    query = request.query_string.decode("ascii", "replace")
    return quote(request.path, safe="/") + (f"?{query}" if query else "")


def login_address(path: str) -> str:
    """The page to log in, which leads back to this path of ours."""
    return f"{PAGE}?next={quote(local_path(path), safe='/')}"


def local_path(text: str) -> str:
    r"""The text if it is a path of this service, else `/`: against open redirects by `//host`, `/\host` and `https:`."""
    is_ours = text.startswith("/") and not text.startswith("//") and "\\" not in text and text.isprintable()
    return text if is_ours else "/"


def path_of(address: str) -> str:
    """The path and query of an address of this service; the root for one that is none."""
    try:
        parts = urlsplit(address)
        return local_path(parts.path + (f"?{parts.query}" if parts.query else ""))
    except ValueError:
        return "/"
