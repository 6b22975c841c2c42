from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from shared.config import settings_file
from shared.config.origins import CONFIG_FILE
from shared.config.settings import Settings, load_settings
from shared.config.settings_file import SettingsFile
from shared.connections.mongodb import MongodbConnection
from shared.drivers.mongo import mongo_client
from tests.servers import MongoServer

ONE = '[connections.one]\nkind = "files"\npath = "/srv/one"\n'
TWO = ONE + '[connections.two]\nkind = "files"\npath = "/srv/two"\n'


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every look looks, and what is written is there."""
    monkeypatch.setattr(settings_file, "LOOK_EVERY_SECONDS", 0.0)
    monkeypatch.setattr(settings_file, "SETTLED_SECONDS", 0.0)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "queuecast.toml"
    path.write_text(ONE)
    monkeypatch.setenv(CONFIG_FILE, str(path))
    return path


def looked(settings: Settings, file: SettingsFile) -> tuple[Settings, list[dict[str, Any]]]:
    with capture_logs() as lines:
        return file.look(settings), [line for line in lines if line["log_level"] != "debug"]


def test_a_changed_file_brings_its_connections_and_all_else_waits_for_a_restart(path: Path) -> None:
    before, file = load_settings(), SettingsFile()
    assert looked(before, file) == (before, [])
    path.write_text('rate_limit = "7/minute"\nmongodb_url = "mongodb://127.0.0.1/metrics"\n' + TWO.replace("/srv/one", "/srv/1"))
    after, (waits, told) = looked(before, file)
    assert sorted(after.all_connections) == ["files", "mongodb", "one", "two", "uploads"]
    assert after.rate_limit == before.rate_limit
    assert waits["settings"] == ["QUEUECAST_RATE_LIMIT"]
    assert (told["added"], told["changed"], told["removed"]) == (["mongodb", "two"], ["one"], [])
    assert looked(after, file) == (after, [])
    path.write_text("")
    after, _lines = looked(after, file)
    assert sorted(after.all_connections) == ["files", "uploads"]


def test_applying_is_stopped_by_the_file_of_a_process_that_runs(path: Path) -> None:
    file, settings = SettingsFile(), load_settings()
    assert looked(settings, file) == (settings, [])
    for text, words in (("off", "no decision is applied any more"), ("on", "decisions are applied again")):
        path.write_text(f'apply = "{text}"\n' + ONE)
        settings, [line] = looked(settings, file)
        assert (settings.apply, line["event"]) == (text, words)


@pytest.mark.parametrize(
    "text", [TWO + "oops", TWO + '[connections.bad]\nkind = "s3"\n', TWO + 'colour = "red"\n', f"a = {'[' * 100_000}"]
)
def test_a_broken_file_changes_nothing_and_is_told_once(path: Path, text: str) -> None:
    before, file = load_settings(), SettingsFile()
    path.write_text(text)
    after, (line,) = looked(before, file)
    assert after is before
    assert (line["log_level"], line["file"]) == ("error", str(path))
    assert looked(before, file) == (before, [])
    path.write_text(f"{ONE}\n")
    mended, (line,) = looked(before, file)
    assert (mended, line["event"]) == (before, "the configuration file is accepted again")
    path.write_text(TWO)
    after, (line,) = looked(before, file)
    assert ("two" in after.connections, line["added"]) == (True, ["two"])


def test_a_file_that_is_gone_takes_nothing_along(path: Path) -> None:
    before, file = load_settings(), SettingsFile()
    file.look(before)
    path.unlink()
    after, (line,) = looked(before, file)
    assert after is before
    assert line["log_level"] == "error"
    assert looked(before, file) == (before, [])
    path.with_name("new").write_text(TWO)
    path.with_name("new").replace(path)
    assert "two" in looked(before, file)[0].connections


@pytest.mark.parametrize("kind", ["folder", "pipe", "device"])
def test_what_is_no_file_takes_no_connection_along(path: Path, kind: str) -> None:
    before, file = load_settings(), SettingsFile()
    file.look(before)
    path.unlink()
    {"folder": path.mkdir, "pipe": lambda: os.mkfifo(path), "device": lambda: path.symlink_to("/dev/null")}[kind]()
    after, (line,) = looked(before, file)
    assert after is before
    assert line["problems"] == ["it is no file"]
    assert looked(before, file) == (before, [])


def test_a_file_that_is_replaced_while_it_is_read_is_read_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, file = load_settings(), SettingsFile()
    file.look(before)
    path.write_text(TWO)

    def read_in_between(**given: Any) -> Settings:
        path.rename(path.with_name("away"))
        try:
            return load_settings(**given)
        finally:
            path.with_name("away").rename(path)

    with monkeypatch.context() as patched:
        patched.setattr(settings_file, "load_settings", read_in_between)
        assert looked(before, file) == (before, [])
    assert "two" in looked(before, file)[0].connections


def test_folders_that_are_links_in_a_circle_end_no_process(path: Path) -> None:
    before, file = load_settings(), SettingsFile()
    circle = path.with_name("circle")
    circle.symlink_to(circle)
    path.write_text(f'[connections.one]\nkind = "files"\npath = "{circle}"\n')
    assert "one" in looked(before, file)[0].connections


def test_a_link_that_leads_elsewhere_is_followed_as_platforms_mount_files(path: Path) -> None:
    path.unlink()
    for name, text in (("first", ONE), ("second", TWO)):
        path.with_name(name).mkdir()
        (path.with_name(name) / "queuecast.toml").write_text(text)
    data = path.with_name("data")
    data.symlink_to("first")
    path.symlink_to(data / "queuecast.toml")
    before, file = load_settings(), SettingsFile()
    file.look(before)
    path.with_name("next").symlink_to("second")
    path.with_name("next").replace(data)
    assert sorted(looked(before, file)[0].connections) == ["one", "two"]


def test_a_file_that_was_only_just_written_may_not_be_whole_yet(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings_file, "SETTLED_SECONDS", 60.0)
    before, file = load_settings(), SettingsFile()
    path.write_text(TWO)
    assert looked(before, file) == (before, [])
    os.utime(path, (1, 1))
    assert "two" in looked(before, file)[0].connections


def test_while_one_thread_reads_the_file_the_others_go_on_with_what_they_have(path: Path) -> None:
    before, file = load_settings(), SettingsFile()
    path.write_text(TWO)
    with file._turn:
        seen: list[Settings] = []
        thread = threading.Thread(target=lambda: seen.append(file.look(before)))
        thread.start()
        thread.join(5)
    assert seen == [before]


def test_the_client_of_a_connection_that_changed_is_closed_and_made_anew(path: Path, mongod: MongoServer) -> None:
    url = mongod.url_of("metrics")
    path.write_text(f'[connections.db]\nkind = "mongodb"\nurl = "{url}"\n')
    before, file = load_settings(), SettingsFile()
    file.look(before)
    client = mongo_client(url, patience="source")
    assert client.admin.command("ping")["ok"]
    path.write_text(f'[connections.db]\nkind = "mongodb"\nurl = "{url}"\ndatabase = "usage"\n')
    connection = file.look(before).connections["db"]
    assert isinstance(connection, MongodbConnection)
    assert connection.own_database == "usage"
    assert client._closed
    assert mongo_client(url, patience="source").admin.command("ping")["ok"]
