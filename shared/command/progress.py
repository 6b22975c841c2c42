"""How far long work is: a bar with the time that is left on a terminal, else a line of it every ten seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from shared.command.terminal import now_and_then, progress_console

LINE_EVERY_SECONDS = 10.0
Show = Callable[[int, int], None]  # how much is done, of how much


@contextmanager
def counting(name: str, line: Callable[[int, int], str]) -> Iterator[Show]:
    """Shows how far something is; nothing of what is quick.

    Args:
        name: stands beside the bar.
        line: what is said of so much that is done, of so much.
    """
    console, begin = progress_console(), time.monotonic()
    if not console.is_terminal:
        tell = now_and_then(LINE_EVERY_SECONDS)
        yield lambda done, total: tell(line(done, total) + time_left(time.monotonic() - begin, done, total))
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("left:"))
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as bars:
        task = bars.add_task(name, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)


def time_left(seconds: float, done: int, total: int) -> str:
    """At the pace so far, to be said behind something else; nothing where that cannot be told, or all is done.

    >>> time_left(10.0, 1, 3)
    ', about 0:00:20 left'
    """
    if not 0 < done < total:
        return ""
    return f", about {timedelta(seconds=round(seconds * (total - done) / done))} left"
