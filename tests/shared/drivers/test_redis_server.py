"""One server, three spellings."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.drivers.redis_server import SOCKET_NOTE, RedisServer, redis_server
from shared.errors import BrokerAway, InvalidSettings
from shared.settings import Settings


def test_a_tcp_server_has_three_databases_in_a_row() -> None:
    assert redis_server(Settings(broker_url="redis://:secret@broker:6379/0")) == RedisServer(
        broker="redis://:secret@broker:6379/0",
        results="redis://:secret@broker:6379/1",
        lanes="redis://:secret@broker:6379/0",
        chords="redis://:secret@broker:6379/1",
        run_state="redis://:secret@broker:6379/2",
    )


def test_the_databases_follow_the_one_that_is_named() -> None:
    server = redis_server(Settings(broker_url="rediss://broker/4"))
    assert (server.results, server.run_state) == ("rediss://broker/5", "rediss://broker/6")


def test_a_unix_socket_is_written_as_each_library_wants_it(tmp_path: Path) -> None:
    (tmp_path / SOCKET_NOTE).write_text("/run/q/redis.sock\n")
    server = redis_server(Settings(data_dir=tmp_path))
    assert server == RedisServer(
        broker="redis+socket:///run/q/redis.sock?virtual_host=0",
        results="redis+socket:///run/q/redis.sock?virtual_host=1",
        lanes="unix:///run/q/redis.sock?db=0",
        chords="unix:///run/q/redis.sock?db=1",
        run_state="unix:///run/q/redis.sock?db=2",
    )
    assert server.is_socket


def test_results_may_live_elsewhere() -> None:
    server = redis_server(Settings(broker_url="redis://a/0", result_backend_url="redis://b/7"))
    assert server.results == "redis://b/7"


def test_without_an_embedded_broker_the_message_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(BrokerAway, match="queuecast up"):
        redis_server(Settings(data_dir=tmp_path))


@pytest.mark.parametrize("url", ["amqp://u:secret@broker//", "redis://:secret@broker/x", "redis:///0", "nonsense secret"])
def test_another_scheme_is_refused_without_showing_the_password(url: str) -> None:
    with pytest.raises(InvalidSettings, match="accepted is redis://") as caught:
        redis_server(Settings(broker_url=url))
    assert "secret" not in str(caught.value)
