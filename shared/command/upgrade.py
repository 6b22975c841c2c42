"""`queuecast upgrade --check`: what this release would do to the store, before anything of it is started. It writes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated

import typer

from shared.command.reading import load_settings
from shared.command.tables import print_table
from shared.command.terminal import AsJson, DataDir, print_json, say
from shared.domain.identifiers import first_of
from shared.errors import ServiceError, UsageError

if TYPE_CHECKING:
    from shared.config.settings import Settings
    from shared.store.outlook import Outlook

CHANGES, IMPOSSIBLE = 6, 5  # exit codes; 0 = nothing is to be done
MAX_NAMED = 5  # of what is made; as JSON all of it
LOG_TIMES = 2  # a file's size, and as much again in its log while it is led on

Row = tuple[str, str, str]


def upgrade(
    *,
    check: Annotated[bool, typer.Option("--check", help="Say what would be done, and do nothing.")] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Say what this release would do to the store. Exit 0: nothing; 6: it would be changed; 5: a newer release has made it."""
    if not check:
        raise UsageError("accepted is --check; the store is led on by the process that starts first (deploy/README.md, Upgrade)")
    from shared.config.retired import RETIRED
    from shared.config.settings import PREFIX
    from shared.store.upgrade import look_ahead

    settings = load_settings(data_dir=data_dir)
    outlook, running = look_ahead(settings.store_location), _running(settings)
    retired = [PREFIX + name.upper() for name in RETIRED if getattr(settings, name) is not None]
    if as_json:
        verdict = {"changes": outlook.changes, "possible": not outlook.is_newer}
        print_json(asdict(outlook) | verdict | {"release": version("queuecast"), "running": running, "retired_settings": retired})
    else:
        rows = [*_of_store(outlook, str(settings.masked()["store_url"])), *_of_fleet(outlook, running)]
        rows += [("setting", name, f"take it out: {RETIRED[name.removeprefix(PREFIX).lower()]}") for name in retired]
        print_table(("what", "found", "do"), rows, text=("found", "do"))
        if not (outlook.is_newer or outlook.changes):
            say("nothing to do in the store")
    if outlook.is_newer or outlook.changes:
        raise typer.Exit(IMPOSSIBLE if outlook.is_newer else CHANGES)


def _running(settings: Settings) -> dict[str, str] | None:
    """Process → release of those that have shown life lately, some within the last hour; None = the broker does not say."""
    from shared.fleet.runstate import RunState

    try:
        with closing(RunState.open(settings, is_patient=False)) as state:
            workers = {f"worker {each.worker_id}": each.version or "unknown" for each in state.members.workers()}
            return state.members.versions() | workers
    except ServiceError:
        return None


def _of_store(outlook: Outlook, url: str) -> Iterator[Row]:
    yield "store", url, ""
    if outlook.found is None:
        yield "schema", f"nothing is there yet; it will be {outlook.wanted}", ""
        return
    if outlook.is_newer:
        newer = f"{outlook.found}, and this release knows {outlook.wanted}"
        yield "schema", newer, "start the newer release, or restore a backup of before it"
        return
    older = outlook.migrations
    way_back = "no way back but a backup: earlier releases refuse it afterwards" if older else "earlier releases of it read it"
    yield "schema", f"{outlook.found}, wanted {outlook.wanted}", way_back
    for step in older:
        records = ", ".join(f"{name} {count:,}" for name, count in step.records.items()) or "nothing of the kind is there"
        yield f"from {step.of_schema}", f"{step.about}: {records}", ""
    if outlook.made:
        yield "made", f"tables, indexes and views, {len(outlook.made)} in all: {first_of(outlook.made, MAX_NAMED)}", ""
    yield from _of_disk(outlook)


def _of_disk(outlook: Outlook) -> Iterator[Row]:
    size = f"{outlook.size_bytes / 1e6:,.1f} MB"
    advice = "`queuecast backup FILE`" if outlook.changes else ""
    yield "backup", f"{size} before it is compressed", advice
    if outlook.free_bytes is not None:
        is_short = outlook.changes and outlook.free_bytes < LOG_TIMES * outlook.size_bytes
        need = f"make room: a backup there and leading on take up to {LOG_TIMES * outlook.size_bytes / 1e6:,.1f} MB"
        yield "free", f"{outlook.free_bytes / 1e6:,.1f} MB on the store's disk", need if is_short else ""


def _of_fleet(outlook: Outlook, running: dict[str, str] | None) -> Iterator[Row]:
    if outlook.found is not None:
        waits = "they go on after the upgrade; their deadlines do not wait" if outlook.open_jobs and outlook.changes else ""
        yield "open jobs", f"{outlook.open_jobs:,}", waits
    if running is None:
        yield "processes", "not known: the broker cannot be reached", ""
        return
    mine = version("queuecast")
    stop = "stop it before the first of this release starts"
    for name, its in running.items():
        yield name, f"release {its}" + ("" if its == mine else f", and this is {mine}"), stop if outlook.changes else ""
    if not running:
        yield "processes", "none shows life", ""
