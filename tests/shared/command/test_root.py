"""The root command: its parts, its exit codes, its own verbs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from shared.command.root import build_app, exit_code
from shared.config.settings import Settings
from shared.errors import (
    ApiAway,
    DeadlinePassed,
    InvalidSettings,
    JobNotFound,
    ScopeMissing,
    SeriesTooShort,
    TooManyRequests,
    UnknownModel,
)
from shared.fleet.runstate import RunState


def run(*arguments: str) -> Result:
    """`queuecast` with these arguments, in this process."""
    return CliRunner().invoke(build_app(), arguments)


def run_process(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`queuecast` with these arguments, as a user starts it."""
    command = [sys.executable, "-c", "from shared.command.root import main; main()", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | environment)


def failing(error: Exception) -> typer.Typer:
    """The command with one more verb, `fail`, that raises."""
    app = build_app()

    @app.command()
    def fail() -> None:
        raise error

    return app


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UnknownModel("found 'x'"), 2),
        (JobNotFound(job_id="job-1"), 2),
        (ApiAway(), 3),
        (TimeoutError("job-1 is still running after 1h"), 4),
        (InvalidSettings("QUEUECAST_FOO is no setting"), 5),
        (SeriesTooShort(queue="root.etl"), 1),
        (DeadlinePassed(), 1),
        (ScopeMissing("needed is write"), 2),
        (TooManyRequests(), 2),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_an_error_is_one_line_and_the_code_of_its_family(error: Exception, code: int) -> None:
    result = CliRunner().invoke(failing(error), ["fail"])
    assert (result.exit_code, result.stdout, result.stderr) == (code, "", f"{error}\n")
    assert exit_code(error) == code


def test_a_refusal_of_the_system_names_the_path_and_no_number() -> None:
    result = CliRunner().invoke(failing(PermissionError(13, "Permission denied", "out.csv")), ["fail"])
    assert (result.exit_code, result.stderr) == (1, "out.csv: Permission denied\n")


def test_an_error_of_ours_says_how_to_see_more() -> None:
    result = CliRunner().invoke(failing(KeyError("queue")), ["fail"])
    assert (result.exit_code, result.stderr) == (1, "internal error: KeyError: 'queue' (`queuecast --debug …` shows where)\n")


def test_with_debug_the_traceback_is_shown() -> None:
    error = UnknownModel("found 'x'")
    assert CliRunner().invoke(failing(error), ["--debug", "fail"]).exception is error


def test_ctrl_c_ends_with_130() -> None:
    assert CliRunner().invoke(failing(KeyboardInterrupt()), ["fail"]).exit_code == 130  # type: ignore[arg-type]


def test_an_unknown_verb_is_a_usage_error() -> None:
    assert run("nonsense").exit_code == 2


def test_the_verbs_of_all_parts_stand_at_the_top_level() -> None:
    page = run("--help").stdout
    assert [
        verb for verb in ("serve", "submit", "jobs", "work", "backtest", "config", "doctor", "version") if verb not in page
    ] == []


def test_a_part_whose_package_is_absent_is_left_out(tmp_path: Path) -> None:
    """As in the image of the API, which holds neither worker nor deploy."""
    root = Path(__file__).parents[3]
    for part in ("shared", "api"):
        (tmp_path / part).symlink_to(root / part)
    code = (
        "import pathlib, sys; sys.path[:] = [p for p in sys.path if p and not pathlib.Path(p, 'worker').is_dir()];"
        "sys.path.insert(0, sys.argv[1]); from shared.command.root import main; sys.argv[1:] = ['version', '--json']; main()"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert json.loads(done.stdout)["parts"] == ["api"]


def test_the_version_is_said_in_both_forms() -> None:
    assert run("version").stdout.startswith("queuecast 0.")
    assert run("--version").stdout == run("version").stdout
    assert {"version", "python", "parts"} == set(json.loads(run("version", "--json").stdout))


def test_colours_go_with_no_color() -> None:
    plain = run_process("config", "check", FORCE_COLOR="1", NO_COLOR="1", QUEUECAST_FOO="1")
    red = run_process("config", "check", FORCE_COLOR="1", QUEUECAST_FOO="1")
    assert (plain.returncode, red.returncode) == (5, 5)
    assert "\x1b[31m" not in plain.stderr
    assert "\x1b[31m" in red.stderr


def test_every_connection_that_exists_is_shown_without_its_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "queuecast.toml").write_text('[connections.prod]\nkind = "mongodb"\nurl = "mongodb://u:hunter2@host/db"\n')
    monkeypatch.setenv("QUEUECAST_CONFIG_FILE", str(tmp_path / "queuecast.toml"))
    monkeypatch.setenv("QUEUECAST_INFLUXDB_URL", "http://influx:8086")
    monkeypatch.setenv("QUEUECAST_INFLUXDB_TOKEN", "hunter2")
    shown = settings_shown("--data-dir", str(tmp_path))["connections"]["value"]
    assert sorted(shown) == ["files", "influxdb", "prod", "uploads"]
    assert (shown["files"]["path"], shown["prod"]["url"]) == (str(tmp_path / "files"), "**********")
    text = run("config", "show", "--data-dir", str(tmp_path)).stdout
    origins = {words[1]: words[-1] for line in text.splitlines() if (words := line.split())[0] == "connection"}
    assert origins == {
        "files": "default",
        "influxdb": "QUEUECAST_INFLUXDB_URL",
        "prod": str(tmp_path / "queuecast.toml"),
        "uploads": "default",
    }
    assert "hunter2" not in text
    assert re.search(r"QUEUECAST_TRUSTED_PROXIES +0 +default", text)


