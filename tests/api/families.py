"""Queues of a cluster and their relatives, as one run has forecast them, and the cluster's tree."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from api.edge.context import Services
from shared.connections.yarn import YarnConnection
from shared.domain.capacities import Resources
from shared.domain.distribution import Origin, Paths, block_name
from shared.domain.forecasts import Forecast
from shared.domain.jobs import QueueState
from shared.domain.reports import QueueReport
from shared.domain.timegrid import TimeGrid
from shared.domain.units import Unit
from shared.store import Store
from shared.yarn.configuration import tree_of
from shared.yarn.effective import resolved
from tests.factories import a_forecast
from tests.shared.yarn.trees import prefixed

HOURS = 24
NOW = TimeGrid(3_600).bucket_start(datetime.now(UTC)) + timedelta(hours=1)  # nothing of it is over while these tests run
BLOCKS = [block_name(Origin.MISSES, NOW - timedelta(days=day)) for day in range(1, 9)]
NOTHING: Mapping[str, str] = {}
Rows = list[list[float]]
QUEUES = {"root.etl.daily": 300.0, "root.etl.hourly": 100.0, "root.bi.reports": 150.0, "root.bi.adhoc": 50.0}


def keep(store: Store, queue: str, *levels: float, state: QueueState = QueueState.SUCCEEDED, **changes: Any) -> Forecast:
    """A queue whose path of each block stays at one level all the time."""
    rows = [[level] * HOURS for level in levels]
    names = [BLOCKS[number % len(BLOCKS)] for number in range(len(levels))]
    flat = (100.0,) * HOURS
    same: dict[str, Any] = {"prediction": flat, "lower_bound": flat, "upper_bound": flat, "issued_at": NOW}
    own = {"metric": "used_memory_mb", "unit": Unit.MEGABYTES, "paths": Paths.of(rows, blocks=8, drawn_from=names)}
    forecast = a_forecast(**same | own | {"queue": queue} | changes)
    store.reports.save(QueueReport(job_id=forecast.job_id, queue=queue, state=state))
    if state is QueueState.SUCCEEDED:
        store.forecasts.save(forecast)
    return forecast


def keep_cluster(store: Store, cluster: str = "prod") -> dict[str, Rows]:
    """Two parents with two children each, as they were forecast, and the paths of each."""
    wild, found = random.Random(5), dict[str, Rows]()
    for queue, guaranteed in (QUEUES | {"root.etl": 400.0, "root.bi": 200.0}).items():
        rows = [[wild.uniform(0.2, 1.6) * guaranteed for _ in range(HOURS)] for _ in BLOCKS]
        kept = keep(store, queue, *[0.0] * len(BLOCKS), cluster=cluster, guaranteed=guaranteed, paths=packed(rows))
        found[queue] = store.forecasts.with_paths(kept).paths.rows()  # type: ignore[union-attr] # they were given
    return found


def packed(rows: Rows) -> Paths:
    return Paths.of(rows, blocks=len(rows), drawn_from=BLOCKS)


def of_tree(
    services: Services, store: Store, cluster: str = "prod", more: Mapping[str, str] = NOTHING, **capacities: str
) -> None:
    """Keep the cluster's tree: bi with 200 of 600 MB, its children as they are given."""
    connection = YarnConnection(cluster=cluster, addresses=("http://rm:8088",))
    services.settings = services.settings.model_copy(update={"connections": {"yarn": connection}})
    names = {"root.queues": "etl,bi", "root.etl.queues": "daily,hourly", "root.bi.queues": "reports,adhoc"}
    given = {"etl": "66.66666667", "bi": "33.33333334", "etl.daily": "75", "etl.hourly": "25"}
    given |= {"bi.reports": "75", "bi.adhoc": "25"} | {name.replace("_", "."): text for name, text in capacities.items()}
    tree = tree_of(prefixed(names | {f"root.{path}.capacity": text for path, text in given.items()} | dict(more)))
    store.trees.put(cluster, resolved(tree, {"": Resources(memory_mb=600, vcores=600)}), datetime.now(UTC))
