"""Following a job to its end, with progress bars for a person and silence for a pipe."""

from __future__ import annotations

from collections.abc import Callable

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from api.command.client import Client
from shared.command.terminal import progress_console
from shared.domain.codec import Document


def follow(client: Client, job_id: str, timeout_seconds: float) -> Document:
    """Wait until the job has ended and give it; bars are drawn on stderr, and only on a terminal.

    Raises:
        TimeoutError: it has not ended in time; it goes on all the same.
        ServiceError: the service stays away.
    """
    console = progress_console()
    if not console.is_terminal:
        return client.wait(job_id, timeout_seconds)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[note]}"))
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as bars:
        return client.wait(job_id, timeout_seconds, _drawer(bars))


def _drawer(bars: Progress) -> Callable[[Document], None]:
    tasks = {part: bars.add_task(part, total=None, note="") for part in ("queues", "candidates")}

    def draw(job: Document) -> None:
        for part, task in tasks.items():
            tally = job["progress"][part]
            note = f"{tally['failed']} failed" if tally["failed"] else job["state"] if part == "queues" else ""
            bars.update(task, completed=tally["done"], total=tally["total"] or None, note=note)

    return draw
