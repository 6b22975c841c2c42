"""The verbs of one machine: `up` runs the whole stack, `simulate` makes a cluster up."""

from __future__ import annotations

import signal
import sys
from collections import deque
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.log_files import Line, chosen, following, lines_of
from deploy.simulating import simulate_cluster
from deploy.supervise import StopAsked
from shared.command.reading import load_settings
from shared.command.terminal import AsJson, DataDir, notice, print_json, say
from shared.config.extras import needs
from shared.errors import JobNotFound
from worker.flower.access import password_file

if TYPE_CHECKING:
    from deploy.stack import Layout

app = typer.Typer()

Port = typer.Option(min=0, max=65_535, help="Port of the API; 0 = any free one.")
FlowerPort = typer.Option(min=0, max=65_535, help="Port of Flower, on this machine only.", show_default="5555, or any free one")
Workers = typer.Option(min=1, max=256, help="Candidates scored at the same time.", show_default="cores, or as memory allows")


@app.command()
@needs("api", "worker", "flower")
def up(
    *,
    host: Annotated[str, typer.Option(help="Address of the API; loopback only, until there is a token.")] = "127.0.0.1",
    port: Annotated[int, Port] = 8080,
    workers: Annotated[int | None, Workers] = None,
    data_dir: DataDir = None,
    flower_port: Annotated[int | None, FlowerPort] = None,
    as_json: AsJson = False,
) -> None:
    """Run Queuecast on this machine: broker, API, workers, reaper and Flower, supervised. Ctrl-C or SIGTERM ends all of it.

    Prints one line with the address as soon as jobs are accepted. What each process says is in DATA_DIR/logs.
    """
    from deploy.failed_jobs import FailedJobs
    from deploy.late_collector import LateCollector
    from deploy.stack import make_layout, running  # the broker's client
    from shared.store import open_store

    settings = load_settings(data_dir=data_dir)
    layout = make_layout(host=host, port=port, flower_port=flower_port, workers=workers)
    notice(f"starting; data, logs and files are in {settings.data_dir}")
    try:
        with running(settings, layout) as supervisor:
            _announce(layout, settings.data_dir, as_json=as_json)
            with closing(open_store(settings.store_location)) as store:
                failed, late = FailedJobs(store, partial(notice, style="red")), LateCollector(settings, supervisor)
                supervisor.run(until=lambda: failed.look() or late.look())
    except StopAsked as stop:
        raise typer.Exit(0 if stop.number == signal.SIGTERM else 130) from None


def _announce(layout: Layout, data_dir: Path, *, as_json: bool) -> None:
    """Say where everything is, now that jobs are accepted."""
    if as_json:
        print_json({"url": layout.url, "flower_url": layout.flower_url, "data_dir": str(data_dir)})
    else:
        say(f"Queuecast is ready: {layout.url} (Flower: {layout.flower_url})")
        notice(f"once a token exists, Flower asks for the user and password in {password_file(data_dir / 'flower')}")
    sys.stdout.flush()  # whoever waits for the line may read it from a pipe


@app.command(epilog="Example: queuecast logs worker --job 20261130T085107-9a1c0d2e4f, queuecast logs --follow")
def logs(
    *,
    process: Annotated[str | None, typer.Argument(help="Of this process only: api, worker, …", show_default="all")] = None,
    job: Annotated[str | None, typer.Option(help="What was said of this job only.", show_default="all")] = None,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, max=1_000_000, help="So many of the newest.")] = 100,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Then go on with what is said, until Ctrl-C.")] = False,
    data_dir: DataDir = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON value for each line instead of text.")] = False,
) -> None:
    """Show what the processes of `queuecast up` have said, by time. Files grow to 10 MB, and the one before is kept."""
    folder = load_settings(data_dir=data_dir).data_dir / "logs"
    processes = chosen(folder, process)
    tell = partial(_tell, as_json=as_json)
    newest = deque(lines_of(folder, processes, job), maxlen=lines)
    if job is not None and lines and not newest:
        nothing = f"found nothing of the job {job!r} in the logs of {', '.join(processes)}; {folder} has the newest lines only"
        if not follow:
            raise JobNotFound(nothing)
        notice(nothing, style="yellow")
    for line in newest:
        tell(line)
    with suppress(KeyboardInterrupt):
        for news in following(folder, processes, job) if follow else ():
            if news:
                tell(news)
            else:
                sys.stdout.flush()


def _tell(line: Line, *, as_json: bool) -> None:
    """A line as people read it, or as it was said."""
    if as_json:
        print_json({"process": line.process, **(line.known or {"event": line.text})})
    else:
        sys.stdout.write(f"{line.words}\n")


app.command("simulate")(simulate_cluster)
