"""MongoDB as a source: what is special there, what is wrong with some collections, and what hostile requests come to."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from bson import Decimal128, Int64, ObjectId, Timestamp
from pydantic import SecretStr

from shared.config.connection import Connection
from shared.connections.mongodb import MongodbConnection
from shared.domain.jobs import Place
from shared.domain.samples import Aggregation, Where
from shared.errors import (
    CredentialsRefused,
    EmptySeries,
    InvalidRequest,
    InvalidSettings,
    SourceAway,
    SourceNotFound,
    UnreadableData,
)
from tests.polling import without_waiting
from tests.servers import PYMONGO_SECONDS, MongoServer
from tests.worker.sources.queries import PERIODS, START, a_query, all_queues
from worker.sources import sources
from worker.sources._lost import BROKEN, NAMELESS, OUTSIDE, TEXTS, TIMES
from worker.sources.base import Query, Reading, ScannedSource, Source
from worker.sources.mongo.pipeline import inside, nameless_of
from worker.sources.mongo.steps import RAW_NOTE, read_raw, read_steps
from worker.sources.mongo_source import MongoSource

DATABASE, PLACE = "usage", Place(name="mongodb", collection="queue_metrics")
INDEX = [("queue", 1), ("timestamp", 1)]
HOUR = timedelta(hours=1)

Fill = Callable[[Iterable[dict[str, Any]]], None]


def a_connection(server: MongoServer, user: str = "", **changes: Any) -> Connection:
    return MongodbConnection(url=SecretStr(server.url_of(DATABASE, user)), **changes)


def a_source(server: MongoServer, user: str = "", **changes: Any) -> Source:
    return sources["mongodb"](a_connection(server, user, **changes))


def query(place: Place = PLACE, **changes: Any) -> Query:
    return a_query(place, **({"queue": "a"} | changes))


def sample(hour: float = 0, value: object = 1.0, **changes: Any) -> dict[str, Any]:
    return {"queue": "a", "timestamp": START + hour * HOUR, "used_capacity": value} | changes


@pytest.fixture
def fill(mongod: MongoServer) -> Fill:
    """Puts documents into an empty collection that has its index."""
    with mongod.client() as client:
        client.drop_database(DATABASE)
        client[DATABASE].queue_metrics.create_index(INDEX)

    def insert(documents: Iterable[dict[str, Any]]) -> None:
        with mongod.client() as client:
            client[DATABASE].queue_metrics.insert_many(documents)

    return insert


@pytest.fixture
def source(mongod: MongoServer) -> Source:
    return a_source(mongod)


def dirty_documents() -> list[dict[str, Any]]:
    """Each kind of value that was ever seen beside numbers, in two columns; times that come twice, times that are text."""
    rng = np.random.default_rng(3)
    broken = [float("nan"), float("inf"), float("-inf"), 1e300, "61.2", "", True, None, [1.0, 2.0], {"a": 1.0}, ObjectId(), START]
    whole = [7, Int64(2**40), Decimal128("3.25"), Decimal128("NaN"), -4, 0]
    documents = []
    for number in range(3_000):
        at = START + timedelta(minutes=10 * int(rng.integers(0, 4_000)))
        drawn = [float(rng.gamma(4, 15)), (broken + whole)[number % 18] if number % 3 == 0 else float(rng.normal())]
        documents.append(sample(0, drawn[number % 2], timestamp=at, memory=drawn[1 - number % 2]))
    del documents[5]["memory"]
    return [*documents, sample(timestamp="2026-01-02T00:00:00Z", value=1e6), sample(timestamp=1767312000, value=1e6)]


@pytest.mark.parametrize("aggregation", Aggregation)
@pytest.mark.parametrize("step_seconds", PERIODS.values(), ids=PERIODS.keys())
def test_the_server_makes_of_dirty_values_what_pandas_makes_of_them(
    dirty: Connection, step_seconds: int, aggregation: Aggregation
) -> None:
    asked = query(step_seconds=step_seconds, aggregation=aggregation, end=START + timedelta(days=35))
    documents, columns = dirty.collection(PLACE), ["used_capacity", "memory"]
    pushed, raw = (read(documents, asked, {}, columns) for read in (read_steps, read_raw))
    pd.testing.assert_frame_equal(pushed.frame, raw.frame, check_freq=False, check_names=False, rtol=1e-9)
    assert (pushed.rows, pushed.moments, pushed.usable) == (raw.rows, raw.moments, raw.usable)
    assert pushed.moments < pushed.rows


@pytest.fixture(scope="module")
def dirty(mongod: MongoServer) -> Connection:
    with mongod.client() as client:
        client.drop_database("dirty")
        client["dirty"].queue_metrics.insert_many(dirty_documents())
    return a_connection(mongod, database="dirty")


def test_what_was_left_out_is_counted_and_told(source: Source, fill: Fill) -> None:
    fill([sample(hour, 5.0, host="node7") for hour in range(8)])
    fill([sample(8, "61.2"), sample(9, float("nan")), sample(10, 8.0), sample(10, 8.0), sample(11, "1,024.5"), sample(12, "n/a")])
    reading = source.read(query())
    assert (reading.rows, reading.duplicates, reading.non_finite) == (14, 1, 3)
    assert reading.notes == ("fields of text that nobody asked for: left out host",)
    (loss,) = reading.losses
    assert (loss.what, loss.column, loss.count, loss.total, loss.example) == (TEXTS, "used_capacity", 1, 14, "1,024.5")
    assert loss.first_at == loss.last_at == START + 11 * HOUR
    assert loss.is_at_end
    assert loss.is_one_sided
    assert reading.frame.used_capacity.tolist() == [5.0] * 8 + [61.2, 8.0]


@pytest.mark.parametrize(
    ("value", "what", "advice"),
    [
        ([61.2, 63.0], "arrays instead of a number", "$unwind"),
        (-1, OUTSIDE, "missing_values"),
        (2147483647, BROKEN, "finite"),
        (4294967295, BROKEN, "finite"),
        (Int64(2**63 - 1), BROKEN, "finite"),
        (True, "true or false instead of a number", "numbers"),
        ("idle", TEXTS, "numbers"),
    ],
)
def test_a_value_that_is_of_no_use_is_a_loss_with_advice(
    source: Source, fill: Fill, value: object, what: str, advice: str
) -> None:
    fill([*(sample(hour, 5.0, memory=1) for hour in range(30)), sample(7.5, value, memory=1)])
    asked = query(physical_range=(0.0, None))
    reading = source.read(asked)
    assert reading.frame.used_capacity.tolist() == [5.0] * 30
    (loss,) = reading.losses
    assert (loss.what, loss.column, loss.count, loss.total, loss.first_at) == (what, "used_capacity", 1, 31, START + 7.5 * HOUR)
    assert advice in loss.advice
    assert not loss.is_severe
    with pytest.raises(UnreadableData, match=re.escape(f"{what} in 'used_capacity': 1 of 1 (100.0%)")):
        source.read(replace(asked, start=START + 7.5 * HOUR, end=START + 8 * HOUR, step_seconds=1_800))


def test_numbers_of_any_type_are_read_and_gaps_are_no_losses(source: Source, fill: Fill) -> None:
    fill(
        sample(hour, value) for hour, value in enumerate([1, Int64(2), Decimal128("3.5"), "4.5", "1e1", Decimal128("NaN"), None])
    )
    fill(sample(hour, value) for hour, value in enumerate(["NaN", "", "null", "-", "N/A", -1, -1.0], 7))
    reading = source.read(query(missing_values=(-1.0,), physical_range=(0.0, None)))
    assert reading.frame.used_capacity.tolist() == [1, 2, 3.5, 4.5, 10]
    assert reading.losses == ()


def test_documents_of_several_things_are_told_with_the_two_ways_out_and_both_work(source: Source, fill: Fill) -> None:
    fill(sample(hour, 95.5, partition="", cores=8) for hour in range(6))
    fill(sample(hour, 41.0, partition="gpu", cores=8) for hour in range(6))
    with pytest.raises(UnreadableData, match=r"share timestamps.*'partition' \(nothing, gpu\).*`where`.*`queue_field`"):
        source.read(query())
    assert source.read(query(where={"partition": ("gpu",)})).frame.used_capacity.tolist() == [41.0] * 6
    both = query(queue="", queue_field=("queue", "partition"))
    assert source.queues(both) == list(source.check(both).queues) == ["a", "a/gpu"]
    assert source.read(replace(both, queue="a/gpu")).frame.used_capacity.tolist() == [41.0] * 6
    assert source.read(replace(both, queue="a")).frame.used_capacity.tolist() == [95.5] * 6


def test_a_name_that_two_combinations_make_up_is_told(source: Source, fill: Fill) -> None:
    fill([sample(0, 1.0, queue="a/b"), sample(0, 2.0, partition="b")])
    with pytest.raises(UnreadableData, match="several values of `queue_field` make up this name"):
        source.read(query(queue="a/b", queue_field=("queue", "partition")))


@pytest.mark.parametrize("other", [{"node": 1}, {"node": 2.0}, {"is_backup": True}, {"host": ObjectId()}])
def test_whole_numbers_switches_and_references_tell_documents_apart_too(
    source: Source, fill: Fill, other: dict[str, object]
) -> None:
    (name,) = other
    fill(sample(hour, 95.5, load=hour / 3) for hour in range(6))
    fill(sample(hour, 41.0, load=hour / 7, **other) for hour in range(6))
    with pytest.raises(UnreadableData, match=f"differ in '{name}'"):
        source.read(query())


def test_many_timestamps_with_several_numbers_are_an_error_and_few_are_repeats(source: Source, fill: Fill) -> None:
    fill(sample(hour, 5.0, host="n1") for hour in range(100))
    fill([sample(3, 6.0, host="n1")])
    assert source.read(query()).duplicates == 1
    fill(sample(hour, 7.0, host="n1") for hour in range(10))
    with pytest.raises(UnreadableData, match=r"share 10 timestamps.*no column tells them apart"):
        source.read(query())


@pytest.mark.parametrize(
    ("where", "values"),
    [
        ({"ok": (True,)}, [0.0]),
        ({"size": ("1", 2)}, [1.0, 2.0]),
        ({"kind": ("x",), "size": (0, 1)}, [0.0]),
        ({"meta.rack": ("r1",)}, [1.0]),
        ({"meta.rack": ("",)}, [0.0, 2.0]),
    ],
)
def test_documents_are_chosen_by_texts_numbers_and_switches(
    source: Source, fill: Fill, where: Where, values: list[float]
) -> None:
    fill([sample(0, 0.0, ok=True, size=0, kind="x"), sample(1, 1.0, ok=False, size=1.0, kind="y", meta={"rack": "r1"})])
    fill([sample(2, 2.0, ok=1, size="2", kind="z")])
    reading = source.read(query(where=where))
    assert reading.frame.used_capacity.tolist() == values
    assert source.queues(query(queue="", where=where)) == ["a"]


def test_a_condition_that_nothing_meets_is_told_as_such(source: Source, fill: Fill) -> None:
    fill([sample(partition="gpu")])
    for look in (source.read, source.queues):
        with pytest.raises(SourceNotFound, match="found no field 'label', there are"):
            look(query(where={"label": ("gpu",)}))
        with pytest.raises(EmptySeries, match="no document of it that `where` keeps"):
            look(query(where={"partition": ("cpu",)}))
    with pytest.raises(InvalidRequest, match="found the field"):
        source.read(query(where={"$where": ("1",)}))


def test_a_look_says_all_that_is_wrong_at_once(source: Source, fill: Fill) -> None:
    fill([sample(load=[1.0])])
    asked = query(queue="", time_field="at", target="usage", columns=("load",), queue_field=("pool", "queue"))
    with pytest.raises(SourceNotFound, match=r"no field 'at'.*no field 'pool'.*no field 'usage'.*'load' holds"):
        source.check(asked)


def run_advice(server: MongoServer, advice: str) -> None:
    """Do what the advice says: its commands are a shell's, JSON but for bare names."""
    commands = re.findall(r'db\.getCollection\("(\w+)"\)\.updateMany\((.+?)\)(?:; db|$)', advice)
    assert commands
    with server.client() as client:
        for name, arguments in commands:
            chosen, change = json.loads("[" + re.sub(r"(?<=[{ ])(\$?\w+):", r'"\1":', arguments) + "]")
            client[DATABASE][name].update_many(chosen, change)


