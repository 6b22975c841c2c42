"""The checks on a small house with a fault for each of them: all are told, and what can be mended is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.checks import CHECKS
from tests.architecture.house import ROOT

FAULTY = """
import os
import yaml
from deploy import checks
count: int =   "three"
print(yaml, count, checks)
"""
SAID = {
    "lint": "`os` imported but unused",
    "format": "would be reformatted",
    "types": "Incompatible types in assignment",
    "imports": "below.faulty -> deploy.checks",
    "dependencies": "'yaml' imported but it is a transitive dependency",
}
PROJECT = """
[project]
name = "small"
version = "1"
[tool.ruff]
line-length = 130
cache-dir = "cache"
[tool.mypy]
packages = ["below"]
ignore_missing_imports = true
[tool.deptry]
known_first_party = ["below", "deploy"]
[tool.importlinter]
root_packages = ["below", "deploy"]
contracts = [{ name = "in layers", type = "layers", layers = ["deploy", "below"] }]
"""


@pytest.fixture
def small_house(tmp_path: Path) -> Path:
    for folder in ("deploy", "below"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "__init__.py").touch()
    for name in ("checks.py", "environment.py"):
        shutil.copy(ROOT / "deploy" / name, tmp_path / "deploy")
    (tmp_path / "below" / "faulty.py").write_text(FAULTY)
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    return tmp_path


def run(house: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "deploy.checks", *arguments]
    environment = os.environ | {"PYTHONPATH": str(house)}
    return subprocess.run(command, cwd=house, env=environment, capture_output=True, text=True, check=False)


def test_every_check_that_fails_is_told_and_what_can_be_mended_is(small_house: Path) -> None:
    before = run(small_house, "check")
    assert before.returncode == 1
    for name in CHECKS:
        said = before.stdout.partition(f"{name}: it ended with 1:\n")[2]
        assert SAID[name] in said, before.stdout
    assert run(small_house, "fix").stdout == "lint: ok\nformat: ok\n"
    after = run(small_house, "check")
    assert (after.returncode, after.stdout.startswith("lint: ok\nformat: ok\ntypes: it ended")) == (1, True), after.stdout


def test_a_check_is_not_chosen_by_arguments(small_house: Path) -> None:
    done = run(small_house, "check", "types")
    assert (done.returncode, done.stderr) == (2, "accepted are check and fix, without arguments\n")
