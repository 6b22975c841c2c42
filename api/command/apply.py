"""`queuecast apply FILE`: schedules and connections become what a file says, and a dry run shows what that changes.

    connections: the configuration file of this machine ──▶ processes take them up ──▶ schedules: over the API, all at once

All is checked before the first is written. Whoever applies the same file again finds done what is done.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from api.command.declared import Declared, read_declared
from api.command.service import DEFAULT_URL, Url, connect
from shared.command.terminal import AsJson, DataDir, notice, print_json, say
from shared.config.addresses import STARS, is_loopback
from shared.domain.codec import Document
from shared.errors import InvalidRequest, QueuecastError, RequestError, UsageError

if TYPE_CHECKING:
    from api.command.client import Client
    from shared.config.connections_file import ConnectionsPlan, ConnectionStep

DIFFERS = 6  # exit code of a dry run that would change something
TAKEN_UP_SECONDS = 15.0  # for which new connections are waited for, as processes look at their file every second
PAUSE_SECONDS = 1.0
SIGNS = {"added": "+", "changed": "~", "removed": "-"}
LEFT = "left"  # of the set, but of a project that the file does not name
IN_THE_FILE = {"managed_by": "set"}  # field → how the file calls it

group = typer.Typer()


class Part(StrEnum):
    """What a file may be applied for, where not for all."""

    SCHEDULES = "schedules"
    CONNECTIONS = "connections"


Only = Annotated[Part | None, typer.Option("--only", help="Only this part of the file.", show_default="both")]


@group.command(epilog="Example: queuecast apply queuecast.apply.toml --dry-run")
def apply(
    *,
    file: Annotated[str, typer.Argument(help="TOML file, or - for standard input.", show_default=False)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show the difference; exit 6 when there is one.")] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Also remove what this set once had and the file has no more.")] = False,
    only: Only = None,
    url: Url = DEFAULT_URL,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Make schedules (over the API) and connections (in this machine's configuration file) what a file says.

    What is not in the file is left alone.
    """
    declared = read_declared(file)
    connections = _plan(declared, url, only, prune=prune, data_dir=data_dir)
    _warn_of_secrets(declared, file)
    service = _Service(declared, prune=prune, client=connect(url)) if _concerns_schedules(declared, only, prune=prune) else None
    steps = service.ask(dry_run=True, coming=connections.names if connections else []) if service else []
    differs = _has_work(steps) or (connections is not None and connections.before != connections.after)
    if differs and not dry_run:
        _carry_out(connections, service if _has_work(steps) else None)
    _show(declared, connections, steps, is_dry=dry_run, as_json=as_json)
    if differs and dry_run:
        raise typer.Exit(DIFFERS)


@dataclass(frozen=True, slots=True)
class _Service:
    """The service that keeps the schedules."""

    declared: Declared
    prune: bool
    client: Client

    def ask(self, *, dry_run: bool, coming: Iterable[str] = ()) -> list[Document]:
        """What becomes of each schedule; raises what the service refuses."""
        body = {"managed_by": self.declared.set_name, "schedules": self.declared.schedules, "prune": self.prune}
        more = {"dry_run": dry_run, "coming": list(coming)}
        try:
            answer = self.client.post("schedules", "apply", body=json.dumps(body | more, default=_moment))
        except InvalidRequest as error:
            raise InvalidRequest.told(_by_name(str(error), self.declared.schedules)) from error
        return list(answer["schedules"])


def _by_name(message: str, schedules: Sequence[Document]) -> str:
    """What is wrong, where people find it in their file.

    >>> _by_name("schedules.1.cron: it is missing", [{"name": "nightly"}, {"name": "weekly"}])
    "schedule 2 ('weekly'), cron: it is missing"
    """
    names = {str(index): schedule.get("name") for index, schedule in enumerate(schedules)}

    def place(found: re.Match[str]) -> str:
        if (index := found[1]) not in names:
            return found[0]
        return f"schedule {int(index) + 1}" + (f" ({names[index]!r}), " if names[index] else ", ")

    return re.sub(r"(?:^|(?<=[:;] ))schedules\.([0-9]+)\.", place, message)


def _plan(declared: Declared, url: str, only: Part | None, *, prune: bool, data_dir: Path | None) -> ConnectionsPlan | None:
    if only is Part.SCHEDULES or not (declared.connections or prune):
        return None
    from shared.config.connections_file import plan  # the kinds of connections
    from shared.config.origins import config_file

    if only is None and declared.connections and not is_loopback(urlsplit(url).hostname or ""):
        raise UsageError(
            f"connections are changed on the machine that runs Queuecast, and {url} may be another: accepted is --only schedules"
            " here, and --only connections there"
        )
    return plan(config_file().absolute(), declared.connections, declared.set_name, prune=prune, data_dir=data_dir)


