"""`queuecast apply`, against the real service, which follows the file that the command writes."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner, Result

from api.command.client import Client
from api.edge.context import EXTENSION
from shared.command.root import build_app
from shared.config import settings_file
from shared.config.origins import CONFIG_FILE
from shared.config.settings import Settings, load_settings
from shared.config.settings_file import SettingsFile
from shared.fleet.runstate import RunState
from tests.api.bodies import BODY
from tests.api.scene import MakeApp
from tests.api.serving import serving

DECLARED = """\
[[schedule]]
name = "nightly"
cron = "0 6 * * *"
timezone = "Europe/Berlin"
request = "request.json"

[[schedule]]
name = "weekly"
cron = "0 7 * * 1"
[schedule.request]
job_name = "Weekly"
data = {source = {name = "late"}, destination = {name = "files"}}
aggregation_time_period = "1h"
data_ingestion_time_period = "28d"
future_prediction_time_period = "3d"
as_of = 2026-01-05T00:00:00Z

[connections.late]
kind = "files"
path = "/srv/late"
"""


@pytest.fixture
def url(
    run_state: RunState, settings: Settings, make_app: MakeApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """Where the service answers, which looks at its file all the time. Its log must not mix with what a command says."""
    monkeypatch.setattr(settings_file, "LOOK_EVERY_SECONDS", 0.0)
    monkeypatch.setattr(settings_file, "SETTLED_SECONDS", 0.2)
    monkeypatch.setenv(CONFIG_FILE, str(tmp_path / "queuecast.toml"))
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    app = make_app(settings)
    app.extensions[EXTENSION].file = SettingsFile()
    with serving(app) as address:
        yield address
    structlog.reset_defaults()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "declared.toml"
    file.write_text(DECLARED)
    file.with_name("request.json").write_text(json.dumps(BODY))
    return file


def run(*arguments: object) -> Result:
    return CliRunner().invoke(build_app(), list(map(str, arguments)))


def kept(url: str) -> dict[str, dict[str, Any]]:
    listed = json.loads(run("schedules", "list", "--json", "--url", url).stdout)["schedules"]
    return {each["name"]: each for each in listed}


def test_a_file_is_shown_then_applied_and_then_there_is_nothing_to_do(url: str, file: Path, tmp_path: Path) -> None:
    shown = run("apply", file, "--dry-run", "--url", url)
    assert shown.exit_code == 6, shown.output
    assert [line for line in shown.stdout.splitlines() if line.startswith("+")] == [
        "+ connection late",
        "+ schedule nightly",
        "+ schedule weekly",
    ]
    assert '    cron: "0 6 * * *"' in shown.stdout.splitlines()
    assert kept(url) == {}
    assert not (tmp_path / "queuecast.toml").exists()

    done = run("apply", file, "--url", url)  # a schedule names the connection that is yet to be taken up
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "done: 3 added"), done.output
    assert {each["managed_by"] for each in kept(url).values()} == {"default"}
    assert kept(url)["weekly"]["request"]["as_of"] == "2026-01-05T00:00:00Z"
    for _ in range(2):
        again = run("apply", file, "--url", url, "--prune")
        assert (again.exit_code, again.stdout) == (0, "nothing to do: 3 unchanged\n")
    assert run("apply", file, "--url", url, "--dry-run").exit_code == 0


def test_differences_are_told_field_by_field_and_pruned_when_asked(url: str, file: Path) -> None:
    run("apply", file, "--url", url)
    weekly = DECLARED.index('[[schedule]]\nname = "weekly"')
    file.write_text(DECLARED[:weekly].replace("0 6", "30 5"))
    shown = run("apply", file, "--url", url, "--dry-run", "--prune")
    assert shown.exit_code == 6
    assert shown.stdout.splitlines() == [
        "- connection late",
        "~ schedule nightly",
        '    cron: "0 6 * * *" → "30 5 * * *"',
        "- schedule weekly",
        "would be: 1 changed, 2 removed",
    ]
    document = json.loads(run("apply", file, "--url", url, "--json").stdout)
    assert [(step["name"], step["action"]) for step in document["schedules"]] == [("nightly", "changed")]
    assert set(kept(url)) == {"nightly", "weekly"}
    assert run("apply", file, "--url", url, "--prune").exit_code == 0
    assert set(kept(url)) == {"nightly"}


def test_what_is_exported_is_taken_over_as_it_is(url: str, file: Path) -> None:
    rich = BODY | {
        "model": ["prophet", "hour_mean"],
        "hyperparameters": {"hour_mean": {"days": [7, 14]}},
        "where": {"partition": "gpu"},
        "csv": {"separator": ";", "decimal": ","},
        "limits": {"guaranteed": 80, "maximum": "max_capacity"},
        "bounds": [0, 100],
        "holidays": ["DE", "2026-05-15"],
        "events": [{"name": 'the "9"', "kind": "release", "start": "2026-05-04T18:00:00Z", "end": "2026-05-04T21:00:00Z"}],
        "exclude": [{"name": "outage", "start": "2026-05-04T18:00:00Z", "end": "2026-05-05"}],
        "ingestion_delay": "30min",
    }
    body = {"cron": "0 6 * * *", "refit_cron": "0 * * * *"}
    for name, request in (("rich", rich), ("plain", BODY)):
        Client(url).post("schedules", body=body | {"name": name, "request": request, "is_paused": name == "plain"})
    file.write_text(run("schedules", "export", "--url", url).stdout)
    document = json.loads(run("apply", file, "--url", url, "--json").stdout)
    changes = [change["field"] for step in document["schedules"] for change in step["changes"]]
    assert changes == ["managed_by", "managed_by"]
    assert run("schedules", "export", "--url", url).stdout == file.read_text()
    assert "other sets are left out" in run("schedules", "export", "--set", "west", "--url", url).stderr
    Client(url).post("schedules", body=body | {"name": "open", "request": BODY | {"bounds": [None, 5]}})
    assert "'open': its request holds a null" in run("schedules", "export", "--url", url).stderr


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[[policy]]\nname = "x"\n', "accepted are set = NAME, [[schedule]], [connections.NAME]"),
        ('[schedule]\nname = "x"\n', "accepted is [[schedule]]"),
        ("set = 'Not One'\n", "small letters"),
        ("connections = 3\n", "accepted is a table [connections.NAME]"),
        ("schedule = \n", "is no TOML"),
        ("schedule = " + 5_000 * "[", "is no TOML"),
        (f'[connections.a]\nkind = "files"\npath = {{file = "{sys.executable}"}}\n', "is no text"),
        ('[[schedule]]\nname = "x"\ncron = "0 6 * * *"\nrequest = "away.json"\n', "there is no file"),
        (DECLARED.replace("0 7 * * 1", "never"), "accepted are five fields"),
        (DECLARED.replace('kind = "files"', 'kind = "s3"'), "its kind is not accepted"),
        (DECLARED.replace("Weekly", 'Weekly"\ncolour = "red'), "schedule 2 ('weekly'), request.colour: no field has this name"),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_written(url: str, file: Path, tmp_path: Path, text: str, told: str) -> None:
    file.write_text(text)
    result = run("apply", file, "--url", url)
    assert result.exit_code in {2, 5}
    assert told in result.stderr
    assert kept(url) == {}
    assert not (tmp_path / "queuecast.toml").exists()


def test_where_it_breaks_off_it_says_what_is_done_and_goes_on_from_there(
    url: str, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.command.apply.TAKEN_UP_SECONDS", 0.0)
    monkeypatch.setattr(settings_file, "SETTLED_SECONDS", 60.0)  # the service does not take the connection up in time
    result = run("apply", file, "--url", url)
    assert result.exit_code == 2
    assert f"the connections in {tmp_path / 'queuecast.toml'} are written" in result.stderr
    assert "applying the file again does the rest" in result.stderr
    monkeypatch.setattr(settings_file, "SETTLED_SECONDS", 0.0)
    assert run("apply", file, "--url", url).stdout.splitlines()[-1] == "done: 2 added, 1 unchanged"


def test_a_service_elsewhere_gets_no_connections_and_those_here_need_no_service(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CONFIG_FILE, str(tmp_path / "queuecast.toml"))
    refused = run("apply", file, "--url", "http://queuecast.example.org")
    assert refused.exit_code == 2
    assert "--only schedules" in refused.stderr
    assert run("apply", file, "--url", "http://127.0.0.1:9").exit_code == 3
    assert not (tmp_path / "queuecast.toml").exists()
    assert run("apply", file, "--only", "connections", "--url", "http://127.0.0.1:9").exit_code == 0


def test_secrets_come_from_variables_and_files_and_are_never_shown(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CONFIG_FILE, str(tmp_path / "queuecast.toml"))
    (tmp_path / "url").write_text("http://influx:8086\n")
    monkeypatch.setenv("CUSTOMER", "acme")  # no secret of its kind, but not in the file for a reason
    values = f'url = {{file = "{tmp_path / "url"}"}}\ntoken = {{env = "INFLUX_TOKEN"}}\ndatabase = {{env = "CUSTOMER"}}\n'
    file.write_text(f'[connections.charts]\nkind = "influxdb"\nversion = 1\n{values}')
    assert "the variable INFLUX_TOKEN is not set" in run("apply", file).stderr
    monkeypatch.setenv("INFLUX_TOKEN", "hunter2")
    for options in (["--dry-run"], ["--dry-run", "--json"], []):
        result = run("apply", file, *options)
        assert result.exit_code in {0, 6}
        assert not {"hunter2", "acme"} & {*re.findall(r"\w+", result.output)}
    assert load_settings().connections["charts"].model_dump()["token"].get_secret_value() == "hunter2"
    monkeypatch.setenv("INFLUX_TOKEN", "hunter3")
    assert "    token: another, secret\n" in run("apply", file).stdout


def test_secrets_that_stand_in_the_file_are_warned_of(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CONFIG_FILE, str(tmp_path / "queuecast.toml"))
    monkeypatch.setenv("MONGO", "mongodb://ann:hunter2@mongo/usage")
    file.write_text(
        '[connections.charts]\nkind = "influxdb"\nurl = "http://influx:8086"\ntoken = "hunter2"\ndatabase = "x"\n'
        '[connections.open]\nkind = "mongodb"\nurl = "mongodb://ann:hunter2@mongo/usage"\n'
        '[connections.well]\nkind = "mongodb"\nurl = {env = "MONGO"}\n'
    )
    result = run("apply", file, "--dry-run")
    assert result.exit_code == 6, result.output
    assert 'or {file = "PATH"}: whoever has the file has them: connections.charts.token, connections.open.url\n' in result.stderr
    assert "hunter2" not in result.output
