"""What this release would do to a store of an earlier one, found out by reading only.

Whoever opens a store leads it on. This does not open it: an SQLite file is read as it lies, a MongoDB as any reader may.
"""

from __future__ import annotations

from shared.store import sqlite_path
from shared.store.outlook import Outlook


def look_ahead(url: str) -> Outlook:
    """What this release would do to the store that `url` names; raises StoreAway, InvalidSettings."""
    if url.startswith("sqlite:"):
        from shared.store.upgrade_sqlite import look

        return look(sqlite_path(url))
    from shared.store.upgrade_mongo import look as look_there  # pymongo, which only this database needs

    return look_there(url)
