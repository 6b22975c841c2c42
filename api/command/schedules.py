"""`queuecast schedules`: recurring jobs of a running service."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from api.command.client import Client, Document
from shared.command.terminal import AsJson, notice, print_json, print_table, say, shown_time
from shared.config.settings import load_settings
from shared.errors import InvalidRequest

schedules = typer.Typer(help="List, add, pause, resume and remove recurring jobs.", no_args_is_help=True)

Url = Annotated[str, typer.Option("--url", help="Where the service answers.")]
ScheduleId = Annotated[str, typer.Argument(help="As `queuecast schedules list` shows it.", show_default=False)]

HERE = "http://127.0.0.1:8080"


@schedules.command("list", epilog="Example: queuecast schedules list --json")
def list_schedules(url: Url = HERE, as_json: AsJson = False) -> None:
    """List every schedule with its next due time and its last job."""
    found = _client(url).schedules()
    if as_json:
        print_json(found)
        return
    columns = ("schedule", "name", "cron", "time zone", "next", "last job", "state", "skipped")
    print_table(columns, map(_row, found["schedules"]))


@schedules.command("add", epilog="Example: queuecast schedules add request.json --name daily --cron '0 6 * * *'")
def add_schedule(
    *,
    file: Annotated[str, typer.Argument(help="File with the job's request, or - for standard input.", show_default=False)],
    name: Annotated[str, typer.Option(help="For people.", show_default=False)],
    cron: Annotated[str, typer.Option(help="Minute, hour, day of month, month, day of week (0 = Sunday).", show_default=False)],
    timezone: Annotated[str, typer.Option(help="In which the expression is meant.")] = "UTC",
    url: Url = HERE,
    as_json: AsJson = False,
) -> None:
    """Add a schedule. Prints its id."""
    schedule = {"name": name, "cron": cron, "timezone": timezone, "request": _request(file)}
    _tell(_client(url).add_schedule(schedule), as_json=as_json)


@schedules.command("show", epilog="Example: queuecast schedules show 3f9ac01b22")
def show_schedule(schedule_id: ScheduleId, url: Url = HERE) -> None:
    """Show a schedule with its request, as JSON."""
    print_json(_client(url).schedule(schedule_id))


@schedules.command("pause", epilog="Example: queuecast schedules pause 3f9ac01b22")
def pause_schedule(schedule_id: ScheduleId, url: Url = HERE, as_json: AsJson = False) -> None:
    """Let a schedule rest until it is resumed."""
    _tell(_client(url).schedule(schedule_id, "pause"), as_json=as_json)


@schedules.command("resume", epilog="Example: queuecast schedules resume 3f9ac01b22")
def resume_schedule(schedule_id: ScheduleId, url: Url = HERE, as_json: AsJson = False) -> None:
    """Let a schedule go on, from its next due time after now."""
    _tell(_client(url).schedule(schedule_id, "resume"), as_json=as_json)


@schedules.command("remove", epilog="Example: queuecast schedules remove 3f9ac01b22")
def remove_schedule(schedule_id: ScheduleId, url: Url = HERE) -> None:
    """Remove a schedule; the jobs that it made stay."""
    _client(url).schedule(schedule_id, "remove")
    notice(f"schedule {schedule_id} is removed")


def _client(url: str) -> Client:
    token = load_settings().token
    return Client(url, token=token.get_secret_value() if token else None)


def _request(file: str) -> Document:
    try:
        found = json.loads(sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidRequest(f"{file} holds no request: {error}") from error
    if not isinstance(found, dict):
        raise InvalidRequest(f"{file} holds no request: found a {type(found).__name__}, accepted is a JSON object")
    return found


def _tell(schedule: Document, *, as_json: bool) -> None:
    if as_json:
        print_json(schedule)
        return
    say(schedule["schedule_id"])
    due = schedule["next_due_at"]
    notice(f"next due {shown_time(due)}" if due else "paused")


def _row(schedule: Document) -> tuple[object, ...]:
    told = (schedule[name] for name in ("schedule_id", "name", "cron", "timezone"))
    due = schedule["next_due_at"]
    last = (schedule[name] for name in ("last_job_id", "last_job_state", "last_skip"))
    return *told, shown_time(due) if due else "paused", *last
