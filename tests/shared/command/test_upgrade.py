"""`queuecast upgrade --check`: what it says of stores of earlier and newer releases, and that it leaves them as they are."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from shared.command.root import build_app
from shared.config.settings import Settings
from shared.fleet.runstate import RunState
from shared.fleet.runstate.members import REAPER
from shared.fleet.runstate.values import LivingWorker
from shared.store import open_store, schema
from shared.store.mongo_schema import TOUCHED as TOUCHED_IN_MONGO
from shared.store.sqlite_schema import TOUCHED
from tests.factories import a_job
from tests.servers import MongoServer
from tests.shared.store.release_0_1 import RELEASE_0_1

SCHEMAS = Path(__file__).parents[1] / "store"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder of a machine on which nothing runs."""
    monkeypatch.setenv("QUEUECAST_DATA_DIR", str(tmp_path))
    for name in ("QUEUECAST_STORE_URL", "QUEUECAST_BROKER_URL"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def an_old_store(folder: Path, number: int) -> Path:
    path = folder / "queuecast.db"
    with closing(sqlite3.connect(path)) as db:
        db.executescript((SCHEMAS / f"schema_{number}.sql").read_text())
        db.execute(f"PRAGMA user_version = {number}")
        db.execute("PRAGMA journal_mode = WAL")
    return path


def contents(folder: Path) -> dict[str, str]:
    """File → digest; the index of SQLite's log, in which readers note that they read, by its length."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.name: "" if path.name.endswith("-shm") else sha256(path.read_bytes()).hexdigest() for path in files}


def asked(*options: str) -> Result:
    return CliRunner().invoke(build_app(), ["upgrade", "--check", *options])


def told(exit_code: int) -> dict[str, Any]:
    result = asked("--json")
    assert result.exit_code == exit_code, result.output
    return dict(json.loads(result.stdout))


@pytest.mark.parametrize("found", [1, 2, 3, 4, 5])
def test_an_older_file_is_told_step_by_step_and_not_one_byte_of_it_changes(folder: Path, found: int) -> None:
    path = an_old_store(folder, found)
    before = contents(folder)
    document = told(6)
    assert (document["found"], document["wanted"], document["running"]) == (found, schema.VERSION, None)
    assert [step["of_schema"] for step in document["migrations"]] == list(range(found, schema.VERSION))
    assert document["size_bytes"] == path.stat().st_size
    assert document["free_bytes"] > 0
    shown = asked()
    assert (shown.exit_code, f"{found}, wanted {schema.VERSION}" in shown.stdout) == (6, True)
    assert "nothing to do" not in shown.stdout
    assert contents(folder) == before


def test_records_that_a_step_touches_are_counted_and_after_it_there_is_nothing_to_do(folder: Path) -> None:
    path = an_old_store(folder, 5)
    with closing(sqlite3.connect(path)) as db:
        counts = {name: db.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in TOUCHED[5]}
    assert sum(counts.values()) > 0
    document = told(6)
    assert document["migrations"][0]["records"] == counts
    with closing(open_store(f"sqlite://{path}")) as store:
        store.jobs.add(a_job(job_id="new"))
        before = contents(folder)
        assert "queuecast.db-wal" in before
        document = told(0)  # while another has it open
        assert (document["migrations"], document["made"], document["changes"]) == ([], [], False)
        assert document["open_jobs"] == len(store.jobs.open())
        assert contents(folder) == before
    assert asked().stdout.splitlines()[-1] == "nothing to do in the store"
    assert told(0)["found"] == schema.VERSION


def test_a_table_that_a_release_before_did_not_have_would_be_made(folder: Path) -> None:
    with closing(open_store(f"sqlite://{folder / 'queuecast.db'}")) as store:
        store.check()
    with closing(sqlite3.connect(folder / "queuecast.db")) as db:
        db.execute("DROP TABLE notices")
    assert "notices" in told(6)["made"]


def test_a_newer_file_is_impossible_none_is_nothing_to_do_and_a_lost_one_an_error(folder: Path) -> None:
    assert told(0)["found"] is None
    assert contents(folder) == {}
    with closing(open_store(f"sqlite://{folder / 'queuecast.db'}")) as store:
        store.check()
    with closing(sqlite3.connect(folder / "queuecast.db")) as db:
        db.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    document = told(5)
    assert (document["possible"], document["made"]) == (False, [])
    assert "start the newer release" in asked().stdout
    (folder / "queuecast.db").unlink()
    result = asked()
    assert (result.exit_code, "it is gone" in result.stderr) == (3, True)


def test_a_database_is_asked_as_a_user_who_may_only_read(
    folder: Path, mongod_with_users: MongoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUEUECAST_STORE_URL", mongod_with_users.url_of("upgraded", "reader:reader"))
    assert told(0)["found"] is None
    with mongod_with_users.client() as client:
        database = client["upgraded"]
        for name, documents in RELEASE_0_1["mongodb"].items():
            database[name].insert_many(documents)
        kept = {name: list(database[name].find()) for name in database.list_collection_names()}
        document = told(6)
        assert [step["of_schema"] for step in document["migrations"]] == [schema.COLUMNS, schema.NAMES]
        assert document["migrations"][0]["records"]["jobs"] == len(kept["jobs"])
        assert "reports (job_id, queue)" in document["made"]
        assert {name: list(database[name].find()) for name in database.list_collection_names()} == kept
        assert all(len(database[name].index_information()) == 1 for name in kept)
        open_store(mongod_with_users.url_of("upgraded")).check()
        assert told(0)["changes"] is False
        database["queuecast_store"].update_one({}, {"$set": {"schema": schema.VERSION + 1}})
        assert told(5)["possible"] is False
        client.drop_database("upgraded")


def test_who_still_runs_is_named_with_its_release(
    settings: Settings, run_state: RunState, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUEUECAST_DATA_DIR", str(settings.data_dir))  # its broker runs
    monkeypatch.setenv("QUEUECAST_STORE_URL", f"sqlite://{an_old_store(folder, 5)}")
    run_state.members.announce_version(REAPER, "0.0.9")
    run_state.members.announce(LivingWorker(worker_id="w-1", lanes=("plan",), slots=1, version=version("queuecast")))
    assert told(6)["running"] == {REAPER: "0.0.9", "worker w-1": version("queuecast")}
    [line] = [line for line in asked().stdout.splitlines() if line.startswith("reaper")]
    assert f"release 0.0.9, and this is {version('queuecast')}" in line
    assert "stop it before the first of this release starts" in line


def test_without_a_question_it_does_nothing(folder: Path) -> None:
    result = CliRunner().invoke(build_app(), ["upgrade"])
    assert (result.exit_code, "accepted is --check" in result.stderr) == (2, True)


def test_every_step_of_a_store_is_described() -> None:
    assert list(schema.ABOUT) == list(TOUCHED) == list(range(1, schema.VERSION))
    assert set(TOUCHED_IN_MONGO) == {number for number in TOUCHED if number >= schema.COLUMNS}
