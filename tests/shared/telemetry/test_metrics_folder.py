"""Where processes count: an empty folder of their own, or the one that the environment names."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shared.telemetry.metrics_folder import FOLDER, count_in, metrics_folder


@pytest.fixture(autouse=True)
def _no_folder_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also afterwards: to be taken away, the variable must have been there."""
    monkeypatch.setenv(FOLDER, "")
    monkeypatch.delenv(FOLDER)


def test_a_folder_of_ones_own_is_emptied(tmp_path: Path) -> None:
    folder = metrics_folder(tmp_path, "work-a")
    folder.mkdir(parents=True)
    (folder / "counter_7.db").touch()
    count_in(folder)
    assert os.environ[FOLDER] == str(folder)
    assert list(folder.iterdir()) == []


def test_a_folder_that_the_environment_names_is_made_and_never_emptied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = tmp_path / "somewhere" / "else"
    monkeypatch.setenv(FOLDER, str(given))
    count_in(tmp_path / "own")
    (given / "counter_7.db").touch()
    count_in(tmp_path / "own")
    assert [path.name for path in given.iterdir()] == ["counter_7.db"]
    assert (os.environ[FOLDER], (tmp_path / "own").exists()) == (str(given), False)


@pytest.mark.parametrize(
    "module", ["shared.telemetry.metrics_folder", "api.command.remote", "worker.cli", "worker.fleet.watchdog", "deploy.cli"]
)
def test_who_names_the_folder_has_not_yet_decided_where_to_count(module: str) -> None:
    """prometheus_client decides when it is imported."""
    program = f"import sys, {module}; sys.exit('prometheus_client' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
