"""A whole job over MongoDB as store, source and sink: with TLS, and while the primary of a replica set steps down."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from pymongo import MongoClient

from shared.config.settings import Settings
from shared.domain.jobs import DataPlaces, JobState, Place
from shared.fleet.lanes import Lanes
from shared.fleet.runstate import RunState
from shared.store import open_store
from tests.certificates import Certificates
from tests.chaos.pair import WORK, start
from tests.factories import a_load
from tests.integration.fleet import Fleet
from tests.mongo_cluster import running_set
from tests.polling import eventually
from tests.servers import MongoServer

QUEUES = [f"root.q{number}" for number in range(4)]
PLACES = DataPlaces(source=Place(name="mongodb", collection="usage"), destination=Place(name="mongodb", collection="forecasts"))


def fill(client: MongoClient[dict[str, Any]]) -> None:
    """Six days of four queues in the database `usage`."""
    usage = client.usage.usage
    usage.create_index([("queue", 1), ("timestamp", 1)])
    for number, queue in enumerate(QUEUES):
        load = a_load(6 * 24, seed=number)
        usage.insert_many(
            [{"queue": queue, "timestamp": at.to_pydatetime(), "used_capacity": value} for at, value in load.items()]
        )


@contextmanager
def fleet_on(settings: Settings, run_state: RunState, store_url: str, usage_url: str) -> Iterator[Fleet]:
    """An empty fleet whose store, source and sink are these."""
    settings = settings.model_copy(update={"store_url": SecretStr(store_url)})
    store = open_store(store_url)
    fleet = Fleet(settings, run_state, store, environment={"QUEUECAST_MONGODB_URL": usage_url})
    try:
        yield fleet
    finally:
        fleet.stop()
        store.close()


def assert_delivered_once(fleet: Fleet, job_id: str, client: MongoClient[dict[str, Any]]) -> None:
    """One forecast per queue in the store, one document per queue in the sink."""
    job = fleet.ended(job_id, within=150)
    assert (job.state, job.reason) == (JobState.SUCCEEDED, None)
    assert sorted(forecast.queue for forecast in fleet.store.forecasts.find(job_id=job_id)) == QUEUES
    assert sorted(each["queue"] for each in client.usage.forecasts.find({"job_id": job_id})) == QUEUES


@pytest.mark.nightly
def test_a_whole_job_over_mongodb_with_tls(
    settings: Settings, run_state: RunState, tmp_path: Path, certificates: Certificates
) -> None:
    files = ("--tlsCertificateKeyFile", str(certificates.both), "--tlsCAFile", str(certificates.authority))
    options = ("--tlsMode", "requireTLS", *files, "--tlsAllowConnectionsWithoutCertificates")
    server = MongoServer(tmp_path / "mongod", options=options, url_options=f"tls=true&tlsCAFile={certificates.authority}")
    server.folder.mkdir()
    server.start()
    try:
        with server.client() as client:
            fill(client)
            with fleet_on(settings, run_state, server.url_of("queuecast"), server.url_of("usage")) as fleet:
                start(fleet)
                assert_delivered_once(fleet, fleet.submit(**WORK, data=PLACES), client)
    finally:
        server.stop()


@pytest.mark.nightly
def test_a_job_outlives_the_primary_s_stepping_down(settings: Settings, run_state: RunState, tmp_path: Path) -> None:
    with running_set(tmp_path) as servers, MongoClient[dict[str, Any]](servers.url_of("usage")) as client:
        fill(client)
        with fleet_on(settings, run_state, servers.url_of("queuecast"), servers.url_of("usage")) as fleet:
            processes = start(fleet)
            job_id = fleet.submit(**WORK, data=PLACES)
            eventually(lambda: Lanes.open(fleet.settings).look().held, within=60, what="work")
            servers.step_down()
            eventually(lambda: fleet.store.forecasts.find(job_id=job_id), within=90, what="a first forecast")
            servers.step_down()
            assert_delivered_once(fleet, job_id, client)
            assert [process.poll() for process in processes] == [None] * 3