WRITTEN: dict[str, Callable[[datetime], object]] = {
    "dates and texts": lambda at: at if at.hour % 2 else at.astimezone(ZoneInfo("Asia/Kolkata")).isoformat(),
    "milliseconds": lambda at: Int64(int(at.timestamp() * 1_000)),
    "nanoseconds": lambda at: Int64(int(at.timestamp() * 1_000) * 1_000_000 + 1),
    "decimals": lambda at: Decimal128(str(at.timestamp())),
    "a zone's clock": lambda at: at.astimezone(ZoneInfo("Asia/Kolkata")).isoformat()[:19],
}


@pytest.mark.parametrize("form", WRITTEN)
def test_timestamps_that_are_no_dates_are_read_and_the_way_to_dates_is_told(
    mongod: MongoServer, source: Source, fill: Fill, form: str
) -> None:
    asked = query(samples_timezone="Asia/Kolkata")
    fill(sample(value=float(hour), timestamp=WRITTEN[form](START + hour / 2 * HOUR)) for hour in range(-4, 12))
    reading = source.read(asked)
    assert reading.frame.used_capacity.tolist() == [0.5, 2.5, 4.5, 6.5, 8.5, 10.5]
    assert (reading.rows, reading.losses) == (12, ())
    assert source.check(replace(asked, queue="")).start_at == START
    run_advice(mongod, reading.advice[0])
    mended = source.read(asked)
    assert mended.advice == ()
    assert mended.frame.used_capacity.tolist() == [0.5, 2.5, 4.5, 6.5, 8.5, 10.5]


