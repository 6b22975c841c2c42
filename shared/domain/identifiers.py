"""Names that go into a database's language, each kind with the one pattern it must match.

Values travel as parameters; names cannot, so what is no plain name is refused: at the edge with 422, and again by the drivers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from itertools import islice
from typing import TypeVar
from unicodedata import category, normalize

PLACE = r"[A-Za-z_][A-Za-z0-9_.-]*"  # collection, measurement, database
POLICY = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"  # retention policy, which is often called by its length
MAX_NAME = 120
MAX_QUEUE_NAME = 500
MAX_SHOWN = 20  # names in a message
MAX_SHOWN_CHARACTERS = 60  # of each
CONTROLS = {"Cc": "a control character", "Cs": "half a surrogate pair", "Zl": "a line separator", "Zp": "a paragraph separator"}
UNSEEN = "Cf"  # Unicode's category of what only says how to write the rest, such as a space of no width
BIDI_CONTROLS = r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # inside brackets of a pattern: they make text read otherwise
GLOB = frozenset("*?[")  # what tells a glob from a name
MAX_DEPTHS = 2  # `**` in a path: each multiplies the ways through a tree of folders
RESERVED_DATABASES = frozenset({"admin", "local", "config", "_internal", "_monitoring", "_tasks"})  # MongoDB's, InfluxDB's own

Thing = TypeVar("Thing")


def is_quick_glob(path: str) -> bool:
    """Whether looking for the files of this glob takes no longer than a few looks at all of them."""
    return path.count("**") <= MAX_DEPTHS


def is_column(name: str) -> bool:
    """Whether it may name a field of a database: no operator or variable such as `a.$b`, and nothing empty between dots."""
    are_plain = all(part and not part.startswith("$") for part in name.split("."))
    return are_plain and len(name) <= MAX_NAME and control_in(name) is None


def is_place(name: str) -> bool:
    """Whether it may name a collection, measurement or database of the user's own."""
    is_plain = len(name) <= MAX_NAME and re.fullmatch(PLACE, name) is not None
    return is_plain and not is_reserved_collection(name) and not is_reserved_database(name)


def is_policy(name: str) -> bool:
    """Whether it may name a retention policy."""
    return len(name) <= MAX_NAME and re.fullmatch(POLICY, name) is not None


def is_reserved_database(name: str) -> bool:
    """Whether the server keeps this database for itself: users, settings, its own measurements."""
    return name.lower() in RESERVED_DATABASES


def is_reserved_collection(name: str) -> bool:
    """Whether the server keeps this collection for itself."""
    return name.lower().startswith("system.")


def why_no_queue(name: str) -> str | None:
    """Why a queue may not be called so, in words; None = it may: `NA`, `null` and `-` are names as good as any."""
    if len(name) > MAX_QUEUE_NAME:
        return f"it is longer than the accepted {MAX_QUEUE_NAME} characters"
    if not alike(name):
        return "it is empty or nothing but white space and what is not to be seen"
    return control_in(name)


def control_in(text: str) -> str | None:
    """What a text has in it that ends lines, ends texts or makes them read otherwise, in words; None = nothing."""
    if re.search(f"[{BIDI_CONTROLS}]", text):
        return "it has a character that changes the direction of writing"
    control = next((CONTROLS[kind] for kind in map(category, text) if kind in CONTROLS), None)
    return control and f"it has {control} in it"


def alike(name: str) -> str:
    """The same for all names that look the same: differing in blanks, in how a letter is written, in what is not to be seen."""
    return " ".join("".join(each for each in normalize("NFKC", name) if category(each) != UNSEEN).split())


def shown(name: str) -> str:
    """A name from somebody's data as a message may have it: short, and with what is not to be seen written out."""
    short = name if len(name) <= MAX_SHOWN_CHARACTERS else f"{name[:MAX_SHOWN_CHARACTERS]}…"
    return short if control_in(short) is None else repr(short)


def listed(names: Collection[str], most: int = MAX_SHOWN) -> str:
    """Names in a message: the first ones, and how many more there are."""
    return first_of(names, most, say=shown) or "none"


def first_of(things: Collection[Thing], most: int, *, say: Callable[[Thing], str] = str, between: str = ", ") -> str:
    """The first things of several in words, and how many more there are: `a, b and 3 more`."""
    more = f"{between.rstrip(', ')} and {len(things) - most:,} more" if len(things) > most else ""
    return between.join(map(say, islice(things, most))) + more
