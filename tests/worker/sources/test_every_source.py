"""What every source promises, held against one oracle: raw rows resampled by pandas.

A new source adds one line to `STORED` (stored.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from shared.config.connection import kinds
from shared.connections.mongodb import MongodbConnection
from shared.domain.jobs import Place
from shared.domain.samples import Aggregation, Limits
from shared.domain.timegrid import TimeGrid
from shared.errors import DataError, EmptySeries, SourceNotFound, UnreadableData
from tests.servers import MongoServer
from tests.worker.sources.queries import DAYS, PERIODS, START, a_query, all_queues
from tests.worker.sources.stored import (
    STORED,
    WAYS,
    keep,
    open_files,
    store_csv,
    store_documents,
    store_metrics,
    store_parquet,
    store_points,
    store_time_series,
)
from worker.pipeline.snapshot import make_snapshot
from worker.sources import sources
from worker.sources._lost import NAMELESS, OUTSIDE, TIMES
from worker.sources.base import Query, Source


def raw_rows() -> pd.DataFrame:
    """Two queues, a sample every few minutes, as monitoring has them: holes, a dead day, broken values, one row written twice."""
    rng = np.random.default_rng(11)
    frames = []
    for queue in ("root.etl", "root.adhoc"):
        seconds = np.sort(rng.choice(DAYS * 86_400, 6_000, replace=False))
        times = pd.to_datetime(START) + pd.to_timedelta(seconds, unit="s")
        frame = pd.DataFrame({"queue": queue, "timestamp": times, "used_capacity": rng.gamma(4, 15, len(times))})
        frame["memory"] = 100 - frame.used_capacity * rng.random(len(times))
        frame = frame[(frame.timestamp < "2026-01-12T05:00Z") | (frame.timestamp >= "2026-01-13T09:00Z")]
        frame.iloc[[5, 70, 71], 2] = [np.nan, np.inf, -np.inf]
        frame.iloc[[9], 3] = np.nan
        again = frame.iloc[[40]].assign(used_capacity=99.0)
        frames.append(pd.concat([frame, again]))
    return pd.concat(frames).sort_values("timestamp", kind="stable", ignore_index=True)


def held(own: pd.DataFrame, query: Query) -> pd.DataFrame:
    """Second by second, slowly: each value until the next one, a day at most after the last; the mean of each bucket."""
    seconds = pd.date_range(own.index[0], min(query.end, own.index[-1] + timedelta(days=1)), freq="1s", inclusive="left")
    columns = {name: own[name].dropna().reindex(seconds, method="ffill") for name in own}
    return pd.DataFrame(columns).resample(f"{query.step_seconds}s", origin="epoch").mean().dropna(how="all")


def expected(rows: pd.DataFrame, query: Query) -> pd.DataFrame:
    """The oracle: UTC, epoch-aligned, left-closed, left-labelled; the last of a timestamp wins; broken values are gaps."""
    own = rows[(rows.queue == query.queue) & (rows.timestamp >= query.known_from) & (rows.timestamp < query.end)]
    own = own.drop_duplicates("timestamp", keep="last").set_index("timestamp").drop(columns="queue")
    own = own.replace([np.inf, -np.inf], np.nan)
    if query.holds:
        return held(own, query)
    how = high if query.aggregation is Aggregation.P95 else query.aggregation.value
    return own.resample(f"{query.step_seconds}s", origin="epoch").agg(how).dropna(how="all")


def high(values: pd.Series) -> float:
    """The sample that 95 % do not pass, by its place: 19 of 20, 10 of 10, 11 of 12."""
    known = sorted(values.dropna())
    return known[(190 * len(known) + 100) // 200 - 1] if known else np.nan


@pytest.fixture(scope="module", params=WAYS)
def stored(request: pytest.FixtureRequest) -> tuple[Source, Place, pd.DataFrame]:
    rows = raw_rows()
    source, place, *kept = keep(request, request.param, rows)
    return source, place, kept[0] if kept else rows


def test_every_kind_of_connection_with_a_source_is_held_to_the_contract():
    """That of a cluster has no rows of its own: others read them for it, and test_yarn_source.py holds it to their contract.

    Uploads are files, read by the same class.
    """
    assert {kind for kind in kinds if "source" in kinds[kind].roles} == set(sources) == {*STORED, "uploads", "yarn"}


@pytest.mark.parametrize("aggregation", Aggregation)
@pytest.mark.parametrize("step_seconds", PERIODS.values(), ids=PERIODS.keys())
def test_buckets_are_those_of_the_oracle(stored, step_seconds, aggregation):
    source, place, rows = stored
    start, end = map(TimeGrid(step_seconds).bucket_start, (START + timedelta(days=8), START + timedelta(days=DAYS)))
    query = a_query(place, start=start, end=end, step_seconds=step_seconds, aggregation=aggregation)
    frame = source.read(query).frame.dropna(how="all")
    known = expected(rows, query)
    known = known[known.index >= pd.Timestamp(query.start)]
    pd.testing.assert_frame_equal(frame, known, check_freq=False, check_names=False, check_like=True, rtol=1e-12)


def test_the_snapshot_is_the_same_in_each_bit_whichever_source_gave_the_samples(stored):
    """Databases add up in an order of their own; an optimiser takes another path from the last bit on."""
    source, place, rows = stored
    query = a_query(place)
    given = {"queue": query.queue, "target": query.target, "grid": query.grid, "issued_at": query.end}
    found, _ = make_snapshot(source.read(query).frame, **given)
    oracle, _ = make_snapshot(expected(rows, query), **given)
    assert found.frame.to_numpy().tobytes() == oracle.frame.to_numpy().tobytes()
    assert found.frame.columns.tolist() == oracle.frame.columns.tolist()


def test_values_that_cannot_be_are_left_out_of_the_target_alone_and_counted(stored):
    source, place, rows = stored
    query = a_query(place, physical_range=(20.0, 100.0))
    reading = source.read(query)
    cannot_be = np.isfinite(rows.used_capacity) & ~rows.used_capacity.between(20.0, 100.0)
    steps = expected(rows.assign(used_capacity=rows.used_capacity.mask(cannot_be)), query)
    pd.testing.assert_frame_equal(reading.frame[list(steps)].dropna(how="all"), steps, check_freq=False, check_names=False)
    [loss] = [loss for loss in reading.losses if loss.what == OUTSIDE]
    assert (loss.column, loss.count) == ("used_capacity", (cannot_be & (rows.queue == "root.etl")).sum())


def test_the_index_is_utc_sorted_and_unique_and_every_column_is_float(stored):
    source, place, _ = stored
    frame = source.read(a_query(place)).frame
    assert str(frame.index.tz) == "UTC"
    assert frame.index.is_monotonic_increasing
    assert frame.index.is_unique
    assert set(frame.columns) == {"used_capacity", "memory"}
    assert all(frame.dtypes == np.float64)


def test_a_step_without_a_sample_is_absent_or_nan_and_never_zero(stored):
    source, place, _ = stored
    dead = source.read(a_query(place)).frame.reindex(pd.date_range("2026-01-12T05:00Z", "2026-01-13T08:00Z", freq="1h"))
    assert dead.isna().all(axis=None)


def test_nothing_outside_start_and_end_is_read(stored):
    source, place, rows = stored
    start, end = START + timedelta(days=2), START + timedelta(days=3)
    reading = source.read(a_query(place, start=start, end=end))
    inside = rows[(rows.queue == "root.etl") & (rows.timestamp >= start) & (rows.timestamp < end)]
    assert reading.rows == len(inside)
    assert reading.frame.index.min() >= start
    assert reading.frame.index.max() < end


def test_that_there_are_samples_before_the_history_is_seen_by_the_way(stored):
    """Not by MongoDB without an index: there the look would read the whole collection."""
    source, place, rows = stored
    later = source.read(a_query(place, start=START + timedelta(days=2), end=START + timedelta(days=3)))
    first = rows[rows.queue == "root.etl"].timestamp.min().to_pydatetime()
    assert later.oldest_at in {first, None}
    assert (later.oldest_at is None) == any("index" in advice for advice in later.advice)
    assert source.read(a_query(place)).oldest_at is None


def test_repeated_and_broken_samples_are_counted(stored):
    source, place, rows = stored
    reading = source.read(a_query(place))
    assert reading.rows == (rows.queue == "root.etl").sum()
    own = rows[rows.queue == "root.etl"]
    assert reading.duplicates == own.timestamp.duplicated().sum()
    unique = own.drop_duplicates("timestamp", keep="last")
    assert reading.non_finite == (~np.isfinite(unique.used_capacity)).sum()
    assert reading.newest_at == unique.timestamp[np.isfinite(unique.used_capacity)].max()


def test_columns_asked_for_by_name_come_alone_and_without_a_target_all_others(stored):
    source, place, _ = stored
    assert set(source.read(a_query(place, target=None)).frame.columns) == {"used_capacity", "memory"}
    assert list(source.read(a_query(place, columns=())).frame.columns) == ["used_capacity"]
    assert set(source.read(a_query(place, columns=("memory",))).frame.columns) == {"used_capacity", "memory"}


def test_limits_are_read_beside_the_target_whoever_names_them(stored):
    source, place, _ = stored
    said = a_query(place, columns=(), limits=Limits(maximum="memory"))
    assert list(source.read(said).frame.columns) == ["used_capacity", "memory"]
    elsewhere = a_query(place, target="memory", columns=(), limits=Limits(guaranteed=1.0, maximum="used_capacity"))
    assert set(source.read(elsewhere).frame.columns) == {"used_capacity", "memory"}


def test_a_look_tells_queues_in_order_columns_and_the_ends_of_the_history(stored):
    source, place, rows = stored
    start, end = START + timedelta(days=2), START + timedelta(days=3)
    view = source.check(a_query(place, queue="", start=start, end=end))
    assert view.queues == tuple(source.queues(all_queues(place))) == ("root.adhoc", "root.etl")
    assert set(view.columns) == {"used_capacity", "memory"}
    times = rows.timestamp[(rows.timestamp >= start) & (rows.timestamp < end)]
    ends = {view.start_at: times.min(), view.end_at: times.max()}
    assert all(abs(told - true) < timedelta(hours=1) for told, true in ends.items())


def test_an_unknown_queue_is_an_error_of_the_data(stored):
    source, place, _ = stored
    with pytest.raises(DataError, match=r"root\.nowhere"):
        source.read(a_query(place, queue="root.nowhere"))


@pytest.mark.parametrize("changes", [{"target": "nonsense"}, {"time_field": "nonsense"}, {"columns": ("memory", "nonsense")}])
def test_a_missing_column_is_named(stored, changes):
    source, place, _ = stored
    with pytest.raises(SourceNotFound, match=r"'nonsense'(?=.*used_capacity).*memory"):
        source.read(a_query(place, **changes))


def test_a_history_without_samples_is_empty(stored):
    source, place, _ = stored
    with pytest.raises(EmptySeries, match="as_of"):
        source.read(a_query(place, start=START + timedelta(days=90), end=START + timedelta(days=95)))


def test_a_missing_place_is_not_found(stored):
    source, place, _ = stored
    names = {"metric": "nowhere"}
    nowhere = Place(name=place.name, path="nowhere.csv", collection="nowhere", measurement="nowhere", others=names)
    with pytest.raises(SourceNotFound, match="nowhere"):
        source.queues(all_queues(nowhere))
    with pytest.raises(SourceNotFound, match="nowhere"):
        source.read(a_query(nowhere))


def store_cells(folder: Path, rows: pd.DataFrame) -> tuple[Source, Place]:
    rows.to_csv(folder / "rows.csv", index=False)
    return open_files(folder, "rows.csv")


def store_fields(server: MongoServer, rows: pd.DataFrame) -> tuple[Source, Place]:
    with server.client() as client:
        client.drop_database("sources")
        client["sources"].usage.insert_many(rows.to_dict("records"))
    return sources["mongodb"](MongodbConnection(url=server.url_of("sources"))), Place(name="mongodb", collection="usage")


WRITABLE = [("empty_folder", store_cells), ("mongod", store_fields)]  # sources that hold timestamps of any form
Written = Callable[[Sequence[object]], tuple[Source, Place]]


@pytest.fixture(params=WRITABLE, ids=["files", "mongodb"])
def written(request: pytest.FixtureRequest) -> Written:
    """Stores a queue with a row for each of these timestamps, in their order."""
    where, store = request.getfixturevalue(request.param[0]), request.param[1]

    def write(times: Sequence[object]) -> tuple[Source, Place]:
        columns = {"queue": "root.etl", "timestamp": list(times), "used_capacity": [float(place) for place in range(len(times))]}
        source, place = store(where() if request.param[0] == "empty_folder" else where, pd.DataFrame(columns, dtype=object))
        return source, place

    return write


FORMS: dict[str, Callable[[datetime], object]] = {
    "texts with a zone": lambda at: at.isoformat(),
    "texts of several zones": lambda at: at.astimezone(ZoneInfo("Asia/Kolkata" if at.hour % 2 else "UTC")).isoformat(),
    "seconds": lambda at: int(at.timestamp()),
    "milliseconds": lambda at: int(at.timestamp() * 1_000),
    "seconds as text": lambda at: str(int(at.timestamp())),
    "texts without a zone": lambda at: f"{at:%Y-%m-%d %H:%M:%S}",
}
ASSUMED = {"seconds": "read as seconds", "milli": "read as milliseconds", "texts without": "no time zone and were taken as UTC"}


@pytest.mark.parametrize("form", FORMS)
def test_timestamps_of_every_form_mean_the_same_and_what_was_assumed_is_said(written, form):
    source, place = written([FORMS[form](START + timedelta(minutes=30 * place)) for place in range(-4, 12)])
    reading = source.read(a_query(place))
    assert reading.frame.used_capacity.tolist() == [4.5, 6.5, 8.5, 10.5, 12.5, 14.5]
    assert (reading.rows, reading.losses) == (12, ())
    assumed = [said for start, said in ASSUMED.items() if form.startswith(start)]
    assert len(reading.notes) == len(assumed)
    assert all(said in note for said, note in zip(assumed, reading.notes, strict=True))
    with pytest.raises(EmptySeries, match=r"from 2025-12-31 22:00 UTC to 2026-01-01 05:30 UTC, none in the history"):
        source.read(a_query(place, start=START + timedelta(days=5), end=START + timedelta(days=6)))


@pytest.mark.parametrize("is_falling", [False, True], ids=["oldest first", "newest first"])
def test_texts_without_a_zone_are_of_the_zone_said_in_the_hour_that_comes_twice_too(written, is_falling):
    start = datetime(2026, 10, 24, 22, tzinfo=UTC)
    wall = [(start + timedelta(hours=hour)).astimezone(ZoneInfo("Europe/Berlin")) for hour in range(6)]
    source, place = written([f"{at:%Y-%m-%d %H:%M}" for at in wall][:: -1 if is_falling else 1])
    query = a_query(place, start=start, end=start + timedelta(days=1), samples_timezone="Europe/Berlin")
    reading = source.read(query)
    assert reading.frame.used_capacity.tolist() == [0, 1, 2, 3, 4, 5][:: -1 if is_falling else 1]
    assert reading.notes == ("timestamps carry no time zone and were taken as Europe/Berlin",)
    doubtful = source.read(replace(query, samples_timezone=None, timezone="Europe/Berlin"))
    assert "although `timezone` is Europe/Berlin: say in `samples_timezone` in which zone they" in doubtful.advice[-1]


@pytest.mark.parametrize(
    ("times", "found"),
    [
        (
            ["2026-01-01T00:00Z", "2026-01-01T02:00Z", "2026-01-01T01:00"],
            "found 2 timestamps with a time zone such as '2026-01-01T00:00Z' and 1 timestamps without a time zone such as"
            " '2026-01-01T01:00', the latter from 2026-01-01 01:00 UTC to .* accepted is one kind in every row; or say in"
            " `samples_timezone` in which zone those without were written",
        ),
        (
            ["1767225600", "1767225601", "1767225600000"],
            "found 2 numbers of seconds since 1970 .* 1 numbers of milliseconds since",
        ),
        (["yesterday", "today"], "found no timestamp in 2 rows, but for example 'yesterday'; accepted are ISO 8601"),
    ],
)
def test_timestamps_of_two_kinds_or_of_none_are_refused_in_the_same_words(written, times, found):
    source, place = written(times)
    with pytest.raises(UnreadableData, match=rf"queue root.etl.*column timestamp.*: {found}"):
        source.read(a_query(place))


def test_where_a_zone_is_said_texts_may_carry_one_too(written):
    source, place = written(["2026-01-01T00:00Z", "2026-01-01T02:00"])
    index = source.read(a_query(place, samples_timezone="Europe/Berlin")).frame.index
    assert [moment.hour for moment in index] == [0, 1]


@pytest.mark.parametrize(("lost", "is_at_end"), [(5, False), (29, True), (0, False)])
@pytest.mark.parametrize("is_falling", [False, True], ids=["oldest first", "newest first"])
def test_rows_whose_time_says_nothing_are_a_loss_that_knows_where_it_is(written, lost, is_at_end, is_falling):
    times = [(START + timedelta(hours=hour)).isoformat() if hour != lost else "yesterday" for hour in range(30)]
    source, place = written(times[:: -1 if is_falling else 1])
    [loss] = source.read(a_query(place)).losses
    assert (loss.what, loss.count, loss.total, loss.example) == (TIMES, 1, 30, "yesterday")
    around = [START + timedelta(hours=min(28, max(1, lost - 1))), START + timedelta(hours=min(28, lost + 1))]
    assert [loss.first_at, loss.last_at] == sorted(around)
    assert loss.is_at_end == is_at_end


def labelled_rows() -> pd.DataFrame:
    """One queue in two partitions, whose numbers share timestamps; a broken collector writes -1 twice."""
    times = pd.date_range(START, periods=240, freq="30min", tz="UTC")
    partitions = [
        pd.DataFrame({"queue": "root.etl", "partition": name, "timestamp": times, "used_capacity": level + np.arange(240) / 10})
        for name, level in (("default", 95.5), ("gpu", 41.0))
    ]
    rows = pd.concat(partitions, ignore_index=True)
    rows.loc[[250, 251], "used_capacity"] = -1.0
    return rows


ONE_TABLE = {
    "files": (store_csv, store_parquet),
    "influxdb": (store_points,),
    "mongodb": (store_documents, store_time_series),
    "prometheus": (store_metrics,),
}
TABLES = [pytest.param((STORED[name][0], way), id=f"{name}-{way.__name__}") for name, ways in ONE_TABLE.items() for way in ways]


@pytest.fixture(scope="module", params=TABLES)
def labelled(request: pytest.FixtureRequest) -> tuple[Source, Place]:
    source, place, *_ = keep(request, request.param, labelled_rows())
    return source, place


def test_a_dimension_that_nobody_asked_for_is_refused_in_the_same_words(labelled):
    source, place = labelled
    with pytest.raises(UnreadableData) as error:
        source.read(a_query(place))
    assert str(error.value) == (
        "The source's content cannot be read as a time series (queue root.etl): its rows share timestamps, first"
        " 2026-01-01 00:00 UTC, and differ in 'partition' (default, gpu) and in their numbers; keep one with `where`:"
        ' {"partition": "gpu"}, or make each a queue with `queue_field`: ["queue", "partition"]'
    )


def turns() -> pd.DataFrame:
    """One queue in two partitions, that a collector asks one after the other."""
    times = pd.date_range(START, periods=96, freq="30min", tz="UTC")
    load = 40 + 20 * np.sin(np.arange(96) / 8)
    parts = {"gpu": (load + 50, timedelta(seconds=7)), "x": (load, timedelta())}
    frames = [
        pd.DataFrame({"queue": "root.etl", "timestamp": times + late, "used_capacity": values, "label": name})
        for name, (values, late) in parts.items()
    ]
    return pd.concat(frames, ignore_index=True)


@pytest.mark.parametrize("store", TABLES)
def test_a_dimension_whose_rows_lie_seconds_apart_is_refused_too(request, store):
    rows = turns().rename(columns={"label": "partition"})
    source, place, *_ = keep(request, store, rows)
    with pytest.raises(
        UnreadableData, match=r"its rows share steps, .* differ in 'partition' \(gpu, x\) and in their numbers; keep"
    ):
        source.read(a_query(place))
    assert source.read(a_query(place, where={"partition": ("x",)})).frame.used_capacity.max() < 61


def test_so_it_is_by_a_field_of_influxdb_and_by_documents_whose_times_are_texts(influxd, mongod):
    rows = turns()
    texts = rows.assign(timestamp=[at.isoformat() for at in rows.timestamp])
    for (source, place), way in ((store_fields(mongod, texts), "queue_field"), (store_points(influxd, rows)[:2], "as a tag")):
        with pytest.raises(UnreadableData, match=rf"share steps, .* differ in 'label' \(gpu, x\) .*; keep one .*, or .*{way}"):
            source.read(a_query(place))
        assert source.read(a_query(place, where={"label": ("x",)})).frame.used_capacity.max() < 61


KINDS = [
    each for each in TABLES if "store_metrics" not in str(each.id) and "points" not in str(each.id)
]  # these have no empty cells


@pytest.mark.parametrize("aggregation", [Aggregation.MEAN, Aggregation.TIME_WEIGHTED_MEAN])
@pytest.mark.parametrize("store", KINDS)
def test_rows_of_another_kind_at_the_same_times_take_no_value_away(request, store, aggregation):
    times = pd.date_range(START, periods=48, freq="1h", tz="UTC")
    usage = pd.DataFrame({"queue": "root.etl", "timestamp": times, "used_capacity": np.arange(48.0)})
    apps = pd.DataFrame({"queue": "root.etl", "timestamp": times, "apps": 3.0})
    source, place, *_ = keep(request, store, pd.concat([usage, apps], ignore_index=True))
    reading = source.read(a_query(place, aggregation=aggregation))
    assert reading.frame.used_capacity.iloc[:48].tolist() == usage.used_capacity.tolist()
    assert reading.frame.apps.iloc[:48].tolist() == apps.apps.tolist()
    assert reading.losses == ()


def test_both_ways_out_lead_to_the_same_numbers_and_losses(labelled):
    source, place = labelled
    rows = labelled_rows().query("partition == 'gpu' and used_capacity >= 0")
    oracle = rows.set_index("timestamp").used_capacity.resample("1h").mean()
    both = a_query(place, queue="", queue_field=("queue", "partition"))
    assert source.queues(both) == ["root.etl/default", "root.etl/gpu"]
    ways = {"where": a_query(place, where={"partition": ("gpu",)}), "queue_field": replace(both, queue="root.etl/gpu")}
    for query in ways.values():
        reading = source.read(replace(query, physical_range=(0.0, None)))
        assert reading.frame.used_capacity.dropna().tolist() == pytest.approx(oracle.dropna().tolist())
        assert reading.rows == 240
        (loss,) = reading.losses
        assert (loss.what, loss.column, loss.count, loss.total, float(loss.example)) == (OUTSIDE, "used_capacity", 2, 240, -1)
        assert (loss.first_at, loss.last_at) == (START + timedelta(hours=5), START + timedelta(hours=5.5))
        assert not loss.is_severe
        assert source.read(replace(query, physical_range=(0.0, None), missing_values=(-1.0,))).losses == ()


@pytest.mark.parametrize("store", TABLES)
def test_rows_that_name_no_queue_are_a_loss_that_fails_none_unless_they_are_most(request, store):
    times = pd.date_range(START, periods=24, freq="1h", tz="UTC")
    names = {"root.etl": times[:8], "root.adhoc": times[:12], "": times[5:15]}
    frames = [pd.DataFrame({"queue": name, "timestamp": own, "used_capacity": 1.0}) for name, own in names.items()]
    rows = pd.concat(frames, ignore_index=True)
    rows["partition"] = np.where(rows.timestamp < times[7], "old", "new")
    source, place, *_ = keep(request, store, rows)
    assert source.queues(all_queues(place)) == ["root.adhoc", "root.etl"]
    for queue, total in {"root.etl": 30, "root.adhoc": 22}.items():
        (loss,) = source.read(a_query(place, queue=queue)).losses
        assert (loss.what, loss.column, loss.count, loss.total) == (NAMELESS, "queue", 10, total)
        assert (loss.first_at, loss.last_at, loss.is_severe) == (times[5], times[14], False)
        assert loss.example
    (most,) = source.read(a_query(place, where={"partition": ("new",)})).losses
    assert (most.count, most.total, most.is_severe) == (8, 14, True)
    assert source.read(a_query(place, end=times[5])).losses == ()


def test_covariates_of_a_place_without_columns_of_the_usage_are_read_without_them(labelled):
    source, place = labelled
    gpu = a_query(place, target=None, where={"partition": ("gpu",)})
    asked = replace(gpu, where={**gpu.where, "rack": ("r1",)}, queue="root.etl/x", queue_fields=("queue", "host"))
    [note] = source.read(asked).notes
    assert (
        note
        == f"covariates of {place.name} have no column rack, host, so `where` and `queue_field` do without, read for 'root.etl'"
    )
    assert source.read(asked).frame.equals(source.read(gpu).frame)
    view = source.check(replace(asked, queue=""))
    assert (view.queues, view.notes[0]) == (("root.etl",), note.partition(", read")[0])
    with pytest.raises(SourceNotFound, match="host"):
        source.read(replace(asked, target="used_capacity", where={}))


def test_rows_with_nothing_in_a_column_are_chosen_by_the_empty_text(labelled):
    source, place = labelled
    with pytest.raises(DataError):
        source.read(a_query(place, where={"partition": ("",)}))


def test_a_condition_that_no_row_meets_leaves_nothing(labelled):
    source, place = labelled
    with pytest.raises(DataError):
        source.read(a_query(place, where={"partition": ("cpu",)}))
    with pytest.raises(SourceNotFound, match="label"):
        source.read(a_query(place, where={"label": ("cpu",)}))