def test_dates_and_numbers_since_1970_are_an_error_that_names_both(source: Source, fill: Fill) -> None:
    fill([*(sample(hour) for hour in range(3)), sample(timestamp=1767225600)])
    with pytest.raises(UnreadableData, match=r"3 timestamps with a time zone .* and 1 numbers of seconds .*'1767225600'"):
        source.read(query())


@pytest.mark.parametrize("time", [None, True, {"a": 1}, [START], Timestamp(1767225600, 1)], ids=str)
def test_documents_with_a_value_and_no_time_are_a_loss(source: Source, fill: Fill, time: object) -> None:
    fill([*(sample(hour) for hour in range(30)), sample(timestamp=time), {"queue": "a", "used_capacity": 1.0}, sample(31)])
    fill([{"queue": "a", "kind": "settings", "used_capacity": None}])
    losses = source.read(query()).losses
    assert [(loss.what, loss.count, loss.total, loss.is_severe) for loss in losses] == [(TIMES, 2, 33, True)]  # 6 %
    fill([sample(queue="b"), sample(queue="b", timestamp=time)])
    (loss,) = source.read(query(queue="b")).losses
    assert loss.is_at_end
    fill([sample(queue="c", timestamp=time)])
    with pytest.raises((UnreadableData, SourceNotFound), match=r"timestamp in 'timestamp': 1 of 1|no field 'timestamp'"):
        source.read(query(queue="c"))


