"""The verbs of the settings: which value each has, where from, and what is wrong with them."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from contextlib import redirect_stderr, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from shared.command.reading import load_settings
from shared.command.records import opened_store
from shared.command.tables import print_table, tabular
from shared.command.terminal import AsJson, DataDir, notice, print_json, say
from shared.config.data_folder import problem_with
from shared.config.origins import CONFIG_FILE, SECRETS_DIR
from shared.domain.wording import counted
from shared.errors import BrokerAway, InvalidSettings, QueuecastError

if TYPE_CHECKING:
    from shared.config.settings import Settings

config = typer.Typer(help="Show and check the settings.", no_args_is_help=True)
CODE = 5  # of settings that are not valid


@config.command("show")
@tabular
def show_config(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Show every setting, and where its value comes from; secrets are stars."""
    from shared.config.settings import PREFIX, load_settings

    settings = load_settings(data_dir=data_dir)
    shown = {name: {"value": value, "from": _origin(settings, name, data_dir)} for name, value in settings.masked().items()}
    if as_json:
        print_json(shown)
    else:
        connections = cast("dict[str, object]", shown.pop("connections")["value"])
        rows = [(PREFIX + name.upper(), _short(entry["value"]), entry["from"]) for name, entry in shown.items()]
        rows += [(f"connection {name}", _short(fields), _maker(settings, name, data_dir)) for name, fields in connections.items()]
        print_table(("setting", "value", "from"), rows, spare=("from",), text=("value",))


@config.command("check")
def check_config(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Check the settings; exit 5 with every problem when they are not valid. Contacts no server: `queuecast doctor` does.

    What is valid and cannot be meant for this machine is a warning.
    """
    problems, warnings = _found(data_dir)
    if as_json:
        print_json({"valid": not problems, "problems": problems, "warnings": warnings})
    for problem in [] if as_json else problems:
        notice(problem, style="red")
    for warning in [] if as_json else warnings:
        notice(warning, style="yellow")
    if problems:
        raise typer.Exit(CODE)
    if not as_json:
        say("the settings are valid")


def _names(incomplete: str) -> list[str]:
    """For the shell's completion, which says nothing where settings cannot be read."""
    with redirect_stderr(io.StringIO()), suppress(QueuecastError):
        return [name for name in load_settings().all_connections if name.startswith(incomplete)]
    return []


@config.command("accept-move")
def accept_move(
    connection: Annotated[str, typer.Argument(help="Its name.", show_default=False, autocompletion=_names)],
    data_dir: DataDir = None,
) -> None:
    """Say that a connection that leads elsewhere now has the same queues as before: jobs read there, and go on with what is kept.

    Without it such jobs are refused, as another place may have other queues of the same names. If it has, give the connection a
    `cluster` instead. Exit 2 when there is no such connection.
    """
    from shared.domain.places import Place

    settings = load_settings(data_dir=data_dir)
    now = settings.connection(connection).leads_to(Place(name=connection), settings.data_dir)
    with opened_store(data_dir) as store:
        known = [each for each in store.whereabouts.of_connection(connection) if each.addresses]
        store.whereabouts.accept_move(connection)
    if known:
        say(f"{connection} led to {', '.join(known[0].addresses)}; the next job may read {', '.join(sorted(now))}")
    else:
        say(f"no job has read over {connection} since, or ever without a cluster: there is nothing to accept")


def _found(data_dir: Path | None) -> tuple[list[str], list[str]]:
    """Problems and warnings."""
    from shared.config.settings import load_settings

    try:
        settings = load_settings(data_dir=data_dir)
    except InvalidSettings as error:
        return list(error.problems), []
    return _problems(settings), list(_beyond_this_machine(settings))


def _problems(settings: Settings) -> list[str]:
    from shared.drivers.redis_server import redis_server
    from shared.store import open_store

    folder_problem = problem_with(settings.data_dir) if settings.needs_data_folder else ""
    problems = [folder_problem] if folder_problem else []
    for look in (lambda: redis_server(settings), lambda: open_store(settings.store_location).close()):
        try:
            look()
        except BrokerAway:
            pass  # the embedded broker does not run; its settings are right all the same
        except InvalidSettings as error:
            problems.append(error.detail)
    return problems


def _beyond_this_machine(settings: Settings) -> Iterator[str]:
    """Settings of workers that ask for more than there is here; the workers may run elsewhere."""
    from shared.config.machine import this_machine
    from shared.config.settings import PREFIX

    machine = this_machine()
    if (memory := settings.child_memory_mb or 0) > machine.memory_mb:
        yield f"{PREFIX}CHILD_MEMORY_MB: {memory:,} is more than the {machine.memory_mb:,} MB here; no worker starts with it here"
    if (threads := settings.threads) > machine.cores:
        have = counted(machine.cores, "core")
        yield f"{PREFIX}THREADS: {threads} is more than the {have} here; they would wait for one another"


def _origin(settings: Settings, name: str, data_dir: Path | None) -> str:
    """Where a setting's value comes from; a value that equals the default counts as the default."""
    if name == "data_dir" and data_dir is not None:
        return "--data-dir"
    from shared.config.settings import PREFIX

    variable = PREFIX + name.upper()
    if os.environ.get(variable):
        return variable
    folder = os.environ.get(SECRETS_DIR)
    if folder and (Path(folder) / variable.lower()).is_file():
        return SECRETS_DIR
    default = type(settings).model_fields[name].get_default(call_default_factory=True)
    return "default" if getattr(settings, name) == default else os.environ.get(CONFIG_FILE, "queuecast.toml")


def _maker(settings: Settings, connection: str, data_dir: Path | None) -> str:
    """Where a connection comes from: the setting that makes it exist, or wherever connections are listed."""
    if connection in settings.connections:
        return _origin(settings, "connections", data_dir)
    from shared.config.connection import kinds

    setting = next(iter(kinds[connection].taken_from.values()))
    return _origin(settings, setting, data_dir) if setting in type(settings).model_fields else "default"


def _short(value: object) -> object:
    return json.dumps(value) if isinstance(value, dict | list) and value else (None if value in ({}, []) else value)
