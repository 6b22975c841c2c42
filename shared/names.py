"""Names that go into a database's language, each kind with the one pattern it must match.

Values travel as parameters; names cannot, so what is no plain name is refused: at the edge with 422, and again by the drivers.
"""

from __future__ import annotations

import re

COLUMN = r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*"
PLACE = r"[A-Za-z_][A-Za-z0-9_.-]*"  # collection, measurement, database
LONGEST_NAME = 120
MOST_DEPTHS = 2  # `**` in a path: each multiplies the ways through a tree of folders
RESERVED_DATABASES = frozenset({"admin", "local", "config", "_internal", "_monitoring", "_tasks"})  # MongoDB's, InfluxDB's own


def is_quick_glob(path: str) -> bool:
    """Whether looking for the files of this glob takes no longer than a few looks at all of them."""
    return path.count("**") <= MOST_DEPTHS


def is_column(name: str) -> bool:
    """Whether it may name a column or field."""
    return len(name) <= LONGEST_NAME and re.fullmatch(COLUMN, name) is not None


def is_place(name: str) -> bool:
    """Whether it may name a collection, measurement or database of the user's own."""
    is_plain = len(name) <= LONGEST_NAME and re.fullmatch(PLACE, name) is not None
    return is_plain and not is_reserved_collection(name) and not is_reserved_database(name)


def is_reserved_database(name: str) -> bool:
    """Whether the server keeps this database for itself: users, settings, its own measurements."""
    return name.lower() in RESERVED_DATABASES


def is_reserved_collection(name: str) -> bool:
    """Whether the server keeps this collection for itself."""
    return name.lower().startswith("system.")