@pytest.mark.parametrize("time", [lambda at: at, lambda at: at.isoformat()], ids=["dates", "texts"])
def test_a_document_of_another_kind_takes_no_value_away(source: Source, fill: Fill, time: Callable[[datetime], object]) -> None:
    fill(sample(timestamp=time(START + hour * HOUR), value=float(hour)) for hour in range(5))
    fill({"queue": "a", "timestamp": time(START + hour * HOUR), "apps": 3} for hour in range(5))
    reading = source.read(query())
    assert reading.frame.to_dict("list") == {"used_capacity": [0, 1, 2, 3, 4], "apps": [3] * 5}
    assert (reading.rows, reading.losses) == (10, ())


def test_fields_may_have_any_name_that_is_no_operator(source: Source, fill: Fill) -> None:
    named = {"Queue: name": "a", 'at "UTC"': START, "Auslastung % (ü)": 3.5, "a": 1.0, "memory": {"in MB": 2.0}}
    fill([named, {**named, "a": {"b": 1.0}, 'at "UTC"': START + HOUR}])
    for aggregation in (Aggregation.MEAN, Aggregation.TIME_WEIGHTED_MEAN):
        asked = query(queue_field="Queue: name", time_field='at "UTC"', target="Auslastung % (ü)", aggregation=aggregation)
        reading = source.read(asked)
        assert reading.frame["memory.in MB"].iloc[0] == 2.0
        assert reading.frame["Auslastung % (ü)"].iloc[0] == 3.5
    assert '{"Queue: name": 1, "at \\"UTC\\"": 1}' in reading.advice[0]


def test_documents_with_texts_as_times_are_told_apart_like_all_others(source: Source, fill: Fill) -> None:
    for host, value in (("n1", 1.0), ("n2", 2.0)):
        fill(sample(value=value, host=host, timestamp=f"2026-01-01T0{hour}:00:00Z") for hour in range(5))
    with pytest.raises(UnreadableData, match=r"share timestamps, first 2026-01-01 00:00 UTC, and differ in 'host' \(n1, n2\)"):
        source.read(query())
    assert source.read(query(where={"host": ("n2",)})).frame.used_capacity.tolist() == [2.0] * 5


