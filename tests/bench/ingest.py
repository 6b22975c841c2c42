"""Reading usage and writing forecasts on real servers: `python -m tests.bench.ingest [--samples 5000000] [--queues 50]`.

Push-down in the server against reading every sample and resampling with pandas, in one run on the same servers; each way in a
process of its own, whose peak memory is told. Writing: our CPU on top of influxdb-client's own serialisation of the same points.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from influxdb_client.client.write.point import Point
from pydantic import SecretStr

from shared.config.connection import Connection
from shared.connections.influxdb import InfluxdbConnection
from shared.connections.mongodb import MongodbConnection
from shared.domain.forecasts import Forecast
from shared.domain.places import Place
from shared.drivers.influx import ErrorTypes, query
from shared.drivers.influx_write import write_lines
from shared.errors import SinkAway, SinkRefused, SourceAway, SourceNotFound
from tests.factories import a_forecast
from tests.influx_server import Influxd
from tests.servers import MongoServer
from tests.worker.sources.queries import a_query
from worker.sinks._influx_points import lines_of
from worker.sources import sources
from worker.sources._resampling import resample
from worker.sources.base import Query

END = datetime(2026, 1, 15, tzinfo=UTC)
PLACE = Place(name="bench", collection="usage", measurement="usage")
COLUMNS = ("used_capacity", "memory", "vcores", "pending", "applications")


@dataclass(frozen=True)
class Load:
    """The data set: `queues` × `per_queue` samples, 10 s apart, five numbers each."""

    queues: int
    per_queue: int

    @property
    def start(self) -> datetime:
        return END - timedelta(seconds=10 * self.per_queue)

    @property
    def names(self) -> list[str]:
        return [f"root.q{number:02d}" for number in range(self.queues)]

    def frames(self) -> Iterator[tuple[str, pd.DataFrame]]:
        times = pd.date_range(self.start, periods=self.per_queue, freq="10s")
        for number, queue in enumerate(self.names):
            values = np.random.default_rng(number).gamma(4, 15, (self.per_queue, len(COLUMNS))).round(3)
            frame = pd.DataFrame(values, columns=list(COLUMNS))
            frame.insert(0, "timestamp", times)
            frame.insert(1, "queue", queue)
            yield queue, frame

    def query(self, queue: str) -> Query:
        start = datetime.fromtimestamp(self.start.timestamp() // 3_600 * 3_600, UTC)
        return a_query(PLACE, queue=queue, columns=(), start=start, end=END)


def in_a_process(work: Callable[[], None]) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds and peak MB of the client, in a fresh process."""
    context = multiprocessing.get_context("fork")
    told = context.SimpleQueue()

    def run() -> None:
        before, cpu = time.perf_counter(), time.process_time()
        work()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024
        told.put((time.perf_counter() - before, time.process_time() - cpu, peak))

    process = context.Process(target=run)
    process.start()
    found: tuple[float, float, float] = told.get()
    process.join()
    return found


def push_down(connection: Connection, load: Load) -> None:
    source = sources[connection.kind](connection)
    for queue in load.names:
        source.read(load.query(queue))


def raw_mongodb(connection: Connection, load: Load, url: str) -> None:
    from pymongo import MongoClient

    client: MongoClient[dict[str, object]] = MongoClient(url, tz_aware=True)
    collection = client.get_default_database()["usage"]
    for queue in load.names:
        wanted = load.query(queue)
        found = collection.find(
            {"queue": queue, "timestamp": {"$gte": wanted.start, "$lt": wanted.end}},
            {"_id": 0, "timestamp": 1, "used_capacity": 1},
        )
        resampled(pd.DataFrame(list(found)).set_index("timestamp"), wanted)


def raw_influxdb(connection: InfluxdbConnection, load: Load) -> None:
    server, errors = connection.server(), ErrorTypes(away=SourceAway, refused=SourceNotFound)
    for queue in load.names:
        wanted = load.query(queue)
        inside = f"time >= {int(wanted.start.timestamp())}s AND time < {int(wanted.end.timestamp())}s"
        statement = f'SELECT "used_capacity" FROM "usage" WHERE "queue" = $queue AND {inside}'
        (series,) = query(server, statement, errors, database=connection.database, queue=queue)
        frame = pd.DataFrame(list(series.rows), columns=["time", "used_capacity"])
        resampled(frame.set_index(pd.to_datetime(frame.pop("time"), unit="s", utc=True)), wanted)


