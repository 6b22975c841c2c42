"""What was said of a job: the newest lines of the logs that `queuecast up` writes on this machine, as far as they tell of it.

Processes that somebody else runs write to wherever that one leads them; the page says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flask import render_template

from api.edge.context import Services
from api.edge.policy import PAGE
from api.edge.projects import visible
from api.edge.routing import route
from shared.store.jobs import JOBS

SHOWN = 100
MAX_BYTES = 2_000_000  # of each process, from the end
FILES = ("{}.log.1", "{}.log")  # the older one first
# beside what happened; a traceback is for who runs the machine
TOLD = ("what", "outcome", "queue", "model", "reason", "error", "queues", "state")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One of them; `at`: its time as it says it."""

    at: str
    process: str
    level: str
    text: str


@route("GET", "/jobs/<job_id>/log", PAGE, endpoint="job_log")
def show(services: Services, job_id: str) -> str:
    """The page."""
    job, folder = visible(services, JOBS, job_id), services.settings.data_dir / "logs"
    return render_template("job_log.html", job=job, lines=lines_of(folder, job.job_id), shown=SHOWN, is_here=folder.is_dir())


def lines_of(folder: Path, job_id: str) -> list[LogLine]:
    """The newest lines about a job, the newest first."""
    processes = sorted({file.name.partition(".")[0] for file in folder.glob("*.log")})
    found = [line for process in processes for line in _of_process(folder, process, job_id)]
    return sorted(found, key=lambda line: line.at, reverse=True)[:SHOWN]


def _of_process(folder: Path, process: str, job_id: str) -> Iterator[LogLine]:
    name = job_id.encode()
    for raw in _tail(folder, process).splitlines():
        if name not in raw:
            continue
        try:
            known = json.loads(raw)
        except ValueError:  # cut, or no line of ours
            continue
        if isinstance(known, dict) and known.get("job_id") == job_id:
            about = {name: str(known.get(name, "")) for name in ("event", "timestamp", "level")}
            told = [about["event"], *(f"{field} {_said(known[field])}" for field in TOLD if known.get(field) is not None)]
            yield LogLine(at=about["timestamp"], process=process, level=about["level"], text=" · ".join(told))


def _said(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _tail(folder: Path, process: str) -> bytes:
    content = b""
    for file in (folder / form.format(process) for form in FILES):
        try:
            with file.open("rb") as stream:
                stream.seek(max(0, file.stat().st_size - MAX_BYTES))
                content += stream.read(MAX_BYTES)
        except FileNotFoundError:  # there is none yet, or it begins anew
            continue
    return content[-MAX_BYTES:]
