"""The service that a command speaks to: how its answers and the files for it are handled, how a job is followed to its end."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.command.client import Client
from shared.command.progress import LINE_EVERY_SECONDS
from shared.command.reading import load_settings
from shared.command.terminal import now_and_then, print_json, progress_console, using
from shared.config.origins import CONFIG_FILE, config_file
from shared.domain.codec import Document
from shared.domain.durations import seconds_to_wait
from shared.domain.runs import Run
from shared.errors import UsageError

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

Url = Annotated[str, typer.Option("--url", envvar="QUEUECAST_URL", help="Where the service answers.")]

Timeout = Annotated[str, typer.Option("--timeout", help="How long to wait: 90s, 10min, 1h.")]

DEFAULT_URL = "http://127.0.0.1:8080"
PATIENCE_SECONDS = 30.0  # for an answer, which takes two, or says 503
_TOKEN_FROM = "QUEUECAST_TOKEN"  # noqa: S105 - a variable
_ASKED_WITH = {_TOKEN_FROM, CONFIG_FILE, "QUEUECAST_URL", "QUEUECAST_DATA_DIR"}  # the last: no concern of whoever asks a service
PARTS = ("queues", "candidates")  # of a job, that are counted


def connect(url: str, *, patience_seconds: float = PATIENCE_SECONDS) -> Client:
    """A client of the service, with the token of QUEUECAST_TOKEN, if there is one."""
    return Client(url, patience_seconds=patience_seconds, token=(_token() or "").strip() or None)


def _token() -> str | None:
    """As settings have it: they cost as much as all else, and are read where more is set than this."""
    given = {name for name in os.environ if name.upper().startswith("QUEUECAST_")}
    if given <= _ASKED_WITH and not config_file().is_file():
        return os.environ.get(_TOKEN_FROM)
    token = load_settings().token
    return token.get_secret_value() if token else None


def show(document: Document, print_text: Callable[[Document], None], *, as_json: bool) -> None:
    """Print an answer: as it is, or as text."""
    if as_json:
        print_json(document)
    else:
        print_text(document)


def read_file(file: str) -> bytes:
    """The content of a file, or of standard input for `-`; raises UsageError."""
    with using(file, "read"):
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()


def timeout_of(text: str) -> int:
    """Seconds of `--timeout`; raises UsageError."""
    try:
        return seconds_to_wait(text)
    except ValueError as error:
        raise UsageError(f"--timeout: {error}") from error


def follow(client: Client, job_id: str, timeout_seconds: float) -> Document:
    """Wait until the job has ended and give it; on stderr a terminal gets bars, all else a line now and then.

    Raises:
        TimeoutError: it has not ended in time; it goes on all the same.
        ServiceError: the service stays away.
    """
    console = progress_console()
    if not console.is_terminal:
        tell = now_and_then(LINE_EVERY_SECONDS)
        return client.wait(job_id, timeout_seconds, lambda job: tell(_line(job)))
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[note]}"))
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as bars:
        return client.wait(job_id, timeout_seconds, _drawer(bars))


def _line(job: Document) -> str:
    tallies = (f"{tally['done']} of {tally['total'] or '?'} {part}" for part, tally in _tallies(job).items())
    return f"{job['state']}: {', '.join(tallies)}{_left(job)}"


def _left(job: Document) -> str:
    """How long it still takes at the pace so far, where that can be told."""
    seconds = job.get("seconds_left")  # an earlier release does not tell it
    return "" if seconds is None else f", about {timedelta(seconds=round(seconds))} left"


def _drawer(bars: Progress) -> Callable[[Document], None]:
    tasks: dict[str, TaskID] = {}

    def draw(job: Document) -> None:
        for part, tally in _tallies(job).items():
            if part not in tasks:
                tasks[part] = bars.add_task(part, total=None, note="")
            note = f"{tally['failed']} failed" if tally["failed"] else f"{job['state']}{_left(job)}" if part == "queues" else ""
            bars.update(tasks[part], completed=tally["done"], total=tally["total"] or None, note=note)

    return draw


def _tallies(job: Document) -> Document:
    """Of what the job has, or may get yet: there are candidates only where something is scored."""
    has_candidates = job["run"] == Run.SEARCH or job["progress"]["candidates"]["total"]
    return {part: job["progress"][part] for part in PARTS if part == "queues" or has_candidates}
