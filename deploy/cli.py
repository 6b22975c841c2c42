"""The verbs of one machine: `up` runs the whole stack, `simulate` makes a cluster up."""

from __future__ import annotations

import re
import signal
import sys
from collections import deque
from contextlib import closing, nullcontext, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from deploy.log_files import Line, chosen, following, lines_of
from deploy.supervise import StopAsked
from shared.command.reading import load_settings
from shared.command.terminal import AsJson, DataDir, notice, now_and_then, print_json, say, using
from shared.config.data_folder import as_open_as_wished
from shared.config.extras import needs
from shared.domain.durations import ACCEPTED_FORMS, Duration
from shared.domain.identifiers import listed
from shared.domain.places import Place
from shared.domain.timegrid import MAX_TIME, MIN_TIME, TimeGrid
from shared.domain.wording import counted
from shared.errors import JobNotFound, UsageError
from worker.flower.access import password_file

if TYPE_CHECKING:
    from deploy.simulate import Cluster
    from deploy.stack import Layout

FileFormat = Literal["parquet", "csv"]
MAX_NAMED = 3  # files
TELL_SECONDS = 5.0
MAX_SAMPLES = 300_000_000  # of all queues together; beyond it a simulation needs more memory than most machines have

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
    from deploy.stack import make_layout, running  # the broker's client
    from shared.store import open_store

    settings = load_settings(data_dir=data_dir)
    layout = make_layout(host=host, port=port, flower_port=flower_port, workers=workers)
    notice(f"starting; data, logs and files are in {settings.data_dir}")
    try:
        with running(settings, layout) as supervisor:
            _announce(layout, settings.data_dir, as_json=as_json)
            with closing(open_store(settings.store_location)) as store:
                supervisor.run(until=FailedJobs(store, partial(notice, style="red")).look)
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


@app.command("simulate")
@needs("worker")
def simulate_cluster(
    *,
    out: Annotated[Path | None, typer.Option(help="Folder to write to, one file per queue.", file_okay=False)] = None,
    to: Annotated[str | None, typer.Option(help="A connection to write to instead.", show_default=False)] = None,
    place: Annotated[str, typer.Option(help="With --to: the collection or measurement.")] = "queue_metrics",
    database: Annotated[str | None, typer.Option(help="With --to.", show_default="the connection's")] = None,
    queues: Annotated[int, typer.Option(min=1, max=2_000)] = 12,
    days: Annotated[int, typer.Option(min=1, max=3_650)] = 28,
    step: Annotated[str, typer.Option(help="Time between samples: 10s, 5min, 1h.")] = "10s",
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same cluster.")] = 7,
    file_format: Annotated[FileFormat, typer.Option("--format", help="With --out.")] = "parquet",
    end: Annotated[str | None, typer.Option(help="ISO 8601 time with offset, after the last sample.", show_default="now")] = None,
    force: Annotated[bool, typer.Option("--force", help="Also beside other queues.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write a made-up but lifelike cluster to files or a database that jobs can read, for demos and load tests."""
    if (out is None) == (to is None):
        raise UsageError("accepted is either --out DIR or --to CONNECTION")
    target = Place(name=to or "", collection=place, measurement=place, database=database)
    if not force:
        refuse_others(out or target, file_format, queues)
    cluster, end_at = made_up(queues=queues, days=days, step=step, seed=seed, end=end)
    rows = to_files(out, file_format, cluster) if out else to_connection(target, cluster)
    where = str(out) if out else f"{place} of {to}"
    if as_json:
        print_json({"folder" if out else "place": where, "end": end_at.isoformat(), "queues": rows})
    else:
        say(f"{counted(len(rows), 'queue')}, {counted(sum(rows.values()), 'sample')} up to {end_at.isoformat()} in {where}")


def made_up(*, queues: int, days: int, step: str, seed: int, end: str | None) -> tuple[Cluster, datetime]:
    """The cluster and its end; raises UsageError when it is larger than most machines' memory."""
    from deploy.simulate import simulate  # numpy and pandas, which no other verb here needs

    step_seconds = seconds_of(step)
    if queues * days * 86_400 // step_seconds > MAX_SAMPLES:
        raise UsageError(
            f"--queues, --days and --step ask for more than the accepted {MAX_SAMPLES:,} samples; take fewer or a longer step"
        )
    end_at = TimeGrid(step_seconds).bucket_start(moment_of(end) if end else datetime.now(UTC))
    return told(simulate(queues=queues, days=days, step_seconds=step_seconds, seed=seed, end=end_at), queues), end_at


def refuse_others(where: Path | Place, file_format: FileFormat, queues: int) -> None:
    """Raises UsageError for a folder or place with queues that such a cluster would not replace: whoever reads it reads both."""
    from deploy.simulate import habits_of
    from deploy.simulate_to import others_at

    own = {habit.queue for habit in habits_of(queues)}
    if isinstance(where, Place):
        others, found = others_at(load_settings().connection(where.name), where, own), f"{where.collection} has other queues"
    else:
        with using(where, "read"):
            files = [file for file in where.glob("*") if file.suffix in {".csv", ".parquet"}]
        files = [file for file in files if file.name not in {f"{queue}.{file_format}" for queue in own}]
        others, found = sorted(file.name for file in files), f"{where} has files of other queues"
    if others:
        ways = "another --place" if isinstance(where, Place) else "another folder"
        raise UsageError(f"{found}: {listed(others, MAX_NAMED)}; take {ways}, or --force")


def told(cluster: Cluster, queues: int) -> Cluster:
    """The cluster, and on stderr how far it is made."""
    notice(f"making up {counted(queues, 'queue')}")
    tell = now_and_then(TELL_SECONDS)
    for done, queue in enumerate(cluster, start=1):
        yield queue
        tell(f"{done} of {counted(queues, 'queue')} written")


def to_files(out: Path, file_format: FileFormat, cluster: Cluster) -> dict[str, int]:
    """Write files; returns queue → samples."""
    from deploy.simulate import write

    is_ours = out.absolute().is_relative_to(load_settings().data_dir)
    with using(out, "written to"), nullcontext() if is_ours else as_open_as_wished():
        return write(out, file_format, cluster)


def to_connection(place: Place, cluster: Cluster) -> dict[str, int]:
    """Write to a database; returns queue → samples."""
    from deploy.simulate_to import write_to

    return write_to(load_settings().connection(place.name), place, cluster)


def seconds_of(step: str) -> int:
    """Length of a sampling step: a duration of Queuecast, or whole seconds, which requests do not know; at most a day."""
    if match := re.fullmatch(r"([1-9][0-9]{0,4}) ?s", step.strip(), re.ASCII):
        seconds = int(match[1])
    else:
        try:
            seconds = Duration.parse(step).seconds
        except ValueError as error:
            raise UsageError(
                f"--step {step!r}: accepted is 10s, or {ACCEPTED_FORMS}; months are not, their length varies"
            ) from error
    if seconds > 86_400:
        raise UsageError(f"--step {step!r}: the longest accepted is 1d")
    return seconds


def moment_of(text: str) -> datetime:
    """An ISO 8601 time with its offset, in UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--end {text!r}: {error}; accepted is 2026-01-05T00:00Z") from error
    if moment.tzinfo is None:
        raise UsageError(f"--end {text!r} has no offset; accepted is 2026-01-05T00:00Z or 2026-01-05T01:00+01:00")
    if not MIN_TIME <= moment < MAX_TIME:
        raise UsageError(f"--end {text!r}: accepted are the years {MIN_TIME.year} to {MAX_TIME.year - 1}")
    return moment.astimezone(UTC)