@pytest.mark.parametrize("written", [lambda at: at, lambda at: at.isoformat()], ids=["dates", "texts"])
def test_texts_whose_point_looks_like_one_of_thousands_are_a_warning(source: Source, fill: Fill, written: Callable) -> None:
    values = ["987", "1.034", "1.120", 950]
    fill(sample(value=value, memory=1.5, timestamp=written(START + place * HOUR)) for place, value in enumerate(values))
    reading = source.read(query())
    assert reading.frame.used_capacity.tolist() == [987.0, 1.034, 1.12, 950.0]
    assert set(reading.frame) == {"used_capacity", "memory"}
    assert "'1.034', and lies far below the others, such as '987'; if the point stands between" in reading.advice[-1]


@pytest.mark.parametrize(("target", "column"), [("text", None), ("used_capacity", "text")])
def test_a_column_of_text_that_was_asked_for_is_refused(source: Source, fill: Fill, target: str, column: str | None) -> None:
    fill([sample(text="idle")])
    with pytest.raises(UnreadableData, match=r"cells with text instead of a number in 'text': 1 of 1 .*'idle'"):
        source.read(query(target=target, columns=(column,) if column else None))


def test_a_queue_without_a_finite_value_is_empty(source: Source, fill: Fill) -> None:
    fill([sample(0, float("nan")), sample(1, None)])
    with pytest.raises(EmptySeries, match=r"queue a.*none of the 2 values of 'used_capacity' is a finite number"):
        source.read(query())


def test_covariates_without_a_value_are_left_out_and_a_history_without_any_is_empty(source: Source, fill: Fill) -> None:
    fill([sample(0, "text", memory=1), sample(1, None, memory=float("nan"), cores=4)])
    reading = source.read(query(target=None))
    assert (set(reading.frame), reading.non_finite) == ({"memory", "cores"}, 0)
    with pytest.raises(EmptySeries, match="any field"):
        source.read(query(target=None, start=START + HOUR, end=START + 2 * HOUR, columns=()))


def test_documents_outside_the_history_say_when_they_are(source: Source, fill: Fill) -> None:
    fill([sample(timestamp=datetime.fromisoformat("2020-03-01T00:00Z")), sample(timestamp=START - HOUR)])
    with pytest.raises(EmptySeries, match=r"from 2020-03-01 00:00 UTC to 2025-12-31 23:00 UTC, none in .* 2026-01-01 .*`as_of`"):
        source.read(query())


def test_an_empty_collection_is_told_from_a_missing_one(source: Source, fill: Fill) -> None:
    for look in (lambda place: source.queues(all_queues(place)), lambda place: source.read(query(place))):
        with pytest.raises(EmptySeries, match="'queue_metrics' is empty"):
            look(PLACE)
        with pytest.raises(SourceNotFound, match="no collection 'nowhere' in the database 'usage'"):
            look(Place(name="mongodb", collection="nowhere"))


def test_a_field_of_queues_that_is_not_there_is_named(source: Source, fill: Fill) -> None:
    fill([sample()])
    for look in (lambda: source.queues(all_queues(PLACE, "pool")), lambda: source.read(query(queue_field="pool"))):
        with pytest.raises(SourceNotFound, match="found no field 'pool', there are queue, timestamp, used_capacity"):
            look()
    for fields in (("queue", "pool"), ("pool", "queue")):
        with pytest.raises(SourceNotFound, match="found no field 'pool', there are queue, timestamp, used_capacity"):
            source.queues(all_queues(PLACE, *fields))


def test_a_document_selects_by_the_discriminator_of_the_connection(mongod: MongoServer, fill: Fill) -> None:
    fill([sample(0, 1.0, kind="scheduler"), sample(0, 9.0, kind="nodes"), sample(0, 9.0, kind="nodes", queue="b")])
    source = a_source(mongod, document_field="kind")
    scheduler, unknown = (Place(name="mongodb", collection="queue_metrics", document=name) for name in ("scheduler", "x"))
    reading = source.read(query(scheduler))
    assert reading.frame.used_capacity.tolist() == [1.0]
    assert list(reading.frame) == ["used_capacity"]
    assert source.queues(all_queues(scheduler)) == ["a"]
    assert source.check(query(scheduler, queue="")).queues == ("a",)
    for look in (lambda: source.queues(all_queues(unknown)), lambda: source.read(query(unknown))):
        with pytest.raises(SourceNotFound, match="no document whose 'kind' is 'x'"):
            look()


