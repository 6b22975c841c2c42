"""Root of the `queuecast` command: it grows with the parts that are installed, and ends with the exit codes of the contract.

0 ok · 1 the job failed · 2 usage, or refused · 3 service unreachable · 4 timed out waiting · 5 bad configuration
6 what was only asked about would change something · 130 Ctrl-C
"""

from __future__ import annotations

import logging
import platform
import sys
from collections.abc import Collection
from dataclasses import asdict
from importlib.metadata import EntryPoint, entry_points, version
from importlib.util import find_spec
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

from shared.command.backup import backup
from shared.command.configuration import config
from shared.command.reading import load_settings
from shared.command.tables import print_table
from shared.command.terminal import AsJson, DataDir, notice, print_json, say
from shared.command.upgrade import upgrade
from shared.config.data_folder import keep_private
from shared.errors import (
    AccessError,
    BrokerIsCluster,
    BrokerRefuses,
    QueuecastError,
    RequestError,
    ServiceError,
    SetupError,
    StoreRefuses,
)

PARTS = "queuecast.commands"  # the entry-point group
EXIT_CODES: dict[type[Exception], int] = {  # the first family that fits; any other error: 1
    **dict.fromkeys((RequestError, AccessError), 2),
    **dict.fromkeys((BrokerRefuses, BrokerIsCluster, StoreRefuses), 5),
    ServiceError: 3,
    TimeoutError: 4,
    SetupError: 5,
}

ASKING = frozenset(
    {"jobs", "models", "queues", "schedules", "submit", "tree", "usage", "validate", "whatif"}
)  # verbs that ask a service, which has the log
ABOUT = "Queuecast forecasts how much of each queue's capacity will be used in the next hours and days."
FIRST_STEPS = {  # part → what one does first with it
    "deploy": "`queuecast up`",
    "api": "`queuecast submit request.json --wait`, then `queuecast queues list`",
}


class PoliteGroup(TyperGroup):
    """Loads a part only for a verb that nobody before it has. Errors become one red line on stderr and an exit code."""

    def __init__(self, **attributes: object) -> None:
        super().__init__(**attributes)  # type: ignore[arg-type] # whatever typer gives
        self._own = tuple(self.commands)
        self._waiting = _parts()

    def list_commands(self, ctx: object) -> list[str]:  # noqa: ARG002 - typer's signature
        """Every verb: our own, those of the parts, our own groups."""
        while self._waiting:
            self._load_next()
        groups = [name for name in self._own if hasattr(self.commands[name], "commands")]
        verbs = [name for name in self._own if name not in groups]
        return [*verbs, *(name for name in self.commands if name not in self._own), *groups]

    def get_command(self, ctx: object, cmd_name: str) -> Any:  # noqa: ARG002 - typer's signature
        """The verb of this name; None = there is none."""
        while cmd_name not in self.commands and self._waiting:
            self._load_next()
        return self.commands.get(cmd_name)

    def _load_next(self) -> None:
        for name, command in get_group(self._waiting.pop(0).load()).commands.items():
            self.add_command(command, name)

    def invoke(self, ctx: Any) -> Any:
        """Run the chosen command."""
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort, typer.TyperException, BrokenPipeError):
            raise  # typer ends these itself
        except Exception as error:  # the edge of the program: nobody above could act on it
            if ctx.params["debug"]:
                raise
            notice(_line(error), style="red")
            raise typer.Exit(exit_code(error)) from error


def main() -> None:
    """Run the command line; never returns."""
    keep_private()
    build_app()(obj=_set_up_log)


def build_app() -> typer.Typer:
    """The command, with the verbs of every part that is installed."""
    app = typer.Typer(
        cls=PoliteGroup,
        callback=_root,
        help=_help([part.name for part in _parts()]),
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    app.add_typer(config, name="config")
    app.command("backup", epilog="Example: queuecast backup /backups/queuecast-2026-01-05.db")(backup)
    app.command("doctor")(examine)
    app.command("upgrade", epilog="Example: queuecast upgrade --check --json")(upgrade)
    app.command("version")(print_version)
    return app


def exit_code(error: Exception) -> int:
    """The exit code of an error, by its family: who has to act."""
    return next((code for family, code in EXIT_CODES.items() if isinstance(error, family)), 1)


def _asked(is_asked: bool) -> None:
    if is_asked:
        print_version()
        raise typer.Exit


AsksVersion = typer.Option("--version", help="The same as `queuecast version`.", callback=_asked, is_eager=True)


def _root(
    context: typer.Context,
    *,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,  # noqa: ARG001 - PoliteGroup's
    version: Annotated[bool, AsksVersion] = False,  # noqa: ARG001 - `_asked` has answered it
) -> None:
    """Take the options that stand before every verb, and say where their warnings go."""
    if context.obj is not None and context.invoked_subcommand != "version":
        context.obj(context.invoked_subcommand)


class _LateLog(logging.Handler):
    """Sets the log up for its first line."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line."""
        _warn_on_stderr()
        logging.getLogger(record.name).handle(record)


def _set_up_log(verb: str | None) -> None:
    if verb in ASKING:
        logging.basicConfig(handlers=[_LateLog()])
    else:
        _warn_on_stderr()


def _warn_on_stderr() -> None:
    from shared.telemetry.logs import configure_logs

    configure_logs("WARNING", sys.stderr)


def _help(parts: Collection[str]) -> str:
    """What the command is for, and first steps: only verbs that are installed, since an image holds one part."""
    steps = ", then ".join(step for part, step in FIRST_STEPS.items() if part in parts)
    return ABOUT + (f"\n\nFirst steps: {steps}." if steps else "")


def examine(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Is everything there, durable and alive? Exit 1 when something is ill, 3 when it is unreachable."""
    from shared.command.doctor import diagnose  # brings Celery, which no other command of this module needs

    findings = diagnose(load_settings(data_dir=data_dir))
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        rows = [(finding.verdict, finding.name, finding.detail, finding.advice) for finding in findings]
        print_table(("", "what", "found", "advice"), rows, text=("found", "advice"))
    if any(finding.is_away for finding in findings):
        raise typer.Exit(EXIT_CODES[ServiceError])
    if not all(finding.is_well for finding in findings):
        raise typer.Exit(1)


def print_version(as_json: AsJson = False) -> None:
    """Print the version, and which parts are installed."""
    parts = [part.name for part in _parts()]
    about = {"version": version("queuecast"), "python": platform.python_version(), "parts": parts}
    if as_json:
        print_json(about)
    else:
        say(f"queuecast {about['version']} (Python {about['python']}; {', '.join(parts)})")


def _line(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, QueuecastError | OSError):
        return str(error)
    return f"internal error: {type(error).__name__}: {error} (`queuecast --debug …` shows where)"


def _parts() -> list[EntryPoint]:
    """The parts whose package is there: an image for the API holds no worker code."""
    return sorted(
        part for part in entry_points(group=PARTS) if find_spec(part.module.partition(".")[0]) and find_spec(part.module)
    )
