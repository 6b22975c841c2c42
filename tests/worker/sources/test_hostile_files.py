"""Small files that stand for more than any memory holds, wide ones, broken ones: refused with the reason, or read cheaply."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from shared.errors import UnreadableData
from tests.worker.sources.files import HEADER, START, queues, read, write_csv
from worker.sources import base
from worker.sources.files import tables

MEGABYTE = "x" * 1_000_000


def timestamps(rows):
    return pa.array([START] * rows, pa.timestamp("us", tz="UTC"))


def repeated(text, rows):
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, dtype="i4")), [text])


def write(folder, **columns):
    rows = len(next(iter(columns.values())))
    table = pa.table({"timestamp": timestamps(rows), "queue": ["a"] * rows, "used_capacity": np.ones(rows)} | columns)
    parquet.write_table(table, folder / "x.parquet", compression="zstd")


@pytest.mark.parametrize(("limit", "most"), [("MAX_ROWS", 999), ("MAX_COLUMNS", 3)])
def test_more_rows_or_columns_than_a_file_may_have_are_refused(tmp_path, monkeypatch, limit, most):
    monkeypatch.setattr(tables, limit, most)
    write(tmp_path, timestamp=timestamps(1_000), more=np.ones(1_000))
    write_csv(tmp_path, ["2026-01-05,a,1,2"] * 1_000, header=f"{HEADER},more")
    for name in ("x.parquet", "rows.csv"):
        with pytest.raises(UnreadableData, match=rf"it has {most + 1:,} (rows|columns) or more, accepted are {most}"):
            read(tmp_path, name)


@pytest.mark.parametrize("column", ["queue", "timestamp"])
def test_texts_that_are_written_once_and_meant_often_take_no_memory(tmp_path, column):
    """Two gigabytes in a few kilobytes, as names of queues and as times."""
    write(tmp_path, **{column: repeated(MEGABYTE, 2_000)})
    assert (tmp_path / "x.parquet").stat().st_size < 10_000
    with pytest.raises(UnreadableData, match=r"more memory than the accepted 1,536 MiB|accepted are ISO 8601"):
        read(tmp_path)


@pytest.mark.parametrize("column", ["queue", "timestamp", "used_capacity"])
def test_lists_are_refused_before_they_are_decoded(tmp_path, column):
    write(tmp_path, **{column: pa.array([[1.0] * 100_000] * 10)})
    with pytest.raises(UnreadableData, match=r"found list<element: double>; accepted are single values"):
        read(tmp_path)
    write(tmp_path, tags=pa.array([[1.0] * 100_000] * 10))
    assert read(tmp_path).rows == 10  # what nobody asked for is left alone


@pytest.mark.parametrize("columns", [300, 20_000])
def test_of_a_wide_file_only_what_is_asked_for_is_read(tmp_path, columns):
    names, ones = [f"c{number}" for number in range(columns)], ",1" * columns
    write_csv(tmp_path, [f"2026-01-05T{hour:02d}:00:00Z,a,5{ones}" for hour in range(5)], header=f"{HEADER},{','.join(names)}")
    reading = read(tmp_path)
    assert list(reading.frame) == ["used_capacity"]
    assert f"{columns:,} columns that nobody asked for, more than the 200 that are read" in reading.notes[0]
    assert list(read(tmp_path, columns=("c7",)).frame) == ["used_capacity", "c7"]
    with pytest.raises(UnreadableData, match="name in `columns` those that matter"):
        read(tmp_path, target=None)


def test_a_message_does_not_name_every_column(tmp_path):
    names = ",".join(f"c{number}" for number in range(1_000))
    write_csv(tmp_path, ["2026-01-05,a" + ",1" * 1_000], header=f"timestamp,queue,{names}")
    with pytest.raises(Exception, match=r"found no column 'used_capacity', there are timestamp, .*c17 and 982 more") as found:
        read(tmp_path)
    assert len(str(found.value)) < 400


def test_a_line_without_end_is_refused(tmp_path):
    write_csv(tmp_path, ["2026-01-05,a,1", "x" * 5_000_000])
    with pytest.raises(UnreadableData, match="a line of more than the accepted 1 MiB"):
        queues(tmp_path)


def test_a_name_for_every_row_is_refused_while_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(base, "MAX_QUEUES", 1_000)
    write(tmp_path, queue=[f"q{number}" for number in range(2_000)])
    with pytest.raises(UnreadableData, match="more than 1,000 names in 'queue'"):
        queues(tmp_path)


def test_rows_of_many_files_are_limited_together(tmp_path, monkeypatch):
    monkeypatch.setattr("worker.sources.files.scan.MAX_BYTES", 200_000)
    for number in range(20):
        write_csv(tmp_path, ["2026-01-05,a,1"] * 1_000, name=f"{number}.csv")
    with pytest.raises(UnreadableData, match="its rows take more than the accepted"):
        read(tmp_path)


@pytest.mark.parametrize("seed", range(20))
def test_a_broken_footer_is_a_reason_and_nothing_else(tmp_path, seed):
    write(tmp_path, timestamp=timestamps(100), more=np.ones(100))
    content = bytearray((tmp_path / "x.parquet").read_bytes())
    length = int.from_bytes(content[-8:-4], "little")
    for place in np.random.default_rng(seed).integers(0, length, 20):
        content[-9 - int(place)] ^= 0x55
    (tmp_path / "x.parquet").write_bytes(content)
    with suppress(UnreadableData):  # what was hit may not matter
        read(tmp_path)


def test_a_footer_that_is_longer_than_any_is_refused(tmp_path):
    write(tmp_path, timestamp=timestamps(100))
    content = bytearray((tmp_path / "x.parquet").read_bytes())
    content[-8:-4] = (2**31 - 1).to_bytes(4, "little")
    (tmp_path / "x.parquet").write_bytes(content)
    with pytest.raises(UnreadableData, match="its footer has 2,047 MiB, accepted are 32"):
        queues(tmp_path)
