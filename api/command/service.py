"""The service that a command speaks to, and how its answers and the files for it are handled by every command."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from api.command.client import Client
from shared.command.terminal import print_json
from shared.config.settings import load_settings
from shared.domain.codec import Document
from shared.errors import InvalidRequest

Url = Annotated[str, typer.Option("--url", help="Where the service answers.")]

DEFAULT_URL = "http://127.0.0.1:8080"


def connect(url: str) -> Client:
    """A client of the service, with the token of QUEUECAST_TOKEN, if there is one."""
    token = load_settings().token
    return Client(url, token=token.get_secret_value().strip() if token else None)


def show(document: Document, print_text: Callable[[Document], None], *, as_json: bool) -> None:
    """Print an answer: as it is, or as text."""
    if as_json:
        print_json(document)
    else:
        print_text(document)


def read_file(file: str) -> bytes:
    """The content of a file, or of standard input for `-`; raises InvalidRequest."""
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise InvalidRequest(f"the request cannot be read: {error}") from error
