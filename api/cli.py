"""The verbs of the side that answers: serve the API, submit a job, look at jobs, queues and models."""

from __future__ import annotations

import ipaddress
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from api.client import Client, Document
from api.following import follow
from shared.durations import Duration
from shared.errors import InvalidRequest, SetupError
from shared.jobs import JobState
from shared.settings import load_settings
from shared.terminal import AsJson, DataDir, notice, print_json, print_table, say, shown, shown_time

app = typer.Typer()
jobs = typer.Typer(help="List, show and watch jobs.", no_args_is_help=True)
queues = typer.Typer(help="List queues with their outlook, show one.", no_args_is_help=True)
app.add_typer(jobs, name="jobs")
app.add_typer(queues, name="queues")

Url = Annotated[str, typer.Option("--url", help="Where the service answers.")]
Timeout = Annotated[str, typer.Option("--timeout", help="How long to wait: 10min, 1h.")]
JobId = Annotated[str, typer.Argument(help="As `queuecast submit` printed it.", show_default=False)]

HERE = "http://127.0.0.1:8080"


@app.command()
def serve(
    *,
    host: Annotated[str, typer.Option(help="Loopback address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535)] = 8080,
    data_dir: DataDir = None,
) -> None:
    """Serve the API under gunicorn, in the place of this process, until SIGTERM."""
    if not is_loopback(host):
        raise SetupError(f"--host {host}: others could reach it and there are no tokens yet; accepted is a loopback address")
    settings = load_settings(data_dir=data_dir)
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    threads = ["--worker-class", "gthread", "--workers", "1", "--threads", str(settings.api_threads), "--graceful-timeout", "20"]
    logs = [
        "--logger-class",
        "api.gunicorn_logs.GunicornLogs",
        "--log-level",
        settings.log_level.lower(),
        "--access-logfile",
        "-",
    ]
    command = [sys.executable, "-m", "gunicorn", "--bind", address, *threads, *logs, "api.app:create_app()"]
    environment = os.environ | {"QUEUECAST_DATA_DIR": str(settings.data_dir)}
    sys.stdout.flush()
    os.execve(command[0], command, environment)  # noqa: S606 - our own command, without a shell


@app.command()
def submit(
    *,
    file: Annotated[str, typer.Argument(help="File with the request as JSON, or - for standard input.", show_default=False)],
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the end, show how far it is, print the result.")] = False,
    timeout: Timeout = "1h",
    url: Url = HERE,
    as_json: AsJson = False,
) -> None:
    """Start a job. Prints its id; with --wait its result, and exit 1 unless every queue has a forecast."""
    client, seconds = Client(url), _seconds(timeout)
    accepted = client.submit(_request_text(file))
    for warning in accepted["warnings"]:
        notice(f"note: {warning}", style="yellow")
    if wait:
        notice(f"job {accepted['job_id']}")
        _end_with(follow(client, accepted["job_id"], seconds), client, as_json=as_json)
    elif as_json:
        print_json(accepted)
    else:
        say(accepted["job_id"])


@jobs.command("list")
def list_jobs(
    *,
    state: Annotated[JobState | None, typer.Option(help="Only jobs in this state.", show_default=False)] = None,
    owner: Annotated[str | None, typer.Option(show_default=False)] = None,
    project: Annotated[str | None, typer.Option(show_default=False)] = None,
    user_name: Annotated[str | None, typer.Option("--user-name", show_default=False)] = None,
    queue: Annotated[str | None, typer.Option(help="Only jobs of this queue.", show_default=False)] = None,
    model: Annotated[str | None, typer.Option(help="Only jobs that this model won.", show_default=False)] = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 20,
    cursor: Annotated[str | None, typer.Option(help="Where the page before ended.", show_default=False)] = None,
    url: Url = HERE,
    as_json: AsJson = False,
) -> None:
    """List jobs, newest first."""
    wanted = {"state": state, "owner": owner, "project": project, "user_name": user_name, "queue": queue, "model": model}
    page = Client(url).jobs(**wanted, limit=limit, cursor=cursor)
    if as_json:
        print_json(page)
        return
    rows = [(job["job_id"], job["state"], job["job_name"], shown_time(job["created_at"]), job["reason"]) for job in page["jobs"]]
    print_table(("job", "state", "name", "created", "reason"), rows)
    if page["next_cursor"]:
        notice(f"more: --cursor {page['next_cursor']}")


@jobs.command("show")
def show_job(job_id: JobId, url: Url = HERE, as_json: AsJson = False) -> None:
    """Show one job: how far it is or how it ended, and the winner of each queue."""
    client = Client(url)
    _print_job(client.job(job_id), client, as_json=as_json)


@jobs.command("watch")
def watch_job(job_id: JobId, timeout: Timeout = "1h", url: Url = HERE, as_json: AsJson = False) -> None:
    """Wait for the end of a job and show how far it is; exit 1 unless every queue has a forecast, 4 when it takes too long."""
    client = Client(url)
    _end_with(follow(client, job_id, _seconds(timeout)), client, as_json=as_json)


@queues.command("list")
def list_queues(url: Url = HERE, as_json: AsJson = False) -> None:
    """List every queue that has a forecast: predicted peak, model, and how good it was in the backtest."""
    found = Client(url).queues()
    if as_json:
        print_json(found)
        return
    columns = ("queue", "metric", "peak", "up to", "at", "model", "MAPE %", "skill", "issued")
    print_table(columns, [_outlook(queue) for queue in found["queues"]])
    if not found["queues"]:
        notice("no queue has a forecast yet; `queuecast submit request.json --wait` makes the first")


@queues.command("show")
def show_queue(
    queue: Annotated[str, typer.Argument(help="Its full name.", show_default=False)], url: Url = HERE, as_json: AsJson = False
) -> None:
    """Show the newest forecast of one queue, step by step."""
    series = Client(url).series(queue)
    if as_json:
        print_json(series)
        return
    say(f"{series['queue']} · {series['metric']} · {series['model']} · issued {shown_time(series['issued_at'])}")
    points = [point for point in series["points"] if point["prediction"] is not None]
    names = ("prediction", "lower_bound", "upper_bound")
    print_table(("at", *names), [(shown_time(point["timestamp"]), *(point[name] for name in names)) for point in points])


@app.command("models")
def list_models(url: Url = HERE, as_json: AsJson = False) -> None:
    """List the models that the workers offer, with their hyperparameters and default grids."""
    found = Client(url).models()
    if as_json:
        print_json(found)
        return
    for model in found["models"]:
        say(f"{model['name']} ({model['lane']}): {model['summary']}")
        for card in model["hyperparameters"]:
            say(f"    {card['name']}: {card['type']}, default {card['default']}, tried: {', '.join(map(str, card['grid']))}")
    if found["note"]:
        notice(found["note"], style="yellow")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _seconds(text: str) -> int:
    try:
        return Duration.parse(text).seconds
    except ValueError as error:
        raise InvalidRequest(f"--timeout: {error}") from error


def _request_text(file: str) -> bytes:
    """The request as it stands; what is wrong with it the service says."""
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise InvalidRequest(f"the request cannot be read: {error}") from error


def _end_with(job: Document, client: Client, *, as_json: bool) -> None:
    _print_job(job, client, as_json=as_json)
    if job["state"] != JobState.SUCCEEDED:
        raise typer.Exit(1)


def _print_job(job: Document, client: Client, *, as_json: bool) -> None:
    if as_json:
        print_json(job)
        return
    say(f"job {job['job_id']} ({job['job_name']}): {job['state']}")
    if job["reason"]:
        notice(job["reason"], style="red")
    for warning in job["warnings"]:
        notice(f"note: {warning}", style="yellow")
    tally = job["progress"]["candidates"]
    if not JobState(job["state"]).is_terminal:
        say(f"{tally['done']} of {tally['total']} candidates scored, {tally['failed']} failed")
    outlooks = {(outlook["queue"], outlook["job_id"]): outlook for outlook in client.queues()["queues"]}
    rows = [_queue_row(queue, outlooks.get((queue["queue"], job["job_id"]))) for queue in job["queues"]]
    print_table(("queue", "state", "winner", "MAPE %", "skill", "peak", "at"), rows)


def _queue_row(queue: Document, outlook: Document | None) -> tuple[Any, ...]:
    if outlook is None:
        return queue["queue"], queue["state"], queue["reason"], None, None, None, None
    numbers = outlook["mape"], outlook["skill"], outlook["peak"]
    return queue["queue"], queue["state"], outlook["model"], *numbers, shown_time(outlook["peak_at"])


def _outlook(queue: Document) -> tuple[Any, ...]:
    peak = queue["peak"], shown(queue["peak_upper_bound"]), shown_time(queue["peak_at"])
    return queue["queue"], queue["metric"], *peak, queue["model"], queue["mape"], queue["skill"], shown_time(queue["issued_at"])