def resampled(frame: pd.DataFrame, wanted: Query) -> pd.DataFrame:
    return resample(frame, start=wanted.start, end=wanted.end, grid=wanted.grid, aggregation=wanted.aggregation)


def read(name: str, fast: Callable[[], None], raw: Callable[[], None], hold: float) -> None:
    ours, theirs = in_a_process(fast), in_a_process(raw)
    for way, (wall, cpu, peak) in (("push-down", ours), ("raw + pandas", theirs)):
        print(f"{name:9} {way:13} {wall:8.2f} s wall {cpu:8.2f} s client CPU {peak:7.0f} MB client peak")
    print(f"{name:9} push-down is {theirs[0] / ours[0]:.1f} × faster (hold to ≥ {hold:g})")


def write(server: Influxd, points: int) -> None:
    """`points` forecast points: the lines of 168-step forecasts, which are two points a step and one a run."""
    steps = 168
    numbers = tuple(float(number) for number in range(steps))
    bounds = {"prediction": numbers, "lower_bound": numbers, "upper_bound": numbers}
    count = max(1, points // (2 * steps + 1))
    forecasts: list[Forecast] = [a_forecast(queue=f"root.q{number}", **bounds) for number in range(count)]
    lines, ours = timed(lambda: [line for forecast in forecasts for line in lines_of(forecast, "m")])
    _, theirs = timed(lambda: [plain_point(number).to_line_protocol() for number in range(len(lines))])
    print(f"write     {len(lines):,} points: {1e6 * (ours - theirs) / len(lines):.1f} CPU µs a point of ours on top of")
    print(f"          {1e6 * theirs / len(lines):.1f} µs of influxdb-client's own (hold to ≤ 25)")
    database, errors = server.make_database("bench_sink"), ErrorTypes(away=SinkAway, refused=SinkRefused)
    before = time.perf_counter()
    write_lines(server.server(), database, lines, errors)
    first, begin = time.perf_counter() - before, time.perf_counter()
    counted = server.count("m_issued", database)
    write_lines(server.server(), database, lines, errors)
    again = server.count("m_issued", database)
    print(f"          written in {first:.1f} s, again in {time.perf_counter() - begin:.1f} s; {counted:,} points, then {again:,}")


def plain_point(number: int) -> Point:
    """The same shape of point, from the client's own calls alone."""
    point = Point("m").tag("job", "j").tag("metric", "m").tag("queue", "q").tag("step", "001")
    for name in ("prediction", "lower_bound", "upper_bound"):
        point.field(name, float(number))
    return point.field("issued_at", 1).field("model", "m").field("step", 1).time(number, write_precision="s")


def timed(work: Callable[[], list[str]]) -> tuple[list[str], float]:
    before = time.process_time()
    found = work()
    return found, time.process_time() - before


def main() -> None:
    """Load both servers, then read and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--samples", type=int, default=500_000, help="in all; the published figures are of 5,000,000")
    parser.add_argument("--queues", type=int, default=50)
    parser.add_argument("--points", type=int, default=1_000_000, help="forecast points to write")
    wanted = parser.parse_args()
    load = Load(wanted.queues, wanted.samples // wanted.queues)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "mongod").mkdir()
        (Path(folder) / "influxd").mkdir()
        mongod, influxd = MongoServer(Path(folder) / "mongod"), Influxd(Path(folder) / "influxd")
        mongod.start()
        influxd.start()
        try:
            run(load, mongod, influxd, wanted.points)
        finally:
            mongod.stop()
            influxd.stop()


def run(load: Load, mongod: MongoServer, influxd: Influxd, points: int) -> None:
    from deploy.simulate_to import write_to

    usage = mongod.url_of("usage")
    documents = MongodbConnection(url=SecretStr(usage))
    series = InfluxdbConnection(url=SecretStr(influxd.url), version="1", database=influxd.make_database("usage"))
    print(json.dumps({"date": f"{datetime.now(UTC):%Y-%m-%d}", "queues": load.queues, "samples_per_queue": load.per_queue}))
    for connection in (documents, series):
        before = time.perf_counter()
        write_to(connection, PLACE, load.frames())
        print(f"{connection.kind:9} loaded in {time.perf_counter() - before:.0f} s")
    read("mongodb", lambda: push_down(documents, load), lambda: raw_mongodb(documents, load, usage), hold=2.5)
    read("influxdb", lambda: push_down(series, load), lambda: raw_influxdb(series, load), hold=8)
    write(influxd, points)


if __name__ == "__main__":
    main()
