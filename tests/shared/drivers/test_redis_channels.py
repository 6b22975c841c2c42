"""What is changed in kombu, held against the pinned one: a renamed method would silently be as it was."""

from __future__ import annotations

import inspect

import kombu.exceptions
import kombu.transport.redis
import pytest
import redis
from redis.connection import Connection

from shared.config.redis_urls import RedisPlace
from shared.config.settings import Settings
from shared.drivers.redis_channels import prepare_channels
from shared.drivers.redis_roles import meet_server
from shared.drivers.redis_server import redis_server
from shared.fleet.broker import make_celery
from tests.parrot import parrot


def test_a_channel_without_connection_raises_what_its_callers_handle() -> None:
    channel = kombu.transport.redis.Channel
    prepare_channels()
    changed = channel._connparams
    prepare_channels()
    assert channel._connparams is changed  # twice changes nothing
    assert list(inspect.signature(changed).parameters) == ["self", "asynchronous"]
    closed = object.__new__(channel)
    closed.connection = None
    with pytest.raises(redis.exceptions.ConnectionError, match="closed"):
        closed._connparams()


@pytest.mark.parametrize("transport", [kombu.transport.redis.Transport, kombu.transport.redis.SentinelTransport])
@pytest.mark.parametrize(
    "refusal",
    [
        redis.exceptions.ReadOnlyError("You can't write against a read only replica."),
        redis.exceptions.OutOfMemoryError("command not allowed when used memory > 'maxmemory'."),
        redis.exceptions.MasterDownError("Link with MASTER is down"),
        redis.exceptions.ResponseError("UNBLOCKED force unblock from blocking operation, instance state changed"),
        redis.exceptions.NoPermissionError("no"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_refusal_is_an_outage_after_which_workers_connect_again(transport: type, refusal: Exception) -> None:
    prepare_channels()
    assert isinstance(refusal, transport.connection_errors)


@pytest.mark.parametrize("url", ["redis://broker/0", "sentinel://s/0?master=m"])
def test_every_connection_meets_its_server(url: str) -> None:
    app = make_celery(redis_server(Settings(broker_url=url)), "worker")
    with app.connection_for_read() as connection:
        channel = object.__new__(connection.transport.Channel)
        channel.connection, channel._pool, channel._async_pool = connection.transport, None, None
        channel.__dict__.update(closed=True, _sentinel_manager=None, _async_sentinel_manager=None)
        options = channel._connparams()
        assert options["redis_connect_func"] is meet_server
    results = app.backend.client.connection_pool.connection_kwargs
    assert results["redis_connect_func"] is meet_server


@pytest.mark.timeout(60)
@pytest.mark.parametrize("answer", [b"-LOADING the dataset in memory\r\n", b"-ERR max number of clients reached\r\n"])
def test_a_server_that_is_not_ready_is_away_however_often_it_is_asked(answer: bytes) -> None:
    """A health check on a connection that is just being made would connect again, without an end."""
    assert "check_health" in inspect.signature(Connection.on_connect_check_health).parameters
    with parrot(answer) as port:
        app = make_celery(redis_server(Settings(broker_url=f"redis://127.0.0.1:{port}/1")), "worker")
        with app.connection_for_read() as connection, pytest.raises(kombu.exceptions.OperationalError):
            connection.ensure_connection(max_retries=1, interval_start=0)


def test_a_place_that_is_behind_sentinels_reaches_celery_whole() -> None:
    url = "sentinel://:s@a,b/0?master=m&tls=true&ssl_cert_reqs=none&sentinel_username=u&sentinel_password=p"
    assert RedisPlace.of(url).sentinel_password == "p"
    app = make_celery(redis_server(Settings(broker_url=url)), "api")
    options = app.conf.broker_transport_options
    assert options["master_name"] == app.conf.result_backend_transport_options["master_name"] == "m"
    asked = options["sentinel_kwargs"]
    assert (asked["username"], asked["password"], asked["ssl"], asked["ssl_cert_reqs"]) == ("u", "p", True, "none")
    assert asked["socket_timeout"] == 0.5


def test_a_channel_keeps_its_client_until_it_has_another_pool(settings: Settings) -> None:
    with make_celery(redis_server(settings), "worker").connection_for_write() as connection:
        channel = connection.default_channel
        with channel.conn_or_acquire() as first, channel.conn_or_acquire() as second:
            assert first is second
        channel._disconnect_pools()  # as after a lost connection
        with channel.conn_or_acquire() as third:
            assert third is not first
            assert third.ping()
