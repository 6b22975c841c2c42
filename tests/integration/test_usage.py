"""From ResourceManagers to people: what was collected is the report that the service tells, on demand and once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient

from deploy.fake_cluster import FakeCluster, simulated
from deploy.fake_rm import Fleet, running
from shared.config.settings import Settings
from tests.api.scene import MakeApp
from worker.collect.loop import report_now
from worker.collect.rollups import Surroundings, beginning_of, rollups
from worker.collect.sampler import cluster_sample, queue_samples
from worker.collect.sinks.opened import open_samples
from worker.collect.tables import ROLLUPS

STEP = timedelta(minutes=5)


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    with running(FakeCluster(simulated(6)), [0]) as fleet:
        yield fleet


@pytest.fixture
def own(settings: Settings, fleet: Fleet) -> Settings:
    """Settings with a connection to it."""
    connection = {"kind": "yarn", "cluster": "prod", "addresses": fleet.urls}
    return Settings(**settings.model_dump() | {"connections": {"hadoop": connection}})


def collected(own: Settings, cluster: FakeCluster, hours: int) -> None:
    """Five minutes of so many hours, as looks would have brought them, each of one sample."""
    end, rows = beginning_of(datetime.now(UTC)), []
    for place in range(1, 12 * hours + 1):
        at = end - place * STEP
        tree = cluster.tree(at.timestamp())
        samples, whole = queue_samples(tree, "prod", at), cluster_sample(tree, "prod", at)
        rows += rollups(samples, Surroundings(samples, [] if whole is None else [whole]))
    open_samples(own, "files").write(ROLLUPS, rows)


@pytest.mark.usefixtures("run_state")
def test_what_was_collected_is_reported_with_what_held_queues_back(own: Settings, fleet: Fleet, make_app: MakeApp) -> None:
    client: FlaskClient = make_app(own).test_client()
    assert client.get("/v1/usage").json["queues"] == []
    collected(own, fleet.cluster, hours=2)
    for _ in range(2):
        assert report_now(own)["hadoop"] >= 7
    told = client.get("/v1/usage").json
    queues = {queue["queue"]: queue for queue in told["queues"]}
    assert set(queues) >= {"root", "root.etl.daily", "root.adhoc"}
    assert len(queues) == len(told["queues"])
    for queue in (queues["root.etl.daily"], client.get("/v1/queues/root.etl.daily/limits").json):
        assert queue["waits"]["known_hours"] == pytest.approx(2.0)
        assert sum(cause["hours"] for cause in queue["waits"]["causes"]) == pytest.approx(queue["waits"]["hours"])
        assert (queue["under_use"], queue["reason"][:24]) == (None, "its demand is known of 0")
