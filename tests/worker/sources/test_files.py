"""Which files a request means, and that it can mean none outside the folder."""

from __future__ import annotations

import pytest

from shared.errors import InvalidRequest, SourceNotFound
from tests.worker.sources.files import queues, read, write_csv


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


def test_a_glob_that_multiplies_the_ways_through_the_folders_is_refused(tmp_path):
    write_csv(tmp_path, ["2026-01-05,a,1"], name="/".join("d" * 12) + "/rows.csv")
    assert queues(tmp_path, "**/d/**") == ["a"]
    with pytest.raises(InvalidRequest, match=r"accepted are at most 2"):
        queues(tmp_path, "**/" * 100 + "rows.csv")
