from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from shared.config.addresses import masked_url
from shared.config.connection import kinds
from shared.config.origins import CONFIG_FILE, SECRETS_DIR, default_data_dir
from shared.config.settings import PREFIX, Settings, load_settings, unknown_names
from shared.connections.files import FilesConnection
from shared.connections.influxdb import InfluxdbConnection
from shared.connections.mongodb import MongodbConnection
from shared.connections.uploads import UploadsConnection
from shared.errors import InvalidSettings, UnknownConnection

SECRET = "s3cr3t"


@pytest.fixture
def toml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "queuecast.toml"
    monkeypatch.setenv(CONFIG_FILE, str(path))
    return path


@pytest.fixture
def secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "secrets"
    folder.mkdir()
    monkeypatch.setenv(SECRETS_DIR, str(folder))
    return folder


def refusal(**overrides: Any) -> str:
    with pytest.raises(InvalidSettings) as raised:
        load_settings(**overrides)
    assert raised.value.__cause__ is None  # nor does a traceback show what was given
    assert raised.value.__context__ is None
    return str(raised.value)


# Where values come from


def test_constructor_beats_environment_beats_secrets_beat_toml(
    toml: Path, secrets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load_settings().instance_name == "Queuecast"
    toml.write_text('instance_name = "toml"')
    assert load_settings().instance_name == "toml"
    (secrets / "queuecast_instance_name").write_text("secrets\n")
    assert load_settings().instance_name == "secrets"
    monkeypatch.setenv("QUEUECAST_INSTANCE_NAME", "environment")
    assert load_settings().instance_name == "environment"
    assert load_settings(instance_name="constructor").instance_name == "constructor"
    assert load_settings(instance_name=None).instance_name == "environment"
    monkeypatch.setenv("QUEUECAST_INSTANCE_NAME", "")
    assert load_settings().instance_name == "secrets"
    monkeypatch.setenv(SECRETS_DIR, "")
    assert load_settings().instance_name == "toml"


def test_the_toml_file_is_looked_for_where_one_stands_unless_told_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(CONFIG_FILE)
    monkeypatch.chdir(tmp_path)
    Path("queuecast.toml").write_text('instance_name = "here"')
    assert load_settings().instance_name == "here"


def test_the_data_folder_is_that_of_the_platform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_data_dir() == load_settings().data_dir == tmp_path / "queuecast"
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert load_settings().data_dir == tmp_path / "home" / ".local" / "share" / "queuecast"


def test_folders_are_absolute_however_they_are_written(tmp_path: Path, toml: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    toml.write_text('[connections.archive]\nkind = "files"\npath = "~/archive"')
    settings = load_settings(data_dir="data", files_dir=Path("~/files"))
    assert settings.data_dir == tmp_path / "data"
    assert settings.files_dir == tmp_path / "home" / "files"
    assert settings.connection("archive").path == tmp_path / "home" / "archive"
    with pytest.raises(InvalidSettings, match="holds no zero character"):
        load_settings(data_dir="data\0")


def test_the_store_lies_in_the_data_folder_unless_it_is_elsewhere(tmp_path: Path) -> None:
    assert Settings(data_dir=tmp_path).store_location == f"sqlite://{tmp_path}/queuecast.db"
    elsewhere = "mongodb://host/queuecast"
    assert Settings(data_dir=tmp_path, store_url=elsewhere).store_location == elsewhere


@pytest.mark.parametrize(
    ("soft", "hard", "said"),
    [
        ("90", "90", "QUEUECAST_TASK_SECONDS: accepted is at least 100"),
        ("300", "120", "QUEUECAST_TASK_SECONDS: accepted is at least 310"),
        ("5", "120", "QUEUECAST_TASK_SOFT_SECONDS: "),
    ],
)
def test_a_task_is_told_to_stop_before_it_is_killed(monkeypatch: pytest.MonkeyPatch, soft: str, hard: str, said: str) -> None:
    monkeypatch.setenv("QUEUECAST_TASK_SOFT_SECONDS", soft)
    monkeypatch.setenv("QUEUECAST_TASK_SECONDS", hard)
    with pytest.raises(InvalidSettings, match=said):
        load_settings()


# Connections


def test_files_are_always_there_and_servers_when_they_have_an_url(tmp_path: Path) -> None:
    uploads = UploadsConnection(path=tmp_path / "uploads")
    embedded = {"files": FilesConnection(path=tmp_path / "files"), "uploads": uploads}
    assert Settings(data_dir=tmp_path).all_connections == embedded
    influx = {"influxdb_url": "http://i", "influxdb_token": SECRET, "influxdb_org": "o", "influxdb_version": 1}
    settings = Settings(files_dir=tmp_path, uploads="off", mongodb_url="mongodb://m", **influx)
    assert settings.all_connections == {
        "files": FilesConnection(path=tmp_path),
        "mongodb": MongodbConnection(url="mongodb://m"),
        "influxdb": InfluxdbConnection(url="http://i", token=SECRET, org="o", version="1"),
    }


def test_further_connections_come_from_the_toml_file(toml: Path) -> None:
    toml.write_text(
        """
        [connections.prod-mongo]
        kind = "mongodb"
        url = "mongodb://m"
        database = "yarn"
        databases = ["old"]
        [connections.metrics]
        kind = "influxdb"
        url = "http://i"
        version = 1
        """
    )
    settings = load_settings()
    mongo = settings.connection("prod-mongo")
    assert (mongo.database, mongo.databases, mongo.document_field) == ("yarn", ("old",), "document")
    assert settings.connection("metrics").version == "1"
    assert sorted(settings.all_connections) == ["files", "metrics", "prod-mongo", "uploads"]


def test_an_unknown_connection_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UnknownConnection, match=r"found 'prod', known are files, uploads$"):
        Settings().connection("prod")
    with pytest.raises(
        UnknownConnection, match=r"found 'mongodb', known are files, uploads; set QUEUECAST_MONGODB_URL to have it"
    ):
        Settings().connection("mongodb")


# What is refused


def test_names_of_others_and_those_that_are_read_are_no_problem() -> None:
    environment = {PREFIX + name.upper(): "" for name in Settings.model_fields} | {CONFIG_FILE: "", SECRETS_DIR: "", "PATH": ""}
    assert unknown_names(environment) == []
    assert unknown_names({"queuecast_data_dir": "", "queuecast_x": ""}) == ["queuecast_x"]


def test_all_problems_are_told_at_once(toml: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toml.write_text(
        """
        instance = "x"
        [connections.Prod]
        kind = "files"
        path = "data"
        [connections.a]
        kind = "postgres"
        [connections.b]
        kind = "mongodb"
        [connections.c]
        kind = "files"
        [connections.d]
        kind = "influxdb"
        url = "http://i"
        version = 4
        pasword = "x"
        """
    )
    monkeypatch.setenv("QUEUECAST_FOO", "1")
    monkeypatch.setenv("QUEUECAST_MAX_BODY_BYTES", "many")
    monkeypatch.setenv(SECRETS_DIR, "no/such/folder")
    message = refusal(api_threads=0)
    for problem in (
        "QUEUECAST_FOO is no setting (known are QUEUECAST_DATA_DIR, ",
        "QUEUECAST_BROKER_URL, ",
        "QUEUECAST_SECRETS_DIR names no/such/folder, which is no folder",
        "QUEUECAST_API_THREADS: accepted is 1 or more",
        "QUEUECAST_MAX_BODY_BYTES: accepted is a whole number",
        "connections.Prod.[key]: accepted is small letters",
        f"connections.a: its kind is not accepted; accepted are {', '.join(kinds)}",
        "connections.b.url: it is missing",
        "connections.c.path: it is missing",
        "connections.d.version: accepted: '1', '2' or '3'",
        "connections.d.pasword is no setting",
        "; instance is no setting",
    ):
        assert problem in message


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("rate_limit", "lots", "accepted is NUMBER/PERIOD such as 300/minute"),
        ("most_open_jobs", "many", "accepted is a whole number of at least 1, such as 1000, or off"),
        ("keep_jobs", "0d", "at least 1, and a unit"),
        ("keep_jobs", "long", "; or forever"),
        ("flower_url", "flower:5555", "accepted is an address that begins with http:// or https://"),
        ("mark_levels", "80", "accepted is a list, such as [80.0, 100.0]"),
        ("mark_levels", "[120]", "accepted is 100.0 or less"),
        ("mark_levels", "eighty", "is not the JSON that it should be, such as [80.0, 100.0]"),
        ("mark_levels", '["x"]', "QUEUECAST_MARK_LEVELS: accepted is a number, such as [80.0, 100.0]"),
        ("child_memory_mb", "much", "accepted is a whole number, such as 2048"),
        ("proxy_addresses", '["proxy"]', "accepted is an address, or a network such as 10.0.0.0/8"),
        ("api_threads", "65", "accepted is 64 or less"),
        ("log_level", "LOUD", "accepted: 'DEBUG', "),
    ],
)
def test_a_setting_says_in_our_words_what_it_accepts(monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str) -> None:
    monkeypatch.setenv(PREFIX + name.upper(), value)
    message = refusal()
    assert (name in message.lower(), told in message) == (True, True), message


