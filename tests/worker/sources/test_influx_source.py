"""InfluxDB as a source: what is special there, and what hostile names and values come to."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import SecretStr

from shared.connections.influxdb import InfluxdbConnection
from shared.domain.jobs import Place
from shared.errors import CredentialsRefused, EmptySeries, InvalidSettings, SourceAway, SourceNotFound, UnreadableData
from tests.factories import MONDAY
from tests.influx_server import Influxd
from tests.polling import without_waiting
from tests.worker.sources.queries import a_query, all_queues
from worker.sources import sources
from worker.sources.base import Query, Source

DATABASE, PLACE = "usage", Place(name="influxdb", measurement="queue_metrics")
START = int(MONDAY.timestamp())


def a_source(server: Influxd, *, token: str | None = None, database: str | None = DATABASE) -> Source:
    secret = SecretStr(token) if token else None
    return sources["influxdb"](InfluxdbConnection(url=SecretStr(server.url), version="1", token=secret, database=database))


def query(place: Place = PLACE, **changes: object) -> Query:
    return a_query(place, **({"start": MONDAY, "end": MONDAY + timedelta(days=1)} | changes))


@pytest.fixture
def filled(influxd: Influxd) -> Influxd:
    """Two queues, six hours each, a covariate, a text and a secret measurement beside them."""
    influxd.make_database(DATABASE)
    lines = [
        f'queue_metrics,queue={queue},host=n1 used_capacity={hour + 1},memory={hour}i,state="RUNNING" {START + hour * 3_600}'
        for queue in ("root.etl", "root.adhoc")
        for hour in range(6)
    ]
    influxd.write([*lines, f"secret,queue=root.etl used_capacity=666 {START}"], DATABASE)
    return influxd


def test_numbers_of_every_kind_are_columns_and_texts_are_not(filled: Influxd) -> None:
    frame = a_source(filled).read(query()).frame
    assert list(frame.columns) == ["used_capacity", "memory"]
    assert frame["used_capacity"].tolist() == [1, 2, 3, 4, 5, 6]


def test_a_field_of_texts_is_refused_by_its_type(filled: Influxd) -> None:
    with pytest.raises(UnreadableData, match="'state' holds strings"):
        a_source(filled).read(query(target="state"))


@pytest.mark.parametrize(
    "queue", ["a' or queue =~ /.*/ or queue='", "/.*/", 'x"; drop database usage --', "root.etl' OR '1'='1", "$queue"]
)
def test_a_hostile_value_is_a_value(filled: Influxd, queue: str) -> None:
    with pytest.raises(EmptySeries, match="no point of it"):
        a_source(filled).read(query(queue=queue))


@pytest.mark.parametrize("name", ['m"; drop database usage --', '"usage".."secret"', "/.*/", "a b", "x" * 121])
def test_a_hostile_name_never_reaches_the_server(filled: Influxd, name: str) -> None:
    for place in (replace(PLACE, measurement=name), replace(PLACE, database=name)):
        with pytest.raises(InvalidSettings, match="no name that InfluxDB is asked for"):
            a_source(filled).read(query(place=place))
    with pytest.raises(InvalidSettings, match="no name that InfluxDB is asked for"):
        a_source(filled).queues(all_queues(PLACE, name))
    with pytest.raises(SourceNotFound, match="found no field"):  # compared with the fields that there are
        a_source(filled).read(query(target=name))
    assert filled.count("secret", DATABASE, "used_capacity") == 1


def test_what_is_not_there_is_told_with_what_is(filled: Influxd) -> None:
    with pytest.raises(SourceNotFound, match="'nothing' not found, there are queue_metrics, secret"):
        a_source(filled).read(query(place=replace(PLACE, measurement="nothing")))
    with pytest.raises(SourceNotFound, match=r"no tag 'pool'.*there are host, queue"):
        a_source(filled).queues(all_queues(PLACE, "pool"))
    with pytest.raises(SourceNotFound, match="database not found"):
        a_source(filled, database="nowhere").read(query())
    with pytest.raises(SourceNotFound, match=r"data\.source\.database"):
        a_source(filled, database=None).read(query())


def test_a_wrong_password_is_told_as_authentication(influxd_with_users: Influxd) -> None:
    with pytest.raises(CredentialsRefused, match="authentication failed"):
        a_source(influxd_with_users, token="reader:wrong").queues(all_queues(PLACE))


def test_a_user_who_may_only_read_can_read(influxd_with_users: Influxd) -> None:
    influxd_with_users.write([f"queue_metrics,queue=root.etl used_capacity=5 {START}"], DATABASE)
    assert a_source(influxd_with_users, token="reader:reader").read(query()).rows == 1


def test_a_server_that_is_away_is_away() -> None:
    connection = InfluxdbConnection(url=SecretStr("http://127.0.0.1:1"), version="1", database="usage")
    with pytest.raises(SourceAway, match=r"127\.0\.0\.1:1"):
        sources["influxdb"](connection).read(query())


def test_a_frozen_server_is_told_at_once(filled: Influxd) -> None:
    filled.freeze()
    try:
        with without_waiting(60), pytest.raises(SourceAway):  # as long as a query is waited for
            a_source(filled).read(query())
    finally:
        filled.thaw()


def test_of_a_field_that_was_text_once_the_numbers_are_read_and_a_note_says_so(filled: Influxd) -> None:
    earlier = START - 30 * 86_400  # another shard, where the field may have another type
    filled.write([f'queue_metrics,queue=root.etl used_capacity="idle" {earlier}'], DATABASE)
    reading = a_source(filled).read(query(start=MONDAY - timedelta(days=31)))
    assert reading.frame["used_capacity"].dropna().tolist() == [1, 2, 3, 4, 5, 6]
    assert reading.notes == ("the field 'used_capacity' holds numbers and strings: only the numbers are read",)


@pytest.mark.parametrize(
    ("url", "message"),
    [("http://reader:hunter2@127.0.0.1:1", "belong into the token"), ("127.0.0.1:8086", "accepted is http://host:port")],
)
def test_a_url_that_cannot_be_used_is_refused_without_what_is_secret_in_it(url: str, message: str) -> None:
    connection = InfluxdbConnection(url=SecretStr(url), version="1", database="usage")
    with pytest.raises(InvalidSettings, match=message) as refusal:
        sources["influxdb"](connection)
    assert "hunter2" not in str(refusal.value)


def test_of_points_with_many_fields_only_what_is_asked_for_is_read(filled: Influxd) -> None:
    fields = ",".join(f"c{number}=1" for number in range(300))
    filled.write([f"queue_metrics,queue=root.etl,host=n1 {fields} {START}"], DATABASE)
    reading = a_source(filled).read(query())
    assert list(reading.frame.columns) == ["used_capacity"]
    assert "301 columns that nobody asked for, more than the 200" in reading.notes[0]
