"""The verbs for what was delivered: take forecasts out of the store, lead sinks on to this release."""

from __future__ import annotations

from dataclasses import asdict, astuple, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shared.command.reading import load_settings
from shared.command.records import opened_store
from shared.command.tables import print_table
from shared.command.terminal import AsJson, DataDir, notice, now_and_then, print_json, say
from shared.config.extras import needs
from shared.domain.wording import counted
from shared.errors import NotFound, QueueNotFound, UsageError

if TYPE_CHECKING:
    from shared.domain.forecasts import Forecast
    from shared.store import Store

app = typer.Typer()
forecast = typer.Typer(help="Take forecasts out of the store.", no_args_is_help=True)
migrate = typer.Typer(help="Lead what an earlier release wrote into your databases on to this one.", no_args_is_help=True)
app.add_typer(forecast, name="forecast")
app.add_typer(migrate, name="migrate")


@forecast.command("export", epilog="Example: queuecast forecast export --queue root.etl --out forecasts.parquet")
@needs("worker")
def export(
    *,
    queue: Annotated[str | None, typer.Option(help="Only this queue.", show_default="all")] = None,
    project: Annotated[str | None, typer.Option(help='Only of this project; "" = of none.', show_default="all")] = None,
    cluster: Annotated[str | None, typer.Option(help="Only of this cluster, as the export calls it.", show_default="all")] = None,
    job_id: Annotated[str | None, typer.Option(help="Only what this job forecast.", show_default="all")] = None,
    file_format: Annotated[str | None, typer.Option("--format", help="csv, parquet or jsonl.", show_default="from --out")] = None,
    out: Annotated[str, typer.Option(help="A file, or - for standard output.")] = "-",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Write forecasts with their bounds and quantiles to a file, one row per queue and step."""
    from worker.backtest.export import ExportFormat, export_forecasts, rows_of

    if file_format is not None and file_format not in set(ExportFormat):
        raise UsageError(f"--format {file_format!r}: accepted are {', '.join(ExportFormat)}")
    if as_json and out == "-" and file_format is not None:
        raise UsageError(f"--json with --format {file_format}: accepted is one of them, or a file with --out")
    target = None if out == "-" else Path(out)
    with opened_store(data_dir) as store:
        forecasts = forecasts_of(store, queue=queue, project=project, cluster=cluster, job_id=job_id)
        if as_json and target is None:
            print_json(list(rows_of(forecasts)))
            return
        rows = export_forecasts(forecasts, target, ExportFormat(file_format) if file_format else None)
    if as_json:
        print_json({"file": str(target), "rows": rows})
    elif target is not None:
        say(f"{counted(rows, 'row')} in {target}")


def forecasts_of(store: Store, **asked: str | None) -> list[Forecast]:
    """The forecasts that are asked for; that there is none at all is said. Raises NotFound for a queue or job without one."""
    forecasts = store.forecasts.find(**asked)
    given = {name: value for name, value in asked.items() if value is not None}
    if not forecasts and given:
        raise (NotFound if asked["job_id"] else QueueNotFound)("no such forecast is kept", **given)
    if not forecasts:
        notice("no queue has a forecast yet", style="yellow")
    return forecasts


@migrate.command("influxdb", epilog="Example: queuecast migrate influxdb, then queuecast migrate influxdb --apply")
@needs("worker")
def migrate_influxdb(
    *,
    apply: Annotated[bool, typer.Option("--apply", help="Do it; without, it is only told what would be done.")] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Lead on what a release before wrote into InfluxDB. While it runs no worker should; it may be ended and run again.

    Points ahead of now get the tags project and cluster of their jobs, and `step` becomes a tag only in _issued.
    """
    from worker.sinks._influx_migration import Change
    from worker.sinks._influx_migration import migrate as migrated

    with opened_store(data_dir) as store:
        changes = list(migrated(store, load_settings(data_dir=data_dir), apply=apply, tell=now_and_then(5)))
    if as_json:
        print_json([asdict(change) for change in changes])
        return
    spare = ("connection", "database", "job", "metric", "cluster", "project")
    print_table([field.name for field in fields(Change)], map(astuple, changes), spare=spare, text=("what",))
    if not changes:
        say("there is nothing to do")
    elif not apply:
        notice("nothing was changed; --apply does it, best while no worker runs", style="yellow")
