"""What an outlook and a what-if cost the API: `python -m tests.bench.whatif`.

A cluster of 21 parents with 22 queues each, forecast for three days by one run, 64 paths each; its tree is known. CPU of the
server's process around a whole request, medians of nine; timings of a shared machine, never a test. Each request asks for
something else, as whoever moves a slider does. Cold: the first one after all queues that it tells of have a new forecast; warm:
one that comes later.
"""

from __future__ import annotations

import json
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from api.app import create_app
from api.server.memory import keep_little
from shared.config.settings import Settings
from shared.connections.yarn import YarnConnection
from shared.domain.capacities import Resources
from shared.domain.distribution import Origin, Paths, block_name
from shared.store import Store, open_store
from shared.yarn.configuration import tree_of
from shared.yarn.effective import resolved
from tests.api.families import NOW, keep
from tests.bench.fleet.figures import Figure, circumstances
from tests.shared.yarn.trees import prefixed

PARENTS, CHILDREN, HORIZON, PATHS = 21, 22, 72, 64
MEMORY = 462_000
BLOCKS = [block_name(Origin.MISSES, NOW - timedelta(days=day)) for day in range(1, PATHS + 1)]
REPEATED, HOLD = 9, 20
ASKED = {
    "outlook": "",
    "another capacity and demand": "?capacity=1.{0}x&scale=1.{0}",
    "lost nodes": "?nodes={0}%25",
    "another parent": "?parent=root.p01&capacity=0.{0}x",
    "another parent, demand, lost nodes": "?parent=root.p01&capacity=0.{0}x&scale=1.{0}&nodes={0}%25",
}


def main() -> None:
    """Measure and print."""
    print(json.dumps(circumstances()))
    with tempfile.TemporaryDirectory() as folder:
        connection = YarnConnection(cluster="prod", addresses=("http://rm:8088",))
        url = f"sqlite://{folder}/queuecast.db"
        settings = Settings(data_dir=Path(folder), store_url=url, connections={"yarn": connection})
        with closing(open_store(settings.store_location)) as store:
            fill(store)
            app = create_app(settings)
            keep_little()  # as the server does
            for figure in measured(app, store):
                print(figure.line(), flush=True)


def measured(app: Flask, store: Store) -> Iterator[Figure]:
    """Each figure as soon as it is known."""
    client, numbers = app.test_client(), count(10)
    for queue, kind in (("root.p00.p00q00", "a leaf"), ("root.p00", "a parent")):
        for what, query in ASKED.items():
            spent = dict[str, list[float]](cold=[], warm=[])
            for _ in range(REPEATED):
                forecast_again(store, next(numbers))
                for each in (spent["cold"], [], spent["warm"]):
                    each.append(cpu_of(client, f"/v1/queues/{queue}/outlook{query.format(10 + next(numbers) % 89)}"))
            for state, each in spent.items():
                value = 1_000 * statistics.median(each)
                yield Figure(part="what if", what=f"{kind}: {what}, {state}", value=value, unit="ms", hold=("≤", HOLD))


def cpu_of(client: FlaskClient, address: str) -> float:
    """CPU seconds of one request."""
    started = time.process_time()
    answer = client.get(address)
    spent = time.process_time() - started
    if answer.status_code != 200:
        raise SystemExit(f"{address}: {answer.text}")
    return spent


def fill(store: Store) -> None:
    """The tree, and a forecast of every queue below the root."""
    parents = [f"p{number:02d}" for number in range(PARENTS)]
    names = {parent: [f"{parent}q{number:02d}" for number in range(CHILDREN)] for parent in parents}
    values = {"root.queues": ",".join(parents)}
    values |= {f"root.{parent}.queues": ",".join(children) for parent, children in names.items()}
    values |= {f"root.{parent}.capacity": f"{100 / PARENTS:.6f}" for parent in parents}
    values |= {f"root.{parent}.{child}.capacity": f"{100 / CHILDREN:.6f}" for parent in parents for child in names[parent]}
    whole = Resources(memory_mb=MEMORY, vcores=MEMORY // 1_024)
    store.trees.put("prod", resolved(tree_of(prefixed(values)), {"": whole}), NOW)
    for parent in parents:
        for queue in (f"root.{parent}", *(f"root.{parent}.{child}" for child in names[parent])):
            forecast_of(store, queue, random.Random(queue))


def forecast_again(store: Store, number: int) -> None:
    """Both parents that are asked about, and the queues below them."""
    for parent in ("p00", "p01"):
        for queue in (f"root.{parent}", *(f"root.{parent}.{parent}q{child:02d}" for child in range(CHILDREN))):
            forecast_of(store, queue, random.Random(f"{queue} {number}"))


def forecast_of(store: Store, queue: str, wild: random.Random) -> None:
    """One of a queue, whose paths are anywhere about its guarantee."""
    guaranteed = MEMORY / PARENTS / (1 if queue.count(".") == 1 else CHILDREN)
    rows = [[wild.uniform(0.2, 1.6) * guaranteed for _ in range(HORIZON)] for _ in BLOCKS]
    flat: dict[str, Any] = dict.fromkeys(("prediction", "lower_bound", "upper_bound"), (guaranteed,) * HORIZON)
    paths = Paths.of(rows, blocks=len(rows), drawn_from=BLOCKS)
    keep(store, queue, 0.0, cluster="prod", guaranteed=guaranteed, paths=paths, **flat)


if __name__ == "__main__":
    main()
