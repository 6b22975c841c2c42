"""Where the queues of `tests.bench.flat` lie: in files of each layout, or in a database of its own; 14 days of hours each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
from pydantic import SecretStr

from deploy.simulate_to import write_to
from shared.connections.influxdb import InfluxdbConnection
from shared.connections.mongodb import MongodbConnection
from shared.domain.places import Place
from tests.bench.fleet.stage import write_files, write_table
from tests.factories import a_load
from tests.influx_server import Influxd
from tests.servers import MongoServer

WARM_UP = 4  # queues


@dataclass(frozen=True, kw_only=True)
class Laid:
    """The source of a job over all queues, that of a small one, and the settings with which they are found."""

    all_of_it: Mapping[str, str]
    warm_up: Mapping[str, str]
    settings: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def laid(layout: str, folder: Path, queues: int) -> Iterator[Laid]:
    """So many queues, while this lasts."""
    if layout in LAYOUTS:
        LAYOUTS[layout](folder / "files", queues)
        LAYOUTS[layout](folder / "files" / "warm", WARM_UP)
        yield Laid(all_of_it={"name": "files", "path": "*.*"}, warm_up={"name": "files", "path": "warm/*"})
    elif layout == "influxdb":
        with _influxdb(folder / "influxd", queues) as found:
            yield found
    else:
        with _mongodb(folder / "mongod", queues, has_index=layout == "mongodb") as found:
            yield found


@contextmanager
def _mongodb(folder: Path, queues: int, *, has_index: bool) -> Iterator[Laid]:
    folder.mkdir()
    server = MongoServer(folder)
    server.start()
    try:
        url = server.url_of("usage")
        connection = MongodbConnection(url=SecretStr(url))
        for name, count in (("usage", queues), ("warm", WARM_UP)):
            write_to(connection, Place(name="mongodb", collection=name), _frames(count))
            with server.client() as client:
                client["usage"][name].drop_indexes()
                if has_index:
                    client["usage"][name].create_index([("queue", 1), ("timestamp", 1)])
        places = [{"name": "mongodb", "collection": name} for name in ("usage", "warm")]
        yield Laid(all_of_it=places[0], warm_up=places[1], settings={"QUEUECAST_MONGODB_URL": url})
    finally:
        server.stop()


@contextmanager
def _influxdb(folder: Path, queues: int) -> Iterator[Laid]:
    folder.mkdir()
    server = Influxd(folder)
    server.start()
    try:
        connection = InfluxdbConnection(url=SecretStr(server.url), version="1", database=server.make_database("usage"))
        for name, count in (("usage", queues), ("warm", WARM_UP)):
            write_to(connection, Place(name="influxdb", measurement=name), _frames(count))
        places = [{"name": "influxdb", "measurement": name} for name in ("usage", "warm")]
        settings = {"URL": server.url, "VERSION": "1", "DATABASE": "usage"}
        named = {f"QUEUECAST_INFLUXDB_{name}": value for name, value in settings.items()}
        yield Laid(all_of_it=places[0], warm_up=places[1], settings=named)
    finally:
        server.stop()


def _frames(queues: int) -> Iterator[tuple[str, pd.DataFrame]]:
    for number in range(queues):
        frame = a_load(seed=number).rename_axis("timestamp").reset_index()
        frame.insert(1, "queue", f"root.q{number:04d}")
        yield f"root.q{number:04d}", frame


def _write_csv(folder: Path, queues: int) -> None:
    """All queues in one CSV file."""
    folder.mkdir()
    with (folder / "usage.csv").open("w") as file:
        for number, (_, frame) in enumerate(_frames(queues)):
            frame.to_csv(file, index=False, header=number == 0)


LAYOUTS = {"files": write_files, "table": write_table, "csv": _write_csv}
