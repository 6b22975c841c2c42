"""`queuecast jobs cancel`, `retry`, `delete` and `script`: what becomes of jobs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated

import typer

from api.command import output
from api.command.client import Client
from api.command.completing import offer_jobs, offer_queues
from api.command.service import DEFAULT_URL, Url, connect, show
from shared.command.terminal import AsJson, notice, say
from shared.domain.codec import Document
from shared.errors import Conflict, NotFound, QueuecastError, UsageError

commands = typer.Typer()
JobId = Annotated[str, typer.Argument(help="As `queuecast submit` printed it.", show_default=False, autocompletion=offer_jobs)]
JobIds = Annotated[
    list[str],
    typer.Argument(metavar="JOB_ID...", help="One or more, as `queuecast submit` printed them.", autocompletion=offer_jobs),
]


@commands.command("cancel", epilog="Example: queuecast jobs cancel 20260105T000012-3f9a")
def cancel_jobs(job_ids: JobIds, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Cancel jobs that are queued or running; the forecasts that they have delivered stay."""
    client = connect(url)
    if len(job_ids) == 1:
        tell_job(client.post("jobs", job_ids[0], "cancel"), client, as_json=as_json)
    else:
        _each(job_ids, "cancelled", lambda job_id: client.post("jobs", job_id, "cancel"))


@commands.command("delete", epilog="Example: queuecast jobs delete 20260105T000012-3f9a")
def delete_jobs(job_ids: JobIds, url: Url = DEFAULT_URL) -> None:
    """Delete jobs that have ended, with their leaderboards; their forecasts stay, here until they are old and in the sink."""
    client = connect(url)
    _each(job_ids, "deleted", lambda job_id: client.delete("jobs", job_id))


@commands.command("retry", epilog="Example: queuecast jobs retry 20260105T000012-3f9a --queue root.etl --queue root.adhoc")
def retry_job(
    *,
    job_id: JobId,
    every_queue: Annotated[bool, typer.Option("--all", help="Also the queues that have their forecast.")] = False,
    named: Annotated[
        list[str] | None, typer.Option("--queue", help="This queue alone; may be given again.", autocompletion=offer_queues)
    ] = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Try a job again that is partial, failed or cancelled: its queues without a forecast; with --all also one that succeeded."""
    if named and every_queue:
        raise UsageError("--queue and --all do not go together")
    client = connect(url)
    body: Document = {"queues": named or ("all" if every_queue else "failed")}
    tell_job(client.post("jobs", job_id, "retry", body=body), client, as_json=as_json)


@commands.command("script", epilog="Example: queuecast jobs script 20260105T000012-3f9a > again.sh")
def show_script(job_id: JobId, url: Url = DEFAULT_URL) -> None:
    """Print a shell script that runs a job again, on the history that it had."""
    text, _ = connect(url).read("jobs", job_id, "script")
    sys.stdout.write(text.decode())


def _each(job_ids: list[str], done: str, act: Callable[[str], object]) -> None:
    """Do it with each, and say so; exit 2 when one was refused, after all have had their turn."""
    refused = False
    for job_id in dict.fromkeys(job_ids):
        try:
            act(job_id)
        except (Conflict, NotFound) as error:
            refused = True
            notice(f"{job_id}: {error}", style="yellow")
        else:
            say(f"{job_id} is {done}")
    if refused:
        raise typer.Exit(2)


def tell_job(job: Document, client: Client, *, as_json: bool) -> None:
    """Print a job, with the forecasts of its queues."""
    show(job, lambda _: output.print_job(job, _outlooks(job, client)), as_json=as_json)


def _outlooks(job: Document, client: Client) -> Document:
    """The forecasts of a job's queues; what cannot be fetched costs the numbers of its queue, never the table."""
    try:
        return client.get("jobs", job["job_id"], "queues")
    except QueuecastError as error:
        notice(f"the forecasts of the job cannot be shown: {error}", style="yellow")
        return {"queues": []}
