"""What a first look at a place shows, before a request is made of it: some rows, and what each column may be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.domain.units import Unit
from shared.domain.validation import Problem

MAX_ROWS = 5  # that are shown
MAX_COLUMNS = 40
MAX_QUEUES_NAMED = 12
MAX_FILES_NAMED = 50
MAX_CELL = 60  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """Which column is what, as far as it can be told from names and cells; "" or None = it cannot.

    step_seconds: the usual time from one sample of a queue to its next.
    has_zone: whether the times carry one, or are numbers since 1970.
    """

    time_field: str = ""
    queue_field: str = ""
    target: str = ""
    queues_from_columns: bool = False
    unit: Unit | None = None
    has_zone: bool = False
    step_seconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstLook:
    """What was seen.

    files: those that are meant, as a request names them, the first ones of very many.
    columns, rows: of the first rows of the first file; of a database the newest steps of the first queue.
    queues: the first ones by name, of so many.
    start_at, end_at: first and last step of the first queue that could be read, in the history that was looked at.
    problems: why a job of this would not run; warnings: what its owner should know.
    """

    files: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    guess: Guess = Guess()
    queues: tuple[str, ...] = ()
    queue_count: int = 0
    start_at: datetime | None = None
    end_at: datetime | None = None
    problems: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()
