"""One reading of a Redis URL for four libraries: what is accepted, and what is refused with what is accepted."""

from __future__ import annotations

import pytest

from shared.config.redis_urls import RedisPlace

VERIFIED = {"ssl_cert_reqs": "required", "ssl_check_hostname": True}
HOST = (("broker", 6379),)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("redis://broker", RedisPlace(hosts=HOST)),
        ("redis://broker:6380/4", RedisPlace(hosts=(("broker", 6380),), database=4)),
        ("redis://:p%40ss%3A@broker/0", RedisPlace(hosts=HOST, password="p@ss:")),
        ("redis://ann:p@ss@broker", RedisPlace(hosts=HOST, username="ann", password="p@ss")),
        ("redis://[::1]:6379/0", RedisPlace(hosts=(("::1", 6379),))),
        ("rediss://broker", RedisPlace(hosts=HOST, tls=VERIFIED)),
        ("redis+socket:///run/q/redis.sock?virtual_host=3", RedisPlace(path="/run/q/redis.sock", database=3)),
        ("sentinel://a,b:1/2?master=m", RedisPlace(hosts=(("a", 26379), ("b", 1)), database=2, master="m")),
        ("sentinel://a/0?master=m&tls=true", RedisPlace(hosts=(("a", 26379),), master="m", tls=VERIFIED)),
        (
            "sentinel://:s@a/0?master=m&sentinel_username=u&sentinel_password=p%26w",
            RedisPlace(hosts=(("a", 26379),), master="m", password="s", sentinel_username="u", sentinel_password="p&w"),
        ),
    ],
)
def test_a_url_says_where_and_how(url: str, place: RedisPlace) -> None:
    assert RedisPlace.of(url) == place


@pytest.mark.parametrize(
    ("spelling", "verifying"),
    [
        ("CERT_REQUIRED", "required"),
        ("required", "required"),
        ("CERT_NONE", "none"),
        ("none", "none"),
        ("cert_optional", "optional"),
        ("Optional", "optional"),
    ],
)
def test_verification_is_spelled_as_celery_or_redis_py_spell_it(spelling: str, verifying: str) -> None:
    tls = RedisPlace.of(f"rediss://broker?ssl_cert_reqs={spelling}").tls or {}
    assert tls["ssl_cert_reqs"] == verifying
    assert tls["ssl_check_hostname"] is (verifying != "none")


def test_the_files_of_tls_and_the_host_s_name_are_said_in_the_url() -> None:
    url = "rediss://broker/0?ssl_ca_certs=%2Fetc%2Fca.pem&ssl_certfile=/c&ssl_keyfile=/k&ssl_check_hostname=false"
    assert RedisPlace.of(url).tls == {
        "ssl_cert_reqs": "required",
        "ssl_check_hostname": False,
        "ssl_ca_certs": "/etc/ca.pem",
        "ssl_certfile": "/c",
        "ssl_keyfile": "/k",
    }


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("amqp://u:secret@broker//", "accepted is redis://"),
        ("nonsense secret", "accepted is redis://"),
        ("redis://:secret@broker/x", "the database is a number"),
        ("redis:///0", "names no host"),
        ("redis://:secret@a,b/0", "names several hosts"),
        ("redis://broker:port/0", "a host or a port of it is none"),
        ("redis://:secret@broker/0?ssl_cert_reqs=none", "ssl_cert_reqs.*with TLS the scheme is rediss://"),
        ("redis://:secret@broker/0?socket_timeout=3", "socket_timeout.*accepted is none"),
        ("rediss://:secret@broker/0?ssl_version=3", "ssl_version.*accepted are ssl_cert_reqs, ssl_ca_certs"),
        ("rediss://broker/0?ssl_cert_reqs=maybe", "accepted are required, optional, none"),
        ("rediss://broker/0?ssl_check_hostname=perhaps", "accepted are true and false"),
        ("rediss://broker/0?ssl_certfile=/c", "belong together"),
        ("redis+socket://", "names no socket"),
        ("sentinel://:secret@a,b/0", r"which master.*\?master=NAME"),
        ("sentinel://a/0?master=m&ssl_cert_reqs=none", "add tls=true"),
        ("sentinel://a/0?master=m&service=x", "accepted are master, tls, sentinel_username"),
    ],
)
def test_what_cannot_be_used_is_refused_with_what_can_and_without_the_password(url: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        RedisPlace.of(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "celery"),
    [
        ("redis://broker/1", "redis://broker:6379/1"),
        ("redis://:p%40ss@broker", "redis://:p%40ss@broker:6379/0"),
        ("rediss://ann:x@broker?ssl_cert_reqs=none", "rediss://ann:x@broker:6379/0"),
        ("redis+socket:///run/redis.sock", "redis+socket:///run/redis.sock?virtual_host=0"),
        ("redis://[::1]/0", "redis://[::1]:6379/0"),
        ("sentinel://:p@a,b:1/2?master=m", "sentinel://:p@a:26379/2;sentinel://:p@b:1/2"),
    ],
)
def test_celery_gets_a_url_without_options(url: str, celery: str) -> None:
    assert RedisPlace.of(url).celery_url() == celery


def test_a_password_is_shown_nowhere() -> None:
    place = RedisPlace.of("sentinel://ann:secret@a/0?master=m&sentinel_password=secret")
    assert "secret" not in repr(place)


def test_databases_stand_in_a_row() -> None:
    assert RedisPlace.of("redis://broker/4").beside(2) == RedisPlace.of("redis://broker/6")
