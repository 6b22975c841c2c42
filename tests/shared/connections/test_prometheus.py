"""A connection to a Prometheus: what is accepted of it, what it lets be read, and what a look at it shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from shared.config.connection import Look, State, look_at
from shared.connections.prometheus import PrometheusConnection
from shared.domain.places import Place
from shared.errors import InvalidRequest
from tests.metrics_server import MetricsServer


def to(url: str, **fields: Any) -> PrometheusConnection:
    return PrometheusConnection.model_validate({"url": url, **fields})


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("http://Prometheus", "prometheus:80"),
        ("https://prometheus/", "prometheus:443"),
        ("https://prometheus:443", "prometheus:443"),
        ("http://mimir:9009/Prometheus/", "mimir:9009/Prometheus"),
        ("http://[::1]:9090", "::1:9090"),
    ],
)
def test_it_leads_to_the_server_and_path_whatever_the_credentials(url: str, server: str) -> None:
    for connection in (to(url), to(url, token="t"), to(url, username="u", password="p")):
        assert connection.leads_to(Place(name="p", others={"metric": "used"}), Path()) == {server}


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"url": "prometheus:9090"}, "accepted is http://host:port"),
        ({"url": "http://u:p@prometheus"}, "without user, password"),
        ({"url": "http://prometheus/api/v1"}, "and /api/v1"),
        ({"url": "http://prometheus/?a=b"}, "without user"),
        ({"url": "http://prometheus:x"}, "accepted is"),
        ({"token": "a\nb"}, "without blanks and line ends"),
        ({"token": ""}, "accepted are letters"),
        ({"token": "t", "username": "u", "password": "p"}, "either a `token`, or"),
        ({"username": "u"}, "together"),
        ({"password": "p"}, "together"),
        ({"username": "u:v", "password": "p"}, "no colon"),
        ({"url": "https://prometheus", "ca_file": "/nowhere.pem"}, "cannot be read"),
        ({"ca_file": __file__}, "holds no certificate"),
    ],
)
def test_what_is_no_address_or_says_twice_who_we_are_is_refused_without_its_secrets(fields: dict[str, str], reason: str) -> None:
    with pytest.raises(ValidationError) as error:
        PrometheusConnection.model_validate({"url": "http://prometheus", **fields})
    assert reason in str(error.value.errors()[0]["msg"])


def test_a_request_reads_the_metrics_that_the_connection_names_and_writes_nowhere() -> None:
    place = Place(name="p", others={"metric": "yarn_used_mb"})
    to("http://p", readable=["yarn_*"]).check_place(place, "source")
    to("http://p").check_place(Place(name="p", others={"metric": "yarn", "metric_label": "what"}), "source")
    with pytest.raises(InvalidRequest, match=r"found 'yarn_used_mb'; p is read in spark_\*, node_\*"):
        to("http://p", readable=["spark_*", "node_*"]).check_place(place, "source")
    with pytest.raises(InvalidRequest, match="needs metric"):
        to("http://p").check_place(Place(name="p"), "source")
    with pytest.raises(InvalidRequest, match="p is no destination"):
        to("http://p").check_place(place, "destination")


def test_a_look_asks_a_real_question_and_counts_what_may_be_read(metrics_server: MetricsServer) -> None:
    labels = {"queue": "root.etl"}
    metric = metrics_server.store([(labels, 1767225600.0, 1.0)], "looked_at")
    assert look_at("p", metrics_server.connection(readable=["looked_*"])) == Look(detail="answers, 1 metrics")
    nothing = look_at("p", metrics_server.connection(readable=[f"{metric}_"]))
    assert nothing.advice == "nothing of it can be read: `readable` is looked_at_"
    assert look_at("p", to("http://127.0.0.1:1")).state is State.AWAY
    elsewhere = look_at("p", to(f"{metrics_server.url}/prefix"))
    assert (elsewhere.state, "no API of Prometheus" in elsewhere.detail) == (State.MISSING, True)
