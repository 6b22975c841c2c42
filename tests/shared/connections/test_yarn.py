"""A connection to a YARN cluster: what is accepted of it, where it leads, and what a look at it shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from shared.config.connection import State, look_at
from shared.connections.yarn import YarnConnection, applier, may_use, readers
from shared.domain.places import Place
from shared.domain.queue_tree import Totals
from shared.errors import InvalidRequest, InvalidSettings
from shared.yarn.answers import metrics_answer, scheduler_answer
from shared.yarn.configuration import tree_of
from tests.gateway import Answer, gateway
from tests.shared.yarn.trees import CLUSTER, as_bytes, properties

ONE, OTHER = "http://rm1.example.org:8088", "https://RM2.example.org/"
ANSWERS = {
    "scheduler": as_bytes(scheduler_answer(tree_of(properties(etl="60", adhoc="40")))),
    "metrics": as_bytes(metrics_answer(Totals(total=CLUSTER))),
}


def to(*addresses: str, **fields: Any) -> YarnConnection:
    return YarnConnection.model_validate({"cluster": "prod", "addresses": addresses or (ONE, OTHER), **fields})


def active(_method: str, path: str, _body: bytes) -> Answer:
    name = path.rpartition("/")[2]
    info = {"clusterInfo": {"id": 1700000000000, "haState": "ACTIVE", "resourceManagerVersion": "3.4.1"}}
    return 200, {}, ANSWERS.get(name) or as_bytes(info)


def standby(_method: str, path: str, _body: bytes) -> Answer:
    info = {"clusterInfo": {"id": 1700000000001, "haState": "STANDBY", "resourceManagerVersion": "3.4.1"}}
    return (200, {}, as_bytes(info)) if path.endswith("/info") else (307, {}, b"")


def test_it_leads_to_all_its_resource_managers_and_is_a_source_by_partition() -> None:
    connection = to()
    assert connection.leads_to(Place(name="y"), Path()) == {"rm1.example.org:8088", "rm2.example.org:443"}
    assert connection.addresses == (ONE, "https://RM2.example.org")
    for place in (Place(name="y"), Place(name="y", others={"partition": "gpu"})):
        connection.check_place(place, "source")
    with pytest.raises(InvalidRequest, match="a source of kind yarn has no path; accepted: partition"):
        connection.check_place(Place(name="y", path="yarn_queue"), "source")
    with pytest.raises(InvalidRequest, match="y is no destination: a connection of kind yarn"):
        connection.check_place(Place(name="y"), "destination")


def test_what_may_apply_is_neither_read_nor_collected() -> None:
    reading, applying = to(), to(may_apply=True)
    connections = {"prod": reading, "own": applying}
    assert (readers(connections), applier(connections, "prod"), applier(connections, "test")) == (
        {"prod": reading},
        applying,
        None,
    )
    with pytest.raises(InvalidRequest, match="own is there to apply decisions; accepted is the connection that reads prod"):
        applying.check_place(Place(name="own"), "source")
    with pytest.raises(InvalidSettings, match="is only read"):
        reading.changes()
    assert may_use([reading.model_copy(update={"projects": ()}), applying], "prod", "etl") is False


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"cluster": None}, "valid string"),
        ({"cluster": ""}, "at least 1 character"),
        ({"addresses": []}, "at least 1 item"),
        ({"addresses": ["rm:8088"]}, "accepted is http://host:8088"),
        ({"addresses": ["http://u:p@rm:8088"]}, "without user, password"),
        ({"addresses": ["http://rm:8088/?a=b"]}, "accepted is http://host:8088"),
        ({"addresses": ["http://rm:8088/ws/v1/cluster"]}, "and /ws/v1"),
        ({"addresses": ["http://rm:port"]}, "accepted is http://host:8088"),
        ({"addresses": ["http://rm /x"]}, "accepted is http://host:8088"),
        ({"addresses": ["http://rm\r\nx: y"]}, "accepted is http://host:8088"),
        ({"addresses": ["ftp://rm"]}, "accepted is http://host:8088"),
        ({"addresses": ["http://rm", "http://RM:80/"]}, "names one of them twice"),
        ({"user": "a b"}, "names of users"),
        ({"user": "yarn", "authentication": "kerberos"}, "the ticket says who asks"),
        ({"authentication": "basic"}, "'simple' or 'kerberos'"),
        ({"addresses": [ONE], "ca_file": __file__}, "holds no certificate"),
        ({"ca_file": "/nowhere.pem"}, "cannot be read"),
        ({"configuration": "capacity-scheduler.xml"}, "begins with /"),
    ],
)
def test_what_is_no_cluster_is_refused_with_what_is_accepted(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError) as error:
        YarnConnection.model_validate({"cluster": "prod", "addresses": [ONE, OTHER], **fields})
    assert reason in str(error.value.errors()[0]["msg"])


def test_a_look_tells_who_is_active_and_how_many_queues_of_which_mode_there_are() -> None:
    with gateway(standby) as first, gateway(active) as second:
        here = second.url.removeprefix("http://")
        look = look_at("y", to(first.url, second.url))
        assert look.detail == (
            f"{here} answers, the active one of 2; version 3.4.1, started 2023-11-14 22:13 UTC; 3 queues, capacity scheduler,"
            " capacities in the mode percentage"
        )
        assert (look.state, look.advice) == (State.WELL, "")
        alone = look_at("y", to(second.url, "http://127.0.0.1:1"))
        assert alone.advice.startswith("no answer of one that may have to take over: 127.0.0.1:1: Conn")


def test_a_look_tells_two_that_are_both_active() -> None:
    with gateway(active) as first, gateway(active) as second:
        assert "each say that they are active" in look_at("y", to(first.url, second.url)).advice


def test_a_look_tells_a_configuration_that_cannot_be_read(tmp_path: Path) -> None:
    file = tmp_path / "capacity-scheduler.xml"
    with gateway(active) as seen:
        assert look_at("y", to(seen.url, configuration=str(file))).advice == f"the `configuration` {file} cannot be read"
        file.touch()
        assert look_at("y", to(seen.url, configuration=str(file))).advice == ""


def test_a_look_at_what_is_no_cluster_says_what_to_do() -> None:
    away = look_at("y", to("http://127.0.0.1:1"))
    assert (away.state, away.advice) == (State.AWAY, YarnConnection.when_away)
    with gateway(standby) as seen:
        assert look_at("y", to(seen.url)).detail.endswith(": standby")
    with gateway(lambda *_: (200, {}, b"hello")) as seen:
        assert look_at("y", to(seen.url)).state is State.UNFIT
    assert look_at("y", to("http://127.0.0.1:1", authentication="kerberos")).state is State.UNFIT