ANY_TEXT = {"instance_name", "token", "session_secret", "influxdb_org", "influxdb_database", "influxdb_token"}


def test_every_setting_that_is_refused_is_named_with_an_example(monkeypatch: pytest.MonkeyPatch) -> None:
    told: dict[str, str] = {}
    for name in Settings.model_fields:
        for value in ("abc", "-1", "{", '["x"]', "~nobody-of-this-name/x", "9" * 20):
            with monkeypatch.context() as patched:
                patched.setenv(PREFIX + name.upper(), value)
                try:
                    load_settings()
                except InvalidSettings as error:
                    told[name] = f"{error}\n{told.get(name, '')}"
    assert told.keys() == Settings.model_fields.keys() - ANY_TEXT
    for name, messages in told.items():
        for message in messages.splitlines():
            assert PREFIX + name.upper() in message, message
            assert any(sign in message for sign in ("such as", "accepted: '", "30min", "redis://", "rediss://")), message
            assert not re.search("[Ii]nput|valid (dict|list|tuple|json|integer|string)|pydantic|type=|errors? for", message), (
                message
            )


@pytest.mark.parametrize("line", ["threads = true", "mark_levels = [80, true]", "rate_limit = false", "data_dir = true"])
def test_true_and_false_are_no_numbers_of_a_toml_file(toml: Path, line: str) -> None:
    toml.write_text(line)
    assert refusal().endswith(f"QUEUECAST_{line.partition(' ')[0].upper()}: accepted is neither true nor false")


