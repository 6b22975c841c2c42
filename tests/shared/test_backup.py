"""A backup of the store, taken while others write; and the way back."""

from __future__ import annotations

import json
import shutil
import sqlite3
import stat
import threading
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from shared.command import progress
from shared.command.backup import without_password
from shared.command.root import build_app
from shared.domain.jobs import JobFilter
from shared.domain.tokens import Scope, make_token
from shared.errors import StoreAway
from shared.store import open_store
from shared.store.tables import TABLES
from tests.factories import MONDAY, a_job

RUN = CliRunner()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder whose store has a job and a token."""
    folder = tmp_path / "data"
    with closing(open_store(f"sqlite://{folder / 'queuecast.db'}")) as store:
        store.jobs.add(a_job())
        store.tokens.add(make_token(name="ci", scope=Scope.READ, created_at=MONDAY)[0])
    return folder


def run(data: Path, *arguments: str) -> tuple[int, str]:
    result = RUN.invoke(build_app(), ["backup", "--data-dir", str(data), *arguments])
    return result.exit_code, result.output


def test_a_copy_is_whole_counted_and_only_for_its_user(data: Path, tmp_path: Path) -> None:
    code, said = run(data, str(tmp_path / "copy.db"), "--json")
    assert code == 0, said
    answer = json.loads(said)
    assert answer["records"] == dict.fromkeys((table.name for table in TABLES), 0) | {"jobs": 1, "tokens": 1}
    assert answer["size_bytes"] == (tmp_path / "copy.db").stat().st_size
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600
    assert sorted(file.name for file in tmp_path.iterdir() if file.is_file()) == ["copy.db"]


def test_a_copy_taken_while_others_write_is_one_moment_of_the_store(data: Path, tmp_path: Path) -> None:
    stopped, written = threading.Event(), []
    store = open_store(f"sqlite://{data / 'queuecast.db'}")

    def write() -> None:
        while not stopped.is_set():
            written.append(store.jobs.add(a_job(job_id=f"job-{len(written)}-x")))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            before = len(written)
            code, said = run(data, str(tmp_path / f"{number}.db"), "--json")
            assert code == 0, said
            assert before <= json.loads(said)["records"]["jobs"] <= len(written) + 2
    finally:
        stopped.set()
        writer.join()
        store.close()


def test_a_restored_copy_has_the_jobs_and_the_tokens(data: Path, tmp_path: Path) -> None:
    assert run(data, str(tmp_path / "copy.db"))[0] == 0
    for name in ("queuecast.db", "queuecast.db-wal", "queuecast.db-shm"):  # as deploy/README.md says it
        (data / name).unlink(missing_ok=True)
    with closing(open_store(f"sqlite://{data / 'queuecast.db'}")) as store, pytest.raises(StoreAway, match="it is gone"):
        store.check()
    shutil.copy(tmp_path / "copy.db", data / "queuecast.db")
    with closing(open_store(f"sqlite://{data / 'queuecast.db'}")) as store:
        store.check()
        assert store.jobs.find(JobFilter(), 10) == [a_job()]
        assert [token.name for token in store.tokens.all()] == ["ci"]


def test_a_file_that_is_there_is_replaced_only_when_told(data: Path, tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_text("precious")
    code, said = run(data, str(tmp_path / "copy.db"))
    assert (code, (tmp_path / "copy.db").read_text()) == (2, "precious")
    assert "--force" in said
    assert run(data, str(tmp_path / "copy.db"), "--force")[0] == 0


def test_a_place_that_is_not_there_is_refused(data: Path, tmp_path: Path) -> None:
    code, said = run(data, str(tmp_path / "nowhere" / "copy.db"))
    assert (code, "is no folder" in said.replace("\n", " ")) == (2, True)


def test_a_database_of_somebody_else_is_no_store(data: Path, tmp_path: Path) -> None:
    (data / "queuecast.db").unlink()
    with closing(sqlite3.connect(data / "queuecast.db")) as foreign:
        foreign.execute("CREATE TABLE recipes (name TEXT)")
    code, said = run(data, str(tmp_path / "copy.db"))
    assert (code, "no store of ours" in said.replace("\n", " "), (tmp_path / "copy.db").exists()) == (3, True, False)


def test_where_no_terminal_is_a_long_copy_says_how_far_it_is(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "LINE_EVERY_SECONDS", 0.0)
    assert "copied 100%" in run(data, str(tmp_path / "copy.db"))[1]


@pytest.mark.parametrize("name", ["queuecast.db", "queuecast.db-wal", "queuecast.db.made", "../data/queuecast.db"])
def test_the_stores_own_files_are_never_written_over(data: Path, name: str) -> None:
    code, said = run(data, str(data / name), "--force")
    assert code == 2
    assert "the store's own file" in said.replace("\n", " ")
    with closing(open_store(f"sqlite://{data / 'queuecast.db'}")) as store:
        assert store.jobs.get("job-1") == a_job()


def test_a_damaged_store_makes_no_copy_that_looks_good(data: Path, tmp_path: Path) -> None:
    with (data / "queuecast.db").open("r+b") as file:
        file.seek(4_096)
        file.write(b"\xff" * 20_000)
    code, _said = run(data, str(tmp_path / "copy.db"))
    assert code == 3
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_where_nothing_was_kept_nothing_is_made(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir(mode=0o700)
    code, _said = run(tmp_path / "empty", str(tmp_path / "copy.db"))
    assert code == 3
    assert not list((tmp_path / "empty").iterdir())


def test_for_mongodb_its_own_tool_is_named_without_the_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "QUEUECAST_STORE_URL", "mongodb://ann:s%40cret@one:1,two:2/store?authSource=admin&tlsCertificateKeyFilePassword=x"
    )
    code, said = run(tmp_path / "data", "copy.gz")
    assert code == 2
    assert "mongodump --uri='mongodb://ann@one:1,two:2/store?authSource=admin' --gzip --archive=copy.gz" in said
    assert "cret" not in said
    assert without_password("mongodb://host/db") == "mongodb://host/db"
