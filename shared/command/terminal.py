"""How a command speaks: its answer on stdout, as a table or as one JSON value; everything else on stderr.

Colours come and go with the terminal and with NO_COLOR; rich sees to both.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from shared.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON value instead of text.")]
DataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="The data folder, instead of QUEUECAST_DATA_DIR.", show_default=False)
]

NOTHING = "–"
LINES = "\n\t"
STILL_SECONDS = 60.0  # after which whoever waits is told that there is nothing new
_PIPE_WIDTH = 400  # a pipe has no edge: rows stay whole for grep and awk


class Form(Enum):
    """How the tables of a command are printed."""

    FITTING = auto()
    WIDE = auto()
    CSV = auto()


form: ContextVar[Form | None] = ContextVar("form", default=None)  # None: the command offers no choice


def print_json(value: object) -> None:
    """Print one JSON value, in one line, to stdout."""
    sys.stdout.write(json.dumps(value, allow_nan=False) + "\n")


def say(text: str) -> None:
    """Print one line of the answer to stdout; beside a table that is printed as CSV it stands on stderr."""
    if form.get() is Form.CSV:
        notice(text)
    else:
        console(sys.stdout).print(plain(text, keeps=LINES), soft_wrap=True)


def notice(text: str, *, style: str = "") -> None:
    """Tell the person at the keyboard something that is not the answer, in one line on stderr."""
    console(sys.stderr).print(plain(" ".join(text.split())), style=style, soft_wrap=True)


def now_and_then(seconds: float) -> Callable[[str], None]:
    """A `notice` of how far something is, nothing before so much time has passed; what has not changed is said once a minute."""
    said, said_at = "", time.monotonic()

    def tell(text: str) -> None:
        nonlocal said, said_at
        silent = time.monotonic() - said_at
        if silent >= (seconds if text != said else max(seconds, STILL_SECONDS)):
            notice(text if text != said else f"still {text}")
            said, said_at = text, time.monotonic()

    return tell


@contextmanager
def using(path: Path | str, what: str) -> Iterator[None]:
    """What the system refuses becomes a sentence about the path that a person has named: UsageError. `what`: read, written."""
    try:
        yield
    except FileNotFoundError as error:
        if what == "read":
            raise UsageError(f"there is no file {path}") from error
        raise UsageError(f"{path} cannot be {what}: its folder is not there") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be {what}: {error.strerror or error}") from error


def width() -> int:
    """Characters of a line on stdout."""
    return _PIPE_WIDTH if form.get() in {Form.WIDE, Form.CSV} else console(sys.stdout).width


def progress_console() -> Console:
    """Where progress bars are drawn: stderr; `is_terminal` says whether to draw any."""
    return console(sys.stderr)


def plain(text: str, *, keeps: str = "") -> str:
    """The text with what is not to be seen written out: `\\x1b` moves a terminal's cursor, a line end begins another line."""
    return "".join(each if each.isprintable() or each in keeps else repr(each)[1:-1] for each in text)


def shown(value: object) -> str:
    """A value as people read it: `None` a dash, floats with four significant digits and at most two decimals."""
    if value is None or value == "":
        return NOTHING
    if not isinstance(value, float):
        return plain(str(value), keeps=LINES)
    if value and abs(value) < 0.1:
        return f"{value:.2g}"
    return f"{value:.{min(2, max(0, 4 - len(str(int(abs(value))))))}f}"


def shown_time(moment: str | None) -> str:
    """An ISO 8601 time, UTC, to the minute."""
    return f"{moment[:16].replace('T', ' ')}Z" if moment else NOTHING


def console(stream: TextIO) -> Console:
    """Names of queues are text: brackets in them are no markup, colons no emoji."""
    from rich.console import Console

    plain = Console(file=stream, markup=False, emoji=False, highlight=False)
    if not plain.is_terminal or form.get() is Form.WIDE:
        plain.width = _PIPE_WIDTH
    return plain
