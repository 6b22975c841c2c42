"""What a collector costs: `python -m tests.bench.collector --sink files|mongodb|influxdb [--queues 500] [--looks 180]`.

Looks from 23:00 on, with the clock moved instead of waiting: those of half an hour after midnight put the hour and, of Parquet,
the whole day together, which is there before.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from deploy.fake_cluster import FakeCluster, simulated
from deploy.fake_rm import running
from deploy.valkey import valkey_command
from shared.domain.collected import DEFAULT
from shared.domain.queue_tree import QueueTree
from tests.bench.collector.watching import STEP
from tests.bench.fleet.figures import circumstances
from tests.influx_server import Influxd
from tests.servers import MongoServer, Server
from tests.worker.collect.moved_clock import CLUSTER
from worker.collect.sampler import queue_samples
from worker.collect.sinks._arrow import of_rows, sorted_once, write_groups
from worker.collect.tables import QUEUES

MIDNIGHT = datetime(2040, 1, 3, tzinfo=UTC)  # later than the machine's clock, by which files are old
BEGIN = MIDNIGHT - timedelta(hours=1)
LOOKS_A_DAY = timedelta(days=1) // STEP
MADE = 120  # trees, one for each look of an hour
MAX_MB = 150


class Recorded(FakeCluster):
    """Trees that are made before, one for each question of both halves of a snapshot."""

    trees: tuple[QueueTree, ...] = ()
    calls = 0

    def tree(self, now: float) -> QueueTree:
        """The next one."""
        if not self.trees:
            return super().tree(now)
        self.calls += 1
        return self.trees[self.calls // 2 % len(self.trees)]


def main() -> None:
    """Print the figures of one sink."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.collector", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sink", choices=("files", "mongodb", "influxdb"), default="files")
    parser.add_argument("--queues", type=int, default=500)
    parser.add_argument("--looks", type=int, default=180)
    wanted = parser.parse_args()
    print(json.dumps(circumstances()), flush=True)
    cluster = Recorded(simulated(wanted.queues))
    cluster.trees = tuple(cluster.tree((BEGIN + place * STEP).timestamp()) for place in range(MADE))
    with tempfile.TemporaryDirectory() as folder, running(cluster, [0]) as fleet, sink(wanted.sink, Path(folder)) as samples:
        if wanted.sink == "files":
            fill(samples, cluster.trees)
        before = size(samples)
        found = watched(Path(folder), fleet.urls[0], wanted.looks)
        grown = size(samples) - before
        asked = found_of(fleet.urls[0])
    tell(wanted.sink, wanted.looks, found, grown, asked)


def tell(sink_name: str, looks: int, found: Mapping[str, float], grown: float, asked: Mapping[str, int]) -> None:
    """A line for each figure."""
    print(f"outcomes {found['outcomes']}")
    rows = {
        f"CPU of a core, at a look each {STEP.seconds} s": (100 * found["cpu"] / STEP.total_seconds(), "%"),
        "CPU of the dearest look": (found["largest"], "s"),
        "memory before the first look": (found["begins"], "MB"),
        f"memory at most (hold to {MAX_MB})": (found["peak"], "MB"),
        "memory at most of the process that puts days together": (found["apart"], "MB"),
        "its CPU": (found["apart_cpu"], "s"),
        f"disk that {looks} looks take": (grown / 1e6, "MB"),
    }
    for name, (value, unit) in rows.items():
        print(f"({sink_name}) {name:50} {value:10.2f} {unit}")
    minutes = looks * STEP / timedelta(minutes=1)
    print(
        f"({sink_name}) questions a minute: {', '.join(f'{name} {count / minutes:.2f}' for name, count in sorted(asked.items()))}"
    )


def watched(folder: Path, url: str, looks: int) -> Mapping[str, float]:
    """What the process of a collector tells of itself."""
    data = folder / "data"
    data.mkdir(mode=0o700)
    broker = subprocess.Popen(valkey_command(data), stdout=subprocess.DEVNULL, umask=0o077)
    places = {"QUEUECAST_CONFIG_FILE": str(folder / "queuecast.toml"), "QUEUECAST_DATA_DIR": str(data)}
    command = [sys.executable, "-m", "tests.bench.collector.watching", url, BEGIN.isoformat(), str(looks)]
    try:
        ended = subprocess.run(command, check=True, env=os.environ | places, stdout=subprocess.PIPE, text=True)
    finally:
        broker.terminate()
        broker.wait()
    return dict(json.loads(ended.stdout.splitlines()[-1]))


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


def fill(folder: Path, trees: tuple[QueueTree, ...]) -> None:
    """The 23 hours of the day before the first look, as its files of hours: each like the made one, with other demands."""
    import pyarrow.compute as pc

    day = MIDNIGHT - timedelta(days=1)
    rows = [row for place, tree in enumerate(trees) for row in queue_samples(tree, CLUSTER, day + place * STEP)]
    made = sorted_once(QUEUES, [of_rows(QUEUES, rows)])
    times, demands = (made.schema.get_field_index(name) for name in (QUEUES.time, "demand_memory_mb"))
    place = folder / QUEUES.name / CLUSTER / DEFAULT
    place.mkdir(parents=True)
    for hour in range(23):
        later = pc.add(made[times], timedelta(hours=hour)).cast(made.schema.field(times).type)
        part = made.set_column(times, made.schema.field(times), later)
        wanted = pc.round(pc.multiply(made[demands], pc.add(pc.random(made.num_rows), 0.5))).cast("int64")
        part = part.set_column(demands, made.schema.field(demands), wanted)
        with (place / f"{day + timedelta(hours=hour):%Y-%m-%dT%H}.parquet").open("wb") as out:
            write_groups(QUEUES, out, iter([part]))


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