def test_queues_that_are_no_text_are_read_by_the_text_they_are_shown_as(source: Source, fill: Fill) -> None:
    texts = ["-7", "007", "1e5", "65a000000000000000000001", "7", "7.5", "7.50", "True", "nan", "root.etl", str(2**70)]
    fill(sample(0, 1.0, queue=text) for text in texts)
    fill(sample(1, 2.0, queue=same) for same in (7, 7.0, 7.5, -7, 2.0**70, ObjectId("65a000000000000000000001")))
    fill(sample(2, 3.0, queue=no_name) for no_name in (None, "", True, float("nan"), float("inf"), {"a": 1}, b"a"))
    assert source.queues(all_queues(PLACE)) == sorted(texts)
    rows = {name: source.read(query(queue=name)).rows for name in texts}
    assert rows == dict.fromkeys(texts, 1) | {"7": 3, "7.5": 2, "-7": 2, str(2**70): 2, "65a000000000000000000001": 2}
    with pytest.raises(InvalidRequest, match="queue of type dict"):
        source.read(query(queue={"$ne": ""}))


def test_numbers_in_nested_documents_are_columns(source: Source, fill: Fill) -> None:
    fill([{"meta": {"queue": "a", "at": START}, "load": {"used": 3, "memory": {"mb": 4.5}}, "flag": True, "$b": 1, "note": "x"}])
    reading = source.read(query(queue_field="meta.queue", time_field="meta.at", target="load.used"))
    assert reading.frame.to_dict("list") == {"load.used": [3.0], "load.memory.mb": [4.5]}


def test_a_column_that_came_late_or_went_early_is_found(source: Source, fill: Fill) -> None:
    fill(sample(number / 10, 1.0, **({"old": 1} if number < 50 else {"new": 2})) for number in range(400))
    assert set(source.read(query()).frame) == {"used_capacity", "old", "new"}


def many_documents(queues: int) -> Iterator[dict[str, Any]]:
    """Of a day, every ten minutes: every second queue has a field of its own, and one is called 7 and "7"."""
    for step in range(144):
        for number in range(queues):
            more = {"memory": float(step), "note": "x"} if number % 2 else {"vcores": step, "memory": None}
            yield sample(step / 6, float(number + step % 7), queue=f"q{number}", **more)
        yield sample(step / 6, 1.0, queue="7" if step % 2 else 7)


@pytest.mark.parametrize(
    "changes", [{}, {"aggregation": Aggregation.MEDIAN, "timezone": "Europe/Berlin", "step_seconds": 86_400}]
)
def test_queues_without_an_index_are_read_by_few_passes_for_all_of_them(
    mongod: MongoServer, fill: Fill, source: ScannedSource, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
) -> None:
    fill(many_documents(queues=30))
    asked = query(queue="", where={"note": ["x", ""]}, **changes)
    assert source.together(asked, 30) == 0
    with mongod.client() as client:
        client[DATABASE].queue_metrics.drop_indexes()
        client[DATABASE].queue_metrics.insert_one(sample(3, 5.0, queue=None))
    assert source.together(asked, 30) == 30
    names = source.queues(asked)
    alone: list[str] = []
    read = MongoSource.read
    monkeypatch.setattr(MongoSource, "read", lambda self, one: alone.append(one.queue) or read(self, one))
    found = dict(source.scan(asked, names))
    assert alone == ["7"]
    assert sorted(found) == names
    assert all(isinstance(each, Reading) and each.losses[0].what == NAMELESS for each in found.values())


def test_an_index_leads_to_documents_that_name_no_queue(mongod: MongoServer, fill: Fill) -> None:
    fill(sample(step / 4, queue=f"q{step % 9}") for step in range(500))
    looked = nameless_of(query(), {}, ["used_capacity"], inside(query()))
    with mongod.client() as client:
        asked = {"explain": {"find": PLACE.collection, "filter": looked}, "verbosity": "executionStats"}
        assert client[DATABASE].command(asked)["executionStats"]["totalKeysExamined"] < 20


def test_a_missing_index_is_told_with_its_command_and_one_that_is_there_is_not(mongod: MongoServer, fill: Fill) -> None:
    fill([sample(document="usage")])
    source, place = a_source(mongod), Place(name="mongodb", collection="queue_metrics", document="usage")
    assert source.read(query()).notes == ()
    command = r'db\.getCollection\("queue_metrics"\)\.createIndex\(\{"queue": 1, "timestamp": 1\}\)'
    with mongod.client() as client:
        documents = client[DATABASE].queue_metrics
        for index, wanted in (([("timestamp", 1)], 1), ([("document", 1), ("queue", -1), ("timestamp", 1), ("x", 1)], 0)):
            documents.drop_indexes()
            documents.create_index(index)
            for notes in (source.read(query(place)).advice, source.check(query(place, queue="")).notes):
                assert len(notes) == wanted
                assert all(pd.Series(notes, dtype=str).str.contains(command))


