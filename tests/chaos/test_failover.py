"""A job while its broker fails over: Sentinels name another master, and the old one comes back as a replica; TLS; refusals."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr

from shared.config.settings import Settings
from shared.domain.jobs import JobState
from shared.fleet.lanes import Lanes
from tests.certificates import Certificates
from tests.chaos.pair import WORK, start
from tests.factories import write_loads
from tests.integration.fleet import Fleet, fleet_on
from tests.polling import eventually
from tests.redis_servers import PASSWORD, running_redis, running_trio

QUEUES = ("root.adhoc", "root.etl")


@contextmanager
def fleet_over(folder: Path, url: str) -> Iterator[Fleet]:
    """An empty fleet over two queues, on this broker."""
    write_loads(folder / "files", *QUEUES)
    store_url = f"sqlite:///{folder / 'queuecast.db'}"
    settings = Settings(data_dir=folder, files_dir=folder / "files", store_url=store_url, broker_url=SecretStr(url))
    with fleet_on(settings, QUEUECAST_BROKER_URL=url) as fleet:
        yield fleet


def assert_done_once(fleet: Fleet, job_id: str) -> None:
    """The job has succeeded, with one forecast per queue."""
    job = fleet.ended(job_id)
    assert (job.state, job.reason) == (JobState.SUCCEEDED, None)
    assert sorted(forecast.queue for forecast in fleet.store.forecasts.find(job_id=job_id)) == list(QUEUES)


@pytest.mark.nightly
@pytest.mark.parametrize("has_tls", [False, True], ids=["plain", "tls"])
def test_a_job_outlives_a_failover_and_the_workers_find_each_new_master(
    tmp_path: Path, certificates: Certificates, has_tls: bool
) -> None:
    with (
        running_trio(tmp_path / "redis", password=PASSWORD, certificates=certificates if has_tls else None) as trio,
        fleet_over(tmp_path / "data", trio.url) as fleet,
    ):
        processes = start(fleet)
        for _ in range(2):  # the second time back to the first server
            job_id = fleet.submit(**WORK)
            eventually(lambda: Lanes.open(fleet.settings).look().held, what="work")
            trio.fail_over()
            assert_done_once(fleet, job_id)
        assert [process.poll() for process in processes] == [None] * 3


@pytest.mark.nightly
def test_workers_outlive_a_server_that_becomes_a_replica_for_a_while(tmp_path: Path) -> None:
    """As behind an address that follows the master: they wait for it, and close what leads to the old one."""
    with (
        running_redis(tmp_path / "redis") as server,
        running_redis(tmp_path / "other") as other,
        fleet_over(tmp_path / "data", f"redis://127.0.0.1:{server.port}/0") as fleet,
    ):
        processes = start(fleet)
        job_id = fleet.submit(**WORK)
        eventually(lambda: Lanes.open(fleet.settings).look().held, what="work")
        with server.client() as admin, other.client() as its:
            its.replicaof("127.0.0.1", server.port)
            eventually(lambda: its.info("replication")["master_link_status"] == "up", what="a copy")
            its.replicaof("NO", "ONE")
            admin.replicaof("127.0.0.1", other.port)
            eventually(lambda: admin.info("replication")["master_link_status"] == "up", what="the server to follow")
            its.set("seen", "1")
            eventually(
                lambda: "its role is replica" in (fleet.settings.data_dir / "fleet.log").read_text(),
                what="a worker that meets a replica",
            )
            admin.replicaof("NO", "ONE")
        assert_done_once(fleet, job_id)
        assert [process.poll() for process in processes] == [None] * 3


@pytest.mark.nightly
@pytest.mark.parametrize("spelling", ["CERT_REQUIRED", "required&ssl_check_hostname=true", "none"])
def test_a_whole_job_over_tls_in_the_spellings_of_celery_and_redis_py(
    tmp_path: Path, certificates: Certificates, spelling: str
) -> None:
    with running_redis(tmp_path / "redis", certificates=certificates) as server:
        url = f"rediss://localhost:{server.port}/0?ssl_cert_reqs={spelling}&ssl_ca_certs={certificates.authority}"
        with fleet_over(tmp_path / "data", url) as fleet:
            start(fleet)
            assert_done_once(fleet, fleet.submit(**WORK))


@pytest.mark.nightly
def test_workers_wait_while_the_server_is_full_loading_or_knows_another_password(tmp_path: Path) -> None:
    with (
        running_redis(tmp_path / "redis") as server,
        fleet_over(tmp_path / "data", f"redis://127.0.0.1:{server.port}/0") as fleet,
    ):
        processes = start(fleet)
        said = fleet.settings.data_dir / "fleet.log"
        with server.client() as admin:
            job_id = fleet.submit(**WORK)
            admin.config_set("maxmemory", "1")
            eventually(lambda: "maxmemory" in said.read_text(), what="a refusal for want of memory")
            admin.config_set("maxmemory", "0")
            assert_done_once(fleet, job_id)
            job_id = fleet.submit(**WORK)
            admin.config_set("requirepass", "another")
            admin.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            eventually(lambda: "uthentication required" in said.read_text(), what="a refusal of strangers")
            admin.config_set("requirepass", "")
            assert_done_once(fleet, job_id)
        server.options = ("--key-load-delay", "20000")  # microseconds per key
        job_id = fleet.submit(**WORK)
        server.stop(signal.SIGKILL)
        server.start()
        assert_done_once(fleet, job_id)
        assert [process.poll() for process in processes] == [None] * 3
