"""`queuecast queues alias`: what a queue was called before, as an administrator says it."""

from __future__ import annotations

from typing import Annotated

import typer

from api.command.completing import offer_aliases, offer_queues
from api.command.service import DEFAULT_URL, Url, connect, show
from shared.command.tables import print_table, tabular
from shared.command.terminal import AsJson, say, shown_time
from shared.domain.codec import Document

commands = typer.Typer()
OfCluster = Annotated[str, typer.Option("--cluster", help="As the queue's forecasts say it.", show_default=False)]


@commands.command("alias", epilog="Example: queuecast queues alias root.etl root.data.etl --cluster prod")
def add_alias(
    *,
    old: Annotated[str, typer.Argument(help="What the queue was called.", show_default=False, autocompletion=offer_queues)],
    new: Annotated[str, typer.Argument(help="What it is called now.", show_default=False, autocompletion=offer_queues)],
    cluster: OfCluster,
    renamed_at: Annotated[
        str | None,
        typer.Option("--at", help="Rows of the old name are another's from then on.", show_default="the new name's first row"),
    ] = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Say that a queue has another name now: its history, forecasts and accuracy go on under it. Needs the scope admin."""
    body = {"cluster": cluster, "old": old, "new": new, "renamed_at": renamed_at}
    show(connect(url).post("aliases", body=body), _print, as_json=as_json)


@commands.command("aliases", epilog="Example: queuecast queues aliases --cluster prod")
@tabular
def list_aliases(
    cluster: Annotated[str | None, typer.Option(help="Of this one alone.", show_default="all")] = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """List what queues were called before. Needs the scope admin."""
    show(connect(url).get("aliases", cluster=cluster), _print, as_json=as_json)


@commands.command("unalias", epilog="Example: queuecast queues unalias root.data.etl --cluster prod")
def remove_alias(
    *,
    new: Annotated[str, typer.Argument(help="What the queue is called now.", show_default=False, autocompletion=offer_aliases)],
    cluster: OfCluster,
    url: Url = DEFAULT_URL,
) -> None:
    """Take back what a queue was called before; what was kept under its name of now stays. Needs the scope admin."""
    connect(url).delete("aliases", new, cluster=cluster)
    say(f"{new} has no former name any more")


def _print(answer: Document) -> None:
    columns = ("cluster", "queue", "was", "until", "said by", "at")
    names = ("cluster", "new", "old")
    rows = [
        (*(each[name] for name in names), shown_time(each["renamed_at"]), each["stated_by"], shown_time(each["stated_at"]))
        for each in answer["aliases"]
    ]
    print_table(columns, rows, spare=("at", "said by", "until"), none="no queue has a former name")
