"""`queuecast schedules`: recurring jobs of a running service."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from api.command.completing import offer_schedules
from api.command.service import DEFAULT_URL, Url, connect, read_file, show
from shared.command.tables import print_table, tabular
from shared.command.terminal import AsJson, notice, say, shown_time
from shared.domain.codec import Document
from shared.domain.identifiers import listed
from shared.domain.wording import json_kind
from shared.errors import UsageError

group = typer.Typer(name="schedules", help="List, add, pause, resume and remove recurring jobs.", no_args_is_help=True)

ScheduleId = Annotated[
    str, typer.Argument(help="As `queuecast schedules list` shows it.", show_default=False, autocompletion=offer_schedules)
]


@group.command("list", epilog="Example: queuecast schedules list --json")
@tabular
def list_schedules(url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """List every schedule with its next due time and its last job."""
    show(connect(url).get("schedules"), _print_list, as_json=as_json)


@group.command("add", epilog="Example: queuecast schedules add request.json --name daily --cron '0 6 * * *'")
def add_schedule(
    *,
    file: Annotated[str, typer.Argument(help="File with the job's request, or - for standard input.", show_default=False)],
    name: Annotated[str, typer.Option(help="For people.", show_default=False)],
    cron: Annotated[
        str, typer.Option(help="When all candidates compete: minute, hour, day of month, month, day of week.", show_default=False)
    ],
    refit_cron: Annotated[str | None, typer.Option(help="When the last winners are fitted again, without a new choice.")] = None,
    actuals_cron: Annotated[str | None, typer.Option(help="When new actual values are read, without a forecast.")] = None,
    timezone: Annotated[str, typer.Option(help="In which the expressions are meant.")] = "UTC",
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Add a schedule. Prints its id."""
    crons = {"cron": cron, "refit_cron": refit_cron, "actuals_cron": actuals_cron}
    schedule = {"name": name, **crons, "timezone": timezone, "request": _request(file)}
    show(connect(url).post("schedules", body=schedule), _print_due, as_json=as_json)


@group.command("show", epilog="Example: queuecast schedules show 3f9ac01b22")
def show_schedule(schedule_id: ScheduleId, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Show a schedule with its request, as JSON; with --json in one line."""
    show(connect(url).get("schedules", schedule_id), lambda schedule: say(json.dumps(schedule, indent=2)), as_json=as_json)


@group.command("export", epilog="Example: queuecast schedules export > schedules.toml")
def export_schedules(
    set_name: Annotated[str, typer.Option("--set", help="Those of this set, and those that were made by hand.")] = "default",
    url: Url = DEFAULT_URL,
) -> None:
    """Print schedules as a file that `queuecast apply` takes."""
    from api.command.exported import toml_of  # what a request is

    found = connect(url).get("schedules")["schedules"]
    sys.stdout.write(toml_of([each for each in found if each["managed_by"] in {"", set_name}], set_name))
    if others := sorted({each["managed_by"] for each in found} - {"", set_name}):
        notice(f"schedules of other sets are left out, see --set: {listed(others)}")


@group.command("pause", epilog="Example: queuecast schedules pause 3f9ac01b22")
def pause_schedule(schedule_id: ScheduleId, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Let a schedule rest until it is resumed."""
    show(connect(url).post("schedules", schedule_id, "pause"), _print_due, as_json=as_json)


@group.command("resume", epilog="Example: queuecast schedules resume 3f9ac01b22")
def resume_schedule(schedule_id: ScheduleId, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Let a schedule go on, from its next due time after now."""
    show(connect(url).post("schedules", schedule_id, "resume"), _print_due, as_json=as_json)


@group.command("remove", epilog="Example: queuecast schedules remove 3f9ac01b22")
def remove_schedule(schedule_id: ScheduleId, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Remove a schedule; the jobs that it made stay."""
    connect(url).delete("schedules", schedule_id)
    removed = {"schedule_id": schedule_id, "removed": True}
    show(removed, lambda _: notice(f"schedule {schedule_id} is removed"), as_json=as_json)


def _request(file: str) -> Document:
    try:
        request = json.loads(read_file(file))
    except ValueError as error:
        raise UsageError(f"{file} holds no request: {error}") from error
    if not isinstance(request, dict):
        raise UsageError(f"{file} holds no request: found {json_kind(request)}, accepted is a JSON object")
    return request


def _print_list(page: Document) -> None:
    columns = ("schedule", "name", "run", "cron", "time zone", "next", "last job", "state", "skipped")
    rows = [_row(each, cadence) for each in page["schedules"] for cadence in each["cadences"]]
    none = "no schedule yet; `queuecast schedules add request.json --name daily --cron '0 6 * * *'` makes one"
    print_table(columns, rows, spare=("time zone", "last job", "skipped", "cron"), text=("name", "skipped"), none=none)


def _print_due(schedule: Document) -> None:
    say(schedule["schedule_id"])
    if schedule["is_paused"]:
        notice("paused")
        return
    for cadence in schedule["cadences"]:
        notice(f"next {cadence['run']} due {shown_time(cadence['next_due_at'])}")


def _row(schedule: Document, cadence: Document) -> tuple[object, ...]:
    due = cadence["next_due_at"]
    last = (cadence[name] for name in ("last_job_id", "last_job_state", "last_skip"))
    of_both = (schedule["schedule_id"], schedule["name"], cadence["run"], cadence["cron"], schedule["timezone"])
    return *of_both, shown_time(due) if due else "paused", *last
