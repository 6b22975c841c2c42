"""The store: our own records. `open_store(url)` gives the one that the URL names."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from shared.errors import InvalidSettings
from shared.storage.base import Store
from shared.storage.memory import MemoryStore
from shared.storage.sqlite import SqliteStore

__all__ = ["Store", "open_store"]

ACCEPTED = "sqlite:///absolute/path, mongodb://host:port/database or memory:"
API_PATIENCE_SECONDS = 1.0


def _mongo_store(url: str, patience: Literal["api", "store"]) -> Store:
    from shared.storage.mongo import MongoStore  # pymongo, which only this store needs

    return MongoStore(url, patience=patience)


def open_store(url: str, *, patience_seconds: float = 30.0) -> Store:
    """The store that `url` names; nothing is opened before its first use. Raises InvalidSettings.

    Args:
        url: `sqlite:///absolute/path`, taken as it is (no %-escapes), `mongodb://host:port/database`, or `memory:`.
        patience_seconds: how long a locked database is waited for: 30 in workers, 1 in the API, which answers within two.
    """
    scheme, _, rest = url.partition(":")  # never shown whole: it may hold a password
    match scheme:
        case "memory":
            return MemoryStore()
        case "sqlite" if rest.startswith("///") and not rest.endswith("/"):
            return SqliteStore(Path("/" + rest.lstrip("/")), patience_seconds=patience_seconds)
        case "sqlite":
            raise InvalidSettings(f"the store's URL {url!r} names no file by an absolute path; accepted is {ACCEPTED}")
        case "mongodb" | "mongodb+srv":
            return _mongo_store(url, patience="api" if patience_seconds <= API_PATIENCE_SECONDS else "store")
        case _:
            raise InvalidSettings(f"the store's URL has the scheme {scheme[:20]!r}; accepted is {ACCEPTED}")
