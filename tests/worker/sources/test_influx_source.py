"""InfluxDB as a source: what is special there, and what hostile names and values come to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import SecretStr

from shared.connections.influxdb import InfluxdbConnection
from shared.domain.jobs import Place
from shared.domain.samples import Aggregation, Where
from shared.errors import CredentialsRefused, EmptySeries, InvalidSettings, SourceAway, SourceNotFound, UnreadableData
from tests.factories import MONDAY
from tests.influx_server import Influxd
from tests.polling import without_waiting
from tests.worker.sources.queries import a_query, all_queues
from worker.sources import sources
from worker.sources._lost import BROKEN, OUTSIDE, SWITCHES, TEXTS
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
    with pytest.raises((InvalidSettings, SourceNotFound), match=r"no name that InfluxDB is asked for|found no tag"):
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


def test_of_a_field_that_was_text_once_the_numbers_are_read_and_a_loss_says_so(filled: Influxd) -> None:
    earlier = START - 30 * 86_400  # another shard, where the field may have another type
    texts = [
        f'queue_metrics,queue=root.etl used_capacity="{word}" {earlier + at}' for at, word in enumerate(("idle", "NaN", "n/a"))
    ]
    filled.write(texts, DATABASE)
    reading = a_source(filled).read(query(start=MONDAY - timedelta(days=31)))
    assert reading.frame["used_capacity"].dropna().tolist() == [1, 2, 3, 4, 5, 6]
    (loss,) = reading.losses
    assert (loss.what, loss.column, loss.count, loss.total, loss.example) == (TEXTS, "used_capacity", 1, 7, "idle")
    assert not loss.is_at_end


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


def write(server: Influxd, series: dict[str, Iterable[float]], *, step: int = 3_600, start: int = START) -> None:
    """Points of series given by their tags, one a step."""
    points = [(tags, value, start + at * step) for tags, values in series.items() for at, value in enumerate(values)]
    server.write([f"pools,{tags} used_capacity={value} {at}" for tags, value, at in points], DATABASE)


@pytest.fixture
def pools(influxd: Influxd) -> Influxd:
    influxd.make_database(DATABASE)
    return influxd


POOLS = Place(name="influxdb", measurement="pools")


def test_several_series_under_one_queue_are_told_with_the_two_ways_out_and_both_work(pools: Influxd) -> None:
    write(
        pools, {"queue=root.etl,partition=default": [95.5] * 6, "queue=root.etl,partition=gpu": [41.0] * 6, "queue=root.b": [1]}
    )
    source = a_source(pools)
    with pytest.raises(
        UnreadableData, match=r"share timestamps, first 2026.*'partition' \(default, gpu\).*`where`.*`queue_field`"
    ):
        source.read(query(POOLS))
    kept = source.read(query(POOLS, where={"partition": ("gpu",)}))
    assert kept.frame.used_capacity.tolist() == [41.0] * 6
    both = query(POOLS, queue="", queue_field=("queue", "partition"))
    assert source.queues(both) == ["root.b", "root.etl/default", "root.etl/gpu"]
    assert source.check(both).queues == ("root.b", "root.etl/default", "root.etl/gpu")
    for name, values in {"root.etl/gpu": [41.0] * 6, "root.etl/default": [95.5] * 6, "root.b": [1.0]}.items():
        assert source.read(replace(both, queue=name)).frame.used_capacity.tolist() == values


def test_series_that_have_points_in_the_same_steps_at_other_seconds_are_told_too(pools: Influxd) -> None:
    write(pools, {"queue=root.etl,host=n1": [95.5] * 6})
    write(pools, {"queue=root.etl,host=n2": [41.0] * 6}, start=START + 7)
    with pytest.raises(UnreadableData, match=r"share steps, first 2026.*'host' \(n1, n2\)"):
        a_source(pools).read(query(POOLS))


def test_a_collector_that_has_moved_to_another_host_is_one_series(pools: Influxd) -> None:
    write(pools, {"queue=root.etl,host=n1": range(60)}, step=600)
    write(pools, {"queue=root.etl,host=n2": range(60, 120)}, step=600, start=START + 60 * 600 - 300)
    frame = a_source(pools).read(query(POOLS)).frame
    assert len(frame) == 20
    assert frame.used_capacity.iloc[9] == pytest.approx(sum([*range(54, 60), 60]) / 7)
    medians = a_source(pools).read(query(POOLS, aggregation=Aggregation.MEDIAN)).frame
    assert medians.used_capacity.iloc[9] == 57.0


@pytest.mark.parametrize(
    ("where", "hours"),
    [
        ({"state": ("RUNNING",)}, [0, 2, 4]),
        ({"ok": (True,)}, [0, 1, 2]),
        ({"size": (1, 2.0)}, [1, 2]),
        ({"rack": (7,)}, [0, 1, 2, 3, 4, 5]),
    ],
)
def test_points_are_chosen_by_fields_and_tags_of_any_type(pools: Influxd, where: Where, hours: list[int]) -> None:
    states = ["RUNNING", "STOPPED"] * 3
    fields = [f'used_capacity={hour},ok={hour < 3},size={hour}i,state="{state}"' for hour, state in enumerate(states)]
    pools.write((f"pools,queue=root.etl,rack=7 {text} {START + hour * 3_600}" for hour, text in enumerate(fields)), DATABASE)
    asked = query(POOLS, where=where)
    assert a_source(pools).read(asked).frame.used_capacity.tolist() == hours
    assert a_source(pools).queues(replace(asked, queue="")) == ["root.etl"]


def test_a_condition_that_nothing_meets_is_told_as_such(filled: Influxd) -> None:
    source = a_source(filled)
    with pytest.raises(SourceNotFound, match="neither a tag nor a field 'label', which `where` names"):
        source.read(query(where={"label": ("gpu",)}))
    with pytest.raises(EmptySeries, match="no point of it that `where` keeps"):
        source.read(query(where={"host": ("' OR 1=1",)}))
    with pytest.raises(UnreadableData, match="holds float, and `where` asks for 'x'"):
        source.read(query(where={"used_capacity": ("x",)}))


def test_values_that_cannot_be_are_left_out_and_counted(pools: Influxd) -> None:
    write(pools, {"queue=root.etl": [10, -1, 30, 30, 2147483647, 50]}, step=1_800)
    whole = a_source(pools).read(query(POOLS, physical_range=(0.0, 100.0)))
    assert whole.frame.used_capacity.tolist() == [10, 30, 50]
    told = [(loss.what, loss.count, loss.total, loss.example) for loss in whole.losses]
    assert told == [(BROKEN, 1, 6, "2147483647"), (OUTSIDE, 1, 6, "-1")]
    assert "missing_values" in whole.losses[1].advice
    assert a_source(pools).read(query(POOLS, physical_range=(-1e16, 1e16))).frame.used_capacity.tolist() == [4.5, 30, 50]
    gaps = a_source(pools).read(query(POOLS, physical_range=(0.0, None), missing_values=(-1.0, 2147483647.0)))
    assert gaps.frame.used_capacity.tolist() == [10, 30, 50]
    assert gaps.losses == ()
    write(pools, {"queue=root.no": [-1, -1]})
    with pytest.raises(UnreadableData, match=r"outside the physical range in 'used_capacity': 2 of 2"):
        a_source(pools).read(query(POOLS, queue="root.no", physical_range=(0.0, None)))


def test_a_queue_that_is_gone_says_since_when(filled: Influxd) -> None:
    with pytest.raises(
        EmptySeries, match=rf"queue root\.etl.*the last one ever is of {MONDAY + timedelta(hours=5):%Y-%m-%d %H:%M} UTC"
    ):
        a_source(filled).read(query(start=MONDAY + timedelta(days=3), end=MONDAY + timedelta(days=4)))


def test_where_nothing_is_messages_say_so(pools: Influxd) -> None:
    with pytest.raises(SourceNotFound, match="'pools' not found, and no other in the database 'usage'"):
        a_source(pools).queues(query(POOLS, queue=""))
    pools.write([f"pools used_capacity=1 {START}"], DATABASE)
    with pytest.raises(SourceNotFound, match="no tag 'queue' in 'pools', it has no tags at all"):
        a_source(pools).queues(query(POOLS, queue=""))


def test_a_look_says_all_that_is_wrong_at_once(filled: Influxd) -> None:
    with pytest.raises(SourceNotFound, match=r"no time 'at'.*no field 'usage'.*no tag 'pool'.*no tag 'state'.*it is a field"):
        a_source(filled).check(query(queue="", time_field="at", target="usage", queue_field=("pool", "state")))


def test_a_retention_policy_is_read_where_it_is_named(pools: Influxd) -> None:
    pools.query(f'CREATE RETENTION POLICY "2y-kept" ON "{DATABASE}" DURATION INF REPLICATION 1')
    write(pools, {"queue=root.etl": [1.0, 2.0]})
    pools.query('SELECT used_capacity * 10 AS used_capacity INTO "2y-kept"."pools" FROM "pools" GROUP BY *', DATABASE)
    kept = replace(POOLS, others={"retention_policy": "2y-kept"})
    source = a_source(pools)
    assert source.read(query(POOLS)).frame.used_capacity.tolist() == [1.0, 2.0]
    assert source.read(query(kept)).frame.used_capacity.tolist() == [10.0, 20.0]
    assert source.check(query(kept, queue="")).queues == ("root.etl",)
    for policy, error in {"nope": SourceNotFound, 'x"."y': InvalidSettings}.items():
        with pytest.raises(error):
            source.read(query(replace(POOLS, others={"retention_policy": policy})))


def test_names_of_any_characters_are_asked_for(influxd: Influxd) -> None:
    influxd.make_database(DATABASE)
    rows = (
        f'm,Queue\\ "x"=a Used\\ capacity\\ %={hour},a\\ b={hour + 1},$c=1,ü\\,"={hour + 2} {START + hour * 3_600}'
        for hour in range(6)
    )
    influxd.write(rows, DATABASE)
    place = replace(PLACE, measurement="m")
    frame = a_source(influxd).read(query(place=place, queue="a", queue_field='Queue "x"', target="Used capacity %")).frame
    assert {name: frame[name].iloc[1] for name in frame} == {"Used capacity %": 1, "a b": 2, 'ü,"': 3}


def test_a_tag_and_a_field_of_one_name_are_told_apart(influxd: Influxd) -> None:
    influxd.make_database(DATABASE)
    for queue, tag, field in (("a", "x", "y"), ("a", "z", "y"), ("b", "x", "w")):
        text = f'm,queue={queue},part={tag} used_capacity={ord(tag)},part="{field}",queue="other"'
        influxd.write((f"{text} {START + hour * 3_600}" for hour in range(6)), DATABASE)
    source, asked = a_source(influxd), query(place=replace(PLACE, measurement="m"), queue="a", columns=())
    assert source.queues(replace(asked, queue="")) == ["a", "b"]
    assert source.queues(replace(asked, queue="", where={"part": ("w",)})) == ["b"]
    with pytest.raises(UnreadableData, match=r"differ in 'part' \(x, z\)"):
        source.read(asked)
    for kept, value in (("x", 120.0), ("z", 122.0)):
        assert source.read(replace(asked, where={"part": (kept,)})).frame.used_capacity.tolist() == [value] * 6


def test_switches_beside_numbers_are_a_loss(influxd: Influxd) -> None:
    influxd.make_database(DATABASE)
    values = ["true" if hour < 168 else "4.5" for hour in range(240)]  # a shard has a week, and types of its own
    influxd.write((f"m,queue=a used_capacity={value} {START + hour * 3_600}" for hour, value in enumerate(values)), DATABASE)
    reading = a_source(influxd).read(query(place=replace(PLACE, measurement="m"), queue="a", end=MONDAY + timedelta(days=10)))
    assert [(loss.what, loss.count, loss.total) for loss in reading.losses] == [(SWITCHES, 168, 240)]
    assert len(reading.frame) == 72


@pytest.mark.parametrize("aggregation", [Aggregation.MEAN, Aggregation.TIME_WEIGHTED_MEAN])
def test_what_stands_for_no_limit_is_left_out_of_covariates_too(influxd: Influxd, aggregation: Aggregation) -> None:
    influxd.make_database(DATABASE)
    points = ((hour, 2147483647 if hour % 5 == 2 else 5) for hour in range(20))
    influxd.write((f"m,queue=a used_capacity=1,most={most},bytes=1e12 {START + hour * 3_600}" for hour, most in points), DATABASE)
    reading = a_source(influxd).read(query(place=replace(PLACE, measurement="m"), queue="a", aggregation=aggregation))
    assert set(reading.frame.most.dropna()) == {5.0}
    assert set(reading.frame.bytes) == {1e12}
    assert [(loss.what, loss.column, loss.count, loss.total) for loss in reading.losses] == [(BROKEN, "most", 4, 20)]


@pytest.mark.parametrize("aggregation", [Aggregation.MEAN, Aggregation.TIME_WEIGHTED_MEAN])
def test_a_dimension_whose_points_lie_seconds_apart_is_refused_too(influxd: Influxd, aggregation: Aggregation) -> None:
    influxd.make_database(DATABASE)
    parts = (("x", 0, 30), ("gpu", 7, 60))
    lines = (
        f"m,queue=a,part={p} used_capacity={value + h % 24} {START + h * 3_600 + s}" for h in range(48) for p, s, value in parts
    )
    influxd.write(lines, DATABASE)
    with pytest.raises(UnreadableData, match=r"share steps, first .* differ in 'part' \(gpu, x\)"):
        a_source(influxd).read(query(place=replace(PLACE, measurement="m"), queue="a", aggregation=aggregation))
