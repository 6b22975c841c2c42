"""The sample payload on real servers: usage from MongoDB, forecasts to InfluxDB, and what may happen to either on the way."""

from __future__ import annotations

import pytest

from shared.domain.jobs import DataPlaces, JobState, Place
from tests.factories import MONDAY, documents_of
from tests.influx_server import Influxd
from tests.integration.fleet import Fleet
from tests.polling import eventually
from tests.servers import MongoServer

QUEUES = [f"root.q{number}" for number in range(4)]
PLACES = DataPlaces(
    source=Place(name="mongodb", collection="collection_name", document="document_name"),
    destination=Place(name="influxdb", database="db_name", measurement="measurement_name"),
)


@pytest.fixture
def databases(fleet: Fleet, mongod: MongoServer, influxd: Influxd) -> Fleet:
    """The fleet with both servers as connections, four queues in one and an empty database in the other."""
    with mongod.client() as client:
        client.drop_database("usage")
        collection = client.usage.collection_name
        collection.create_index([("queue", 1), ("timestamp", 1)])
        collection.insert_many(documents_of(*QUEUES, document="document_name"))
        collection.insert_one({"document": "other", "queue": "root.hidden", "timestamp": MONDAY, "used_capacity": 1.0})
    influxd.make_database("db_name")
    fleet.environment |= {
        "QUEUECAST_MONGODB_URL": mongod.url_of("usage"),
        "QUEUECAST_INFLUXDB_URL": influxd.url,
        "QUEUECAST_INFLUXDB_VERSION": "1",
        "QUEUECAST_INFLUXDB_DATABASE": "db_name",
    }
    return fleet


def counts(influxd: Influxd) -> list[int]:
    """Points of the three measurements."""
    columns = {"measurement_name": "step", "measurement_name_issued": "prediction", "measurement_name_run": "horizon"}
    return [influxd.count(measurement, "db_name", column) for measurement, column in columns.items()]


def submit(fleet: Fleet, places: DataPlaces = PLACES) -> str:
    return fleet.submit(model=("prophet",), data=places)


def test_the_sample_payload_runs_as_it_stands_and_servers_that_go_away_cost_it_time(
    databases: Fleet, mongod: MongoServer, influxd: Influxd
) -> None:
    databases.start("reap")
    databases.worker()
    mongod.stop()
    try:
        job_id = submit(databases)
        eventually(lambda: databases.run_state.waiting_for(job_id), what="a job that waits for MongoDB")
    finally:
        mongod.start()
    eventually(lambda: databases.run_state.running_queues(job_id), what="a job that goes on")
    influxd.stop()
    try:
        eventually(lambda: set(databases.run_state.waiting_for(job_id)) - {""}, what="queues that wait for InfluxDB")
    finally:
        influxd.start()
    job = databases.ended(job_id)
    assert (job.state, job.reason) == (JobState.SUCCEEDED, None)
    assert job.progress.queues.total == len(QUEUES)  # what another document says is not ours
    assert counts(influxd) == [4 * 24, 4 * 24, 4]


def test_a_wrong_password_fails_the_job_at_once(databases: Fleet, mongod_with_users: MongoServer) -> None:
    databases.environment["QUEUECAST_MONGODB_URL"] = mongod_with_users.url_of("usage", "reader:wrong")
    databases.worker()
    job = databases.ended(submit(databases), within=60)  # far from its deadline: nothing was waited for
    assert job.state is JobState.FAILED
    assert "authentication" in (job.reason or "").lower()


def test_a_missing_database_fails_the_job_before_any_model_is_trained(databases: Fleet) -> None:
    databases.environment["QUEUECAST_INFLUXDB_DATABASE"] = "nowhere"
    databases.worker()
    nowhere = Place(name="influxdb", database="nowhere", measurement="measurement_name")
    job = databases.ended(submit(databases, DataPlaces(source=PLACES.source, destination=nowhere)))
    assert job.state is JobState.FAILED
    assert "database not found" in (job.reason or "")
    assert job.progress.candidates.done == 0
