"""What is special about files: their layouts, and what people find in them instead of clean rows."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shared.errors import EmptySeries, InvalidRequest, SourceNotFound, UnreadableData
from shared.jobs import Aggregation, Place
from shared.settings import Connection
from worker.sources import sources
from worker.sources.base import Query, Reading, Source

START = datetime(2026, 1, 5, tzinfo=UTC)
HEADER = "timestamp,queue,used_capacity"


def files(folder: Path) -> Source:
    return sources["files"](Connection(kind="files", path=folder))


def queues(folder: Path, path: str | None = None, queue_field: str = "queue") -> list[str]:
    return files(folder).queues(Place(name="files", path=path), queue_field)


def read(folder: Path, path: str | None = None, queue: str = "a", **changes: object) -> Reading:
    values = {"queue_field": "queue", "time_field": "timestamp", "target": "used_capacity", "columns": None, "start": START}
    values |= {"end": START + timedelta(days=1), "step_seconds": 3_600, "aggregation": Aggregation.MEAN} | changes
    return files(folder).read(Query(place=Place(name="files", path=path), queue=queue, **values))  # type: ignore[arg-type]


def write_csv(folder: Path, rows: Iterable[str], *, header: str = HEADER, name: str = "rows.csv") -> Path:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("\n".join([header, *rows]) + "\n")
    return folder


def write_times(folder: Path, times: Iterable[object]) -> Path:
    return write_csv(folder, [f"{moment},a,{value}" for value, moment in enumerate(times, 1)])


def values(reading: Reading) -> list[float]:
    return reading.frame.used_capacity.tolist()


# Where the files are


def test_a_missing_folder_says_where_files_belong(tmp_path):
    with pytest.raises(SourceNotFound, match=r"found no folder .*nowhere; it is where"):
        queues(tmp_path / "nowhere")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SourceNotFound, match=r"no CSV or Parquet file for 'load\.csv'"):
        queues(tmp_path, "load.csv")


def test_a_file_of_another_kind_is_not_read(tmp_path):
    (tmp_path / "load.xlsx").write_bytes(b"x")
    with pytest.raises(SourceNotFound, match="no CSV or Parquet file"):
        queues(tmp_path, "*")


@pytest.mark.parametrize("path", ["../secret.csv", "in/../../secret.csv", "/etc/passwd", "*/../../*.csv", "a\0/*.csv"])
def test_a_path_that_leaves_the_folder_is_refused(tmp_path, path):
    write_csv(tmp_path, ["2026-01-05,a,1"], name="secret.csv")
    (tmp_path / "in").mkdir()
    with pytest.raises(InvalidRequest, match=r"leaves the connection's folder; accepted is a glob inside it"):
        queues(tmp_path / "in", path)


@pytest.mark.parametrize("path", [None, "link.csv", "folder/*.csv"])
def test_a_link_out_of_the_folder_is_refused(tmp_path, path):
    write_csv(tmp_path / "out", ["2026-01-05,a,1"])
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link.csv").symlink_to(tmp_path / "out" / "rows.csv")
    (tmp_path / "in" / "folder").symlink_to(tmp_path / "out")
    with pytest.raises(InvalidRequest, match="is a link that leaves the connection's folder"):
        queues(tmp_path / "in", path)


def test_a_link_inside_the_folder_is_followed_and_read_once(tmp_path):
    write_csv(tmp_path, ["2026-01-05,a,1"])
    (tmp_path / "link.csv").symlink_to(tmp_path / "rows.csv")
    assert read(tmp_path).rows == 1


def test_a_folder_means_everything_below_it(tmp_path):
    write_csv(tmp_path, ["2026-01-05,a,1"], name="prod/2026/rows.csv")
    write_csv(tmp_path, ["2026-01-05,b,1"], name="test/rows.csv")
    write_csv(tmp_path, ["2026-01-05,c,1"], name=".hidden/rows.csv")
    assert queues(tmp_path, "prod") == queues(tmp_path, "prod/") == queues(tmp_path, str(tmp_path / "prod")) == ["a"]
    assert queues(tmp_path) == ["a", "b"]


# What is in them


def test_a_file_without_a_queue_column_is_the_queue_of_its_name(tmp_path):
    write_csv(tmp_path, ["2026-01-05,1"], header="timestamp,used_capacity", name="root.etl.csv")
    assert queues(tmp_path) == ["root.etl"]
    assert values(read(tmp_path, queue="root.etl")) == [1.0]


def test_a_queue_in_several_files_is_read_as_one(tmp_path):
    write_csv(tmp_path, ["2026-01-05T00:00Z,a,1", "2026-01-05T01:00Z,a,2"], name="1.csv")
    write_csv(tmp_path, ["2026-01-05T01:00Z,a,3", "2026-01-05T02:00Z,a,4"], name="2.csv")
    reading = read(tmp_path)
    assert values(reading) == [1.0, 3.0, 4.0]
    assert reading.duplicates == 1


def test_queues_named_by_numbers_are_texts(tmp_path):
    pd.DataFrame({"timestamp": [START, START], "queue": [7, 12], "used_capacity": [1, 2]}).to_parquet(tmp_path / "x.parquet")
    assert queues(tmp_path) == ["12", "7"]
    assert values(read(tmp_path, queue="7")) == [1.0]


def test_a_categorical_queue_column_is_read(tmp_path):
    frame = pd.DataFrame({"timestamp": [START, START], "queue": pd.Categorical(["a", "b"]), "used_capacity": [1, 2]})
    frame.to_parquet(tmp_path / "x.parquet")
    assert queues(tmp_path) == ["a", "b"]
    assert values(read(tmp_path, queue="b")) == [2.0]


@pytest.mark.parametrize("numbers", [[Decimal("1.5")], [np.float32(1.5)]])
def test_numbers_of_other_types_become_floats(tmp_path, numbers):
    pd.DataFrame({"timestamp": [START], "queue": ["a"], "used_capacity": numbers}).to_parquet(tmp_path / "x.parquet")
    assert values(read(tmp_path)) == [1.5]


def test_booleans_are_zero_and_one(tmp_path):
    times = [START, START + timedelta(hours=1)]
    pd.DataFrame({"timestamp": times, "queue": "a", "used_capacity": [True, False]}).to_parquet(tmp_path / "x.parquet")
    assert values(read(tmp_path)) == [1.0, 0.0]


def test_pandas_row_numbers_are_no_companion(tmp_path):
    frame = pd.DataFrame({"timestamp": [START], "queue": ["a"], "used_capacity": [1.0]}, index=[5])
    frame.to_parquet(tmp_path / "a.parquet")
    frame.to_csv(tmp_path / "a.csv")
    assert list(read(tmp_path, "a.parquet").frame) == list(read(tmp_path, "a.csv").frame) == ["used_capacity"]


def test_text_nobody_asked_for_is_left_out_and_named(tmp_path):
    write_csv(tmp_path, ["2026-01-05,a,1,node7"], header=f"{HEADER},host")
    pd.DataFrame({"timestamp": [START], "queue": ["a"], "used_capacity": [1.0], "host": ["node7"]}).to_parquet(
        tmp_path / "x.parquet"
    )
    for name in ("rows.csv", "x.parquet"):
        reading = read(tmp_path, name)
        assert list(reading.frame) == ["used_capacity"]
        assert "columns of text that nobody asked for: left out host" in reading.notes


def test_text_asked_for_by_name_is_refused(tmp_path):
    write_csv(tmp_path, ["2026-01-05,a,1,node7"], header=f"{HEADER},host")
    with pytest.raises(UnreadableData, match=r"column host\): found string such as 'node7'; accepted are numbers"):
        read(tmp_path, columns=("host",))


@pytest.mark.parametrize(("cell", "shown"), [("high", "high"), ("61%", "61%"), ('"61,2"', "61,2")])
def test_a_target_of_text_is_refused_with_an_example(tmp_path, cell, shown):
    write_csv(tmp_path, [f"2026-01-05,a,{cell}"])
    with pytest.raises(
        UnreadableData, match=rf"file rows\.csv, column used_capacity\): found string such as '{shown}'; accepted are num"
    ):
        read(tmp_path)


def test_numbers_stored_as_text_in_parquet_are_refused(tmp_path):
    pd.DataFrame({"timestamp": [START], "queue": ["a"], "used_capacity": ["61.2"]}).to_parquet(tmp_path / "x.parquet")
    with pytest.raises(UnreadableData, match=r"found string such as '61\.2'; accepted are numbers, stored as numbers"):
        read(tmp_path)


def test_a_few_texts_among_numbers_are_left_out_and_counted(tmp_path):
    write_csv(tmp_path, [f"2026-01-05T{hour:02}:00Z,a,{'down' if hour == 3 else hour}" for hour in range(6)])
    reading = read(tmp_path)
    assert values(reading) == [0.0, 1.0, 2.0, 4.0, 5.0]
    assert "1 cells hold text instead of a number: left out" in reading.notes
    assert reading.non_finite == 1


def test_broken_values_are_gaps_and_counted(tmp_path):
    cells = ["1", "", "NaN", "inf", "-inf", "1e200", "n/a", "8"]
    write_csv(tmp_path, [f"2026-01-05T{hour:02}:00Z,a,{cell}" for hour, cell in enumerate(cells)])
    reading = read(tmp_path)
    assert values(reading.__class__(frame=reading.frame.dropna(), rows=0)) == [1.0, 8.0]
    assert reading.non_finite == 6


def test_a_queue_without_a_finite_value_is_empty(tmp_path):
    write_csv(tmp_path, ["2026-01-05,a,NaN", "2026-01-05T01,a,"])
    with pytest.raises(EmptySeries, match="queue a.*none of the 2 values of 'used_capacity' is a finite number"):
        read(tmp_path)


def test_the_last_of_a_timestamp_wins_in_unsorted_rows(tmp_path):
    write_times(tmp_path, ["2026-01-05T02:00Z", "2026-01-05T01:00Z", "2026-01-05T02:00Z", "2026-01-05T00:00Z"])
    reading = read(tmp_path)
    assert values(reading) == [4.0, 2.0, 3.0]
    assert reading.duplicates == 1


def test_data_outside_the_history_says_when_they_are(tmp_path):
    write_times(tmp_path, ["2020-03-01", "2020-03-02"])
    with pytest.raises(
        EmptySeries, match=r"found 2 rows from 2020-03-01 00:00 UTC to 2020-03-02 .* none in .* 2026-01-05 .*`as_of`"
    ):
        read(tmp_path)


def test_several_queues_without_their_column_are_not_mixed_up(tmp_path):
    write_csv(tmp_path, ["2026-01-05,a,1", "2026-01-05,b,2"])
    with pytest.raises(
        UnreadableData, match=r"found no column 'pool', and 1 of 2 rows repeat a timestamp: .*text columns are queue"
    ):
        read(tmp_path, queue="rows", queue_field="pool")


# Files that are broken


@pytest.mark.parametrize("name", ["bad.csv", "bad.parquet"])
def test_a_file_of_0_bytes_is_refused(tmp_path, name):
    (tmp_path / name).touch()
    with pytest.raises(
        UnreadableData, match=rf"file {name}\): found 0 bytes; accepted is a CSV file with a header line, or a Parquet"
    ):
        queues(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("bad.parquet", b"PAR1 is not enough", "Parquet magic bytes not found"),
        ("bad.csv", b"\n\n", "Empty CSV file"),
        ("bad.csv", f"{HEADER}\n2026-01-05,a,61,2\n".encode(), "Expected 3 columns, got 4: 2026-01-05,a,61,2"),
        ("bad.csv", f"{HEADER}\n2026-01-05,\xe9,1\n".encode("latin-1"), "invalid UTF8"),
        ("bad.csv", "timestamp,queue,l\xe4nge\n2026-01-05,a,1\n".encode("latin-1"), "'utf-8' codec can't decode"),
        ("bad.csv", f"{HEADER},queue\n2026-01-05,a,1,a\n".encode(), "multiple columns named queue"),
    ],
)
def test_a_broken_file_fails_by_itself_and_the_others_go_on(tmp_path, name, content, found):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnreadableData, match=rf"file {name}\): .*{found}.*accepted is comma-separated CSV in UTF-8"):
        queues(tmp_path)
    write_csv(tmp_path, ["2026-01-05,a,1"], name="good.csv")
    assert queues(tmp_path) == ["a", "bad"]
    reading = read(tmp_path)
    assert values(reading) == [1.0]
    assert f"a file was left out: The source's content cannot be read as a time series (file {name})" in reading.notes[0]
    with pytest.raises(UnreadableData, match=found):
        read(tmp_path, queue="bad")


@pytest.mark.parametrize("end", ["", "\n"])
def test_a_header_without_rows_is_no_queue(tmp_path, end):
    (tmp_path / "rows.csv").write_text(HEADER + end)
    with pytest.raises((EmptySeries, UnreadableData), match=r"rows\.csv"):
        queues(tmp_path)


def test_a_line_that_is_being_written_is_left_out(tmp_path):
    write_csv(tmp_path, ["2026-01-05T00:00Z,a,1", "2026-01-05T01:00Z,a"])
    reading = read(tmp_path)
    assert values(reading) == [1.0]
    assert "1 lines that end early: left out" in reading.notes


def test_a_file_that_lacks_a_column_is_refused_only_where_it_matters(tmp_path):
    write_csv(tmp_path, ["2026-01-05,a,1"], name="load.csv")
    write_csv(tmp_path, ["2026-01-05,b,20"], header="timestamp,queue,temperature", name="rooms.csv")
    assert values(read(tmp_path)) == [1.0]
    with pytest.raises(
        SourceNotFound, match=r"file rooms\.csv\): found no column 'used_capacity', there are timestamp, queue, temp"
    ):
        read(tmp_path, queue="b")


# Time


@pytest.mark.parametrize(
    "written",
    [
        ("2026-01-05T01:30:00Z", "2026-01-05T02:30:00Z"),
        ("2026-01-05 02:30:00+01:00", "2026-01-05 05:30:00+03"),
        ("2026-01-05 01:30:00 UTC", "2026-01-05 02:30:00 UTC"),
        ("2026-01-05T01:30:00.123456789Z", "2026-01-05T03:30:00+0100"),
    ],
)
def test_any_offset_means_utc(tmp_path, written):
    reading = read(write_times(tmp_path, written))
    assert [moment.hour for moment in reading.frame.index] == [1, 2]
    assert reading.notes == ()


@pytest.mark.parametrize(
    "written", [("2026-01-05 01:30", "2026-01-05 02:30"), ("20260105T0130", "2026-01-05T02:30:00.123456789")]
)
def test_times_without_a_zone_are_taken_as_utc_and_noted(tmp_path, written):
    reading = read(write_times(tmp_path, written))
    assert [moment.hour for moment in reading.frame.index] == [1, 2]
    assert reading.notes == ("timestamps carry no time zone and were taken as UTC",)


def test_times_with_and_without_a_zone_in_one_file_are_refused(tmp_path):
    write_times(tmp_path, ["2026-01-05T01:30", "2026-01-05T02:30Z", "2026-01-05T03:30+02:00"])
    with pytest.raises(
        UnreadableData, match="column timestamp.: found 2 timestamps with a time zone and 1 without; accepted is one of both"
    ):
        read(tmp_path)


def test_times_with_and_without_a_zone_in_two_files_are_refused(tmp_path):
    write_csv(tmp_path, ["2026-01-05T01:30,a,1"], name="1.csv")
    write_csv(tmp_path, ["2026-01-05T02:30Z,a,1"], name="2.csv")
    with pytest.raises(UnreadableData, match="files with a time zone in their timestamps and files without"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("unit", "factor"), [("seconds", 1), ("milliseconds", 1_000), ("microseconds", 10**6), ("nanoseconds", 10**9)]
)
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_numbers_since_1970_are_read_by_their_magnitude(tmp_path, kind, unit, factor):
    times = [int((START.timestamp() + 3_600 * hour) * factor) for hour in (0, 1)]
    if kind == "csv":
        write_times(tmp_path, times)
    else:
        pq.write_table(pa.table({"timestamp": times, "queue": ["a", "a"], "used_capacity": [1, 2]}), tmp_path / "x.parquet")
    reading = read(tmp_path)
    assert [moment.hour for moment in reading.frame.index] == [0, 1]
    assert reading.notes == (f"timestamps are numbers and were read as {unit} since 1970",)


def test_row_numbers_are_no_time(tmp_path):
    pq.write_table(pa.table({"timestamp": [1, 2, 3], "queue": ["a"] * 3, "used_capacity": [1, 2, 3]}), tmp_path / "x.parquet")
    with pytest.raises(UnreadableData, match="found numbers such as 2, which are no time; accepted are ISO 8601"):
        read(tmp_path)


def test_a_few_unreadable_times_are_left_out_and_counted(tmp_path):
    reading = read(write_times(tmp_path, ["2026-01-05T01:00Z", "yesterday", "", "9999-12-31T00:00:00Z", "2026-01-05T02:00Z"]))
    assert values(reading) == [1.0, 5.0]
    assert reading.notes == ("3 rows without a readable timestamp: left out",)


@pytest.mark.parametrize(
    ("written", "found"),
    [
        (["05/01/2026 13:00", "x"], "found no timestamp in 2 rows, but for example '05/01/2026 13:00'"),
        (["", ""], "all are empty"),
    ],
)
def test_a_column_without_a_timestamp_is_refused_with_an_example(tmp_path, written, found):
    with pytest.raises(UnreadableData, match=rf"file rows\.csv, column timestamp\): .*{found}; accepted are ISO 8601"):
        read(write_times(tmp_path, written))


def test_a_time_column_of_another_type_is_refused(tmp_path):
    pq.write_table(pa.table({"timestamp": [True], "queue": ["a"], "used_capacity": [1]}), tmp_path / "x.parquet")
    with pytest.raises(UnreadableData, match="found type bool, accepted are ISO 8601"):
        read(tmp_path)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Berlin"])
def test_typed_times_of_any_unit_and_zone(tmp_path, unit, zone):
    times = pa.array([START.replace(tzinfo=None), None]).cast(pa.timestamp("us")).cast(pa.timestamp(unit, tz=zone))
    pq.write_table(pa.table({"timestamp": times, "queue": ["a", "a"], "used_capacity": [1, 2]}), tmp_path / "x.parquet")
    reading = read(tmp_path)
    assert reading.frame.index.tolist() == [pd.Timestamp(START)]
    assert "1 rows without a readable timestamp: left out" in reading.notes


def test_dates_are_their_midnight(tmp_path):
    pq.write_table(pa.table({"timestamp": [START.date()], "queue": ["a"], "used_capacity": [1]}), tmp_path / "x.parquet")
    assert read(tmp_path).frame.index.tolist() == [pd.Timestamp(START)]


def test_one_queue_of_many_is_read_in_well_under_a_second(tmp_path):
    times = np.tile(pd.date_range("2026-01-01", periods=100_000, freq="30s"), 4)
    table = pd.DataFrame({"queue": np.repeat(list("abcd"), 100_000), "timestamp": times, "used_capacity": np.arange(400_000.0)})
    table.to_parquet(tmp_path / "x.parquet")
    read(tmp_path)  # imports
    began = time.process_time()
    assert read(tmp_path, queue="c").rows == 2_880
    assert time.process_time() - began < 1
