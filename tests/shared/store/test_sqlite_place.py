"""The file under an SQLite store: removed, moved, replaced, cut, destroyed, without room; it never comes back as an empty one."""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import count
from multiprocessing import get_context
from pathlib import Path

import pytest

from shared.domain.jobs import JobFilter
from shared.domain.tokens import Scope, make_token
from shared.errors import RecordRefused, StoreAway
from shared.store import Store, open_store
from shared.store.sqlite_place import StorePlace
from tests.factories import MONDAY, a_job
from tests.polling import eventually


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "queuecast.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    """A store with a job and a token, in use."""
    opened = another(path)
    opened.jobs.add(a_job())
    opened.tokens.add(make_token(name="ci", scope=Scope.READ, created_at=MONDAY)[0])
    yield opened
    opened.close()


def another(path: Path) -> Store:
    """As another process sees it: it has opened nothing yet."""
    return open_store(f"sqlite://{path}", patience_seconds=0.2)


def is_there(store: Store) -> bool:
    try:
        store.check()
        return len(store.jobs.find(JobFilter(), 10)) == 1
    except StoreAway:
        return False


def is_away(store: Store) -> bool:
    return not is_there(store)


def refuse(store: Store, message: str) -> None:
    """Neither a read nor a write goes through, and no token is said to be unknown."""
    for call in (store.check, store.tokens.all, store.tokens.were_made, lambda: store.jobs.add(a_job(job_id="lost"))):
        with pytest.raises(StoreAway, match=message):
            call()


def test_a_file_that_is_moved_away_is_missed_at_once_and_known_when_it_is_back(store: Store, path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    refuse(store, "it is gone")
    assert not path.exists()
    path.with_name("elsewhere").rename(path)
    assert store.jobs.get("job-1") == a_job()
    store.jobs.add(a_job(job_id="job-2"))


def test_a_process_that_starts_meanwhile_leaves_the_log_of_the_others_alone(store: Store, path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    refuse(another(path), r"it is gone; queuecast\.db\.made in the same folder says what to do")
    path.with_name("elsewhere").rename(path)
    with closing(another(path)) as other:
        assert other.jobs.get("job-1") == store.jobs.get("job-1") == a_job()


def test_a_file_that_is_removed_is_never_made_anew_until_its_note_is_removed_too(store: Store, path: Path) -> None:
    store.close()
    path.unlink()
    refuse(another(path), "it is gone")
    note = path.with_name("queuecast.db.made")
    assert "To begin anew on purpose, delete this note as well" in note.read_text()
    note.unlink()
    with closing(another(path)) as new:
        assert new.jobs.find(JobFilter(), 10) == []
        assert not new.tokens.were_made()


def test_a_folder_that_is_moved_away_is_not_made_again(store: Store, path: Path) -> None:
    path.parent.rename(path.parent.with_name("elsewhere"))
    refuse(store, "it is gone")
    assert not path.parent.exists()


def test_another_file_in_its_place_is_taken_up_by_a_new_process_only(store: Store, path: Path, tmp_path: Path) -> None:
    with closing(another(tmp_path / "other.db")) as other:
        other.check()
    old = path.with_name("old")
    path.rename(old)
    shutil.copy(tmp_path / "other.db", path)
    refuse(store, "was replaced")
    old.replace(path)
    assert store.jobs.get("job-1") == a_job()


def test_a_backup_from_before_the_first_token_lets_nobody_in(store: Store, path: Path, tmp_path: Path) -> None:
    with closing(another(tmp_path / "other.db")) as other:
        other.check()
    store.close()
    shutil.copy(tmp_path / "other.db", path)
    with closing(another(path)) as restored:
        assert restored.tokens.all() == []
        assert restored.tokens.were_made()


def test_tokens_of_an_earlier_release_are_noted_when_the_file_is_opened(store: Store, path: Path) -> None:
    store.close()
    path.with_name("queuecast.db.made").unlink()
    with closing(another(path)) as opened:
        opened.check()
        assert "Tokens were made" in path.with_name("queuecast.db.made").read_text()


def test_a_log_that_is_removed_costs_nothing_that_was_written(store: Store, path: Path) -> None:
    path.with_name("queuecast.db-wal").unlink()
    refuse(store, "or its log, was replaced")
    with closing(another(path)) as restarted:
        assert restarted.jobs.get("job-1") == a_job()


def overwrite_the_head(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"\0" * 4_096)


@pytest.mark.parametrize(
    "damage",
    [lambda path: os.truncate(path, 8_192), lambda path: os.truncate(path, 0), overwrite_the_head],
    ids=["cut", "emptied", "without its head"],
)
def test_a_file_that_is_destroyed_is_away_within_a_second_until_it_is_put_back(
    store: Store, path: Path, damage: Callable[[Path], None]
) -> None:
    store.check()
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # else the log has the pages still, and nothing is lost
    copy = shutil.copy(path, path.with_name("copy"))
    damage(path)
    eventually(lambda: is_away(store), what="the damage to be seen")
    for opened in (store, another(path)):
        with pytest.raises(StoreAway):
            opened.tokens.all()
    shutil.copy(copy, path)  # into the same file
    eventually(lambda: is_there(store), what="the store again")


@pytest.mark.parametrize("content", [b"", b"no database at all " * 500])
def test_a_new_process_takes_an_emptied_file_for_no_new_one(store: Store, path: Path, content: bytes) -> None:
    store.close()
    path.write_bytes(content)
    with pytest.raises(StoreAway, match=r"it is empty, and was not|file is not a database"):
        another(path).tokens.all()


class OvertakenPlace(StorePlace):
    """Another process makes the store in the very moment in which this one looks whether there is one."""

    @property
    def is_new(self) -> bool:
        with closing(another(self.path)) as store:
            store.check()
        return super().is_new

    def was_made(self) -> bool:
        assert not self.is_new
        return super().was_made()


@pytest.mark.parametrize("begun", [False, True], ids=["no file yet", "an empty one that the other has begun"])
def test_a_store_that_another_process_makes_meanwhile_is_not_taken_for_lost(path: Path, *, begun: bool) -> None:
    path.parent.mkdir()
    if begun:
        path.touch()
    assert OvertakenPlace(path).location().endswith("?mode=rw")


def test_a_file_that_becomes_smaller_by_vacuum_is_whole(store: Store, path: Path) -> None:
    for number in range(200):
        store.jobs.add(a_job(job_id=f"old-{number}"))
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        store.check()
        before = path.stat().st_size
        other.execute("DELETE FROM jobs WHERE job_id LIKE 'old-%'")
        other.execute("VACUUM")
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert path.stat().st_size < before
    assert store.jobs.get("job-1") == a_job()
    store.jobs.add(a_job(job_id="job-2"))


def write_without_room(path: Path, said: object) -> None:
    """In a process of its own, as the limit is the process's: files may not grow any more."""
    import signal

    store = another(path)
    store.check()
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    answers = []
    for call in (store.check, lambda: store.jobs.add(a_job(job_id="job-2"))):
        try:
            call()
        except StoreAway:
            answers.append("away")
    answers.append(store.jobs.get("job-1").job_id)  # what is there can be read
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    store.check()
    store.jobs.add(a_job(job_id="job-2"))
    answers.append("there")
    said.send(answers)  # type: ignore[attr-defined]