def test_a_view_is_read_like_a_collection(mongod: MongoServer, source: Source, fill: Fill) -> None:
    fill([sample(), sample(queue="b")])
    with mongod.client() as client:
        client[DATABASE].create_collection("view", viewOn="queue_metrics", pipeline=[{"$match": {"queue": "a"}}])
    place = Place(name="mongodb", collection="view")
    assert source.queues(all_queues(place)) == ["a"]
    assert source.read(query(place)).rows == source.read(query()).rows == 1
    assert source.check(query(place, queue="")).notes == ()


def test_a_look_names_what_is_missing_and_an_empty_history_has_no_ends(source: Source, fill: Fill) -> None:
    fill([sample(1, 1.0, memory=2, host="n1")])
    assert source.check(query(queue="")).columns == ("used_capacity", "memory")
    with pytest.raises(
        SourceNotFound, match="found no field 'nonsense', there are queue, timestamp, used_capacity, memory, host"
    ):
        source.check(query(queue="", columns=("nonsense",)))
    later = source.check(query(queue="", start=START + 5 * HOUR, end=START + 9 * HOUR))
    assert (later.start_at, later.end_at) == (None, None)


@pytest.mark.parametrize("aggregation", Aggregation)
def test_a_server_that_will_not_collect_a_buckets_values_gives_them_all(
    mongod: MongoServer, source: Source, fill: Fill, aggregation: Aggregation
) -> None:
    fill(sample(number / 100, number) for number in range(400))
    asked = query(aggregation=aggregation)
    usual = source.read(asked)
    limits = ("internalQueryMaxPushBytes", "internalQueryMaxAddToSetBytes")
    with mongod.client() as client:
        before = {name: client.admin.command("getParameter", 1, **{name: 1})[name] for name in limits}
        try:
            for name in limits:
                client.admin.command("setParameter", 1, **{name: 500})
            reading = source.read(asked)
        finally:
            for name, value in before.items():
                client.admin.command("setParameter", 1, **{name: value})
    pd.testing.assert_frame_equal(reading.frame, usual.frame, check_freq=False, check_names=False)
    assert reading.notes == ((RAW_NOTE,) if aggregation in {Aggregation.MEDIAN, Aggregation.P95} else ())


HOSTILE_PLACES = ["system.users", "system.buckets.x", "a b", "a$b", "$cmd", "x" * 300, "../x", "a\0b", ""]


@pytest.mark.parametrize("name", HOSTILE_PLACES)
def test_a_collection_that_is_no_plain_name_is_refused(source: Source, name: str) -> None:
    for look in (lambda place: source.queues(all_queues(place)), lambda place: source.read(query(place))):
        with pytest.raises(InvalidRequest, match="accepted are letters"):
            look(Place(name="mongodb", collection=name))


@pytest.mark.parametrize("name", ["admin", "local", "config", "a b", "a$b"])
def test_the_servers_own_databases_are_refused(source: Source, name: str) -> None:
    with pytest.raises(InvalidSettings, match="may not name a database"):
        source.queues(all_queues(Place(name="mongodb", collection="system_users", database=name)))


@pytest.mark.parametrize("role", ["target", "columns", "time_field", "queue_field"])
def test_a_field_that_is_no_plain_name_is_refused(mongod: MongoServer, source: Source, fill: Fill, role: str) -> None:
    fill([sample()])
    for name in ("$ROOT", "$where", "a.$b", "a..b", "", "a\0", "x" * 121):
        with pytest.raises(InvalidRequest, match="found the field"):
            source.read(query(**{role: (name,) if role == "columns" else name}))
    with pytest.raises(InvalidRequest, match=r"\$where"):
        a_source(mongod, document_field="$where").read(query(Place(name="mongodb", collection="queue_metrics", document="x")))


@pytest.mark.parametrize("queue", ["' || '1'=='1", '{"$ne": ""}', "$queue", "/.*/", "a\0", "root.etl'); db.dropDatabase()"])
def test_a_hostile_queue_is_only_a_name_that_nobody_has(source: Source, fill: Fill, queue: str) -> None:
    fill([sample()])
    with pytest.raises(EmptySeries, match="found no document of it"):
        source.read(query(queue=queue))
    fill([sample(queue=queue)])
    assert source.read(query(queue=queue)).rows == 1
    assert source.queues(all_queues(PLACE)) == sorted(["a", queue])


