"""Which files a request means, and that it can mean none outside the folder."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from shared.connections.files import FilesConnection
from shared.domain.collected import KEPT_NAMES
from shared.domain.jobs import Place
from shared.errors import InvalidRequest, SourceNotFound, UnreadableData
from tests.worker.sources.files import queues, read, write_csv
from tests.worker.sources.queries import all_queues
from worker.sources import sources
from worker.sources.files.listing import find_files, opened


def test_a_missing_folder_or_file_is_named_and_one_of_another_kind_is_not_read(tmp_path):
    with pytest.raises(SourceNotFound, match="found no folder 'nowhere', where"):
        queues(tmp_path / "nowhere")
    (tmp_path / "load.xlsx").write_bytes(b"x")
    for path, said in (("load.csv", r"no CSV or Parquet file for 'load\.csv'"), ("*", "no CSV or Parquet file")):
        with pytest.raises(SourceNotFound, match=said):
            queues(tmp_path, path)


@pytest.mark.parametrize("path", ["../secret.csv", "in/../../secret.csv", "/etc/passwd", "*/../../*.csv", "a\0/*.csv"])
def test_a_path_that_leaves_the_folder_is_refused(tmp_path, path):
    write_csv(tmp_path, ["2026-01-05,a,1"], name="secret.csv")
    (tmp_path / "in").mkdir()
    with pytest.raises(InvalidRequest, match=r"leaves the connection's folder; accepted is a glob inside it"):
        queues(tmp_path / "in", path)


@pytest.mark.parametrize("path", [None, "link.csv", "folder/*.csv", "fold*"])
def test_a_link_out_of_the_folder_is_refused_when_there_is_nothing_else(tmp_path, path):
    write_csv(tmp_path / "out", ["2026-01-05,a,1"])
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link.csv").symlink_to(tmp_path / "out" / "rows.csv")
    (tmp_path / "in" / "folder").symlink_to(tmp_path / "out")
    with pytest.raises(InvalidRequest, match="is a link that leaves the connection's folder"):
        queues(tmp_path / "in", path)


def test_a_link_out_of_the_folder_is_left_out_and_named_without_where_it_leads(tmp_path):
    write_csv(tmp_path / "secret", ["2026-01-05,a,1", "2026-01-05,b,1"])
    write_csv(tmp_path / "in", ["2026-01-05,a,1"])
    (tmp_path / "in" / "link.csv").symlink_to(tmp_path / "secret" / "rows.csv")
    (tmp_path / "in" / "all").symlink_to("/")
    assert queues(tmp_path / "in") == ["a"]
    assert read(tmp_path / "in").notes[0] == "links that leave the connection's folder: left out all, link.csv"


def test_what_is_no_file_is_never_waited_for(tmp_path):
    write_csv(tmp_path, ["2026-01-05,a,1"])
    write_csv(tmp_path, ["2026-01-05,b,1"], name="folder.csv/rows.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket.csv"))
    (tmp_path / "nowhere.csv").symlink_to(tmp_path / "missing.csv")
    (tmp_path / "circle.csv").symlink_to(tmp_path / "circle.csv")
    (tmp_path / "device.csv").symlink_to("/dev/zero")
    assert queues(tmp_path) == ["a", "b"]
    with pytest.raises(SourceNotFound):
        queues(tmp_path, "pipe.csv")


def test_links_that_lead_back_up_are_no_way_without_end(tmp_path):
    write_csv(tmp_path, ["2026-01-05,a,1"], name="a/b/rows.csv")
    for number in range(4):
        (tmp_path / "a" / "b" / f"up{number}").symlink_to(tmp_path)
        (tmp_path / "a" / f"here{number}").symlink_to(tmp_path / "a")
    assert read(tmp_path, "**/*.csv").rows == 1


@pytest.mark.parametrize(
    ("path", "found"),
    [
        *((every, {"own.csv", "a/yarn_queue/own.csv"}) for every in (None, "**", "**/*.csv")),
        ("*", {"own.csv", "a/yarn_queue/own.csv"}),
        ("yarn_queue/prod", {"yarn_queue/prod/day.csv"}),
        ("yarn_*/prod/day.csv", {f"{name}/prod/day.csv" for name in KEPT_NAMES}),
    ],
)
def test_what_is_collected_of_clusters_is_read_where_its_folder_is_named(tmp_path, path, found):
    for name in ("own.csv", "a/yarn_queue/own.csv", *(f"{name}/prod/day.csv" for name in KEPT_NAMES)):
        write_csv(tmp_path, ["2026-01-05,a,1"], name=name)
    assert set(find_files(FilesConnection(path=tmp_path), path).paths) == found


def test_where_there_is_nothing_else_it_is_said_that_samples_are_left_out(tmp_path):
    write_csv(tmp_path, ["2026-01-05,a,1"], name="yarn_queue/prod/day.csv")
    with pytest.raises(SourceNotFound, match=r"left out is yarn_queue, unless `path` names it"):
        queues(tmp_path)


def test_links_that_multiply_the_ways_through_the_folders_come_to_an_end(tmp_path):
    for depth in range(20):
        for name in ("x", "y"):
            folder = tmp_path / f"level{depth}"
            folder.mkdir(exist_ok=True)
            (folder / name).symlink_to(tmp_path / f"level{depth + 1}")
    (tmp_path / "level20").mkdir()
    with pytest.raises(InvalidRequest, match="more than 100,000 names"):
        queues(tmp_path)


def test_a_file_that_becomes_a_link_before_it_is_opened_is_not_read(tmp_path):
    write_csv(tmp_path / "out", ["2026-01-05,a,1"])
    write_csv(tmp_path / "in", ["2026-01-05,a,1"], name="data/rows.csv")
    found = find_files(FilesConnection(path=tmp_path / "in"), None)
    (tmp_path / "in" / "data").rename(tmp_path / "in" / "old")
    (tmp_path / "in" / "data").symlink_to(tmp_path / "out")
    with pytest.raises(UnreadableData, match="no file in the connection's folder any more"), opened(found, "data/rows.csv"):
        pass
    (tmp_path / "in" / "data").unlink()
    (tmp_path / "in" / "data").mkdir()
    (tmp_path / "in" / "data" / "rows.csv").symlink_to(tmp_path / "out" / "rows.csv")
    with pytest.raises(UnreadableData, match="symbolic links"), opened(found, "data/rows.csv"):
        pass


@pytest.mark.parametrize("path", [None, "**/*.csv", "link.csv", "hr/rows.csv"])
def test_a_connection_s_files_are_read_by_pattern_and_links_are_what_they_lead_to(tmp_path, path):
    write_csv(tmp_path, ["2026-01-05,a,1"], name="metrics/rows.csv")
    write_csv(tmp_path, ["2026-01-05,secret,1"], name="hr/rows.csv")
    (tmp_path / "link.csv").symlink_to(tmp_path / "hr" / "rows.csv")
    source = sources["files"](FilesConnection(path=tmp_path, readable=("metrics/*", "link.csv")))
    if path in {None, "**/*.csv"}:
        assert source.queues(all_queues(Place(name="files", path=path))) == ["a"]
    else:
        with pytest.raises(SourceNotFound, match="no CSV or Parquet file"):
            source.queues(all_queues(Place(name="files", path=path)))


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


def test_a_glob_that_multiplies_the_ways_through_the_folders_is_refused(tmp_path):
    write_csv(tmp_path, ["2026-01-05,a,1"], name="/".join("d" * 12) + "/rows.csv")
    assert queues(tmp_path, "**/d/**") == ["a"]
    with pytest.raises(InvalidRequest, match=r"accepted are at most 2"):
        queues(tmp_path, "**/" * 100 + "rows.csv")


def test_a_file_that_no_text_may_be_called_is_left_out_and_told(tmp_path):
    write_csv(tmp_path, ["2026-01-05,a,1"])
    for name in (b"a\nb.csv", b"\xff.csv", "\u202evsc.csv".encode()):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_text("x")
    assert queues(tmp_path) == ["a"]
    [note, *_] = read(tmp_path).notes
    assert note == r"names with control characters, or that are no UTF-8: left out 'a\nb.csv', '\u202evsc.csv', '\udcff.csv'"
