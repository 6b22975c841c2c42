"""The verbs of the side that computes: run a worker or the reaper, export forecasts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from shared.errors import InvalidRequest
from shared.forecasts import Lane
from shared.logs import configure_logs
from shared.settings import load_settings
from shared.terminal import AsJson, DataDir, notice, print_json, say

app = typer.Typer()
forecast = typer.Typer(help="Take forecasts out of the store.", no_args_is_help=True)
app.add_typer(forecast, name="forecast")

EVERY_LANE = ",".join(Lane)

Lanes = typer.Option(help="Lanes to serve, most urgent first; heavy ones are best left to a worker of their own.")
Slots = typer.Option(min=1, max=256, help="Tasks at the same time.", show_default="cores")
Alive = typer.Option("--alive", help="Start nothing: exit 0 when the worker of this name shows life, 1 when it does not.")


@app.command()
def work(
    *,
    lanes: Annotated[str, Lanes] = EVERY_LANE,
    concurrency: Annotated[int | None, Slots] = None,
    name: Annotated[str, typer.Option(help="Unlike that of every other worker on this machine.")] = "worker",
    data_dir: DataDir = None,
    alive: Annotated[bool, Alive] = False,
) -> None:
    """Run a worker until SIGTERM, which lets running tasks finish. Its watchdog kills it when it shows no life for a minute."""
    from worker.watchdog import is_alive, run_worker  # reads the run state, which --help does not need

    settings = load_settings(data_dir=data_dir)
    if alive:
        raise typer.Exit(0 if is_alive(settings, name) else 1)
    configure_logs(settings.log_level)
    slots = concurrency or os.cpu_count() or 1
    raise typer.Exit(run_worker(settings, lanes=lanes_of(lanes), concurrency=slots, name=name))


@app.command()
def reap(
    data_dir: DataDir = None,
    once: Annotated[bool, typer.Option("--once", help="Look once, do at once what there is to do, and end.")] = False,
) -> None:
    """Run the reaper until SIGTERM: it sends again what was lost, and ends every job by its deadline. One a fleet is enough."""
    from worker.reaper import run_reaper

    settings = load_settings(data_dir=data_dir)
    configure_logs(settings.log_level)
    run_reaper(settings, once=once)


@forecast.command("export")
def export(
    *,
    queue: Annotated[str | None, typer.Option(help="Only this queue.", show_default="all")] = None,
    job_id: Annotated[str | None, typer.Option(help="Only what this job forecast.", show_default="all")] = None,
    file_format: Annotated[str | None, typer.Option("--format", help="csv, parquet or jsonl.", show_default="from --out")] = None,
    out: Annotated[str, typer.Option(help="A file, or - for standard output.")] = "-",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Write forecasts with their bounds to a file, one row per queue and step."""
    from shared.storage import open_store
    from worker.export import ExportFormat, export_forecasts

    if file_format is not None and file_format not in set(ExportFormat):
        raise InvalidRequest(f"--format {file_format!r}: accepted are {', '.join(ExportFormat)}")
    store = open_store(load_settings(data_dir=data_dir).store_location)
    target = None if out == "-" else Path(out)
    rows = export_forecasts(store.forecasts(queue, job_id), target, ExportFormat(file_format) if file_format else None)
    if not rows:
        notice("no forecast matches", style="yellow")
    if as_json and target is not None:
        print_json({"file": str(target), "rows": rows})
    elif target is not None:
        say(f"{rows:,} rows in {target}")


def lanes_of(text: str) -> tuple[str, ...]:
    """The lanes of a comma-separated list; raises InvalidRequest naming those that exist."""
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    unknown = [name for name in names if name not in set(Lane)]
    if unknown or not names:
        raise InvalidRequest(f"--lanes {text!r}: accepted are {', '.join(Lane)}, separated by commas")
    return names
