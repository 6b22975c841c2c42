"""What the processes of `queuecast up` have said: the files of DATA_DIR/logs as one account, by time.

Each process has a file, and the one before it with .1 at its end (supervise.py). Most lines are JSON; what is none, such as a
traceback, belongs to the line before it.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import merge
from pathlib import Path

from shared.command.terminal import plain, shown
from shared.errors import UsageError

SUFFIX, OLDER = ".log", ".log.1"
POLL_SECONDS = 0.5
JOB = "job_id"
TRACEBACK = "exception"
TOLD_APART = (
    "timestamp",
    "level",
    "event",
    "logger",
    "data",
)  # the others are shown as name=value; `data` is what Celery says twice


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a process; `at`: its time as it says it, "" = none was said yet; known: what it says, as far as it is JSON."""

    process: str
    at: str
    text: str
    known: Mapping[str, object] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """For people: `2026-11-30T08:51:02Z worker info job planned queues=2`."""
        if not self.known:
            return f"{self.process}: {self.text}"
        told = {name: value for name, value in self.known.items() if name not in TOLD_APART and value is not None}
        others = " ".join(f"{name}={_value(name, value)}" for name, value in told.items())
        event, level = (plain(str(self.known.get(name, default))) for name, default in (("event", ""), ("level", "info")))
        return f"{plain(self.at[:19])}Z {self.process} {level}: {event} {others}".rstrip()


def processes_in(folder: Path) -> list[str]:
    """The processes that have said anything here."""
    return sorted(file.name.removesuffix(SUFFIX) for file in folder.glob(f"*{SUFFIX}"))


def chosen(folder: Path, process: str | None) -> list[str]:
    """The processes that are asked for; raises UsageError where there is none, naming those that there are."""
    known = processes_in(folder)
    if not known:
        raise UsageError(f"found no logs in {folder}; `queuecast up` writes them there")
    if process is not None and process not in known:
        raise UsageError(f"found no log of {process!r} in {folder}; there are {', '.join(known)}")
    return known if process is None else [process]


def lines_of(folder: Path, processes: Sequence[str], job: str | None = None) -> Iterator[Line]:
    """All lines of these processes by time, those of one job only if it is named."""
    told = merge(*(_lines(folder, process) for process in processes), key=lambda line: line.at)
    return (line for line in told if job is None or line.known.get(JOB) == job)


def following(folder: Path, processes: Sequence[str], job: str | None = None) -> Iterator[Line | None]:
    """What is said from now on, also in files that begin anew; None = nothing at the moment, and it waits a little."""
    tails = [_Tail(process=process, file=folder / f"{process}{SUFFIX}") for process in processes]
    try:
        while True:
            news = [line for tail in tails for line in tail.news() if job is None or line.known.get(JOB) == job]
            yield from sorted(news, key=lambda line: line.at)
            if not news:
                yield None
                time.sleep(POLL_SECONDS)
    finally:
        for tail in tails:
            tail.stream.close()


class _Tail:
    """The end of a process's file, which grows, and now and then begins anew."""

    def __init__(self, *, process: str, file: Path) -> None:
        self._process, self._file, self._at = process, file, ""
        self.stream = file.open("rb")
        self.stream.seek(0, os.SEEK_END)

    def news(self) -> Iterator[Line]:
        """The lines that have come, those that are whole."""
        while (raw := self.stream.readline()).endswith(b"\n"):
            line = _line(self._process, raw, self._at)
            self._at = line.at
            if raw.strip():
                yield line
        self.stream.seek(-len(raw), os.SEEK_CUR)
        if self._has_begun_anew():
            self.stream.close()
            self.stream = self._file.open("rb")

    def _has_begun_anew(self) -> bool:
        try:
            now = self._file.stat()
        except FileNotFoundError:  # between two files
            return False
        return now.st_size < self.stream.tell() or not os.path.samestat(now, os.fstat(self.stream.fileno()))


def _value(name: str, value: object) -> str:
    """In one line, as callers choose paths and names; a traceback in several, none of which looks like a line of its own."""
    if name != TRACEBACK:
        return shown(value) if isinstance(value, float) else plain(str(value))
    return "\n    ".join(map(plain, str(value).splitlines()))


def _lines(folder: Path, process: str) -> Iterator[Line]:
    at = ""
    for file in (folder / f"{process}{OLDER}", folder / f"{process}{SUFFIX}"):
        if file.is_file():
            with file.open("rb") as stream:
                for raw in filter(bytes.strip, stream):
                    line = _line(process, raw, at)
                    at = line.at
                    yield line


def _line(process: str, raw: bytes, before: str) -> Line:
    """A line; one without a time has that of the line before it."""
    text = "".join(each for each in raw.decode(errors="replace").rstrip() if each.isprintable() or each == "\t")
    try:
        known = json.loads(text)
    except ValueError:
        known = None
    if not isinstance(known, dict):
        return Line(process=process, at=before, text=text)
    return Line(process=process, at=str(known.get("timestamp", before)), text=text, known=known)
