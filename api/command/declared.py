"""A file of schedules and connections, as `queuecast apply` reads it.

set = "team-etl"                          # whose these are; without it "default"

[[schedule]]
name = "nightly"
cron = "0 6 * * *"
request = "request.json"                  # beside this file; or [schedule.request] with the fields themselves

[connections.archive]
kind = "files"
path = "/srv/archive"                     # or {env = "NAME"}, {file = "/run/secrets/x"}: what must not stand in this file
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from api.command.service import read_file
from shared.domain.codec import Document
from shared.domain.wording import json_kind
from shared.errors import UsageError

T = TypeVar("T")

DEFAULT_SET = "default"
SECTIONS = {"set": "set = NAME", "schedule": "[[schedule]]", "connections": "[connections.NAME]"}  # a further kind joins here


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What a file declares.

    hidden: connection → its fields whose values stand elsewhere, as they must not be seen.
    """

    set_name: str
    schedules: tuple[Document, ...]
    connections: dict[str, Document]
    hidden: dict[str, frozenset[str]]


def read_declared(file: str) -> Declared:
    """What stands in the file, `-` = standard input; raises UsageError with what is accepted."""
    if file.endswith((".yaml", ".yml", ".json")):
        raise UsageError(f"{file}: accepted is TOML")
    try:
        document = tomllib.loads(read_file(file).decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:  # the last: brackets in brackets in brackets
        raise UsageError(f"{file} is no TOML: {error}") from error
    if unknown := [name for name in document if name not in SECTIONS]:
        raise UsageError(f"{file} has {', '.join(unknown)}; accepted are {', '.join(SECTIONS.values())}")
    set_name = document.get("set", DEFAULT_SET)
    if not isinstance(set_name, str) or not re.fullmatch("[a-z0-9][a-z0-9_-]{0,59}", set_name):
        raise UsageError(f"{file}: set: accepted are small letters, digits, - and _, at most 60")
    folder = Path() if file == "-" else Path(file).parent
    entries = _checked(document.get("schedule", []), f"{file}: schedule", "[[schedule]], as often as there are schedules", list)
    tables = _checked(document.get("connections", {}), f"{file}: connections", "a table [connections.NAME] for each", dict)
    return Declared(
        set_name=set_name,
        schedules=tuple(_with_request(entry, folder, f"{file}: schedule {number}") for number, entry in enumerate(entries, 1)),
        connections={
            name: _filled(_checked(table, f"{file}: connections.{name}", f"a table [connections.{name}]", dict))
            for name, table in tables.items()
        },
        hidden={name: frozenset(each for each, value in table.items() if _is_elsewhere(value)) for name, table in tables.items()},
    )


def _filled(connection: Document) -> Document:
    """The connection with what stands elsewhere put in."""
    return {field: _from_elsewhere(value) for field, value in connection.items()}


def _is_elsewhere(value: object) -> bool:
    return isinstance(value, dict) and set(value) in ({"env"}, {"file"})


def _from_elsewhere(value: object) -> object:
    """The value itself, or that of the variable or file that is named in its place."""
    match value:
        case {"env": str(name), **rest} if not rest:
            if not (found := os.environ.get(name)):
                raise UsageError(f"the variable {name} is not set, or empty; a connection takes a value from it")
            return found
        case {"file": str(path), **rest} if not rest:
            try:
                return read_file(path).decode().strip()
            except UnicodeDecodeError:  # which would tell of what is in it
                raise UsageError(f"{path} is no text; a connection takes a value from it") from None
    return value


def _checked(value: object, where: str, accepted: str, kind: type[T]) -> T:
    if not isinstance(value, kind):
        raise UsageError(f"{where}: found {json_kind(value)}, accepted is {accepted}")
    return value


def _with_request(entry: object, folder: Path, where: str) -> Document:
    """The entry with its request in it."""
    schedule = _checked(entry, where, "a table [[schedule]]", dict)
    request = schedule.get("request")
    if not isinstance(request, str):
        return schedule
    path = folder / request
    try:
        found = json.loads(read_file(str(path)))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{where}: {path} holds no request: {error}") from error
    return schedule | {"request": _checked(found, f"{where}: {path}", "a JSON object", dict)}
