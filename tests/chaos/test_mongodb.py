"""A whole job over MongoDB as store, source and sink: with TLS, and while the primary of a replica set steps down."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from pymongo import MongoClient

from shared.config.settings import Settings
from shared.domain.jobs import DataPlaces, JobState, Place
from shared.fleet.lanes import Lanes
from shared.fleet.runstate import RunState
from tests.certificates import Certificates
from tests.chaos.pair import WORK, start
from tests.factories import documents_of
from tests.integration.fleet import Fleet, fleet_on
from tests.mongo_cluster import ReplicaSet, running_set
from tests.polling import eventually
from tests.servers import MongoServer

QUEUES = [f"root.q{number}" for number in range(4)]
PLACES = DataPlaces(source=Place(name="mongodb", collection="usage"), destination=Place(name="mongodb", collection="forecasts"))


def fill(client: MongoClient[dict[str, Any]]) -> None:
    """Six days of four queues in the database `usage`."""
    client.usage.usage.create_index([("queue", 1), ("timestamp", 1)])
    client.usage.usage.insert_many(documents_of(*QUEUES))


def fleet_over(settings: Settings, server: MongoServer | ReplicaSet) -> AbstractContextManager[Fleet]:
    """An empty fleet whose store, source and sink are this server's."""
    own = settings.model_copy(update={"store_url": SecretStr(server.url_of("queuecast"))})
    return fleet_on(own, QUEUECAST_MONGODB_URL=server.url_of("usage"))


def assert_delivered_once(fleet: Fleet, job_id: str, client: MongoClient[dict[str, Any]]) -> None:
    """One forecast per queue in the store, one document per queue in the sink."""
    job = fleet.ended(job_id)
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
            with fleet_over(settings, server) as fleet:
                start(fleet)
                assert_delivered_once(fleet, fleet.submit(**WORK, data=PLACES), client)
    finally:
        server.stop()


@pytest.mark.nightly
def test_a_job_outlives_the_primary_s_stepping_down(settings: Settings, run_state: RunState, tmp_path: Path) -> None:
    with running_set(tmp_path) as servers, MongoClient[dict[str, Any]](servers.url_of("usage")) as client:
        fill(client)
        with fleet_over(settings, servers) as fleet:
            processes = start(fleet)
            job_id = fleet.submit(**WORK, data=PLACES)
            eventually(lambda: Lanes.open(fleet.settings).look().held, what="work")
            servers.step_down()
            eventually(lambda: fleet.store.forecasts.find(job_id=job_id), what="a first forecast")
            servers.step_down()
            assert_delivered_once(fleet, job_id, client)
            assert [process.poll() for process in processes] == [None] * 3
