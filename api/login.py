"""Where to log in, where to go afterwards, and the cookie that a browser keeps meanwhile."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from itsdangerous import BadData, URLSafeTimedSerializer

PAGE = "/login"
COOKIE = "queuecast_session"
SESSION_SECONDS = 12 * 3_600


def login_address(path: str) -> str:
    """The page to log in, which leads back to this path of ours."""
    return f"{PAGE}?next={quote(local_path(path), safe='/')}"


def local_path(text: str) -> str:
    r"""The text if it is a path of this service, else the root: `//host`, `/\host` and `https:` lead elsewhere."""
    is_ours = text.startswith("/") and not text.startswith("//") and "\\" not in text and text.isprintable()
    return text if is_ours else "/"


def path_of(address: str) -> str:
    """The path of an address of this service; the root for one that is none."""
    try:
        return local_path(urlsplit(address).path)
    except ValueError:
        return "/"


def sealed(token_id: str, key: str) -> str:
    """The cookie of a session of this token: signed, with the time in it."""
    return str(_signer(key).dumps(token_id))


def token_of(cookie: str, key: str) -> str | None:
    """The token's id of a session; None = the cookie is none of ours, or too old."""
    try:
        return str(_signer(key).loads(cookie, max_age=SESSION_SECONDS))
    except BadData:
        return None


def _signer(key: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(key, salt="session")
