"""What a collector costs: `python -m tests.bench.collector --sink files|mongodb|influxdb [--queues 500] [--looks 180 | --day]`.

Looks from 23:00 on, with the clock moved instead of waiting: those of half an hour after midnight put the hour and, of Parquet,
the whole day together, which is there before. `--day`: 2,880 looks, from midnight to midnight, after a day of samples and four
weeks of five minutes (Parquet only; a database has what is collected meanwhile). The first look begins the reports.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from deploy.fake_cluster import FakeCluster, simulated
from deploy.fake_rm import running
from deploy.valkey import valkey_command
from shared.domain.queue_tree import QueueTree
from tests.bench.collector.beside import Beside, Process
from tests.bench.collector.filling import fill_days, fill_hours
from tests.bench.collector.watching import STEP
from tests.bench.fleet.figures import circumstances
from tests.influx_server import Influxd
from tests.servers import MongoServer, Server
from tests.worker.collect.moved_clock import CLUSTER
from worker.collect.sinks.parquet import ParquetSamples
from worker.collect.tables import QUEUES, ROLLUPS

MIDNIGHT = datetime(2040, 1, 3, tzinfo=UTC)  # later than the machine's clock, by which files are old
BEFORE = timedelta(hours=1)
LOOKS_A_DAY = timedelta(days=1) // STEP
DAY_SECONDS = 86_400.0
MADE = 120  # trees, one for each look of an hour
MAX_MB = 150
PROGRAMS = {"worker.collect.sinks.days": "hours and days put together", "worker.collect.reporting": "reports"}


class Moved(FakeCluster):
    """As it is at the time of each look, which are told by the questions: two of each."""

    begin = MIDNIGHT
    calls = 0
    made: tuple[int, QueueTree] | None = None

    def tree(self, now: float = 0.0) -> QueueTree:
        """Of the next look, once for both its questions."""
        place = self.calls // 2
        self.calls += 1
        if self.made is None or self.made[0] != place:
            self.made = place, super().tree((self.begin + place * STEP).timestamp())
        return self.made[1]


def main() -> None:
    """Print the figures of one sink."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.collector", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sink", choices=("files", "mongodb", "influxdb"), default="files")
    parser.add_argument("--queues", type=int, default=500)
    parser.add_argument("--looks", type=int, default=180)
    parser.add_argument("--day", action="store_true")
    wanted = parser.parse_args()
    print(json.dumps(circumstances()), flush=True)
    looks, begin = (LOOKS_A_DAY, MIDNIGHT) if wanted.day else (wanted.looks, MIDNIGHT - BEFORE)
    cluster = Moved(simulated(wanted.queues))
    with tempfile.TemporaryDirectory() as folder, running(cluster, [0]) as fleet, sink(wanted.sink, Path(folder)) as samples:
        if wanted.sink == "files":
            earlier = FakeCluster(simulated(wanted.queues))
            trees = [earlier.tree((begin + place * STEP).timestamp()) for place in range(MADE)]
            fill_hours(samples, trees, begin, 24 if wanted.day else 23)
            if wanted.day:
                fill_days(samples, trees[0], MIDNIGHT)
        before = size(samples)
        cluster.begin, cluster.calls = begin, 0
        found, beside = watched(Path(folder), fleet.urls[0], begin, looks)
        grown = size(samples) - before
        asked = found_of(fleet.urls[0])
        tell(wanted.sink, looks, found, grown, asked)
        tell_beside(wanted.sink, looks, found, beside)
        if wanted.sink == "files":
            tell_disk(samples, begin)


def tell(sink_name: str, looks: int, found: Mapping[str, float], grown: float, asked: Mapping[str, int]) -> None:
    """A line for each figure."""
    print(f"outcomes {found['outcomes']}, reports of {found['reports']} queues")
    rows = {
        f"CPU of a core, at a look each {STEP.seconds} s": (100 * found["cpu"] / STEP.total_seconds(), "%"),
        "CPU of the dearest look": (found["largest"], "s"),
        "memory before the first look": (found["begins"], "MB"),
        f"memory at most (hold to {MAX_MB})": (found["peak"], "MB"),
        f"disk that {looks} looks take": (grown / 1e6, "MB"),
    }
    for name, (value, unit) in rows.items():
        print(f"({sink_name}) {name:50} {value:10.2f} {unit}")
    minutes = looks * STEP / timedelta(minutes=1)
    print(
        f"({sink_name}) questions a minute: {', '.join(f'{name} {count / minutes:.2f}' for name, count in sorted(asked.items()))}"
    )


