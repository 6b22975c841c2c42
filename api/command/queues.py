"""`queuecast queues`: what is to be expected of queues, and how good their forecasts have been."""

from __future__ import annotations

from typing import Annotated

import typer

from api.command import output
from api.command.accuracy import print_accuracy, print_pooled
from api.command.aliases import commands as aliases
from api.command.choice import Choice, Level, with_choice
from api.command.completing import offer_jobs, offer_queues
from api.command.service import DEFAULT_URL, Url, connect, show
from shared.command.tables import tabular
from shared.command.terminal import AsJson
from shared.errors import UsageError

group = typer.Typer(name="queues", help="List queues with their outlook, show one.", no_args_is_help=True)
group.add_typer(aliases)


@group.command("list", epilog="Example: queuecast queues list --json")
@tabular
def list_queues(
    hidden: Annotated[bool, typer.Option("--hidden", help="Also of jobs whose names are hidden.")] = False,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """List every queue that has a forecast: predicted peak, model, and how good it was in the backtest."""
    show(connect(url).get("queues", hidden="true" if hidden else None), output.print_queues, as_json=as_json)


@group.command("accuracy", epilog="Example: queuecast queues accuracy root.etl")
@with_choice
def show_accuracy(
    *,
    queue: Annotated[
        str | None,
        typer.Argument(help="Its name; without one, whether chances have held over all queues.", autocompletion=offer_queues),
    ] = None,
    choice: Choice,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Show how good a queue's forecasts of the last 30 days have been, by lead time, and whether chances have held."""
    if queue is not None:
        show(connect(url).get("queues", queue, "accuracy", **choice), print_accuracy, as_json=as_json)
        return
    if given := next((name for name, value in choice.items() if value is not None), None):
        raise UsageError(f"--{given} is told of one queue: accepted with QUEUE")
    show(connect(url).get("accuracy"), print_pooled, as_json=as_json)


@group.command("show", epilog="Example: queuecast queues show root.etl")
@with_choice
def show_queue(
    *,
    queue: Annotated[str, typer.Argument(help="Its full name.", show_default=False, autocompletion=offer_queues)],
    choice: Choice,
    job_id: Annotated[
        str | None,
        typer.Option(help="The forecast that this job has made.", show_default="the newest", autocompletion=offer_jobs),
    ] = None,
    level: Level = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Show the newest forecast of one queue, step by step; with --json also the week before it."""
    show(connect(url).get("queues", queue, "series", **choice, job_id=job_id, level=level), output.print_series, as_json=as_json)
