"""Where a connection may be written."""

from __future__ import annotations

from typing import Any

import pytest

from shared.destinations import check_destination
from shared.errors import InvalidRequest, InvalidSettings
from shared.jobs import Place
from shared.settings import Connection, load_settings


def influx(**limits: Any) -> Connection:
    return Connection(kind="influxdb", url="http://localhost:8086", **limits)  # type: ignore[arg-type]


def mongo(**limits: Any) -> Connection:
    return Connection(kind="mongodb", url="mongodb://localhost/yarn", **limits)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("connection", "place"),
    [
        (influx(), Place(name="x", measurement="anything", database="anywhere")),
        (influx(writable=("queue_*",)), Place(name="x", measurement="queue_usage")),
        (influx(writable_databases=("fc",), database="fc"), Place(name="x", measurement="m")),
        (influx(writable_databases=("fc", "test_?")), Place(name="x", measurement="m", database="test_1")),
        (mongo(writable=("forecasts",), writable_databases=("y*",)), Place(name="x", collection="forecasts", database="yarn")),
    ],
)
def test_what_is_allowed_is_allowed(connection: Connection, place: Place) -> None:
    check_destination(place, connection)


@pytest.mark.parametrize(
    ("connection", "place", "field", "accepted"),
    [
        (influx(writable=("queue_*",)), Place(name="x", measurement="cpu"), "measurement", "queue_\\*"),
        (influx(writable=("queue",)), Place(name="x", measurement="QUEUE"), "measurement", "queue"),
        (mongo(writable=()), Place(name="x", collection="c"), "collection", "none: it is only read"),
        (mongo(writable=("a", "b")), Place(name="x", collection="c"), "collection", "a, b"),
        (influx(writable_databases=("fc",), database="telegraf"), Place(name="x", measurement="m"), "database", "fc"),
        (influx(writable_databases=("fc",)), Place(name="x", measurement="m", database="fc2"), "database", "fc"),
        (mongo(writable_databases=("fc",)), Place(name="x", collection="c"), "database", "fc"),  # which one, only the URL knows
    ],
)
def test_everything_else_is_refused_with_what_is_accepted(
    connection: Connection, place: Place, field: str, accepted: str
) -> None:
    with pytest.raises(InvalidRequest, match=f"x takes forecasts for {accepted}") as refused:
        check_destination(place, connection)
    assert refused.value.ids["field"] == f"data.destination.{field}"


def test_files_are_written_to_nowhere_else_anyway() -> None:
    with pytest.raises(InvalidSettings, match="it has no 'writable'"):
        load_settings(connections={"x": {"kind": "files", "path": "/tmp", "writable": ["a"]}})  # noqa: S108 - nothing is written
