"""The number of the form in which records are kept, the same in SQLite and MongoDB, and the way from one to the next.

It stands for changed forms only: a new table or index needs none, as what a database lacks is made when it is opened.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from shared.errors import InvalidSettings

D = TypeVar("D")

VERSION = 6
COLUMNS = 4  # the last one that kept what values say in columns: schema_4.py
NAMES = 5  # the last one that kept what belongs to a series by the queue's name: schema_5.py

# Number of a database → what changes its form, and the number that it has then; without a step it is the next one.
Steps = Mapping[int, Callable[[D], int]]


def check_known(version: int, place: str) -> None:
    """Raises InvalidSettings for a number of a newer release."""
    if not 0 <= version <= VERSION:
        raise InvalidSettings(f"the store's {place} has schema {version} of a newer release; this one knows {VERSION}")


def migrate(database: D, version: int, steps: Steps[D]) -> None:
    """Go from the form of that number to ours; each step begins where the one before has ended."""
    while version < VERSION:
        version = steps[version](database) if version in steps else version + 1
