"""Options that say which series of a queue is meant, where several have its name."""

from __future__ import annotations

from typing import Annotated

import typer

JobName = Annotated[str | None, typer.Option("--job", help="Name of the job.", show_default="of the newest forecast")]
Cluster = Annotated[str | None, typer.Option(help="Needed where queues of several have the name.", show_default="any")]
Project = Annotated[str | None, typer.Option(help="Likewise.", show_default="any")]
Target = Annotated[str | None, typer.Option(help="Likewise.", show_default="any")]
Rows = Annotated[str | None, typer.Option("--where", help="Likewise: partition=gpu, as the choices say it.", show_default="any")]
