"""One server, three databases; and a client that speaks to a master only, with TLS and through Sentinels."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import redis

from shared.config.redis_urls import RedisPlace
from shared.config.settings import Settings
from shared.drivers.faults import translated
from shared.drivers.redis_server import PATIENCE_SECONDS, SOCKET_NOTE, redis_client, redis_server
from shared.errors import BrokerAway, BrokerIsReplica, BrokerRefuses
from shared.fleet.runstate import RunState
from tests.certificates import Certificates
from tests.polling import eventually
from tests.redis_servers import PASSWORD, RedisSentinel, RedisServer, running_redis


def test_three_databases_follow_the_one_that_is_named() -> None:
    server = redis_server(Settings(broker_url="redis://:secret@broker:6379/4"))
    places = (server.broker, server.results, server.run_state)
    assert [place.database for place in places] == [4, 5, 6]
    assert {(place.hosts, place.password) for place in places} == {((("broker", 6379),), "secret")}


def test_the_embedded_broker_is_found_by_its_note(tmp_path: Path) -> None:
    (tmp_path / SOCKET_NOTE).write_text("/run/q/redis.sock\n")
    assert redis_server(Settings(data_dir=tmp_path)).run_state == RedisPlace(path="/run/q/redis.sock", database=2)


def test_results_may_live_elsewhere() -> None:
    server = redis_server(Settings(broker_url="redis://a/0", result_backend_url="redis://b/7"))
    assert server.results == RedisPlace.of("redis://b/7")


def test_without_an_embedded_broker_the_message_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(BrokerAway, match="queuecast up"):
        redis_server(Settings(data_dir=tmp_path))


@pytest.fixture(scope="module")
def with_tls(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[RedisServer]:
    """A server with TLS and a password."""
    with running_redis(tmp_path_factory.mktemp("tls"), password=PASSWORD, certificates=certificates) as server:
        yield server


@pytest.mark.parametrize(
    "options", ["", "?ssl_cert_reqs=CERT_NONE", "?ssl_cert_reqs=required&ssl_check_hostname=true", "?ssl_cert_reqs=optional"]
)
def test_a_server_with_tls_is_spoken_to_in_every_spelling(
    with_tls: RedisServer, certificates: Certificates, options: str
) -> None:
    url = f"rediss://:{quote(PASSWORD, safe='')}@localhost:{with_tls.port}/0{options}"
    settings = Settings(broker_url=url, broker_ca_file=certificates.authority)
    RunState.open(settings, is_patient=False).ping()


def test_a_server_that_nobody_vouches_for_is_not_spoken_to(with_tls: RedisServer) -> None:
    place = RedisPlace.of(f"rediss://:{quote(PASSWORD, safe='')}@localhost:{with_tls.port}/0")
    with pytest.raises(redis.exceptions.ConnectionError, match="certificate verify failed"):
        redis_client(place, is_patient=False).ping()


def test_a_wrong_password_is_said_so(with_tls: RedisServer, certificates: Certificates) -> None:
    settings = Settings(broker_url=f"rediss://:wrong@localhost:{with_tls.port}/0", broker_ca_file=certificates.authority)
    with pytest.raises(BrokerRefuses, match="invalid username-password"):
        RunState.open(settings, is_patient=False).ping()


def test_a_replica_is_no_broker_and_a_server_that_becomes_one_is_noticed(tmp_path: Path) -> None:
    with running_redis(tmp_path / "a") as master, running_redis(tmp_path / "b") as other:
        state = RunState.open(Settings(broker_url=f"redis://127.0.0.1:{other.port}/0"), is_patient=False)
        state.ping()
        with other.client() as client:
            client.replicaof("127.0.0.1", master.port)
        for _ in range(2):  # on the connection that is open, and on a new one
            with pytest.raises(BrokerIsReplica):
                state.ping()
        with pytest.raises(BrokerIsReplica), translated(BrokerAway):
            state.client.set("key", "value")


def test_a_refused_write_closes_the_connection_and_the_next_meets_the_new_master(tmp_path: Path) -> None:
    with running_redis(tmp_path / "a") as master, running_redis(tmp_path / "b") as other:
        client = redis_client(RedisPlace.of(f"redis://127.0.0.1:{other.port}/0"), is_patient=False)
        client.set("key", "value")
        with other.client() as admin:
            admin.replicaof("127.0.0.1", master.port)
            with pytest.raises(redis.exceptions.ReadOnlyError):
                client.set("key", "value")
            admin.replicaof("NO", "ONE")
        assert client.set("key", "value")


def test_a_patient_client_waits_until_the_server_takes_writes_again(tmp_path: Path) -> None:
    with running_redis(tmp_path, "--maxmemory", "1") as server:
        client = redis_client(RedisPlace.of(f"redis://127.0.0.1:{server.port}/0"), is_patient=True)
        healer = threading.Timer(0.5, lambda: server.client().config_set("maxmemory", "0"))
        healer.start()
        assert client.set("key", "value")
        healer.join()


@pytest.mark.nightly
def test_a_lost_connection_is_waited_for_once_and_not_within_each_try(tmp_path: Path) -> None:
    with running_redis(tmp_path) as server:
        client = redis_client(RedisPlace.of(f"redis://127.0.0.1:{server.port}/0"), is_patient=True)
        client.ping()
    began = time.monotonic()
    with pytest.raises(redis.exceptions.ConnectionError):
        client.ping()
    assert PATIENCE_SECONDS - 5 < time.monotonic() - began < 2 * PATIENCE_SECONDS


def test_a_sentinel_s_address_is_not_the_server_s(tmp_path: Path) -> None:
    (tmp_path / "sentinel.conf").write_text("")
    server = RedisSentinel(tmp_path)
    server.start()
    try:
        with pytest.raises(BrokerAway, match=r"sentinel://host:port/0\?master=NAME"):
            RunState.open(Settings(broker_url=f"redis://127.0.0.1:{server.port}/0"), is_patient=False).ping()
    finally:
        server.stop()


def test_what_asks_too_much_of_a_server_is_an_outage(tmp_path: Path) -> None:
    with running_redis(tmp_path, "--maxclients", "2") as server:
        place = RedisPlace.of(f"redis://127.0.0.1:{server.port}/0")
        held = [server.client() for _ in range(2)]
        for client in held:
            client.ping()
        with pytest.raises(BrokerAway, match="max number of clients"), translated(BrokerAway):
            redis_client(place, is_patient=False).ping()
        for client in held:
            client.close()
        eventually(lambda: redis_client(place, is_patient=True).ping(), what="room")
