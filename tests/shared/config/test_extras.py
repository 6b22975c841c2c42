"""A wheel with only some extras says which one is missing, at once, instead of failing again and again."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from importlib.metadata import distribution
from pathlib import Path

import pytest

from shared.config.extras import packages, require_extras
from shared.errors import ExtraMissing
from tests.architecture.house import ROOT

MAIN = "import sys; sys.path[:0] = sys.argv.pop(1).split(':'); from shared.command.root import main; main()"


def installed_without(extra: str, folder: Path) -> Path:
    """A folder with everything that is installed here but the packages of one extra."""
    hidden = {file.parts[0] for name in packages(extra) for file in distribution(name).files or ()}
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if entry.name not in hidden:
            (folder / entry.name).symlink_to(entry)
    return folder


@pytest.mark.parametrize(
    ("extra", "command"),
    [
        ("api", "serve"),
        ("worker", "work"),
        ("worker", "reap"),
        ("worker", "simulate --out somewhere"),
        ("worker", "forecast export"),
        ("flower", "up"),
        ("api", "up"),
    ],
)
def test_a_command_whose_extra_is_missing_says_so_in_one_line_and_ends_with_5(extra: str, command: str, tmp_path: Path) -> None:
    path = f"{installed_without(extra, tmp_path)}:{ROOT}"
    # -I -S: neither this folder nor what is installed beside it is on the path.
    started = [sys.executable, "-I", "-S", "-c", MAIN, path, *command.split()]
    ended = subprocess.run(
        started, capture_output=True, text=True, check=False, timeout=60, env=os.environ | {"COLUMNS": "500"}, cwd=tmp_path
    )
    assert ended.returncode == 5, ended.stderr
    assert f"install queuecast[{extra}]" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_several_missing_extras_are_named_together(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "path", [str(installed_without("flower", tmp_path))])
    require_extras("api", "worker")
    with pytest.raises(ExtraMissing, match=r"install queuecast\[flower\] \(not found: flower\)"):
        require_extras("api", "flower")


def test_traces_whose_extra_is_missing_are_a_warning_and_no_end(tmp_path: Path) -> None:
    start = "from shared.telemetry.tracing import start_tracing; start_tracing('api')"
    program = f"import sys; sys.path[:0] = sys.argv[1].split(':'); {start}"
    path = f"{installed_without('otel', tmp_path)}:{ROOT}"
    asked_for = os.environ | {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}
    ended = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program, path], capture_output=True, text=True, check=False, timeout=60, env=asked_for
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "install queuecast[otel]" in ended.stdout


@pytest.mark.parametrize("extra", ["api", "worker", "flower", "otel"])
def test_every_extra_has_packages(extra: str) -> None:
    assert list(packages(extra))