def settings_shown(*arguments: str) -> dict[str, Any]:
    """What `config show` says."""
    shown: dict[str, Any] = json.loads(run("config", "show", "--json", *arguments).stdout)
    return shown


def test_settings_are_shown_with_their_origin_and_secrets_as_stars(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "queuecast.toml").write_text('instance_name = "Staging"\n')
    (tmp_path / "queuecast_influxdb_token").write_text("hunter2")
    monkeypatch.setenv("QUEUECAST_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("QUEUECAST_BROKER_URL", "redis://:hunter2@host/0")
    shown = settings_shown("--data-dir", str(tmp_path))
    assert shown["instance_name"] == {"value": "Staging", "from": str(tmp_path / "queuecast.toml")}
    assert shown["influxdb_token"] == {"value": "**********", "from": "QUEUECAST_SECRETS_DIR"}
    assert shown["broker_url"] == {"value": "**********", "from": "QUEUECAST_BROKER_URL"}
    assert shown["data_dir"] == {"value": str(tmp_path), "from": "--data-dir"}
    assert shown["api_threads"] == {"value": 8, "from": "default"}
    assert "hunter2" not in run("config", "show").output


def test_valid_settings_pass_the_check_without_any_server(tmp_path: Path) -> None:
    result = run("config", "check", "--data-dir", str(tmp_path))
    assert (result.exit_code, result.stdout) == (0, "the settings are valid\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("name", "value"), [("QUEUECAST_CHILD_MEMORY_MB", "9999999999"), ("QUEUECAST_THREADS", "256")])
def test_what_this_machine_has_not_is_a_warning_of_the_check(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    result = run("config", "check", "--json")
    answer = json.loads(result.stdout)
    assert (result.exit_code, answer["valid"], answer["problems"]) == (0, True, [])
    [warning] = answer["warnings"]
    assert warning.startswith(f"{name}: ")
    assert " here" in warning


@pytest.mark.parametrize(
    ("name", "scheme", "told"),
    [
        ("QUEUECAST_BROKER_URL", "amqp", "scheme 'amqp'; accepted is "),
        ("QUEUECAST_STORE_URL", "postgresql", "accepted is a URL that begins with sqlite: or mongodb://"),
    ],
)
def test_the_check_looks_at_urls_too_and_shows_no_password(
    monkeypatch: pytest.MonkeyPatch, name: str, scheme: str, told: str
) -> None:
    monkeypatch.setenv(name, f"{scheme}://:hunter2@host")
    result = run("config", "check", "--json")
    answer = json.loads(result.stdout)
    assert (result.exit_code, answer["valid"]) == (5, False)
    [problem] = answer["problems"]  # whole, with what is accepted
    assert told in problem
    assert "hunter2" not in result.output


def test_the_doctor_ends_with_3_when_the_broker_is_away(tmp_path: Path) -> None:
    result = run("doctor", "--data-dir", str(tmp_path), "--json")
    assert result.exit_code == 3
    assert {"name", "detail", "is_well", "is_away", "advice"} == set(json.loads(result.stdout)[0])


def test_the_doctor_ends_with_1_when_something_is_ill(settings: Settings, run_state: RunState) -> None:
    result = run("doctor", "--data-dir", str(settings.data_dir))
    assert result.exit_code == 1
    assert "no living worker" in result.stdout


def test_the_doctor_ends_with_5_when_the_settings_are_not_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUEUECAST_FOO", "1")
    assert run("doctor").exit_code == 5
