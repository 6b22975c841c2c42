"""What is told of decisions beside a backtest."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from shared.command.root import build_app
from shared.connections.files import FilesConnection
from shared.domain.replays import DO_NOTHING, RECOMMENDED
from tests.factories import MONDAY
from worker.backtest.known import known_of
from worker.backtest.report import replay_request
from worker.decisions.rules import baselines
from worker.sources.files.listing import find_files

DAYS, ORIGINS = 30, 12
RULES = len(baselines(10)) + 2  # what is advised, and the oracle


def usage(path: Path) -> Path:
    """A queue whose demand quadruples ten days before the end, and one that stays."""
    times = pd.date_range(end=MONDAY - timedelta(hours=1), periods=DAYS * 24, freq="h")
    night = 1 + ((times.hour >= 2) & (times.hour < 5))
    noise = np.random.default_rng(2).normal(1, 0.03, len(times))
    risen = np.where(np.arange(len(times)) < 20 * 24, 100.0, 400.0)
    frames = [
        pd.DataFrame({"queue": queue, "timestamp": times, "allocatedMB": level * night * noise * 1024})
        for queue, level in (("root.etl", risen), ("root.bi", 50.0))
    ]
    pd.concat(frames).to_csv(path, index=False)
    return path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(build_app(), arguments)


def asked(folder: Path, *further: str) -> Result:
    words = ("--target", "allocatedMB", "--models", "hour_mean", "--origins", str(ORIGINS), "--decisions")
    return run("backtest", str(usage(folder / "usage.csv")), *words, *further)


def test_each_queue_says_whether_decisions_are_offered_and_why(tmp_path: Path) -> None:
    found = asked(tmp_path)
    assert found.exit_code == 0
    told = found.stdout.split("\n\n", 2)[2]
    assert told.splitlines()[0].split()[:3] == ["queue", "has", "advised"]
    assert "root.etl: Changes as advised would have cost " in told
    assert "root.bi: Leave it: nothing would have been changed on 12 days of its past." in told


def test_figures_of_all_rules_go_into_a_file_and_the_summary(tmp_path: Path) -> None:
    out, summary = tmp_path / "decisions.csv", tmp_path / "summary.json"
    found = asked(tmp_path, "--decisions-out", str(out), "--summary", str(summary), "--json")
    frame = pd.read_csv(out)
    assert len(frame) == 2 * RULES
    assert frame.groupby("queue")["rule"].first().tolist() == [RECOMMENDED] * 2
    assert frame.loc[frame["rule"] == DO_NOTHING, "ratio"].tolist() == [1.0, 1.0]
    verdicts = json.loads(summary.read_text())["decisions"]
    assert verdicts == json.loads(found.stdout)["decisions"]
    assert (verdicts["root.etl"]["is_offered"], verdicts["root.etl"]["days"]) == (True, ORIGINS)
    assert verdicts["root.etl"]["unit"] == "megabytes"
    assert "on 12 days only" in verdicts["root.etl"]["timetable"]["sentence"]


def test_figures_go_into_parquet_too_by_another_kappa(tmp_path: Path) -> None:
    out = tmp_path / "decisions.parquet"
    asked(tmp_path, "--decisions-out", str(out), "--kappa", "20")
    frame = pd.read_parquet(out)
    assert set(frame["kappa"]) == {20.0}
    assert frame["is_offered"].notna().sum() == 2


def test_what_a_queue_has_is_what_doing_nothing_keeps(tmp_path: Path) -> None:
    found = json.loads(asked(tmp_path, "--guaranteed", "921600", "--json").stdout)
    etl = found["decisions"]["root.etl"]
    assert etl["present"] == 921_600
    assert next(each for each in etl["beside"] if each["rule"] == DO_NOTHING)["changes"] == 0
    bi = found["decisions"]["root.bi"]  # it has far more than it needs
    assert bi["is_offered"]
    assert "with one that is set once by its first week" in bi["sentence"]


def test_a_horizon_without_paths_says_so(tmp_path: Path) -> None:
    file = usage(tmp_path / "usage.csv")
    words = ("--target", "allocatedMB", "--models", "hour_mean", "--origins", "1", "--horizon", "17d", "--decisions")
    found = run("backtest", str(file), *words)
    assert "none of its forecasts has joint paths" in found.stderr


@pytest.mark.parametrize("days", [3, 40])
def test_values_are_known_from_four_weeks_before_the_first_cutoff(tmp_path: Path, days: int) -> None:
    request, _ = replay_request((usage(tmp_path / "usage.csv"),), ("1h", "14d", "24h"), "auto")
    times = pd.date_range(end=MONDAY, periods=days * 24 + 1, freq="h")
    values = pd.Series(np.arange(len(times), dtype=np.float64), index=times).drop(times[-3])
    known = known_of(request, values, [MONDAY - timedelta(days=1)])
    assert known.start_at == MONDAY - timedelta(days=min(days, 29))
    assert np.flatnonzero(np.isnan(known.values)).tolist() == [len(known.values) - 3]


def test_files_outside_the_folder_that_one_stands_in_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage(tmp_path / "usage.csv")
    (tmp_path / "inside").mkdir()
    monkeypatch.chdir(tmp_path / "inside")
    _, connections = replay_request((Path("../usage.csv"),), ("1h", "14d", "24h"), "auto")
    connection = connections["usage"]
    assert isinstance(connection, FilesConnection)
    assert list(find_files(connection, "usage.csv").paths) == ["usage.csv"]
