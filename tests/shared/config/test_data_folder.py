"""The data folder: for its user alone, narrowed when it is open, refused in words when it cannot be had. The users are real."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from shared.config.data_folder import as_open_as_wished, entries, keep_private, open_data_folder, problem_with
from shared.config.settings import Settings
from shared.errors import SetupError

NOBODY = 65_534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def opened(folder: Path) -> str:
    return open_data_folder(Settings(data_dir=folder))


def as_nobody(ask: Callable[[], str]) -> str:
    """The answer, or the error, of a child process that has become another user of this machine."""
    reader, writer = os.pipe()
    if not (child := os.fork()):
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            os.write(writer, ask().encode())
        except BaseException as error:  # noqa: BLE001 - the answer, too
            os.write(writer, f"{type(error).__name__}: {error}".encode())
        finally:
            os._exit(0)
    os.close(writer)
    with open(reader, "rb") as answer:  # noqa: PTH123 - of a descriptor
        outcome = answer.read().decode()
    os.waitpid(child, 0)
    return outcome


@pytest.fixture
def reachable(tmp_path: Path) -> Path:
    """A folder that every user of this machine can get to."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.geteuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    return tmp_path


@pytest.fixture
def wide(reachable: Path) -> Path:
    """A data folder as an earlier release has left it under umask 022."""
    folder = reachable / "data"
    for name in ("broker/appendonlydir", "logs", "metrics/up", "flower", "pulse", "files"):
        (folder / name).mkdir(parents=True, mode=0o755)
    for name in ("queuecast.db", "queuecast.db-wal", "broker.socket", "logs/api.log", "flower/flower.db", "files/usage.csv"):
        (folder / name).write_text("secret")
    return folder


@pytest.fixture
def _umask_as_it_was() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_a_new_folder_is_for_its_user_alone(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    assert opened(folder) == ""
    assert mode(folder) == 0o700
    assert opened(folder) == ""


def test_a_folder_that_is_open_to_others_is_narrowed_with_all_in_it_and_this_is_said(wide: Path) -> None:
    note = opened(wide)
    assert f"{wide} was open to others on this machine: 15 files and folders" in note
    for path in (wide, *wide.rglob("*")):
        assert mode(path) == (0o700 if path.is_dir() else 0o600), path
    assert opened(wide) == ""


@as_root
def test_another_user_can_read_nothing_of_it_any_more(wide: Path) -> None:
    assert as_nobody((wide / "queuecast.db").read_text) == "secret"
    opened(wide)
    for name in ("queuecast.db", "queuecast.db-wal", "logs/api.log", "flower/flower.db", "files/usage.csv"):
        assert as_nobody((wide / name).read_text).startswith("PermissionError")


def test_links_are_not_followed(wide: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o755)
    (outside / "file").touch(mode=0o644)
    (wide / "logs" / "link").symlink_to(outside / "file")
    (wide / "metrics" / "folder").symlink_to(outside)
    opened(wide)
    assert [mode(path) for path in (outside, outside / "file")] == [0o755, 0o644]


def test_what_others_reach_by_a_second_name_is_refused(wide: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.db").hardlink_to(next(path for path in (wide / "logs").iterdir()))
    with pytest.raises(SetupError, match="has a second name elsewhere"):
        opened(wide)


def test_what_is_none_of_ours_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "public_html").mkdir(mode=0o755)
    opened(tmp_path)
    assert (mode(tmp_path), mode(tmp_path / "public_html")) == (0o700, 0o755)


def test_a_folder_that_all_users_share_is_not_taken_from_them(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    assert "mode 1777" in opened(tmp_path)
    assert mode(tmp_path) == 0o1777


def test_with_broker_and_store_elsewhere_a_folder_is_made_only_to_be_written_to(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "d", broker_url="redis://h", store_url="mongodb://h/d")
    assert open_data_folder(settings) == ""
    assert not settings.data_dir.exists()
    open_data_folder(settings, is_needed=True)
    assert settings.data_dir.is_dir()


# Folders that cannot be had


def a_dangling_link(place: Path) -> Path:
    (place / "link").symlink_to(place / "nowhere")
    return place / "link"


def a_circle(place: Path) -> Path:
    (place / "a").symlink_to(place / "b")
    (place / "b").symlink_to(place / "a")
    return place / "a"


def a_file(place: Path) -> Path:
    (place / "file").touch()
    return place / "file"


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (a_file, "a file is in its place"),
        (lambda place: a_file(place) / "below", "file is no folder"),
        (lambda place: a_file(place) / "far" / "below", "file is no folder"),
        (a_dangling_link, "a link that leads nowhere is in its place"),
        (lambda place: a_dangling_link(place) / "below", "link is no folder"),
        (a_circle, "Too many levels of symbolic links"),
        (lambda place: place / ("x" * 300), "File name too long"),
        (lambda _place: Path("/proc/queuecast"), "No such file or directory|may not write to /proc"),
    ],
)
def test_a_folder_that_cannot_be_made_is_refused_in_words(tmp_path: Path, make: Callable[[Path], Path], reason: str) -> None:
    folder = make(tmp_path)
    with pytest.raises(SetupError, match=rf"the data folder .* cannot be made: .*({reason}); name another") as refused:
        opened(folder)
    assert "\n" not in str(refused.value)


