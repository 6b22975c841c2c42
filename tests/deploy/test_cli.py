"""The verbs of one machine, in this process; a whole stack is started in tests/integration."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from deploy.cli import app
from deploy.simulating import moment_of, seconds_of
from shared.command.root import build_app
from shared.errors import InvalidRequest

SMALL = ["--queues", "2", "--days", "1", "--step", "1h", "--end", "2026-01-05T00:30Z"]


@pytest.mark.parametrize(
    ("step", "seconds"),
    [("10s", 10), ("10sec", 10), ("30 s", 30), ("5min", 300), ("1h", 3_600), ("1 day", 86_400), ("86400s", 86_400)],
)
def test_a_step_is_a_duration_or_whole_seconds(step: str, seconds: int) -> None:
    assert seconds_of(step) == seconds


@pytest.mark.parametrize("step", ["10", "0s", "1.5s", "-1s", "1m", "1mo", "2d", "99999s", "", "١s"])
def test_any_other_step_is_refused_with_what_is_accepted(step: str) -> None:
    with pytest.raises(InvalidRequest, match="accepted is"):
        seconds_of(step)


def test_a_moment_is_told_in_any_offset() -> None:
    assert moment_of("2026-01-05T01:00+01:00") == moment_of("2026-01-05T00:00Z") == datetime(2026, 1, 5, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2026-01-05", "2026-01-05T00:00", "yesterday", ""])
def test_a_moment_without_offset_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match="accepted is 2026-01-05T00:00Z"):
        moment_of(text)


def test_simulate_writes_a_file_per_queue_and_says_so(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["simulate", "--out", str(tmp_path / "new"), *SMALL])
    assert result.exit_code == 0, result.output
    assert "2 queues" in result.output
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["root.adhoc.parquet", "root.etl.daily.parquet"]


def test_simulate_writes_no_cluster_beside_queues_of_another_unless_told(tmp_path: Path) -> None:
    words = ["simulate", "--out", str(tmp_path), *SMALL]
    assert CliRunner().invoke(app, words).exit_code == CliRunner().invoke(app, words).exit_code == 0  # its own it replaces
    (tmp_path / "root.mine.csv").write_text("timestamp,used_capacity\n")
    refused = CliRunner().invoke(build_app(), words)
    assert refused.exit_code == 2
    assert "has files of other queues: root.mine.csv; take another folder, or --force" in " ".join(refused.stderr.split())
    assert CliRunner().invoke(app, [*words, "--force"]).exit_code == 0


def test_simulate_ends_with_the_last_whole_step_and_speaks_json(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["simulate", "--out", str(tmp_path), *SMALL, "--format", "csv", "--json"])
    shown = json.loads(result.stdout)
    assert shown["end"] == "2026-01-05T00:00:00+00:00"
    read = pd.read_csv(tmp_path / "root.adhoc.csv")
    assert len(read) == shown["queues"]["root.adhoc"]
    assert read["timestamp"].max() <= "2026-01-04T23:00:00Z"


@pytest.mark.parametrize("arguments", ["--queues 0", "--days 0", "--format xml", "--seed -1"])
def test_simulate_refuses_what_makes_no_sense(tmp_path: Path, arguments: str) -> None:
    result = CliRunner().invoke(build_app(), ["simulate", "--out", str(tmp_path), *arguments.split()])
    assert (result.exit_code, result.stdout, list(tmp_path.iterdir())) == (2, "", [])


@pytest.mark.parametrize(
    "arguments",
    ["--step 10", "--end yesterday", "--to mongodb", "--queues 2000 --days 3650 --step 1s"],  # the last: too much
)
def test_wrong_usage_is_told_in_one_line(tmp_path: Path, arguments: str) -> None:
    result = CliRunner().invoke(build_app(), ["simulate", "--out", str(tmp_path), *arguments.split()])
    assert (result.exit_code, result.stdout, list(tmp_path.iterdir())) == (2, "", [])
    assert (len(result.stderr.splitlines()), "accepted" in result.stderr) == (1, True)


def test_up_says_what_it_takes() -> None:
    result = CliRunner().invoke(build_app(), ["up", "--help"], env={"TERM": "dumb"})  # colours would cut the names, where forced
    assert result.exit_code == 0
    options = ("--host", "--port", "--workers", "--data-dir", "--flower-port", "--json")
    assert [option for option in options if option not in result.stdout] == []


@pytest.mark.parametrize("host", ["0.0.0.0", "::", ""])  # noqa: S104 - to be refused
def test_up_at_an_address_that_others_can_reach_is_refused_while_no_token_exists(tmp_path: Path, host: str) -> None:
    result = CliRunner().invoke(build_app(), ["up", "--host", host, "--port", "0", "--data-dir", str(tmp_path / "new")])
    assert (result.exit_code, "no token exists" in result.stderr) == (5, True)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "verb",
    [
        *("up --port 0", "serve", "work", "reap", "flower", "forecast export", "config check"),
        *("token create --name ci --scope read", "token list", "token revoke 3f9ac01b22"),
    ],
)
def test_every_verb_that_needs_the_data_folder_says_why_it_cannot_be_made(tmp_path: Path, verb: str) -> None:
    (tmp_path / "file").touch()
    result = CliRunner().invoke(build_app(), [*verb.split(), "--data-dir", str(tmp_path / "file" / "below")])
    assert result.exit_code == 5
    assert (
        f"cannot be made: {tmp_path / 'file'} is no folder; name another with --data-dir or QUEUECAST_DATA_DIR" in result.output
    )


def test_a_folder_that_cannot_be_made_is_named_without_a_number() -> None:
    result = CliRunner().invoke(build_app(), ["simulate", "--queues", "1", "--days", "1", "--step", "1h", "--out", "/proc/x"])
    assert (result.exit_code, "/proc/x cannot be written to: " in result.stderr) == (2, True)


def test_made_up_files_outside_the_data_folder_are_as_open_as_the_umask_says(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    command = [sys.executable, "-c", "from shared.command.root import main; main()", "simulate", *SMALL, "--out"]
    for folder in (tmp_path / "shown", data_dir / "files"):
        environment = os.environ | {"QUEUECAST_DATA_DIR": str(data_dir)}
        subprocess.run([*command, str(folder)], env=environment, umask=0o027, check=True, capture_output=True)
    modes = {path: path.stat().st_mode & 0o777 for path in tmp_path.rglob("*")}
    assert {mode for path, mode in modes.items() if path.is_relative_to(data_dir)} == {0o700, 0o600}
    assert {mode for path, mode in modes.items() if not path.is_relative_to(data_dir)} == {0o750, 0o640}
