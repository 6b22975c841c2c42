"""The verbs of the side that computes: run a worker or the reaper, replay the past."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from shared.command.reading import load_settings
from shared.command.terminal import AsJson, DataDir, notice
from shared.config.data_folder import open_data_folder
from shared.config.extras import needs
from shared.config.machine import this_machine
from shared.domain.lanes import Lane
from shared.domain.wording import counted
from shared.errors import BrokerAway, BrokerIsCluster, InvalidSettings, UsageError
from shared.telemetry.metrics_folder import count_in, metrics_folder
from worker.backtest.command import app as delivered
from worker.backtest.decision_options import taken_from
from worker.backtest.options import with_fields
from worker.backtest.sample_options import FORMER, aliases_of, names_of
from worker.fleet.liveness import COLLECTOR_PULSE, is_alive

if TYPE_CHECKING:
    from shared.config.settings import Settings

app = typer.Typer()
app.add_typer(delivered)

EVERY_LANE = ",".join(Lane)
HERE = "127.0.0.1"

Lanes = typer.Option(help="Lanes to serve, most urgent first; heavy, and select,check, are best left to workers of their own.")
Covariates = typer.Option(exists=True, show_default="none", help="File or folder with more columns; may be repeated.")
Slots = typer.Option(min=1, max=256, help="Tasks at the same time.", show_default="cores, or as memory allows")
Alive = typer.Option("--alive", help="Start nothing: exit 0 when the worker of this name shows life, 1 when it does not.")
ShowsLife = Annotated[bool, typer.Option("--alive", help="Start nothing: exit 0 when the one here shows life, 1 when not.")]
LookOnce = Annotated[
    bool, typer.Option("--once", help="Look at each cluster once; exit 1 when one was not kept. Needs the broker.")
]
ReportNow = Annotated[
    bool, typer.Option("--report", help="Report now of each queue what it waited for and could give back, as is done daily.")
]
MetricsPort = Annotated[
    int | None, typer.Option(min=1, max=65_535, help="Serve Prometheus metrics on this port.", show_default="none are served")
]
MetricsHost = Annotated[str, typer.Option(help="Address of the metrics, which have no password.")]


@app.command(epilog="Example: queuecast work --lanes select,check,plan,score --concurrency 4")
@needs("worker")
def work(
    *,
    lanes: Annotated[str, Lanes] = EVERY_LANE,
    concurrency: Annotated[int | None, Slots] = None,
    name: Annotated[str, typer.Option(help="Unlike that of every other worker on this machine.")] = "worker",
    data_dir: DataDir = None,
    alive: Annotated[bool, Alive] = False,
    metrics_port: MetricsPort = None,
    metrics_host: MetricsHost = HERE,
) -> None:
    """Run a worker until SIGTERM, which lets running tasks finish. Its watchdog kills it when it shows no life for a minute."""
    settings = load_settings(data_dir=data_dir)
    if alive:
        raise typer.Exit(0 if is_alive(settings, name) else 1)
    from shared.store import lead_on
    from shared.telemetry.logs import configure_logs
    from worker.fleet.allotment import allot
    from worker.fleet.watchdog import run_worker  # Celery and pandas

    served = lanes_of(lanes)
    allotted = allot(settings, this_machine(), served, concurrency)
    configure_logs(settings.log_level)
    if note := open_data_folder(settings, is_needed=True):  # the pulse is in it
        logging.getLogger(__name__).warning(note)
    _refuse_cluster(settings)
    lead_on(settings.store_location, notice)  # a task would have no time for it
    if metrics_port:
        count_in(metrics_folder(settings.data_dir, f"work-{name}"))
        _serve_metrics(metrics_host, metrics_port)
    raise typer.Exit(run_worker(settings, lanes=served, allotted=allotted, name=name))


@app.command(epilog="Example: queuecast reap --once")
@needs("worker")
def reap(
    data_dir: DataDir = None,
    once: Annotated[bool, typer.Option("--once", help="Look once, do at once what there is to do, and end.")] = False,
    metrics_port: MetricsPort = None,
    metrics_host: MetricsHost = HERE,
) -> None:
    """Run the reaper until SIGTERM: it sends again what was lost, and ends every job by its deadline. One a fleet is enough."""
    from shared.store import lead_on
    from shared.telemetry.logs import configure_logs
    from worker.reaper.reaper import run_reaper

    settings = load_settings(data_dir=data_dir)
    configure_logs(settings.log_level)
    if note := open_data_folder(settings):
        logging.getLogger(__name__).warning(note)
    _refuse_cluster(settings)
    lead_on(settings.store_location, notice)
    if metrics_port:
        _serve_metrics(metrics_host, metrics_port)
    run_reaper(settings, once=once)


@app.command(epilog="Examples: queuecast collect --once · queuecast collect --report")
@needs("worker")
def collect(
    *,
    data_dir: DataDir = None,
    once: LookOnce = False,
    report: ReportNow = False,
    alive: ShowsLife = False,
    metrics_port: MetricsPort = None,
    metrics_host: MetricsHost = HERE,
) -> None:
    """Collect what the queues of each YARN cluster use and want, until SIGTERM. A second one waits for the first to end.

    Each connection of kind yarn is a cluster; its `samples` says where they are kept.
    """
    settings = load_settings(data_dir=data_dir)
    if alive:
        raise typer.Exit(0 if is_alive(settings, COLLECTOR_PULSE) else 1)
    from shared.telemetry.logs import configure_logs
    from worker.collect.loop import run_collector

    configure_logs(settings.log_level)
    if note := open_data_folder(settings, is_needed=True):
        logging.getLogger(__name__).warning(note)
    _refuse_cluster(settings)
    if once or report:
        raise typer.Exit(_now(settings, looks=once, reports=report))
    if metrics_port:
        _serve_metrics(metrics_host, metrics_port)
    run_collector(settings)


def _now(settings: Settings, *, looks: bool, reports: bool) -> int:
    """Do once what is wanted of it."""
    failed = _looked_once(settings) if looks else 0
    if reports:
        _report(settings)
    return failed


def _looked_once(settings: Settings) -> int:
    """Look at each cluster, and say what came of it; 0 when all were kept."""
    from worker.collect.loop import collect_once

    outcomes = collect_once(settings)
    for name, outcome in outcomes.items():
        notice(f"{name}: {outcome.replace('_', ' ')}")
    return int(any(outcome != "collected" for outcome in outcomes.values()))


def _report(settings: Settings) -> None:
    """Make the reports of each cluster, and say of how many queues."""
    from worker.collect.loop import report_now

    for name, queues in report_now(settings).items():
        notice(f"{name}: reports of {counted(queues, 'queue')}")


@app.command("flower", epilog="Example: queuecast flower --port 5555")
@needs("worker", "flower")
def serve_flower(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on; on any but loopback its password is always asked for.")] = HERE,
    port: Annotated[int, typer.Option(min=1, max=65_535)] = 5555,
    data_dir: DataDir = None,
    alive: Annotated[bool, typer.Option("--alive", help="Start nothing: exit 0 when Flower answers here, 1 when not.")] = False,
) -> None:
    """Show operators what runs, in Flower, until SIGTERM. It changes nothing.

    Once a token exists it asks for a password: FLOWER_BASIC_AUTH=user:password, else the one in DATA_DIR/flower/password.
    """
    settings = load_settings(data_dir=data_dir)
    os.environ["QUEUECAST_DATA_DIR"] = str(settings.data_dir)  # the Celery application reads the settings by itself
    from worker.flower import server

    if alive:
        raise typer.Exit(0 if server.is_alive(settings, port) else 1)
    if note := open_data_folder(settings, is_needed=True):  # its password and its memory are in it
        notice(note, style="yellow")
    server.run_flower(settings, host=host, port=port)


@app.command(epilog="Example: queuecast backtest usage.csv --horizon 24h --history 14d --origins 3 --out forecasts.parquet")
@needs("worker")
@with_fields
def backtest(
    *,
    fields: dict[str, object],
    path: Annotated[Path, typer.Argument(help="CSV or Parquet file, or a folder of them, in long form.", exists=True)],
    covariates: Annotated[list[Path] | None, Covariates] = None,
    horizon: Annotated[str, typer.Option(help="How far each forecast reaches.")] = "24h",
    history: Annotated[str, typer.Option(help="How far back each forecast looks.")] = "14d",
    step: Annotated[str, typer.Option(help="Length of a step.")] = "1h",
    origins: Annotated[int, typer.Option(min=1, max=1_000, help="Forecasts per queue, one horizon apart.")] = 5,
    models: Annotated[str, typer.Option(help="auto, or names separated by commas.")] = "auto",
    former: Annotated[list[str] | None, FORMER] = None,
    out: Annotated[Path | None, typer.Option(help="File for the forecasts, .parquet or .csv.", show_default=False)] = None,
    summary: Annotated[Path | None, typer.Option(help="File for the summary, JSON.", show_default=False)] = None,
    processes: Annotated[int, typer.Option("--jobs", min=1, max=256, help="Processes that share the queues.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Run the pipeline of a job on past data, at and after each cutoff unseen; exit 1 when no queue could be forecast."""
    from worker.backtest import report

    run = partial(report.run, out=out, summary_file=summary, asked=taken_from(fields))
    asked = report.replay_request((path, *(covariates or ())), (step, history, horizon), models_of(models), **fields)
    results = run(*asked, origins=origins, processes=processes, aliases=aliases_of(former))
    raise typer.Exit(0 if report.show(results, as_json=as_json) else 1)


def _refuse_cluster(settings: Settings) -> None:
    """Raises InvalidSettings for a cluster; any other broker that cannot be used now is waited for."""
    from shared.fleet.runstate import RunState

    with suppress(BrokerAway):
        try:
            RunState.open(settings, is_patient=False).ping()
        except BrokerIsCluster as error:
            raise InvalidSettings(f"QUEUECAST_BROKER_URL: {error.headline}") from error


def _serve_metrics(host: str, port: int) -> None:
    from worker.fleet.metrics_server import serve_metrics  # where processes count is decided by what it imports

    serve_metrics(host, port)


def lanes_of(text: str) -> tuple[str, ...]:
    """The lanes of a comma-separated list; raises UsageError naming those that exist."""
    names = names_of(text)
    if not names or not set(names) <= set(Lane):
        raise UsageError(f"--lanes {text!r}: accepted are {', '.join(Lane)}, separated by commas")
    return names


def models_of(text: str) -> Literal["auto"] | tuple[str, ...]:
    """ "auto", or the names of a comma-separated list."""
    return "auto" if text == "auto" else names_of(text)
