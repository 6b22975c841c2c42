"""What is special about files: their layouts, and what is wrong with some of them."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile

import pandas as pd
import pytest

from shared.domain.places import Place
from shared.errors import EmptySeries, SourceNotFound, UnreadableData
from tests.worker.sources.files import HEADER, START, files, queues, read, values, write_csv, write_times
from tests.worker.sources.queries import a_query
from worker.sources.files import looks, place_losses, scan


def zipped(content: bytes) -> bytes:
    with zipfile.ZipFile(archive := io.BytesIO(), "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("x.csv", content)
    return archive.getvalue()


def test_a_file_without_a_queue_column_is_the_queue_of_its_name(tmp_path):
    write_csv(tmp_path, ["2026-01-05,1"], header="timestamp,used_capacity", name="root.etl.csv")
    assert queues(tmp_path) == ["root.etl"]
    assert values(read(tmp_path, queue="root.etl")) == [1.0]


def test_a_queue_in_several_files_is_read_as_one(tmp_path):
    write_csv(tmp_path, ["2026-01-05T00:00Z,a,1", "2026-01-05T01:00Z,a,2"], name="1.csv")
    write_csv(tmp_path, ["2026-01-05T02:00Z,a,4", "2026-01-05T01:00Z,a,3"], name="2.csv")
    reading = read(tmp_path)
    assert values(reading) == [1.0, 3.0, 4.0]
    assert reading.duplicates == 1


@pytest.mark.parametrize(
    ("names", "texts"), [([7, 12], ["7", "12"]), (pd.Categorical(["a", "b"]), ["a", "b"])], ids=["numbers", "categories"]
)
def test_queues_named_by_other_types_are_texts(tmp_path, names, texts):
    pd.DataFrame({"timestamp": START, "queue": names, "used_capacity": [1, 2]}).to_parquet(tmp_path / "x.parquet")
    assert queues(tmp_path) == sorted(texts)
    assert [values(read(tmp_path, queue=text)) for text in texts] == [[1.0], [2.0]]


def test_pandas_row_numbers_are_no_covariate(tmp_path):
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


def test_a_queue_without_a_finite_value_is_empty(tmp_path):
    write_csv(tmp_path, ["2026-01-05,a,NaN", "2026-01-05T01,a,"])
    with pytest.raises(EmptySeries, match=r"queue a.*none of the 2 values of 'used_capacity' is a finite number"):
        read(tmp_path)


def test_data_outside_the_history_says_when_they_are(tmp_path):
    write_times(tmp_path, ["2020-03-01", "2020-03-02"])
    with pytest.raises(
        EmptySeries, match=r"found 2 rows from 2020-03-01 00:00 UTC to 2020-03-02 .* none in .* 2026-01-05 .*`as_of`"
    ):
        read(tmp_path)


def test_several_queues_without_their_column_are_not_mixed_up(tmp_path):
    write_csv(tmp_path, ["2026-01-05,a,1", "2026-01-05,b,2"], header=HEADER.replace("queue", "pool"))
    with pytest.raises(
        UnreadableData, match=r"found no column 'queue', and 1 of 2 rows repeat a timestamp: .*text columns are pool"
    ):
        read(tmp_path, queue="rows")


@pytest.mark.parametrize("named", ["nope", ("nope", "queue"), ("queue", "nope")])
@pytest.mark.parametrize("look", ["queues", "check", "read"])
def test_a_column_of_queues_that_was_named_and_is_in_no_file_is_an_error(tmp_path, named, look):
    write_csv(tmp_path, ["2026-01-05,a,1", "2026-01-05T01,a,2"])
    query = a_query(Place(name="files"), queue="rows", queue_field=named)
    with pytest.raises(SourceNotFound, match="found no column 'nope', there are timestamp, queue, used_capacity"):
        getattr(files(tmp_path), look)(query)


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("bad.parquet", b"PAR1 is not enough", "Parquet magic bytes not found"),
        ("bad.csv", f"{HEADER}\n2026-01-05,a,61,2\n".encode(), "Expected 3 columns, got 4: 2026-01-05,a,61,2"),
        ("bad.csv", f"{HEADER}\n2026-01-05,\xe9,1\n".encode("latin-1"), "'utf-8' codec can't decode"),
        ("bad.csv", (f"{HEADER}\n" + "2026-01-05,b,1\n" * 100_000 + "2026-01-05,\xe9,1\n").encode("latin-1"), "invalid UTF8"),
        ("bad.csv", "timestamp,queue,l\xe4nge\n2026-01-05,a,1\n".encode("latin-1"), "'utf-8' codec can't decode"),
        ("bad.csv", f"{HEADER},queue\n2026-01-05,a,1,a\n".encode(), "multiple columns named queue"),
    ],
)
def test_a_broken_file_fails_by_itself_and_the_others_go_on(tmp_path, name, content, found):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnreadableData, match=rf"file {name}.*\): .*{found}.*accepted is (CSV in UTF-8|a CSV file|one)") as told:
        queues(tmp_path)
    assert str(tmp_path) not in str(told.value)  # where our files lie
    write_csv(tmp_path, ["2026-01-05,a,1"], name="good.csv")
    assert queues(tmp_path) == ["a"]
    reading = read(tmp_path)
    assert values(reading) == [1.0]
    [loss] = reading.losses
    assert (loss.what, loss.count, loss.total, loss.example) == ("files that cannot be read", 1, 2, name)
    with pytest.raises(UnreadableData, match=found):
        read(tmp_path, queue="bad")


@pytest.mark.parametrize(("name", "content"), [("part-1.csv", b""), ("part-1.parquet", b""), ("part-1.csv", b"\n\n")])
def test_a_file_with_nothing_in_it_is_told_and_fails_no_queue(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnreadableData, match=rf"file {name}.*\): (found 0 bytes|Empty CSV file); accepted is a CSV file"):
        queues(tmp_path)
    write_csv(tmp_path, ["2026-01-05,a,1"], name="part-0.csv")
    reading = read(tmp_path)
    assert (values(reading), reading.losses) == ([1.0], ())
    assert reading.advice == (f"files with nothing in them: 1 left out, {name}; look whether they should have rows",)


def test_a_queue_without_rows_is_told_of_its_own_file_and_not_of_a_broken_one(tmp_path):
    (tmp_path / "broken.csv").touch()
    (tmp_path / "root.etl.csv").write_text("timestamp,used_capacity\n")
    with pytest.raises(EmptySeries, match=r"no row of it in root\.etl\.csv"):
        read(tmp_path, queue="root.etl")


@pytest.mark.parametrize("end", ["", "\n"])
def test_a_header_without_rows_is_no_queue(tmp_path, end):
    (tmp_path / "rows.csv").write_text(HEADER + end)
    with pytest.raises((EmptySeries, UnreadableData), match=r"rows\.csv"):
        queues(tmp_path)


def test_a_line_that_is_being_written_is_left_out(tmp_path):
    write_csv(tmp_path, ["2026-01-05T00:00Z,a,1", "2026-01-05T01:00Z,a"])
    reading = read(tmp_path)
    assert values(reading) == [1.0]
    assert "a last line that ends early was left out" in reading.notes
    assert reading.losses == ()


def test_a_file_that_lacks_a_column_is_refused_only_where_it_matters(tmp_path):
    write_csv(tmp_path, ["2026-01-05,a,1"], name="load.csv")
    write_csv(tmp_path, ["2026-01-05,b,20"], header="timestamp,queue,temperature", name="rooms.csv")
    assert values(read(tmp_path)) == [1.0]
    with pytest.raises(
        SourceNotFound, match=r"file rooms\.csv\): found no column 'used_capacity', there are timestamp, queue, temp"
    ):
        read(tmp_path, queue="b")


def test_a_small_file_that_stands_for_more_than_memory_holds_is_refused(tmp_path, monkeypatch):
    """Of 40 MiB in 30 kB; the true limit is 160 MiB."""
    monkeypatch.setattr(scan, "MAX_BYTES", 1 << 20)
    rows = 2_000_000
    frame = pd.DataFrame({"timestamp": START, "queue": pd.Categorical(["a"] * rows), "used_capacity": 1.0}, index=range(rows))
    frame.to_parquet(tmp_path / "x.parquet", compression="zstd")
    assert (tmp_path / "x.parquet").stat().st_size < 1 << 18
    assert queues(tmp_path) == ["a"]
    with pytest.raises(UnreadableData, match="more than the accepted 1 MiB"):
        read(tmp_path)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Arrow cannot tell us of a row that is no text
@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, zipped], ids=["gzip", "bzip2", "xz", "zip"])
def test_what_is_packed_is_not_unpacked(tmp_path, pack):
    packed = pack(f"{HEADER}\n".encode() + b"2026-01-05,a,1\n" * 100_000)
    (tmp_path / "x.csv").write_bytes(packed)
    with pytest.raises(UnreadableData):
        queues(tmp_path)
    (tmp_path / "x.csv").rename(tmp_path / "x.csv.gz")
    with pytest.raises(SourceNotFound, match=r"there are files that are packed, or neither CSV nor Parquet: x\.csv\.gz"):
        queues(tmp_path)
    write_csv(tmp_path, ["2026-01-05,a,1"])
    [advice] = read(tmp_path).advice
    assert "1 left out, x.csv.gz; unpack or convert them" in advice
    assert read(tmp_path, "*.csv").advice == ()


def test_a_queue_may_be_called_by_a_word_that_means_no_value_elsewhere(tmp_path):
    names = ["NA", "null", "-", "NaN", "n/a"]
    write_csv(tmp_path, [f"2026-01-05,{name},{number}" for number, name in enumerate(names)] + ["2026-01-05T01:00,NA,null"])
    assert queues(tmp_path) == sorted(names)
    assert (values(read(tmp_path, queue="NA")), read(tmp_path, queue="NA").non_finite) == ([0.0], 1)
    assert values(read(tmp_path, queue="-")) == [2.0]


def test_large_texts_of_many_queues_are_told_how_they_would_be_read_once(tmp_path, monkeypatch):
    monkeypatch.setattr(place_losses, "LARGE_BYTES", 50)
    write_csv(tmp_path, ["2026-01-05T00:00Z,a,1", "2026-01-05T01:00Z,b,2"], name="large.csv")
    pd.DataFrame({"timestamp": [START], "queue": ["c"], "used_capacity": [1.0]}).to_parquet(tmp_path / "x.parquet")
    (told,) = read(tmp_path).advice
    assert told.startswith("large.csv with 0.0 GB must be read again for each hundred queues or so")
    assert not read(tmp_path, "x.parquet", queue="c").advice


def test_of_files_that_change_again_and_again_only_the_newest_look_is_kept(tmp_path):
    for number in range(5):
        write_csv(tmp_path, ["2026-01-05,a,1,2"], header=f"{HEADER},c{number}")
        assert list(read(tmp_path).frame) == ["used_capacity", f"c{number}"]
    kept = [some for (folder, *_), some in looks._kept.items() if folder == tmp_path.resolve()]
    assert kept
    assert {len(part) for some in kept for part in (some.seen, some.columns, some.heads)} <= {0, 1}
