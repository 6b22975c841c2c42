"""`queuecast jobs hide`, `unhide` and `hidden`: names of jobs that are left out of lists."""

from __future__ import annotations

from typing import Annotated

import typer

from api.command.service import DEFAULT_URL, Url, connect, show
from shared.command.tables import print_table, tabular
from shared.command.terminal import AsJson, say, shown_time
from shared.domain.codec import Document

commands = typer.Typer()
Name = Annotated[str, typer.Argument(help="`job_name` of their requests.", show_default=False)]
Project = Annotated[str, typer.Option(help="Whose jobs; a token of one project need not say it.", show_default=False)]


@commands.command("hide", epilog="Example: queuecast jobs hide 'trial of May' --project capacity")
@tabular
def hide_name(name: Name, project: Project = "", url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Leave what jobs of a name have made until now out of lists; nothing is deleted, what they make later is shown."""
    body: Document = {"job_name": name, "project": project}
    show(connect(url).post("hidden-names", body=body), _print, as_json=as_json)


@commands.command("unhide", epilog="Example: queuecast jobs unhide 'trial of May' --project capacity")
def show_name(name: Name, project: Project = "", url: Url = DEFAULT_URL) -> None:
    """Have the jobs of a name in lists again."""
    connect(url).delete("hidden-names", job_name=name, project=project)
    say(f"jobs called {name} are listed")


@commands.command("hidden", epilog="Example: queuecast jobs hidden")
@tabular
def list_names(url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """List the names that are left out of lists."""
    show(connect(url).get("hidden-names"), _print, as_json=as_json)


def _print(answer: Document) -> None:
    rows = [(each["job_name"], each["project"], shown_time(each["at"]), each["by"]) for each in answer["hidden_names"]]
    print_table(("job name", "project", "made until", "hidden by"), rows, none="no name of jobs is hidden")
