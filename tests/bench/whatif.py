"""What an outlook and a what-if cost the API: `python -m tests.bench.whatif`.

A cluster of 21 parents with 22 queues each, forecast for three days by one run, 64 paths each; its tree is known. CPU of the
server's process around a whole request, medians of nine; timings of a shared machine, never a test.
"""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask

from api.app import create_app
from shared.config.settings import Settings
from shared.connections.yarn import YarnConnection
from shared.domain.capacities import Resources
from shared.domain.distribution import Origin, Paths, block_name
from shared.store import Store, open_store
from shared.yarn.configuration import tree_of
from shared.yarn.effective import resolved
from tests.api.families import NOW, keep
from tests.bench.fleet.figures import Figure, circumstances
from tests.bench.pages import median_cpu
from tests.shared.yarn.trees import prefixed

PARENTS, CHILDREN, HORIZON, PATHS = 21, 22, 72, 64
MEMORY = 462_000
BLOCKS = [block_name(Origin.MISSES, NOW - timedelta(days=day)) for day in range(1, PATHS + 1)]
ASKED = {
    "outlook": "",
    "another capacity and demand": "?capacity=1.2x&scale=1.1",
    "lost nodes": "?nodes=10%25",
    "another parent": "?parent=root.p01",
    "another parent, lost nodes": "?parent=root.p01&nodes=10%25",
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
        for figure in measured(create_app(settings)):
            print(figure.line(), flush=True)


def measured(app: Flask) -> Iterator[Figure]:
    """Each figure as soon as it is known."""
    client = app.test_client()
    for queue, kind in (("root.p00.p00q00", "a leaf"), ("root.p00", "a parent")):
        for what, query in ASKED.items():
            address = f"/v1/queues/{queue}/outlook{query}"
            if client.get(address).status_code != 200:
                raise SystemExit(f"{address}: {client.get(address).text}")
            spent = 1_000 * median_cpu(lambda address=address: client.get(address))  # type: ignore[misc] # bound at once
            yield Figure(part="what if", what=f"{kind}: {what}", value=spent, unit="ms", hold=("≤", 20))


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
    wild = random.Random(7)
    for parent in parents:
        for queue in (f"root.{parent}", *(f"root.{parent}.{child}" for child in names[parent])):
            guaranteed = MEMORY / PARENTS / (1 if queue.count(".") == 1 else CHILDREN)
            rows = [[wild.uniform(0.2, 1.6) * guaranteed for _ in range(HORIZON)] for _ in BLOCKS]
            flat: dict[str, Any] = dict.fromkeys(("prediction", "lower_bound", "upper_bound"), (guaranteed,) * HORIZON)
            paths = Paths.of(rows, blocks=len(rows), drawn_from=BLOCKS)
            keep(store, queue, 0.0, cluster="prod", guaranteed=guaranteed, paths=paths, **flat)


if __name__ == "__main__":
    main()