def test_a_toml_file_that_is_none_is_named(toml: Path) -> None:
    toml.write_text("instance_name = ")
    assert re.search(r"queuecast\.toml cannot be read: Invalid value \(at (end of document|line 1, column 17)\)", refusal())


def test_connections_in_the_environment_that_are_no_json_are_named_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUEUECAST_CONNECTIONS", f'{{"prod": "{SECRET}')
    message = refusal()
    assert "QUEUECAST_CONNECTIONS is not the JSON" in message
    assert SECRET not in message


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_no_refused_value_is_shown(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUEUECAST_API_THREADS", SECRET)
    monkeypatch.setenv(PREFIX + name.upper(), json.dumps({"prod": {"kind": SECRET, "url": {"x": SECRET}, "version": SECRET}}))
    assert SECRET not in refusal()


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().instance_name = "other"


# What is shown


def test_every_setting_is_shown_and_secrets_are_stars(toml: Path, tmp_path: Path) -> None:
    toml.write_text(f'[connections.prod]\nkind = "influxdb"\nurl = "http://ann:{SECRET}@i"\ntoken = "{SECRET}"\n')
    settings = load_settings(
        data_dir=tmp_path,
        broker_url=f"redis://:{SECRET}@host:6379/0",
        result_backend_url=f"rediss://ann:{SECRET}@host",
        mongodb_url=f"mongodb://ann:{SECRET}@host",
        influxdb_url=f"http://ann:{SECRET}@host",
        influxdb_token=SECRET,
    )
    shown = settings.masked()
    assert set(shown) == set(Settings.model_fields)
    assert shown["data_dir"] == str(tmp_path)
    assert shown["broker_url"] == shown["connections"]["prod"]["url"] == "**********"
    for text in (json.dumps(shown), repr(settings), str(settings), repr(settings.all_connections)):
        assert SECRET not in text


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (None, "sqlite:///data/queuecast.db"),
        ("sqlite:///a@b/c?d.db", "sqlite:///a@b/c?d.db"),
        ("mongodb://host/db", "mongodb://host/db"),
        (
            f"mongodb://ann:{SECRET}@host:1,other:2/db?tlsCertificateKeyFilePassword={SECRET}",
            "mongodb://**********@host:1,other:2/db",
        ),
        (f"mongodb://ann:a@b/{SECRET}?@host/db", "mongodb://**********@host/db"),
        (f"mongodb://host/db?password={SECRET}", "mongodb://host/db"),
    ],
)
def test_of_the_store_is_shown_where_it_is_and_not_who_may_use_it(url: str | None, shown: str) -> None:
    assert Settings(data_dir="/data", store_url=url).masked()["store_url"] == shown
    assert masked_url(f"ann:{SECRET}@host") == "**********"


@pytest.mark.parametrize("name", ["RATE_LIMIT", "WRITE_RATE_LIMIT", "FAILURE_RATE_LIMIT"])
@pytest.mark.parametrize("limit", ["0/minute", "5", "5/fortnight", "5/minute; 1/day", "-1/day", "on"])
def test_a_rate_limit_is_a_number_and_a_time_or_off(monkeypatch: pytest.MonkeyPatch, name: str, limit: str) -> None:
    monkeypatch.setenv(f"QUEUECAST_{name}", limit)
    with pytest.raises(InvalidSettings, match=f"QUEUECAST_{name}"):
        load_settings()
    for accepted in ("off", "1/second", "100000/day"):
        monkeypatch.setenv(f"QUEUECAST_{name}", accepted)
        load_settings()