def test_an_operator_as_a_value_is_refused(source: Source, fill: Fill) -> None:
    fill([sample()])
    with pytest.raises(SourceNotFound, match="no document whose 'document'"):
        source.read(query(Place(name="mongodb", collection="queue_metrics", document={"$ne": ""})))  # type: ignore[arg-type]


def test_a_read_only_user_is_all_that_reading_needs(mongod_with_users: MongoServer) -> None:
    with mongod_with_users.client() as client:
        client.drop_database(DATABASE)
        client[DATABASE].queue_metrics.insert_one(sample())
    source = a_source(mongod_with_users, "reader:reader")
    assert source.queues(all_queues(PLACE)) == ["a"]
    assert source.read(query()).rows == 1
    assert source.check(query(queue="")).columns == ("used_capacity",)
    with pytest.raises(SourceNotFound, match="no collection 'nowhere'"):
        source.read(query(Place(name="mongodb", collection="nowhere")))


def test_a_user_of_one_collection_needs_no_more(mongod_with_users: MongoServer) -> None:
    with mongod_with_users.client() as client:
        database = client[DATABASE]
        database.queue_metrics.insert_one(sample())
        one = [{"resource": {"db": DATABASE, "collection": "queue_metrics"}, "actions": ["find"]}]
        if not database.command("rolesInfo", "one_collection")["roles"]:
            database.command("createRole", "one_collection", privileges=one, roles=[])
            database.command("createUser", "narrow", pwd="narrow", roles=["one_collection"])
    url = mongod_with_users.url_of(DATABASE, "narrow:narrow", DATABASE)
    source = sources["mongodb"](MongodbConnection(url=SecretStr(url)))
    assert source.read(query()).rows >= 1
    assert source.check(query(queue="")).queues == ("a",)
    with pytest.raises(CredentialsRefused, match="not authorized"):
        source.read(query(Place(name="mongodb", collection="secret")))


@pytest.mark.parametrize(
    ("user", "reason"),
    [("reader:hush@", "Authentication failed"), ("nobody:hush@", "Authentication failed"), ("", "requires authentication")],
)
def test_a_wrong_password_and_none_are_told_at_once(mongod_with_users: MongoServer, user: str, reason: str) -> None:
    url = SecretStr(f"mongodb://{user}127.0.0.1:{mongod_with_users.port}/{DATABASE}?authSource=admin")
    with without_waiting(PYMONGO_SECONDS), pytest.raises(CredentialsRefused, match=reason) as caught:
        sources["mongodb"](MongodbConnection(url=url)).queues(all_queues(PLACE))
    assert "hush" not in str(caught.value)


def test_a_server_that_is_silent_is_away_within_its_limit(mongod: MongoServer) -> None:
    connection = a_connection(mongod, database="frozen")
    fresh = connection.model_copy(update={"url": SecretStr(f"{mongod.url_of('frozen')}?retryReads=false")})  # a client of its own
    mongod.freeze()
    try:
        with without_waiting(PYMONGO_SECONDS), pytest.raises(SourceAway, match="mongodb"):
            sources["mongodb"](fresh).read(query())
    finally:
        mongod.thaw()
    with pytest.raises(SourceNotFound, match="no collection"):  # and it is there again, for the same client
        sources["mongodb"](fresh).read(query())


def test_a_file_of_certificates_that_is_not_there_names_the_connection(mongod: MongoServer) -> None:
    url = SecretStr(f"mongodb://127.0.0.1:{mongod.port}/usage?tls=true&tlsCAFile=/nowhere/ca.pem")
    with pytest.raises(InvalidSettings, match=r"\(connection mongodb\): .*tlsCAFile=/nowhere/ca\.pem: No such file"):
        sources["mongodb"](MongodbConnection(url=url)).queues(all_queues(PLACE))


def test_of_documents_with_many_fields_only_what_is_asked_for_is_read(source: Source, fill: Fill) -> None:
    fill([sample(hour, **{f"c{number}": 1.0 for number in range(300)}) for hour in range(3)])
    reading = source.read(query(columns=None))
    assert list(reading.frame) == ["used_capacity"]
    assert "300 columns that nobody asked for, more than the 200" in reading.notes[0]
    with pytest.raises(UnreadableData, match="name in `columns` those that matter"):
        source.read(query(columns=None, target=None))


def test_more_names_than_an_answer_holds_are_a_reason(source: Source, fill: Fill) -> None:
    fill(sample(queue=f"{number:0500d}") for number in range(36_000))
    with pytest.raises(UnreadableData, match="more than MongoDB answers at once"):
        source.queues(all_queues(PLACE))
