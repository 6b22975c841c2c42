"""The number of the form in which records are kept, the same in SQLite and MongoDB, and the way from one to the next.

It stands for changed forms only: a new table or index needs none, as what a database lacks is made when it is opened.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

import structlog

from shared.errors import InvalidSettings

log = structlog.get_logger(__name__)

D = TypeVar("D")
T = TypeVar("T")
Tell = Callable[[str], None]

VERSION = 6
COLUMNS = 4  # the last one that kept what values say in columns: schema_4.py
NAMES = 5  # the last one that kept what belongs to a series by the queue's name: schema_5.py

ABOUT = {  # number → what leads on from it, for whoever asks before it is done
    1: "jobs tell when they were queued again",
    2: "the steps of a forecast move from a table of theirs into the forecast",
    3: "keys that signed sessions go",
    COLUMNS: "records that were columns become documents",
    NAMES: "forecasts, accuracy and actual values join their series; schedules go on accepting losses",
}

TELL_SECONDS = 5.0
_tell: ContextVar[Tell] = ContextVar("tell", default=lambda text: log.info(text))  # noqa: PLW0108 - who logs is set up later

# Number of a database → what changes its form, and the number that it has then; without a step it is the next one.
Steps = Mapping[int, Callable[[D], int]]


def check_known(version: int, place: str) -> None:
    """Raises InvalidSettings for a number of a newer release."""
    if not 0 <= version <= VERSION:
        raise InvalidSettings(f"the store's {place} has schema {version} of a newer release; this one knows {VERSION}")


def migrate(database: D, version: int, steps: Steps[D]) -> None:
    """Go from the form of that number to ours; each step begins where the one before has ended."""
    if version < VERSION:
        _tell.get()(f"the store is led from schema {version} to {VERSION}")
    while version < VERSION:
        version = steps[version](database) if version in steps else version + 1


@contextmanager
def telling(tell: Tell) -> Iterator[None]:
    """Inside, how far a migration is goes there instead of into the log."""
    before = _tell.set(tell)
    try:
        yield
    finally:
        _tell.reset(before)


def counted(rows: Iterable[T], what: str, total: int) -> Iterator[T]:
    """The rows, and every few seconds how many of them were taken."""
    told_at = time.monotonic()
    for number, row in enumerate(rows, start=1):
        yield row
        if time.monotonic() - told_at >= TELL_SECONDS:
            _tell.get()(f"the store is led on: {number:,} of {total:,} {what}")
            told_at = time.monotonic()
