"""Cells and rows that a source had to leave out, as losses: the same kinds in the same words, wherever they lay."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime

import numpy as np
import pandas as pd

from shared.domain.losses import Loss
from worker.prepare.step_times import ends_of
from worker.sources.base import Query

NULL_WORDS = frozenset({"", "-", "na", "n/a", "<na>", "#n/a", "null", "none", "nan", "-nan"})  # of a number that is not there
TEXTS = "cells with text instead of a number"
SWITCHES = "true or false instead of a number"
TIMES = "rows without a readable timestamp"
OUTSIDE = "values outside the physical range"
NAMELESS = "rows that name no queue"
BROKEN = "numbers that are infinite or stand for no limit"
MAX_LOST = 100_000  # cells that a database is asked for, one by one
MAX_EXAMPLE = 40  # characters
_SIGNS = re.compile(r"[\s,'’_%]")  # between digits and behind them


def is_null_word(text: str) -> bool:
    """Whether a text in a column of numbers says that there is no value: a gap then, not a loss."""
    return text.strip().lower() in NULL_WORDS


def lost_cells(
    what: str, column: str, lost: Sequence[tuple[datetime, str]], usable: pd.Series, *, advice: str, total: int | None = None
) -> Loss:
    """Cells of one column that were left out.

    Args:
        lost: time and text of each, at least one.
        usable: the numbers that are left of the column, by time: samples, or steps of them.
        total: how many cells the column had; None = those lost and those usable.
    """
    times = [moment for moment, _ in lost]
    numbers = usable.dropna()
    return Loss(
        what=what,
        column=column,
        count=len(lost),
        total=len(lost) + len(numbers) if total is None else total,
        first_at=min(times),
        last_at=max(times),
        example=lost[0][1][:MAX_EXAMPLE],
        advice=advice,
        is_at_end=numbers.empty or max(times) > numbers.index.max(),
        is_one_sided=what == TEXTS and _is_one_sided([text for _, text in lost], numbers),
    )


def by_end(steps: pd.Series, query: Query) -> pd.Series:
    """Whole steps by the last second in each of them, which tells what comes after them."""
    return steps.set_axis(ends_of(query.grid, pd.DatetimeIndex(steps.index)) - pd.Timedelta(seconds=1))


def outside_range(query: Query, lost: Sequence[tuple[datetime, str]], usable: pd.Series, *, total: int) -> Loss:
    """Values of the target that cannot be: below 0, where nothing else is said. That they lie on one side says nothing here."""
    accepted = f"accepted are {_range(*query.physical_range)} (`bounds`)"
    advice = f"{accepted}; numbers that mean that there is no value belong into `missing_values`"
    return lost_cells(OUTSIDE, str(query.target), lost, usable, advice=advice, total=total)


def nameless(
    query: Query, count: int, ends: tuple[datetime, datetime], example: str, *, own: int, every: Callable[[], int]
) -> Loss:
    """Rows in the history that name no queue: nobody knows whose they are, or whether they are totals.

    Args:
        ends: the first and the last of them.
        own: rows of the queue that is read, beside which they are counted. every: rows of all queues, which take long to count:
            asked for when there are fewer of its own.
    """
    return Loss(
        what=NAMELESS,
        column=query.queue_field,
        count=count,
        total=count + own if count <= own else max(count + own, every()),
        first_at=ends[0],
        last_at=ends[1],
        example=example,
        advice="write the queue's name into each of its rows, unless they are totals",
        is_nobodys=True,
    )


def _range(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return f"at most {high:g}" if low is None else f"at least {low:g}"
    return f"{low:g} to {high:g}"


def _is_one_sided(texts: Sequence[str], usable: pd.Series) -> bool:
    """Whether every text would be a number above, or below, all those that are left: thousands separators do that."""
    values = []
    for text in texts:
        with suppress(ValueError):
            values.append(float(_SIGNS.sub("", text)))
    if usable.empty or len(values) < len(texts) or not np.isfinite(values).all():
        return False
    return bool(min(values) > usable.max() or max(values) < usable.min())