def test_the_key_for_sessions_of_earlier_releases_is_accepted_with_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    load_settings()
    assert not caplog.messages
    monkeypatch.setenv("QUEUECAST_SESSION_SECRET", "hunter2")
    load_settings()
    [message] = caplog.messages
    assert message.startswith("QUEUECAST_SESSION_SECRET does nothing any more")
    assert "hunter2" not in message


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_another_user_s_file_where_a_command_runs_is_only_read_when_it_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "queuecast.toml"
    file.write_text('instance_name = "theirs"')
    os.chown(file, 65_534, 65_534)
    assert load_settings().instance_name == "theirs"  # named by the variable
    monkeypatch.delenv("QUEUECAST_CONFIG_FILE")
    with pytest.raises(InvalidSettings, match=r"queuecast\.toml belongs to another user; set QUEUECAST_CONFIG_FILE to it"):
        load_settings()
    os.chown(file, 0, 0)
    assert load_settings().instance_name == "theirs"


@pytest.mark.parametrize("folder", [".", "data", "data/logs", "data/files/../", "link", "data/files/back"])
def test_the_data_folder_is_no_folder_of_files_by_any_name(tmp_path: Path, folder: str) -> None:
    (tmp_path / "data" / "files").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "data")
    (tmp_path / "data" / "files" / "back").symlink_to("..")
    with pytest.raises(InvalidSettings, match=r"connection files reads .*accepted are the data folder's own folder `files`"):
        load_settings(data_dir=tmp_path / "data", files_dir=tmp_path / folder)


@pytest.mark.parametrize("folder", ["data/files", "data/files/team", "elsewhere", "data-2"])
def test_its_folder_for_files_and_any_other_folder_is_read(tmp_path: Path, folder: str) -> None:
    assert load_settings(data_dir=tmp_path / "data", files_dir=tmp_path / folder).files_dir == tmp_path / folder


def test_clusters_that_clash_and_samples_that_nobody_takes_are_refused_by_name(toml: Path) -> None:
    """As the collector would: else whoever is named by the second connection would see the tree of the first one."""
    cluster = '[connections.{}]\nkind = "yarn"\naddresses = ["http://{}:8088"]\ncluster = "{}"\n'
    toml.write_text(
        cluster.format("one", "a", "prod")
        + cluster.format("two", "b", "prod")
        + 'projects = ["sales"]\n'
        + cluster.format("astray", "c", "test")
        + 'samples = "nosuch"\n'
        + cluster.format("unfit", "d", "other")
        + 'samples = "metrics"\n'
        + '[connections.metrics]\nkind = "prometheus"\nurl = "http://p:9090"\n'
    )
    with pytest.raises(InvalidSettings) as refused:
        load_settings()
    assert refused.value.problems == (
        "the connection one is of the cluster prod, as two; accepted is one connection for each cluster",
        "the connection two is of the cluster prod, as one; accepted is one connection for each cluster",
        "the connection astray names `samples` = nosuch, which is no connection; accepted are files",
        "the connection unfit names `samples` = metrics, which is of kind prometheus and takes none; accepted are files",
    )
    toml.write_text(cluster.format("one", "a", "prod") + cluster.format("other", "b", "test"))
    assert {"one", "other"} < set(load_settings().all_connections)


def test_a_connection_that_may_apply_stands_beside_the_one_that_reads_its_cluster(toml: Path) -> None:
    cluster = '[connections.{}]\nkind = "yarn"\naddresses = ["http://{}:8088"]\ncluster = "prod"\n'
    may = "may_apply = true\n"
    toml.write_text(cluster.format("one", "a") + cluster.format("apply", "a") + may)
    assert {"one", "apply"} < set(load_settings().all_connections)
    for text, problem in (
        (
            cluster.format("apply", "a") + may,
            "the connection apply may apply to the cluster prod, which no other connection reads",
        ),
        (
            cluster.format("one", "a") + cluster.format("x", "a") + may + cluster.format("y", "a") + may,
            "the connection x is of the cluster prod, as y; accepted is one connection that may apply for each cluster",
        ),
    ):
        toml.write_text(text)
        with pytest.raises(InvalidSettings) as refused:
            load_settings()
        assert problem in refused.value.problems


@pytest.mark.parametrize(("given", "instead"), [("1y", "365d or 12mo"), ("90s", "2min")])
def test_a_time_in_a_unit_that_is_not_there_is_told_with_what_to_write(
    monkeypatch: pytest.MonkeyPatch, given: str, instead: str
) -> None:
    monkeypatch.setenv("QUEUECAST_KEEP_JOBS", given)
    assert re.search(rf"QUEUECAST_KEEP_JOBS: .*: {instead}; accepted is .*; or forever", refusal())
