"""What jobs over a made-up cluster need: ten days of samples as the real sampler takes them, the connections, and a request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from deploy.fake_cluster import FakeCluster, simulated
from shared.config.settings import Settings
from shared.connections.files import FilesConnection
from shared.connections.yarn import YarnConnection
from shared.domain.collected import QueueSample
from shared.domain.durations import Duration
from shared.domain.jobs import DataPlaces, JobRequest
from shared.domain.places import Place
from shared.domain.queue_tree import State
from shared.domain.samples import Aggregation
from shared.fleet.runstate import RunState
from tests.factories import MONDAY, a_request
from tests.worker.collect.days import write_days
from worker.collect.rollups import rollups
from worker.collect.sampler import queue_samples
from worker.collect.tables import QUEUES, ROLLUPS
from worker.job.resources import Resources, use

DAYS, EVERY = 10, timedelta(minutes=10)
QUEUE, STOPPED = "root.etl", "root.adhoc"
STOPPED_AT = MONDAY - timedelta(days=2)


def samples() -> Iterator[QueueSample]:
    """Ten days of three queues, of which an administrator stops one."""
    cluster = FakeCluster(simulated(3))
    for number in range(int(timedelta(days=DAYS) / EVERY)):
        at = MONDAY - timedelta(days=DAYS) + number * EVERY
        tree = cluster.tree(at.timestamp())
        if at >= STOPPED_AT:
            tree = replace(
                tree, queues=tuple(replace(each, state=State.STOPPED) if each.path == STOPPED else each for each in tree.queues)
            )
        yield from queue_samples(tree, "prod", at)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, taken = tmp_path_factory.mktemp("samples"), list(samples())
    write_days(folder, QUEUES, taken)
    write_days(folder, ROLLUPS, rollups(taken))
    return folder


@pytest.fixture
def here(settings: Settings, run_state: RunState, kept: Path) -> Iterator[Resources]:
    """The connection that keeps the samples is another project's."""
    yarn = YarnConnection(cluster="prod", addresses=("http://rm:8088",), samples="lake", projects=("capacity",))
    lake = FilesConnection(path=kept, projects=("nobody",))
    with use(Resources(settings.model_copy(update={"connections": {"prod": yarn, "lake": lake}}))) as given:
        yield given
        given.store.close()


def a_request_of(**changes: object) -> JobRequest:
    data = DataPlaces(source=Place(name="prod"), destination=Place(name="files"))
    meant = {"target": "demand_memory_mb", "aggregation": Aggregation.P95, "cluster": "prod", "project": "capacity"}
    span = {"data_ingestion_time_period": Duration(DAYS, "d"), "model": ("hour_mean",), "as_of": MONDAY}
    return a_request(data=data, **(meant | span | changes))
