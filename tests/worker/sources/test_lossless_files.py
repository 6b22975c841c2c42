"""Files as people export them: what is in them is read, or refused with what to set, and nothing is lost in silence."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from shared.domain.samples import Aggregation, CsvForm, Limits
from shared.errors import EmptySeries, SourceNotFound, UnreadableData
from tests.worker.sources.files import HEADER, START, files, queues, read, values, write_csv
from tests.worker.sources.queries import a_query
from worker.sources.base import Place
from worker.sources.files import ragged

HOURS = [START + timedelta(hours=hour) for hour in range(24)]


def hourly(cells: list[str], queue: str = "a") -> list[str]:
    return [f"{at:%Y-%m-%dT%H:%M:%SZ},{queue},{cell}" for at, cell in zip(HOURS, cells, strict=False)]


@pytest.mark.parametrize(
    ("separator", "cells", "numbers"),
    [
        (",", ['"708.3"', '"1,024.5"', "987.1"], [708.3, 1024.5, 987.1]),
        (";", ["708,3", "1.024,5", "1.034", "7"], [708.3, 1024.5, 1034.0, 7.0]),
        ("\t", ["708.3", "1 024.5", "1'024.5"], [708.3, 1024.5, 1024.5]),
        ("|", ["0,512", "12", "-3,25"], [0.512, 12.0, -3.25]),
    ],
)
def test_signs_of_numbers_are_told_by_the_cells_and_said(tmp_path, separator, cells, numbers):
    rows = [separator.join(row.split(",", 2)) for row in hourly(cells)]
    write_csv(tmp_path, rows, header=HEADER.replace(",", separator))
    reading = read(tmp_path)
    assert (values(reading), reading.losses) == (numbers, ())
    assert reading.notes


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        (['"1,024"', "987"], r"numbers such as '1,024', which may mean 1\.024 or 1024; say in `csv`"),
        (['"61,2"', "61.2"], r"1 numbers with a decimal point such as '61\.2' and 1 with a decimal comma such as '61,2'"),
    ],
)
def test_numbers_that_may_mean_two_are_an_error_that_says_what_to_set(tmp_path, cells, found):
    write_csv(tmp_path, hourly(cells))
    with pytest.raises(UnreadableData, match=found):
        read(tmp_path)
    form = CsvForm(decimal=".", thousands=",") if "mean" in found else CsvForm(decimal=",")
    assert read(tmp_path, csv=form).frame.used_capacity.iloc[0] == (1024.0 if "mean" in found else 61.2)


def test_a_point_that_looks_like_one_of_thousands_is_a_warning(tmp_path):
    write_csv(tmp_path, hourly(["987", "1.034", "1.120", "950"]))
    [advice] = read(tmp_path).advice
    assert "`csv`" in advice
    assert "'1.034'" in advice
    assert values(read(tmp_path, csv=CsvForm(thousands="."))) == [987.0, 1034.0, 1120.0, 950.0]


@pytest.mark.parametrize(
    ("target", "cells", "said"),
    [
        ("used_memory_mb", [f"{value}.{value + 300}" for value in range(1, 21)], "every number has a point and three digits"),
        ("used_capacity", ["987", "200.120", "310.123"], "some with a 0 at the end, such as '200.120'"),
        ("used_capacity", ["0", "20.120", "31.123"], None),  # decimals, and nothing
        ("used_capacity", ["987", "200.121", "310.123"], None),
        ("used_capacity", [f"{value}.{value + 300}" for value in range(1, 21)], None),  # per cent
        ("used_memory_mb", ["0.512", *[f"{value}.{value + 300}" for value in range(1, 21)]], None),
    ],
)
def test_whole_numbers_with_a_point_are_a_warning_and_decimals_are_not(tmp_path, target, cells, said):
    write_csv(tmp_path, hourly(cells), header=f"timestamp,queue,{target}")
    advice = read(tmp_path, target=target).advice
    assert (advice == ()) if said is None else (said in advice[0])
    assert read(tmp_path, target=target, csv=CsvForm(decimal=".")).advice == ()


def test_values_outside_the_physical_range_and_missing_values_are_left_out(tmp_path):
    write_csv(tmp_path, hourly([*map(str, range(20)), "-1", "2147483647", "NaN", "20"]))
    reading = read(tmp_path, physical_range=(0.0, None))
    assert values(reading) == [float(value) for value in range(21)]
    assert {loss.what: loss.count for loss in reading.losses} == {
        "values outside the physical range": 1,
        "numbers that are infinite or stand for no limit": 1,
    }
    assert not any(loss.is_severe for loss in reading.losses)
    silent = read(tmp_path, physical_range=(0.0, None), missing_values=(-1.0,)).losses
    assert [loss.what for loss in silent] == ["numbers that are infinite or stand for no limit"]


def test_a_second_header_is_left_out_and_said(tmp_path):
    rows = hourly(["1", "2", "3"])
    write_csv(tmp_path, [*rows[:2], HEADER, rows[2]])
    assert queues(tmp_path) == ["a"]
    assert (values(read(tmp_path)), read(tmp_path).notes) == ([1.0, 2.0, 3.0], ("1 repeated header line left out",))


def test_a_second_header_in_other_letters_is_left_out_and_in_another_order_an_error(tmp_path):
    rows = hourly(["1", "2", "3"])
    write_csv(tmp_path, [*rows[:2], "Timestamp, Queue ,Used_Capacity", rows[2]])
    assert queues(tmp_path) == ["a"]
    assert (values(read(tmp_path)), read(tmp_path).notes) == ([1.0, 2.0, 3.0], ("1 repeated header line left out",))
    write_csv(tmp_path, [*rows[:2], "queue,used_capacity,timestamp", "a,3,2026-01-05T02:00Z"])
    with pytest.raises(UnreadableData, match=r"column timestamp\): found 'queue' in a header that comes again: two files"):
        queues(tmp_path)
    write_csv(tmp_path, [*rows[:2], "timestamp,node,memory", "2026-01-05T02:00Z,n1,64"])
    with pytest.raises(UnreadableData, match=r"column queue\): found 'node' in a header that comes again"):
        queues(tmp_path)
    write_csv(tmp_path, [*rows[:2], "timestamp,queue,memory", "2026-01-05T02:00Z,a,64"])
    with pytest.raises(UnreadableData, match=r"column used_capacity\): found 'memory' in a header that comes again"):
        read(tmp_path)


def test_a_few_timestamps_that_come_again_with_another_number_are_told(tmp_path):
    rows = hourly([str(value) for value in range(24)])
    write_csv(tmp_path, [*rows[:6], "2026-01-05T05:00:00Z,a,99", *rows[6:], rows[8]])
    reading = read(tmp_path)
    assert (values(reading)[5], reading.duplicates) == (99.0, 2)
    assert reading.advice == (
        "timestamps that come again with another number: 1, first 2026-01-05 05:00 UTC; the last row of each counts",
    )


def test_files_of_days_that_name_no_queue_are_told(tmp_path):
    for name in ("root.a-2026-01-04", "root.a-2026-01-05", "root.b"):
        write_csv(tmp_path, [f"{at.isoformat()},1" for at in HOURS], header="timestamp,used_capacity", name=f"{name}.csv")
    [advice] = read(tmp_path, queue="root.b").advice
    assert "each is a queue of its own, such as root.a-2026-01-04, root.a-2026-01-05: if the files of several days" in advice
    assert read(tmp_path, "root.b.csv", queue="root.b").advice == ()
    write_csv(tmp_path, [f"{at.isoformat()},2" for at in HOURS], header="timestamp,used_capacity", name="x/root.b.csv")
    with pytest.raises(UnreadableData, match=r"differ in their numbers between files \(root\.b\.csv, x/root\.b\.csv\)"):
        read(tmp_path, queue="root.b")


def test_totals_below_a_table_are_no_queues(tmp_path):
    rows = [f"a,{at:%Y-%m-%dT%H:%M:%SZ},1" for at in HOURS]
    write_csv(tmp_path, [*rows[:12], ",,12", *rows[12:], "Total,,24"], header="queue,timestamp,used_capacity")
    assert queues(tmp_path) == ["a"]
    reading = read(tmp_path)
    assert (reading.losses, reading.notes) == ((), ("rows that name no queue and have no time: 1 left out",))


@pytest.mark.parametrize(
    "header", ["timestamp,Queue,used_capacity", "Timestamp,pool,Used_Capacity", "timestamp,used_capacity,pool"]
)
def test_a_file_that_does_not_say_whose_it_is_is_lost_where_others_do(tmp_path, header):
    write_csv(tmp_path, hourly(["1", "2"]), name="1.csv")
    write_csv(tmp_path, hourly(["3", "4"], "b"), name="2.csv", header=header)
    write_csv(tmp_path, ["2026-01-05,n1,64"], name="nodes.csv", header="timestamp,node,memory")  # another table
    [loss] = read(tmp_path).losses
    assert (loss.what, loss.count, loss.total, loss.example) == ("files that cannot be read", 1, 3, "2.csv")
    assert f"found no column 'queue', which others have, there are {header.replace(',', ', ')}" in loss.text


def test_a_line_with_too_many_cells_is_lost_to_its_queue_alone(tmp_path):
    rows = hourly([str(value) for value in range(24)])
    write_csv(tmp_path, [*rows[:5], "2026-01-05T04:30:00Z,a,restart, see ticket,12", *rows[5:], *hourly(["7"], "b")])
    assert queues(tmp_path) == ["a", "b"]
    [loss] = read(tmp_path).losses
    assert (loss.count, loss.total, loss.first_at) == (1, 25, START + timedelta(hours=4, minutes=30))
    assert "see ticket" in (loss.example or "")
    assert not loss.is_severe
    assert read(tmp_path, queue="b").losses == ()


@pytest.mark.parametrize(
    ("early", "row", "lost", "zone"),
    [
        ("2025-12-24 18:00", "2026-01-05 05:00", "2026-01-05 05:30", "Europe/Berlin"),
        ("1700000000", "1767585600", "1767587400", None),
    ],
)
def test_lost_lines_have_the_times_that_rows_have(tmp_path, early, row, lost, zone):
    write_csv(tmp_path, [f"{early},a,see, that", f"{lost},a,see, this", f"{row},a,1"])
    [loss] = read(tmp_path, samples_timezone=zone).losses
    assert (loss.count, loss.first_at, loss.is_at_end) == (1, START + timedelta(hours=4, minutes=30), False)
    assert "see, this" in str(loss.example)


def test_however_many_lines_are_lost_they_are_counted(tmp_path, monkeypatch):
    """A tenth of a column has a comma in it: more lines than may be kept at a time."""
    monkeypatch.setattr(ragged, "MAX_TOGETHER", 10_000)
    write_csv(tmp_path, [f"2026-01-05T00:00:{place % 60:02d}Z,a,1{',5' * (place % 10 == 0)}" for place in range(200_000)])
    [loss] = read(tmp_path).losses
    assert (loss.count, loss.total, loss.is_severe) == (20_000, 200_000, True)
    assert queues(tmp_path) == ["a"]


def test_a_file_that_is_another_than_its_header_says_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(ragged, "MAX_TOGETHER", 100)
    write_csv(tmp_path, ["2026-01-05T00:00,a"] * 102 + ["2026-01-05T00:00,a,1"] * 2)
    with pytest.raises(UnreadableData, match=r"file rows\.csv.*Expected 3 columns, got 2.*accepted is CSV"):
        read(tmp_path)


def test_a_line_that_is_lost_is_lost_to_every_queue_of_a_panel(tmp_path):
    write_csv(tmp_path, ["2026-01-05T00:00Z,1,2", "2026-01-05T01:00Z,1,2,3", "2026-01-05T02:00Z,1"], header="timestamp,a,b")
    for queue, value in (("a", 1.0), ("b", 2.0)):
        reading = read(tmp_path, queue=queue, queues_from_columns=True)
        assert values(reading) == [value]
        assert [(loss.count, loss.first_at) for loss in reading.losses] == [(1, START + timedelta(hours=1))]
        assert "a last line that ends early was left out" in reading.notes


@pytest.mark.parametrize("end", ["ok", 'seen"'])
def test_rows_in_a_quote_that_nobody_closed_are_lost_and_told(tmp_path, end):
    rows = [f"{row},ok" for row in hourly([str(value) for value in range(24)])]
    write_csv(
        tmp_path,
        [*rows[:8], '2026-01-05T08:00:00Z,a,8,"see ticket', *rows[9:16], f"2026-01-05T16:00:00Z,a,16,{end}", *rows[17:]],
        header=f"{HEADER},note",
    )
    [loss] = read(tmp_path).losses
    assert loss.what == "lines inside of a quote that nobody closed"
    assert (loss.count, loss.is_severe) == (7 if end == 'seen"' else 15, True)
    assert loss.first_at == START + timedelta(hours=9)
    assert loss.example == "2026-01-05T09:00:00Z,a,9,ok"
    assert read(tmp_path, columns=()).losses == (loss,)


def test_quotes_in_cells_and_cells_of_several_lines_lose_nothing(tmp_path):
    notes = ['5" disk', '"two\nlines, or\nmore"', '"a ""word"" in it"', "-", '"x"', '6" disk']
    rows = [f"{row},{notes[place % 6]}" for place, row in enumerate(hourly([str(value) for value in range(24)]))]
    write_csv(tmp_path, rows, header=f"{HEADER},note")
    reading = read(tmp_path)
    assert (values(reading), reading.losses) == ([float(value) for value in range(24)], ())


@pytest.mark.parametrize(
    ("header", "row", "last"),
    [
        (HEADER, "{at},a,{value}.25", "2026-01-05T20:00:00Z,a,2"),
        (HEADER, "{at},a,{value}.25", "2026-01-05T20:00:00Z,a,20.2"),
        ("timestamp,used_capacity,queue", "{at},{value},root.a", "2026-01-05T20:00:00Z,20,roo"),
        ("queue,used_capacity,timestamp", "root.a,{value},{at}", "root.a,20,2026-01-05T2"),
    ],
)
@pytest.mark.parametrize("end", ["", "\n"])
def test_a_last_line_that_ends_within_its_last_cell_is_left_out(tmp_path, header, row, last, end):
    rows = [row.format(at=f"{at:%Y-%m-%dT%H:%M:%SZ}", value=value) for value, at in enumerate(HOURS[:20])]
    (tmp_path / "x.csv").write_text("\n".join([header, *rows, last]) + end)
    queue = "a" if header == HEADER else "root.a"
    if not end:
        assert queues(tmp_path) == [queue]
        reading = read(tmp_path, queue=queue)
        assert (len(values(reading)), reading.losses) == (20, ())
        assert "a last line that ends early was left out" in reading.notes
    (tmp_path / "x.csv").write_text("\n".join([header, *rows]) + end)
    assert len(values(read(tmp_path, queue=queue))) == 20


@pytest.mark.parametrize("which", ["every", "one"])
def test_empty_cells_too_many_are_no_error(tmp_path, which):
    rows = hourly(["1", "2", "3"])
    write_csv(tmp_path, [f"{row},," if which == "every" or place == 1 else row for place, row in enumerate(rows)])
    reading = read(tmp_path)
    assert (values(reading), reading.losses) == ([1.0, 2.0, 3.0], ())


def test_repeated_columns_that_nobody_needs_are_left_out_and_named(tmp_path):
    write_csv(tmp_path, [f"{row},1,2" for row in hourly(["1", "2"])], header=f"{HEADER},mem,mem")
    arrays = [pa.array(HOURS[:2]), pa.array(["a", "a"]), pa.array([1.0, 2.0]), pa.array([1, 2]), pa.array([1, 2])]
    parquet.write_table(pa.table(arrays, names=[*HEADER.split(","), "mem", "mem"]), tmp_path / "x.parquet")
    for name in ("rows.csv", "x.parquet"):
        reading = read(tmp_path, name)
        assert values(reading) == [1.0, 2.0]
        assert "columns whose name is there several times: left out mem" in reading.notes
        with pytest.raises(UnreadableData, match="multiple columns named mem"):
            read(tmp_path, name, columns=("mem",))


def test_a_panel_s_columns_are_queues_when_it_is_said(tmp_path):
    rows = [f"{at:%Y-%m-%d %H:%M:%S},{value},{value * 2},up" for value, at in enumerate(HOURS)]
    write_csv(tmp_path, rows, header="Time,root.etl,root.ml,state", name="panel.csv")
    with pytest.raises(SourceNotFound, match=r"'used_capacity'.*if each column is a queue, say `queues_from_columns`"):
        files(tmp_path).queues(a_query(Place(name="files"), queue="", time_field="Time"))
    asked = {"time_field": "Time", "queues_from_columns": True}
    assert files(tmp_path).queues(a_query(Place(name="files"), queue="", **asked)) == ["root.etl", "root.ml"]
    assert values(read(tmp_path, queue="root.ml", **asked)) == [float(value * 2) for value in range(24)]


def test_columns_of_a_panel_that_are_no_queues_are_told(tmp_path):
    cells = ["n/d"] * 12 + [str(value) for value in range(12)]
    rows = [f"{at:%Y-%m-%d %H:%M:%S},{value},{cell},12 GB" for value, (at, cell) in enumerate(zip(HOURS, cells, strict=True))]
    write_csv(tmp_path, rows, header="Time,a,late,memory", name="panel.csv")
    asked = {"time_field": "Time", "queues_from_columns": True}
    assert files(tmp_path).queues(a_query(Place(name="files"), queue="", **asked)) == ["a", "late"]
    assert read(tmp_path, **asked).advice == ("columns of text are no queues: left out 'memory' (such as '12 GB')",)
    [loss] = read(tmp_path, queue="late", **asked).losses
    assert (loss.count, loss.total, loss.is_severe) == (12, 24, True)
    write_csv(tmp_path, ["2026-01-05,1"], header="time,a", name="other.csv")
    [loss] = read(tmp_path, **asked).losses
    assert "found no column 'Time', there are time, a" in loss.text
    write_csv(tmp_path, ["2026-01-05,61 %"], header="Time,a", name="panel.csv")
    with pytest.raises(UnreadableData, match=r"no column of numbers beside 'Time', but for example '61 %' in 'a'"):
        files(tmp_path).queues(a_query(Place(name="files", path="panel.csv"), queue="", **asked))


def test_columns_of_any_name_are_read(tmp_path):
    write_csv(tmp_path, ["2026-01-05 00:00,61.2"], header="Time, Used capacity %", name="root.etl.csv")
    reading = read(tmp_path, queue="root.etl", time_field="Time", target="Used capacity %")
    assert reading.frame["Used capacity %"].tolist() == [61.2]


def partitioned(tmp_path: Path) -> Path:
    rows = [f"{at:%Y-%m-%dT%H:%M:%SZ},a,{part},{value}" for at in HOURS for part, value in (("default", 95.5), ("gpu", 41))]
    return write_csv(tmp_path, rows, header="timestamp,queue,partition,used_capacity")


def test_a_dimension_that_nobody_asked_for_is_an_error_with_two_ways_out(tmp_path):
    partitioned(tmp_path)
    with pytest.raises(UnreadableData, match=r"queue a.*differ in 'partition' \(default, gpu\).*`where`.*`queue_field`"):
        read(tmp_path, columns=())
    assert set(values(read(tmp_path, where={"partition": ("gpu",)}))) == {41.0}
    fields = ("queue", "partition")
    assert queues(tmp_path, None, *fields) == ["a/default", "a/gpu"]
    assert set(values(read(tmp_path, queue="a/default", queue_field=fields))) == {95.5}


@pytest.mark.parametrize("kind", ["csv", "csv with columns", "parquet"])
def test_a_dimension_whose_rows_lie_seconds_apart_is_an_error_too(tmp_path, kind):
    places = [(at, part, value) for at in HOURS for part, value in (("default", 95.5), ("gpu", 41.0), ("spot", 12.0))]
    times = [at + timedelta(seconds=5 * (place % 3)) for place, (at, _, _) in enumerate(places)]
    frame = pd.DataFrame({"timestamp": times, "queue": "a", "partition": [part for _, part, _ in places]})
    frame["used_capacity"] = [value for _, _, value in places]
    if kind == "parquet":
        frame.to_parquet(tmp_path / "x.parquet")
    else:
        frame.to_csv(tmp_path / "x.csv", index=False)
    columns = () if kind == "csv with columns" else None
    with pytest.raises(UnreadableData, match=r"its rows share steps, .*differ in 'partition' \(default, gpu, spot\).*`where`"):
        read(tmp_path, columns=columns)
    assert set(values(read(tmp_path, columns=columns, where={"partition": ("gpu",)}))) == {41.0}


@pytest.mark.parametrize(
    "told",
    [
        lambda place, value: ("rm1", "rm2")[place % 2],  # hosts that take turns tell the same
        lambda place, value: "night" if place % 24 < 12 else "day",
        lambda place, value: "stopped" if 40 < place < 60 else "running",
        lambda place, value: "high" if value > 60 else "low",
        lambda place, value: f"run {place}",
    ],
)
def test_a_text_beside_samples_is_no_dimension(tmp_path, told):
    load = 50 + 30 * np.sin(np.arange(24 * 6) / 20) + np.random.default_rng(5).normal(0, 3, 24 * 6)
    rows = [
        f"{START + timedelta(minutes=10 * place):%Y-%m-%dT%H:%M:%SZ},a,{value:.2f},{told(place, value)}"
        for place, value in enumerate(load)
    ]
    write_csv(tmp_path, rows, header=f"{HEADER},text")
    assert len(values(read(tmp_path))) == 24


@pytest.mark.parametrize(("header", "form"), [("time", "%H:%M"), ("hour", "%H"), ("Uhrzeit", "%H:%M:%S"), ("time", "%I:%M %p")])
def test_a_time_of_day_in_another_column_is_told(tmp_path, header, form):
    rows = [f"{at:%Y-%m-%d},{at.strftime(form)},a,{value}" for value, at in enumerate(HOURS)]
    write_csv(tmp_path, rows, header=f"timestamp,{header},queue,used_capacity")
    with pytest.raises(
        UnreadableData, match=f"timestamps are days, and '{header}' seems to tell the time of day.*one column with both"
    ):
        read(tmp_path)


def test_two_files_of_one_queue_with_other_numbers_are_not_mixed(tmp_path):
    for cluster, value in (("a", "30"), ("b", "80")):
        write_csv(tmp_path, hourly([value] * 24), name=f"cluster-{cluster}/usage.csv")
    with pytest.raises(UnreadableData, match=r"between files \(cluster-a/usage\.csv, cluster-b/usage\.csv\); say in `path`"):
        read(tmp_path)
    assert set(values(read(tmp_path, "cluster-a/*"))) == {30.0}


def test_folders_of_parts_are_one_table_and_their_keys_are_columns(tmp_path):
    for cluster, value in (("x", 1.0), ("y", 2.0)):
        for day, hours in (("2026-01-04", HOURS[:12]), ("2026-01-05", HOURS[12:])):
            folder = tmp_path / f"cluster={cluster}" / f"dt={day}"
            folder.mkdir(parents=True)
            frame = pd.DataFrame({"timestamp": hours, "queue": "a", "used_capacity": value})
            frame.to_parquet(folder / "part-00000.parquet")
    with pytest.raises(UnreadableData, match="differ in 'cluster'"):
        read(tmp_path)
    assert values(read(tmp_path, where={"cluster": ("y",)})) == [2.0] * 24
    assert queues(tmp_path, None, "queue", "cluster") == ["a/x", "a/y"]
    with pytest.raises(SourceNotFound, match=r"no column 'dt', which is a folder's name: accepted is a column"):
        read(tmp_path, time_field="dt", where={"cluster": ("x",)})
    with pytest.raises(SourceNotFound, match=r"no column 'pool'; .*part-00000.* is a part of one table"):
        queues(tmp_path, None, "pool")


def test_of_too_many_covariates_the_most_related_are_kept_and_limits_too(tmp_path):
    random = np.random.default_rng(0)
    target = random.normal(50, 10, 24)
    others = {f"m{number}": random.normal(size=24) for number in range(300)}
    frame = pd.DataFrame({"timestamp": HOURS, "queue": "a", "used_capacity": target, "absolute_capacity": 40.0, **others})
    frame["twin"] = target + random.normal(0, 0.1, 24)
    frame.to_parquet(tmp_path / "x.parquet")
    reading = read(tmp_path)
    assert {"used_capacity", "absolute_capacity", "twin"} <= set(reading.frame)
    assert len(reading.frame.columns) == 202
    assert "301 columns that nobody asked for" in reading.notes[0]
    assert set(read(tmp_path, columns=(), limits=Limits(maximum="m7")).frame) == {"used_capacity", "m7", "absolute_capacity"}


def test_where_clocks_begin_there_is_no_time(tmp_path):
    times = [f"{at.isoformat()}" for at in HOURS]
    times[5] = times[7] = "1970-01-01T00:00:00+00:00"
    frame = pd.DataFrame({"timestamp": pd.Categorical(times), "queue": "a", "used_capacity": 1.0})
    frame.to_parquet(tmp_path / "categories.parquet")
    frame.to_csv(tmp_path / "texts.csv", index=False)
    frame.assign(timestamp=pd.to_datetime(times)).to_parquet(tmp_path / "typed.parquet")
    for name in ("categories.parquet", "texts.csv", "typed.parquet"):
        [loss] = read(tmp_path, name).losses
        assert (loss.what, loss.count, loss.total) == ("rows without a readable timestamp", 2, 24)


def test_every_fault_of_a_place_is_told_at_once(tmp_path):
    write_csv(tmp_path, ["2026-01-05,a,1"], header="at,pool,load")
    with pytest.raises(SourceNotFound, match=r"no column 'timestamp'; no column 'used_capacity', there are at, pool, load"):
        queues(tmp_path)
    write_csv(tmp_path, ["2020-01-05,a,1"], header="timestamp,queue,load")
    with pytest.raises(SourceNotFound, match=r"no column 'used_capacity'.*the newest row is of 2020-01-05 00:00 UTC.*`as_of`"):
        files(tmp_path).check(a_query(Place(name="files"), queue=""))


def test_a_look_tells_of_queues_that_live_beside_those_that_are_gone(tmp_path):
    write_csv(tmp_path, ["2020-01-05,a,1", *hourly(["5", "6"], "b")])
    view = files(tmp_path).check(a_query(Place(name="files"), queue=""))
    assert (view.queues, view.start_at) == (("a", "b"), START)
    (tmp_path / "rows.csv").write_text(f"{HEADER}\n2020-01-05,a,1\n")
    with pytest.raises(EmptySeries, match=r"from 2020-01-05 00:00 UTC to 2020-01-05 .*`as_of`"):
        files(tmp_path).check(a_query(Place(name="files"), queue=""))


def test_one_scan_gives_what_reading_each_queue_gives(tmp_path):
    write_csv(tmp_path, [*hourly(["1", "2", "x"]), *hourly(["3"], "b"), *hourly(["text"], "c")], name="1.csv")
    write_csv(tmp_path, hourly(["5"], "b"), name="2.csv")
    source, query = files(tmp_path), a_query(Place(name="files"), queue="", start=START, end=START + timedelta(days=1))
    scanned = dict(source.scan(query, ["a", "b", "c", "nobody"]))
    assert values(scanned["a"]) == [1.0, 2.0]
    assert values(scanned["b"]) == [5.0]
    assert "found string such as 'text'" in str(scanned["c"])
    assert "found no row of it" in str(scanned["nobody"])


def test_a_value_holds_until_the_next_one_where_that_is_asked_for(tmp_path):
    day_before = START - timedelta(minutes=30)
    changes = [(day_before, 10), (START + timedelta(minutes=15), 50), (START + timedelta(hours=3, minutes=30), 20)]
    write_csv(tmp_path, [f"{at:%Y-%m-%dT%H:%M:%SZ},a,{value}" for at, value in changes])
    steps = values(read(tmp_path, aggregation=Aggregation.TIME_WEIGHTED_MEAN))
    assert steps[:5] == [40.0, 50.0, 50.0, 35.0, 20.0]
    assert len(steps) == 24
    assert read(tmp_path, aggregation=Aggregation.MEAN).frame.used_capacity.tolist() == [50.0, 20.0]


def test_a_lost_cell_at_the_start_of_the_next_step_is_at_the_end(tmp_path: Path) -> None:
    rows = [*(f"{at.isoformat()},{number}" for number, at in enumerate(HOURS[:-1])), f"{HOURS[-1].isoformat()},broken"]
    (tmp_path / "a.csv").write_text("\n".join(["timestamp,used_capacity", *rows]))
    [loss] = read(tmp_path).losses
    assert loss.is_at_end


def test_a_broken_part_of_a_file_costs_only_queues_that_may_have_rows_in_it(tmp_path):
    """Also where they are read together with one that has."""
    table = pa.table({"timestamp": HOURS * 4, "queue": [name for name in "abcd" for _ in HOURS], "used_capacity": range(96)})
    parquet.write_table(table, tmp_path / "x.parquet", row_group_size=24, use_dictionary=False, compression="none")
    at = parquet.read_metadata(tmp_path / "x.parquet").row_group(2).column(2).data_page_offset
    content = bytearray((tmp_path / "x.parquet").read_bytes())
    content[at : at + 60] = b"\xff" * 60
    (tmp_path / "x.parquet").write_bytes(content)
    assert [read(tmp_path, queue=name).rows for name in "abd"] == [24, 24, 24]
    with pytest.raises(UnreadableData, match=r"x\.parquet"):
        read(tmp_path, queue="c")


def test_a_queue_is_not_told_of_a_panel_that_it_is_no_column_of(tmp_path):
    times = [row.split(",")[0] for row in hourly(["1"] * 24)]
    write_csv(tmp_path, [f"{at},1" for at in times], header="timestamp,a", name="1.csv")
    write_csv(tmp_path, ["timestamp,b", *(f"{at},1" for at in times)], header="timestamp,b", name="2.csv")
    assert read(tmp_path, queue="a", queues_from_columns=True).notes == ()
    assert read(tmp_path, queue="b", queues_from_columns=True).notes == ("1 repeated header line left out",)
