"""The store: our own records. `open_store(url)` gives the one that the URL names."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from shared.errors import InvalidSettings
from shared.storage._sqlite_place import StorePlace
from shared.storage.base import Store
from shared.storage.sqlite import SqliteStore

__all__ = ["Store", "is_new", "open_store", "sqlite_path"]

ACCEPTED = "sqlite:///absolute/path or mongodb://host:port/database"
API_PATIENCE_SECONDS = 1.0


def _mongo_store(url: str, patience: Literal["api", "store"]) -> Store:
    from shared.storage.mongo import MongoStore  # pymongo, which only this store needs

    return MongoStore(url, patience=patience)


def open_store(url: str, *, patience_seconds: float = 30.0) -> Store:
    """The store that `url` names; nothing is opened before its first use. Raises InvalidSettings.

    Args:
        url: `sqlite:///absolute/path`, taken as it is (no %-escapes), or `mongodb://host:port/database`.
        patience_seconds: how long a locked database is waited for: 30 in workers, 1 in the API, which answers within two.
    """
    scheme, _, _rest = url.partition(":")  # never shown whole: it may hold a password
    match scheme:
        case "sqlite":
            return SqliteStore(sqlite_path(url), patience_seconds=patience_seconds)
        case "mongodb" | "mongodb+srv":
            return _mongo_store(url, patience="api" if patience_seconds <= API_PATIENCE_SECONDS else "store")
        case "memory":
            raise InvalidSettings(
                f"the store memory: is one process's own, and the others would not see it; accepted is {ACCEPTED}"
            )
        case _:
            raise InvalidSettings(f"the store's URL has the scheme {scheme[:20]!r}; accepted is {ACCEPTED}")


def sqlite_path(url: str) -> Path:
    """The file that an SQLite URL names; raises InvalidSettings."""
    path = url.removeprefix("sqlite:")
    if not path.startswith("///") or path.endswith("/"):
        raise InvalidSettings(f"the store's URL {url!r} names no file by an absolute path; accepted is {ACCEPTED}")
    return Path("/" + path.lstrip("/"))


def is_new(url: str) -> bool:
    """Whether nothing was ever kept there, as far as it can be told without making it; a server is only known by asking it."""
    return url.startswith("sqlite:") and StorePlace(sqlite_path(url)).is_new
