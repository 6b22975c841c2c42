"""The verb `simulate`: a made-up cluster, as samples in files or a database, or as ResourceManagers that answer."""

from __future__ import annotations

import signal
import sys
import time
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from deploy.heard_signals import heard
from shared.command.progress import time_left
from shared.command.reading import load_settings
from shared.command.terminal import AsJson, notice, now_and_then, print_json, say, using
from shared.config.data_folder import as_open_as_wished
from shared.config.extras import require_extras
from shared.domain.durations import seconds_to_wait
from shared.domain.identifiers import listed
from shared.domain.places import Place
from shared.domain.timegrid import MAX_TIME, MIN_TIME, MINUTE, TimeGrid
from shared.domain.wording import counted
from shared.errors import UsageError

if TYPE_CHECKING:
    from deploy.fake_cluster import FakeCluster
    from deploy.simulate import Cluster

FileFormat = Literal["parquet", "csv"]
MAX_NAMED = 3  # files
TELL_SECONDS = 5.0
MAX_SAMPLES = 300_000_000  # of all queues together; beyond it a simulation needs more memory than most machines have
OF_YARN, OF_BOTH = {"yarn", "port", "standby_port", "configuration"}, {"queues", "seed", "as_json", "to"}
OF_PAST = {"days", "force"}  # with --yarn and --to
OPTIONS = {"file_format": "format"}  # parameters that are not called as their option is
Yarn = typer.Option("--yarn", help="Run it: ResourceManagers that answer as real ones do, until Ctrl-C. SIGUSR1 fails over.")
TO = "A connection to write to instead; with --yarn one of kind yarn: what its collector would have kept of the last --days."
Port = typer.Option(min=0, max=65_535, help="With --yarn: of the first ResourceManager; 0 = any free one.")
StandbyPort = typer.Option(min=0, max=65_535, help="With --yarn: of a second one, which is standby.", show_default="none")
Configuration = typer.Option(
    "--configuration",
    help="With --yarn: capacity-scheduler.xml, or what /scheduler-conf or /scheduler answered, instead of a made-up tree.",
    exists=True,
    dir_okay=False,
)


def simulate_cluster(
    context: typer.Context,
    *,
    out: Annotated[Path | None, typer.Option(help="Folder to write to, one file per queue.", file_okay=False)] = None,
    to: Annotated[str | None, typer.Option(help=TO, show_default=False)] = None,
    place: Annotated[str, typer.Option(help="With --to: the collection or measurement.")] = "queue_metrics",
    database: Annotated[str | None, typer.Option(help="With --to.", show_default="the connection's")] = None,
    queues: Annotated[int, typer.Option(min=1, max=2_000)] = 12,
    days: Annotated[int, typer.Option(min=1, max=3_650)] = 28,
    step: Annotated[str, typer.Option(help="Time between samples: 10s, 5min, 1h.")] = "10s",
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same cluster.")] = 7,
    file_format: Annotated[FileFormat, typer.Option("--format", help="With --out.")] = "parquet",
    end: Annotated[str | None, typer.Option(help="ISO 8601 time with offset, after the last sample.", show_default="now")] = None,
    force: Annotated[bool, typer.Option("--force", help="Also beside other queues.")] = False,
    yarn: Annotated[bool, Yarn] = False,
    port: Annotated[int, Port] = 8088,
    standby_port: Annotated[int | None, StandbyPort] = None,
    configuration: Annotated[Path | None, Configuration] = None,
    as_json: AsJson = False,
) -> None:
    """Make up a lifelike cluster, for demos and load tests: samples for jobs to read, or with --yarn its ResourceManagers."""
    refuse_unused(context, is_yarn=yarn)
    if yarn:
        cluster = with_past(cluster_of(configuration, queues, seed), to, days, force=force)
        run_yarn(cluster, port, standby_port, as_json=as_json)
        return
    require_extras("worker")
    where = out or Place(name=to or "", collection=place, measurement=place, database=database)
    refuse_others(where, file_format, queues, force=force)
    write_samples(where, file_format, *made_up(queues=queues, days=days, step=step, seed=seed, end=end), as_json=as_json)


