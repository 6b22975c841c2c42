"""Timestamps as people write them."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shared.errors import UnreadableData
from tests.worker.sources.files import START, read, values, write_csv, write_times


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


def test_times_with_and_without_a_zone_are_refused_in_one_file_and_in_two(tmp_path):
    write_times(tmp_path, ["2026-01-05T01:30", "2026-01-05T02:30Z", "2026-01-05T03:30+02:00"])
    with pytest.raises(
        UnreadableData, match=r"file rows\.csv, queue.*found 2 timestamps with a time zone such as .* and 1 timestamps without"
    ):
        read(tmp_path)
    write_csv(tmp_path, ["2026-01-05T01:30,a,1"])
    write_csv(tmp_path, ["2026-01-05T02:30Z,a,1"], name="2.csv")
    with pytest.raises(UnreadableData, match=r"files with a time zone in their timestamps \(2\.csv\) and files without"):
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


def test_a_few_unreadable_times_are_left_out_and_counted(tmp_path):
    reading = read(write_times(tmp_path, ["2026-01-05T01:00Z", "yesterday", "", "9999-12-31T00:00:00Z", "2026-01-05T02:00Z"]))
    assert values(reading) == [1.0, 5.0]
    [loss] = reading.losses
    assert (loss.what, loss.count, loss.total, loss.example) == ("rows without a readable timestamp", 3, 5, "yesterday")
    assert (f"{loss.first_at:%H}", f"{loss.last_at:%H}", loss.is_at_end) == ("01", "02", False)


@pytest.mark.parametrize(
    ("written", "found"),
    [
        (["05/01/2026 13:00", "x"], "found no timestamp in 2 rows, but for example '05/01/2026 13:00'"),
        (["", ""], "all are empty"),
    ],
)
def test_a_column_without_a_timestamp_is_refused_with_an_example(tmp_path, written, found):
    with pytest.raises(UnreadableData, match=rf"file rows\.csv, queue a, column timestamp\): .*{found}; accepted are ISO 8601"):
        read(write_times(tmp_path, written))


@pytest.mark.parametrize(
    ("times", "found"),
    [
        ([1, 2, 3], "no timestamp in 3 rows, but for example '1'; accepted are"),
        ([True], "found type bool, accepted are ISO 8601"),
    ],
    ids=["row numbers", "booleans"],
)
def test_a_column_of_another_type_is_no_time(tmp_path, times, found):
    pq.write_table(pa.table({"timestamp": times, "queue": ["a"] * len(times), "used_capacity": times}), tmp_path / "x.parquet")
    with pytest.raises(UnreadableData, match=found):
        read(tmp_path)


@pytest.mark.parametrize(
    "kind",
    [pa.date32(), *(pa.timestamp(unit, zone) for unit in ("s", "ms", "us", "ns") for zone in (None, "UTC", "Europe/Berlin"))],
    ids=str,
)
def test_typed_times_of_any_unit_and_zone_and_dates_as_their_midnight(tmp_path, kind):
    times = pa.array([START.replace(tzinfo=None), None]).cast(pa.timestamp("us")).cast(kind)
    pq.write_table(pa.table({"timestamp": times, "queue": ["a", "a"], "used_capacity": [1, 2]}), tmp_path / "x.parquet")
    reading = read(tmp_path)
    assert reading.frame.index.tolist() == [pd.Timestamp(START)]
    [loss] = reading.losses
    assert (loss.what, loss.count) == ("rows without a readable timestamp", 1)
