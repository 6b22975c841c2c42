"""A cluster of a few queues and a forecast of one of them, for tests of whoever shows trees."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.domain.capacities import Capacity
from shared.domain.configuration_change import ConfigChange
from shared.domain.distribution import Paths
from shared.domain.forecasts import Forecast
from shared.domain.queue_tree import Creation, Queue, QueueTree, Share, State, Totals
from shared.domain.timegrid import TimeGrid
from shared.domain.units import Unit
from tests.factories import a_forecast
from tests.shared.yarn.trees import mb

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BEGINS = TimeGrid(3_600).bucket_start(NOW) + HOUR  # nothing of it is over while these tests run
PROD = {"kind": "yarn", "cluster": "prod", "addresses": ["http://rm:8088"]}
TEST = {"kind": "yarn", "cluster": "test", "addresses": ["http://rm2:8088"], "projects": ["red"]}


def share(used: int, guaranteed: int, ceiling: int, *, pending: int = 0, **changes: Any) -> Share:
    percent = guaranteed / 1_000
    return Share(
        capacity=Capacity.of_percent(percent),
        absolute_capacity=percent,
        guaranteed=mb(guaranteed, 10),
        ceiling=mb(ceiling, 20),
        used=mb(used, 1),
        reserved=mb(0),
        pending=mb(pending, 2),
        **changes,
    )


def a_tree() -> QueueTree:
    users = Queue(
        path="root.users", is_leaf=False, creation=Creation.FLEXIBLE, shares=(share(3_000, 40_000, 100_000),), state=State.RUNNING
    )
    gpu = share(10, 50, 100, partition="gpu")
    return QueueTree(
        queues=(
            Queue(path="root", is_leaf=False, shares=(share(33_000, 100_000, 100_000), replace(gpu, guaranteed=mb(100, 4)))),
            users,
            Queue(path="root.users.ada", is_dynamic=True, shares=(share(1_000, 100, 100_000),), apps_active=1),
            Queue(path="root.users.bob", is_dynamic=True, shares=(share(2_000, 100, 100_000),), apps_active=2),
            Queue(
                path="root.etl",
                shares=(share(30_000, 60_000, 80_000, pending=40_000), gpu),
                state=State.RUNNING,
                apps_active=3,
                apps_pending=1,
            ),
        ),
        totals=Totals(total=mb(100_000, 40), available=mb(67_000, 30), nodes_active=4, nodes_lost=1),
    )


def a_day(**changes: Any) -> Forecast:
    """Of root.etl: half of the paths are above what it is guaranteed from the seventh hour on, none near its ceiling."""
    rows = [[50_000.0] * 24, [50_000.0] * 6 + [70_000.0] * 18] * 32
    flat = (50_000.0,) * 24
    values: dict[str, Any] = {
        "cluster": "prod",
        "metric": "demand_memory_mb",
        "unit": Unit.MEGABYTES,
        "guaranteed": None,
        "prediction": flat,
        "lower_bound": flat,
        "upper_bound": (*flat[:20], 66_000.0, *flat[21:]),
        "issued_at": BEGINS,
        "created_at": NOW,
        "paths": Paths.of(rows, blocks=14, windows=7),
    }
    return a_forecast(**values | changes)


def a_change(**changes: Any) -> ConfigChange:
    """The capacity of root.etl was raised yesterday."""
    values: dict[str, Any] = {
        "cluster": "prod",
        "queue": "root.etl",
        "partition": "default",
        "changed_at": NOW - DAY,
        "mode": "percentage",
        "capacity": "60",
        "maximum": "80",
        "weight": None,
        "state": "RUNNING",
        "by": "seen",
        "before": "40, maximum 80, RUNNING",
    }
    return ConfigChange(**values | changes)
