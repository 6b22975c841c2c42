"""`queuecast audit`: who has done what to decisions and policies."""

from __future__ import annotations

import sys
from typing import Annotated
from urllib.parse import parse_qsl

import typer

from api.command.moments import moment_of
from api.command.service import DEFAULT_URL, Url, connect

group = typer.Typer(name="audit", help="Export who has done what to decisions and policies.", no_args_is_help=True)


@group.command("export", epilog="Example: queuecast audit export --since 2026-01-01T00:00:00Z > audit.jsonl")
def export_audit(
    since: Annotated[
        str | None, typer.Option(help="From then on: 2026-01-05T00:00:00Z, or 7d, so long ago.", show_default="the first")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Before then, likewise.", show_default="now")] = None,
    url: Url = DEFAULT_URL,
) -> None:
    """Print the audit trail, one JSON object a line, the first first. Needs the scope admin."""
    client, query, last = connect(url), dict[str, str | None](since=moment_of(since), until=moment_of(until)), b""
    while True:
        lines, following = client.read("audit", **query)
        told = lines.splitlines(keepends=True)
        sys.stdout.write(b"".join(told[told.index(last) + 1 :] if last in told else told).decode())
        if not following or not told or told[-1] == last:
            return
        query, last = dict(parse_qsl(following)), told[-1]