def _warn_of_secrets(declared: Declared, file: str) -> None:
    if not declared.connections:
        return
    from shared.config.connections_file import open_secrets  # the kinds of connections

    if found := [f"connections.{each}" for each in open_secrets(declared.connections, declared.hidden)]:
        instead = 'instead of {env = "NAME"} or {file = "PATH"}: whoever has the file has them'
        notice(f"secrets stand in {file} itself, {instead}: {', '.join(found)}", style="yellow")


def _concerns_schedules(declared: Declared, only: Part | None, *, prune: bool) -> bool:
    return only is not Part.CONNECTIONS and bool(declared.schedules or prune)


def _has_work(steps: Iterable[Document]) -> bool:
    return any(step["action"] in SIGNS for step in steps)


def _carry_out(connections: ConnectionsPlan | None, service: _Service | None) -> None:
    """Connections first, as schedules need them; where it breaks off, what is done is said."""
    done = ""
    if connections is not None and connections.before != connections.after:
        from shared.config.connections_file import write

        write(connections)
        done = f"the connections in {connections.path} are written"
    if service is not None:
        try:
            _send(service, waits=bool(done))
        except QueuecastError:
            notice(_broken_off(service, done), style="yellow")
            raise


def _send(service: _Service, *, waits: bool) -> None:
    """Let the service make the schedules; one that does not know the new connections yet is asked again."""
    give_up_at = time.monotonic() + (TAKEN_UP_SECONDS if waits else 0.0)
    while True:
        try:
            service.ask(dry_run=False)
        except RequestError:
            if time.monotonic() >= give_up_at:
                raise
            time.sleep(PAUSE_SECONDS)
        else:
            return


def _broken_off(service: _Service, done: str) -> str:
    try:
        left = sum(step["action"] in SIGNS for step in service.ask(dry_run=True))
        schedules = f"{left} of {len(service.declared.schedules)} schedules are left to do"
    except QueuecastError:
        schedules = "how many schedules are done cannot be asked"
    return f"it broke off: {f'{done}, ' if done else ''}{schedules}; applying the file again does the rest"


def _moment(value: object) -> str:
    """Times, which TOML has and JSON has not."""
    if isinstance(value, date | datetime):
        return value.isoformat()
    raise UsageError(f"found {value!r}, which no request has")


def _show(declared: Declared, connections: ConnectionsPlan | None, steps: list[Document], *, is_dry: bool, as_json: bool) -> None:
    own = [
        {"action": step.action.value, "name": step.name, "changes": [*_changes(declared, step)]}
        for step in (connections.steps if connections else ())
    ]
    if as_json:
        place = {"connections_file": str(connections.path) if connections else None}
        print_json({"managed_by": declared.set_name, "dry_run": is_dry, **place, "connections": own, "schedules": steps})
        return
    if connections is not None and _has_work(own):
        notice(f"connections: {connections.path}" + ("" if connections.before is not None else ", which is made anew"))
    for line in (*_lines("connection", own), *_lines("schedule", steps)):
        say(line)
    counts = Counter(step["action"] for step in (*own, *steps))
    told = ", ".join(f"{counts[action]} {action}" for action in (*SIGNS, "unchanged", LEFT) if counts[action])
    what = "would be" if is_dry else "done"
    say(f"{what if any(map(counts.get, SIGNS)) else 'nothing to do'}: {told or 'nothing is declared'}")


def _changes(declared: Declared, step: ConnectionStep) -> Iterator[Document]:
    hidden = declared.hidden.get(step.name, ())
    for field, *values in step.changes:
        before, after = (STARS if field in hidden and value is not None else value for value in values)
        yield {"field": field, "before": before, "after": after}


def _lines(what: str, steps: Iterable[Document]) -> Iterator[str]:
    """A line for each that is not as it was, and one for each field that changes."""
    for step in steps:
        name = f"{what} {step['name']}" + (f" (project {step['project']})" if step.get("project") else "")
        if step["action"] == LEFT:
            yield f"  {name} stays: it is of this set, and the file has no schedule of its project"
        if step["action"] in SIGNS:
            yield f"{SIGNS[step['action']]} {name}"
        for change in step["changes"]:
            values = _values(change["before"], change["after"], is_new=step["action"] == "added")
            yield f"    {IN_THE_FILE.get(change['field'], change['field'])}: {values}"


def _values(before: object, after: object, *, is_new: bool) -> str:
    if STARS in {str(before), str(after)}:
        return "set, secret" if before is None else "no more" if after is None else "another, secret"
    values = (after,) if is_new else (before, after)
    return " → ".join("–" if value is None else json.dumps(value, ensure_ascii=False, default=str) for value in values)
