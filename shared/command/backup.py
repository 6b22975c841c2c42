"""`queuecast backup FILE`: a copy of the store, taken while it is in use."""

from __future__ import annotations

import shlex
from dataclasses import asdict
from pathlib import Path
from typing import Annotated
from urllib.parse import parse_qsl, urlencode

import typer

from shared.command.progress import counting
from shared.command.reading import load_settings
from shared.command.terminal import AsJson, DataDir, print_json, say
from shared.errors import UsageError

HARMLESS = frozenset(
    {"authSource", "authMechanism", "replicaSet", "ssl", "tls"}
)  # options of a URL that are no secret, and needed


def backup(
    *,
    file: Annotated[Path, typer.Argument(help="Where the copy goes.", show_default=False)],
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there already.")] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Copy the store into a file while it is in use, whole and as of one moment; for a MongoDB store say how to do that."""
    from shared.store import sqlite_path
    from shared.store.backup import back_up

    location = load_settings(data_dir=data_dir).store_location
    if not location.startswith("sqlite:"):
        command = f"mongodump --uri={shlex.quote(without_password(location))} --gzip --archive={shlex.quote(str(file))}"
        raise UsageError(f"the store is in MongoDB, whose own tool makes its backup (it asks for the password): {command}")
    with counting("copying", lambda done, pages: f"copied {done / max(1, pages):.0%}") as show:
        made = back_up(sqlite_path(location), file.absolute(), is_forced=force, show=show)
    if as_json:
        print_json(asdict(made) | {"file": str(made.file)})
    else:
        records = ", ".join(f"{kind} {count:,}" for kind, count in made.records.items())
        say(f"{made.size_bytes / 1e6:,.1f} MB in {made.file}: {records}; whole (integrity checked)")


def without_password(url: str) -> str:
    """The URL of a MongoDB store with its user, without its password and whatever else may be one."""
    scheme, _, rest = url.partition("://")
    address, _, options = rest.partition("?")
    credentials, at, place = address.rpartition("@")
    kept = urlencode([(name, value) for name, value in parse_qsl(options) if name in HARMLESS])
    return f"{scheme}://{credentials.partition(':')[0]}{at}{place}" + (f"?{kept}" if kept else "")
