"""The commands of the API: serve it, submit a job, cancel or retry it, show jobs."""

from __future__ import annotations

import logging
import os
from importlib import import_module
from pkgutil import iter_modules
from typing import Annotated

import typer

import api.command
from api.command import output
from api.command.choice import Level
from api.command.client import Client
from api.command.completing import offer_queues
from api.command.hidden_names import commands as hidden_names
from api.command.job_actions import JobId, tell_job
from api.command.job_actions import commands as job_actions
from api.command.service import DEFAULT_URL, Timeout, Url, connect, follow, read_file, show, timeout_of
from api.edge.bind_address import bind, check_address
from shared.command.reading import load_settings
from shared.command.tables import tabular
from shared.command.terminal import AsJson, DataDir, notice, say
from shared.config.data_folder import open_data_folder
from shared.config.extras import needs
from shared.domain.codec import Document
from shared.domain.job_states import JobState
from shared.errors import UsageError
from shared.telemetry.metrics_folder import FOLDER, count_in, metrics_folder

log = logging.getLogger(__name__)

app = typer.Typer()
jobs = typer.Typer(help="List, show, watch, cancel, retry and delete jobs.", no_args_is_help=True)
app.add_typer(jobs, name="jobs")
jobs.add_typer(job_actions)
jobs.add_typer(hidden_names)
for module in iter_modules(api.command.__path__, "api.command."):
    if group := vars(import_module(module.name)).get("group"):
        app.add_typer(group)


@app.command(epilog="Example: queuecast serve --port 8081")
@needs("api")
def serve(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on; loopback only, until there is a token.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535)] = 8080,
    data_dir: DataDir = None,
) -> None:
    """Serve the API, in this process, until SIGTERM."""
    settings = load_settings(data_dir=data_dir)
    notes = [open_data_folder(settings, is_needed=FOLDER not in os.environ), check_address(host, settings, notice)]
    sock = bind(host, port)
    count_in(metrics_folder(settings.data_dir, f"serve-{port}"))
    from api.app import create_app  # counts from here on
    from api.server.running import serve_until_asked
    from shared.config.settings_file import SettingsFile
    from shared.telemetry.logs import configure_logs

    configure_logs(settings.log_level)
    for note in filter(None, notes):
        log.warning(note)
    serve_until_asked(create_app(settings, file=SettingsFile()), sock, settings)


@app.command(epilog="Example: queuecast submit request.json --wait --timeout 10min")
def submit(
    *,
    file: Annotated[str, typer.Argument(help="File with the request as JSON, or - for standard input.", show_default=False)],
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the end, show how far it is, print the result.")] = False,
    timeout: Timeout = "1h",
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Start a job. Prints its id; with --wait its result, and exit 1 unless every queue has a forecast."""
    client, seconds = connect(url), timeout_of(timeout)
    accepted = client.post("jobs", body=read_file(file))
    for warning in accepted["warnings"]:
        notice(f"note: {warning}", style="yellow")
    if wait:
        notice(f"job {accepted['job_id']}")
        _end_with(follow(client, accepted["job_id"], seconds), client, as_json=as_json)
    else:
        show(accepted, lambda _: say(accepted["job_id"]), as_json=as_json)


@app.command(epilog="Example: queuecast validate request.json")
def validate(
    file: Annotated[str, typer.Argument(help="File with the request as JSON, or - for standard input.", show_default=False)],
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Say what a job of this request would meet, and start nothing; exit 2 when it would not run."""
    verdict = connect(url).post("jobs", "validate", body=read_file(file))
    show(verdict, output.print_verdict, as_json=as_json)
    raise typer.Exit(0 if verdict["valid"] else 2)


@jobs.command("list", epilog="Example: queuecast jobs list --state failed")
@tabular
def list_jobs(
    *,
    state: Annotated[JobState | None, typer.Option(help="Only jobs in this state.", show_default=False)] = None,
    owner: Annotated[str | None, typer.Option(show_default=False)] = None,
    project: Annotated[str | None, typer.Option(show_default=False)] = None,
    user_name: Annotated[str | None, typer.Option("--user-name", show_default=False)] = None,
    queue: Annotated[
        str | None, typer.Option(help="Only jobs of this queue.", show_default=False, autocompletion=offer_queues)
    ] = None,
    model: Annotated[str | None, typer.Option(help="Only jobs that this model won.", show_default=False)] = None,
    hidden: Annotated[bool, typer.Option("--hidden", help="Also jobs of hidden names.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 20,
    cursor: Annotated[str | None, typer.Option(help="Where the page before ended.", show_default=False)] = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """List jobs, newest first."""
    filters = {"state": state, "owner": owner, "project": project, "user_name": user_name, "queue": queue, "model": model}
    filters["hidden"] = "true" if hidden else None
    show(connect(url).get("jobs", **filters, limit=limit, cursor=cursor), output.print_jobs, as_json=as_json)


@jobs.command("show", epilog="Example: queuecast jobs show 20260105T000012-3f9a --queue root.etl")
def show_job(
    job_id: JobId,
    queue: Annotated[
        str | None,
        typer.Option(help="Show the leaderboard of this queue instead.", show_default=False, autocompletion=offer_queues),
    ] = None,
    level: Level = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Show one job: how far it is or how it ended, and the winner of each queue; or why a model won in one of them."""
    if level is not None and queue is None:
        raise UsageError("--level is told of one queue: accepted with --queue")
    client = connect(url)
    if queue is None:
        tell_job(client.get("jobs", job_id), client, as_json=as_json)
    else:
        show(client.get("jobs", job_id, "queues", queue, level=level), output.print_report, as_json=as_json)


@jobs.command("watch", epilog="Example: queuecast jobs watch 20260105T000012-3f9a --timeout 10min")
def watch_job(job_id: JobId, timeout: Timeout = "1h", url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Wait for the end of a job and show how far it is; exit 1 unless every queue has a forecast, 4 when it takes too long."""
    client = connect(url)
    _end_with(follow(client, job_id, timeout_of(timeout)), client, as_json=as_json)


def _end_with(job: Document, client: Client, *, as_json: bool) -> None:
    """The exit code of a job that has ended: a forecast for every queue, or 1."""
    tell_job(job, client, as_json=as_json)
    if job["state"] != JobState.SUCCEEDED:
        raise typer.Exit(1)