def test_a_file_that_may_not_grow_is_away_for_writers_until_it_may(store: Store, path: Path) -> None:
    ours, theirs = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=write_without_room, args=(path, theirs))
    process.start()
    assert ours.poll(60)
    assert ours.recv() == ["away", "away", "job-1", "there"]
    process.join(60)
    assert store.jobs.get("job-2").job_id == "job-2"


@contextmanager
def a_small_disk(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], check=False, capture_output=True
    ).returncode:
        pytest.skip("a file system of 1 MiB can be mounted by root only")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_is_an_outage_that_ends_with_room(tmp_path: Path) -> None:
    with a_small_disk(tmp_path / "disk") as folder, closing(another(folder / "queuecast.db")) as store:
        store.jobs.add(a_job())
        numbers, ballast = count(), folder / "ballast"
        ballast.write_bytes(b"\0" * (shutil.disk_usage(folder).free - 4_096))
        for call in (lambda: store.jobs.add(a_job(job_id=str(next(numbers)))), store.check):
            with pytest.raises(StoreAway, match="full"):
                [call() for _ in range(200)]  # what little room there is must be used up
        ballast.unlink()
        store.check()
        assert store.jobs.get("job-1") == a_job()
        store.jobs.add(a_job(job_id="job-2"))


def test_an_index_of_somebody_else_is_an_error_and_nothing_is_lost_silently(store: Store, path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE UNIQUE INDEX foreign_one ON jobs (owner)")
    with pytest.raises(RecordRefused, match="a unique index"):
        store.jobs.add(a_job(job_id="job-2"))
    assert store.jobs.add(a_job()) == a_job()  # the same again is no error
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TRIGGER foreign_one BEFORE INSERT ON jobs BEGIN SELECT RAISE(ABORT, 'no'); END")
    with pytest.raises(RecordRefused, match="or a trigger"):
        store.jobs.add(a_job(job_id="job-2"))