def write_samples(where: Path | Place, file_format: FileFormat, cluster: Cluster, end_at: datetime, *, as_json: bool) -> None:
    """Write the cluster, and say what has been written."""
    if isinstance(where, Place):
        rows, kind, shown = to_connection(where, cluster), "place", f"{where.collection} of {where.name}"
    else:
        rows, kind, shown = to_files(where, file_format, cluster), "folder", str(where)
    if as_json:
        print_json({kind: shown, "end": end_at.isoformat(), "queues": rows})
    else:
        say(f"{counted(len(rows), 'queue')}, {counted(sum(rows.values()), 'sample')} up to {end_at.isoformat()} in {shown}")


def refuse_unused(context: typer.Context, *, is_yarn: bool) -> None:
    """Raises UsageError for options that would change nothing, or without a place for the cluster."""
    wheres = {name for name in ("out", "to", "yarn") if context.params[name]}
    if len(wheres) != 1 and wheres != {"yarn", "to"}:
        raise UsageError("accepted is one of --out DIR, --to CONNECTION and --yarn, which takes a --to of its own")
    sources = {name: context.get_parameter_source(name) for name in context.params}
    given = {name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"}
    unused = given - OF_YARN - OF_BOTH - (OF_PAST if "to" in given else set()) if is_yarn else given & OF_YARN
    unused |= {"queues"} & given if "configuration" in given else set()
    if unused:
        options = [f"--{OPTIONS.get(name, name).replace('_', '-')}" for name in sorted(unused)]
        beside = "with --configuration" if unused == {"queues"} else "with --yarn" if is_yarn else "without --yarn"
        beside += " and without --to" if is_yarn and unused <= OF_PAST else ""
        raise UsageError(f"{', '.join(options)}: not accepted {beside}")


def cluster_of(configuration: Path | None, queues: int, seed: int) -> FakeCluster:
    """The cluster whose ResourceManagers are run: of a file, or made up."""
    from deploy.fake_cluster import FakeCluster, recorded, simulated

    return FakeCluster(simulated(queues) if configuration is None else recorded(configuration), seed)


def with_past(cluster: FakeCluster, name: str | None, days: int, *, force: bool) -> FakeCluster:
    """The cluster; where a connection is named what a collector would have kept of the last days is written before."""
    if name is None:
        return cluster
    require_extras("worker")
    from deploy.made_up_past import Past

    past, tell = Past.opened(load_settings(), name), now_and_then(TELL_SECONDS)
    if not force:
        past.refuse_kept()
    notice(f"making up {counted(days, 'day')} of looks every 5 minutes")
    looks = past.write(cluster, timedelta(days=days), datetime.now(UTC), lambda at: tell(f"written up to {at:{MINUTE}}"))
    notice(f"{counted(looks, 'look')} at {past.connection.cluster} in {past.connection.samples}")
    return cluster


def run_yarn(cluster: FakeCluster, port: int, standby_port: int | None, *, as_json: bool) -> None:
    """Run ResourceManagers on this machine until SIGTERM or Ctrl-C."""
    from deploy.fake_rm import running

    ports = [port] if standby_port is None else [port, standby_port]
    try:
        with heard(signal.SIGINT, signal.SIGTERM, signal.SIGUSR1) as next_signal, running(cluster, ports) as fleet:
            if as_json:
                print_json({"urls": fleet.urls})
            else:
                say(f"YARN answers at {' and '.join(fleet.urls)}; {fleet.urls[0]}/fake tells what was asked")
            sys.stdout.flush()  # whoever waits for the line may read it from a pipe
            while next_signal() == signal.SIGUSR1:
                fleet.fail_over()
                notice(f"active is {fleet.urls[(fleet.active or 1) - 1]}")
    except OSError as error:
        raise UsageError(
            f"no ResourceManager at port {' or '.join(map(str, ports))}: {error.strerror}; take another --port"
        ) from error


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


def refuse_others(where: Path | Place, file_format: FileFormat, queues: int, *, force: bool) -> None:
    """Raises UsageError for a folder or place with queues that such a cluster would not replace: whoever reads it reads both."""
    if force:
        return
    from deploy.habits import habits_of
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
    tell, begin = now_and_then(TELL_SECONDS), time.monotonic()
    for done, queue in enumerate(cluster, start=1):
        yield queue
        tell(f"{done} of {counted(queues, 'queue')} written{time_left(time.monotonic() - begin, done, queues)}")


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
    try:
        seconds = seconds_to_wait(step)
    except ValueError as error:
        raise UsageError(f"--step: {error}") from error
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