@as_root
def test_another_user_is_told_what_is_wrong_with_the_folder(wide: Path, reachable: Path) -> None:
    (reachable / "closed").mkdir(mode=0o700)
    (reachable / "of_root").mkdir(mode=0o755)
    closed, far, new, of_root = (
        as_nobody(partial(problem_with, reachable / name)) for name in ("closed/below", "closed/far/below", "new", "of_root")
    )
    assert "Permission denied" in closed or "nobody may not write to" in closed
    assert "Permission denied" in far or "nobody may not write to" in far
    assert f"nobody may not write to {reachable};" in new
    assert "cannot be written to by nobody;" in of_root


@as_root
def test_a_folder_of_another_user_is_refused_with_both_names(tmp_path: Path) -> None:
    os.chown(tmp_path, NOBODY, NOBODY)
    with pytest.raises(SetupError, match="belongs to nobody, and this process is run by root; name another"):
        opened(tmp_path)


@as_root
@pytest.mark.parametrize("name", ["queuecast.db", "logs/api.log", "broker.socket", "supervisor.lock"])
def test_what_another_user_has_put_there_is_refused(wide: Path, name: str) -> None:
    (wide / name).unlink(missing_ok=True)
    (wide / name).symlink_to("/etc/hostname")
    os.chown(wide / name, NOBODY, NOBODY, follow_symlinks=False)
    with pytest.raises(SetupError, match=f"{name} belongs to nobody, who could change it; give it to root"):
        opened(wide)


@as_root
def test_what_another_user_delivers_to_be_read_is_their_business(wide: Path) -> None:
    delivered = wide / "files" / "usage.csv"
    os.chown(delivered, NOBODY, NOBODY)
    opened(wide)
    assert mode(delivered) == 0o644


@as_root
def test_a_folder_of_root_that_a_container_was_given_is_used_and_its_mode_is_told(reachable: Path) -> None:
    given = reachable / "given"
    given.mkdir()
    given.chmod(0o2777)
    note = as_nobody(partial(opened, given))
    assert "given (mode 2777, of root) is open to others and cannot be narrowed" in note


# What processes make


@pytest.mark.usefixtures("_umask_as_it_was")
def test_what_a_private_process_makes_is_private_but_what_a_person_asks_for(tmp_path: Path) -> None:
    keep_private()
    keep_private()
    (tmp_path / "ours").touch()
    with as_open_as_wished():
        (tmp_path / "theirs").touch()
    (tmp_path / "again").touch()
    assert [mode(tmp_path / name) for name in ("ours", "theirs", "again")] == [0o600, 0o644, 0o600]


def test_looking_changes_nothing(wide: Path) -> None:
    before = {path: mode(path) for path in wide.rglob("*")}
    assert problem_with(wide) == ""
    assert len(list(entries(wide))) == 15
    assert {path: mode(path) for path in wide.rglob("*")} == before