def tell_beside(sink_name: str, looks: int, found: Mapping[str, float], beside: Sequence[Process]) -> None:
    """What the processes beside it need, and what all of them take in a day."""
    for program, words in PROGRAMS.items():
        if own := [each for each in beside if each.program == program]:
            peak, most, cpu = max(each.peak for each in own), max(each.cpu for each in own), sum(each.cpu for each in own)
            told = f"{len(own)} processes: memory at most {peak:.2f} MB, CPU {cpu:.2f} s in all, {most:.2f} s at most"
            print(f"({sink_name}) {words}: {told}")
    if looks == LOOKS_A_DAY:
        cpu = looks * found["cpu"] + sum(each.cpu for each in beside)
        print(f"({sink_name}) {'CPU of a core over the day, all together (hold to 1)':50} {100 * cpu / DAY_SECONDS:8.2f} %")


def tell_disk(samples: Path, begin: datetime) -> None:
    """What the day of the first look takes once it is put together."""
    parquet = ParquetSamples(samples)
    for table in (QUEUES, ROLLUPS):
        parquet.put_together(table, CLUSTER, begin + timedelta(days=2))
        taken = sum(file.stat().st_size for file in (samples / table.name).rglob(f"{begin:%Y-%m-%d}.parquet"))
        print(f"(files) {f'disk of a day of {table.name}, put together':50} {taken / 1e6:10.2f} MB")


def watched(folder: Path, url: str, begin: datetime, looks: int) -> tuple[Mapping[str, float], list[Process]]:
    """What the process of a collector tells of itself, and what it starts."""
    data = folder / "data"
    data.mkdir(mode=0o700)
    broker = subprocess.Popen(valkey_command(data), stdout=subprocess.DEVNULL, umask=0o077)
    places = {"QUEUECAST_CONFIG_FILE": str(folder / "queuecast.toml"), "QUEUECAST_DATA_DIR": str(data)}
    command = [sys.executable, "-m", "tests.bench.collector.watching", url, begin.isoformat(), str(looks)]
    try:
        process = subprocess.Popen(command, env=os.environ | places, stdout=subprocess.PIPE, text=True)
        with process, Beside(process.pid) as beside:
            told, _ = process.communicate()
        if process.returncode:
            sys.exit("the collector has failed")
    finally:
        broker.terminate()
        broker.wait()
    return dict(json.loads(told.splitlines()[-1])), [*beside.found.values()]


@contextmanager
def sink(kind: str, folder: Path) -> Iterator[Path]:
    """A connection that takes samples; returns where they lie."""
    place = folder / "samples"
    place.mkdir()
    server: Server | None = None
    if kind == "mongodb":
        server = mongod = MongoServer(folder=place)
        mongod.start()
        told = f'url = "{mongod.url_of("samples")}"'
    elif kind == "influxdb":
        server = influxd = Influxd(folder=place)
        influxd.start()
        influxd.make_database("samples")
        told = f'url = "{influxd.url}"\nversion = "1"\ndatabase = "samples"'
    else:
        told = f'path = "{place}"'
    (folder / "queuecast.toml").write_text(f'[connections.samples]\nkind = "{kind}"\n{told}\n')
    try:
        yield place
    finally:
        if server is not None:
            server.stop()


def size(folder: Path) -> int:
    """Bytes of all that lies there."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def found_of(url: str) -> Mapping[str, int]:
    """How often what was asked."""
    import urllib3

    asked: Mapping[str, int] = urllib3.request("GET", f"{url}/fake", retries=False).json()["asked"]
    return asked


if __name__ == "__main__":
    main()
