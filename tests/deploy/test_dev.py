"""The bootstrap in a house of its own: the real dev.py, a real environment, and a stand-in for pip that only takes notes."""

from __future__ import annotations

import ast
import fcntl
import os
import re
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

LOCKS = [f"deploy/{path.name}" for path in (ROOT / "deploy").glob("*.lock")]
STAND_IN_FOR_PIP = """
import json, os, sys
words = [word for word in sys.argv[1:] if word not in ("--no-input", "--disable-pip-version-check")]
if words[0] == "check":
    sys.exit(os.environ.get("UNFIT"))
if words[0] == "config":
    sys.exit(print(os.environ.get("CONFIGURED", "")))
if "--dry-run" in words:
    found = {"metadata": {"requires_dist": os.environ.get("TORCH_NEEDS", "filelock").split()}}
    sys.exit(print(json.dumps({"install": [found]})) if "TORCH_NEEDS" not in os.environ or os.environ["TORCH_NEEDS"] else 1)
with open(os.environ["NOTES"], "a") as notes:
    notes.write(" ".join(words) + "\\n")
print("noise of the installer")
sys.exit("no matching distribution" if os.environ.get("BREAK", "none") in " ".join(words) else 0)
"""
STAND_IN_FOR_UV = """#!/bin/sh
echo "uv $* as ${UV_DEFAULT_INDEX}" >> "$NOTES"
[ -z "$BREAK_UV" ] || exit 1
"""
WHOLE = 5  # calls of an installer: torch, uv, two locked sets, ourselves
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
        ours = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        return ours | {"NOTES": str(self.root / "notes")} | more

    def run(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run dev.py from a folder of somebody else's, without a terminal."""
        command = self.command(*arguments)
        return subprocess.run(
            command, cwd="/", env=self.environment(**more), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )

    def is_usable(self) -> bool:
        """What dev.py thinks of the environment."""
        program = f"import runpy; print(runpy.run_path({str(self.root / 'deploy' / 'environment.py')!r})['is_usable']())"
        return subprocess.check_output([sys.executable, "-c", program], text=True) == "True\n"

    def furnish(self) -> None:
        """An environment whose pip takes notes and whose pytest says its arguments."""
        venv = self.root / ".venv"
        subprocess.run([sys._base_executable, "-m", "venv", "--without-pip", str(venv)], check=True)
        [packages] = venv.glob("lib/python*/site-packages")
        (packages / "pip").mkdir()
        (packages / "pip" / "__init__.py").touch()
        (packages / "pip" / "__main__.py").write_text(STAND_IN_FOR_PIP)
        uv = venv / "bin" / "uv"
        uv.write_text(STAND_IN_FOR_UV)
        uv.chmod(0o755)
        (self.root / ".dev").mkdir()
        (packages / "pytest.py").write_text(SAYS_ITS_ARGUMENTS)


@pytest.fixture
def house(tmp_path: Path) -> House:
    root = tmp_path / "house"
    (root / "deploy").mkdir(parents=True)
    for name in ("deploy/dev.py", "deploy/environment.py", "pyproject.toml", *LOCKS):
        shutil.copy(ROOT / name, root / name)
    (root / "deploy" / "__init__.py").touch()
    (root / "tests").mkdir()
    (root / "tests" / "fetching.py").touch()
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


@pytest.mark.parametrize("version", [(3, 6, 15), (3, 9, 2), (3, 10, 13), (3, 14, 0)])
def test_a_python_too_old_or_too_new_is_refused_in_one_line(version: tuple[int, ...]) -> None:
    done = as_python(version, "test")
    assert done.returncode == 1
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert "needs Python 3.11, 3.12 or 3.13" in line
    assert ".".join(map(str, version)) in line


def test_an_old_python_can_read_as_far_as_the_refusal() -> None:
    tree = ast.parse(DEV.read_text(), feature_version=(3, 6))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert "__future__" not in {node.module for node in imports}  # 3.6 does not know `annotations`


@pytest.mark.parametrize("path", [DEV, DEV.with_name("environment.py")], ids=lambda path: path.name)
def test_it_needs_only_the_standard_library(path: Path) -> None:
    nodes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
    names |= {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    assert {str(name).partition(".")[0] for name in names - {"deploy.environment"}} <= sys.stdlib_module_names


def test_a_demo_installs_torch_the_locks_and_ourselves_and_tests_add_their_tools(house: House) -> None:
    (house.root / "deploy" / "demo.py").write_text("")
    assert house.run("demo").returncode == 0
    torch, uv, locked, ourselves = house.notes
    assert torch == "install --progress-bar off --no-deps torch==2.13.0"
    assert uv.endswith("--no-deps --require-hashes --requirement " + str(house.root / "deploy/requirements-uv.lock"))
    assert locked.startswith("uv pip install --compile-bytecode --python")
    assert "--no-deps --require-hashes" in locked
    assert [word for word in locked.split() if word.endswith(".lock")] == [
        str(house.root / "deploy" / name) for name in ("requirements-api.lock", "requirements-worker.lock")
    ]
    assert ourselves.endswith(f"--no-deps --no-build-isolation --editable {house.root}")
    second = house.run("demo")
    assert len(house.notes) == 4  # nothing new
    assert second.stderr == ""
    assert house.run("test").returncode == 5
    assert [note for note in house.notes[4:] if "torch==" in note] == []
    assert [word for word in house.notes[5].split() if word.endswith(".lock")] == [str(house.root / "deploy/requirements.lock")]
    before = len(house.notes)
    house.run("demo")
    assert len(house.notes) == before


def test_each_part_says_how_long_it_took_and_how_large_it_is_and_its_noise_is_logged(house: House) -> None:
    done = house.run("test")
    for part in ("torch==2.13.0", "uv", "what a user needs", "the tools of the tests", "Queuecast itself"):
        assert re.search(rf"^dev: {re.escape(part)}: done in \d+ s, [\d,]+ MB$", done.stderr, re.MULTILINE)
    assert all(line.startswith("dev: ") for line in done.stderr.splitlines())
    assert "noise" not in done.stdout + done.stderr
    assert "noise" in (house.root / ".dev" / "install.log").read_text()


def test_torch_comes_from_the_cpu_index_where_pip_would_bring_cuda(house: House) -> None:
    house.run("test", TORCH_NEEDS="filelock nvidia-cublas==13.1")
    assert house.notes[0].endswith("--no-deps --index-url https://download.pytorch.org/whl/cpu torch==2.13.0")
    assert [note for note in house.notes[1:] if "torch==" in note] == []


def test_torch_with_cuda_is_the_last_resort_and_its_size_is_said(house: House) -> None:
    done = house.run("test", TORCH_NEEDS="nvidia-cublas==13.1", BREAK="whl/cpu")
    assert done.returncode == 5
    assert house.notes[1] == "install --progress-bar off torch==2.13.0"
    assert "WARNING: no CPU build of torch can be had" in done.stderr
    assert "3 GB" in done.stderr


def test_a_torch_that_is_nowhere_ends_the_install_with_where_it_was_looked_for(house: House) -> None:
    done = house.run("test", TORCH_NEEDS="", BREAK="whl/cpu")
    assert done.returncode == 1
    assert "neither as pip is configured nor from https://download.pytorch.org" in done.stderr


@pytest.mark.parametrize("missing", [{"BREAK": "requirements-uv.lock"}, {"BREAK_UV": "1"}], ids=["absent", "failing"])
def test_pip_installs_the_same_locked_sets_where_uv_cannot(house: House, missing: dict[str, str]) -> None:
    assert house.run("test", **missing).returncode == 5
    by_pip = [note for note in house.notes if note.startswith("install") and "requirements-worker.lock" in note]
    [locked] = by_pip
    assert "--no-deps --require-hashes" in locked


def test_uv_asks_the_index_that_pip_is_configured_for(house: House) -> None:
    configured = "global.index-url='https://global.example/simple'\n:env:.index-url='https://mirror.example/simple'"
    house.run("test", CONFIGURED=configured)
    assert house.notes[2].endswith("as https://mirror.example/simple")


def test_a_set_that_does_not_fit_together_is_not_taken_for_installed(house: House) -> None:
    done = house.run("test", UNFIT="torch requires sympy, which is not installed.")
    assert done.returncode == 1
    assert "does not fit together" in done.stderr
    assert house.run("test").returncode == 5


def test_two_at_the_same_time_install_once(house: House) -> None:
    both = [subprocess.Popen(house.command("test"), env=house.environment(), stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [process.wait(120) for process in both] == [5, 5]
    assert len(house.notes) == WHOLE


def test_who_comes_second_waits_and_says_so(house: House) -> None:
    said = house.root / "said"
    with (house.root / ".dev" / "install.lock").open("w") as lock, said.open("w") as output:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second = subprocess.Popen(house.command("test"), env=house.environment(), stdout=subprocess.DEVNULL, stderr=output)
        eventually(said.read_text, what="a word of who comes second")
        assert said.read_text() == "dev: waiting for an install that already runs …\n"
        assert house.notes == []
    assert second.wait(120) == 5
    assert len(house.notes) == WHOLE


def test_what_the_environment_depends_on_has_changed_so_it_is_installed_again(house: House) -> None:
    house.run("test")
    for name in (*LOCKS, "pyproject.toml"):
        before = len(house.notes)
        (house.root / name).write_text((house.root / name).read_text() + "# changed\n")
        house.run("test")
        assert len(house.notes) > before, name


def test_a_failed_install_shows_the_last_words_and_is_tried_again(house: House) -> None:
    failed = house.run("test", BREAK="requirements-api.lock", BREAK_UV="1")
    assert failed.returncode == 1
    assert "no matching distribution" in failed.stderr
    assert "installing what a user needs, by pip failed" in failed.stderr
    assert "pytest got" not in failed.stdout
    before = len(house.notes)
    assert house.run("test").returncode == 5
    assert len(house.notes) == before + WHOLE


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


def test_pytest_runs_all_also_by_night_or_under_coverage_or_what_it_is_told(house: House) -> None:
    (house.root / "tests" / "coverage.py").write_text("import sys; print(*sys.argv[1:])")
    for arguments, said in (
        ([], r"pytest got \['-n', '[23]', '--dist', 'loadfile', '--no-loadscope-reorder'\]"),
        (["--all"], r"pytest got \['-n', '[23]', '--dist', 'loadfile', '--no-loadscope-reorder', '-m', ''\]"),
        (["--coverage"], "-n [23] --dist loadfile --no-loadscope-reorder"),
        (["-k", "naive or var", "--help"], r"pytest got \['-k', 'naive or var', '--help'\]"),
    ):
        assert re.fullmatch(said, house.run("test", *arguments).stdout.strip()), arguments


def test_check_and_fix_have_the_tools_of_the_tests_installed(house: House) -> None:
    (house.root / "deploy" / "checks.py").write_text("import sys; sys.exit(sys.argv[1:] != ['check'] and 3)")
    assert [house.run(verb).returncode for verb in ("check", "fix")] == [0, 3]
    assert any("deploy/requirements.lock" in note for note in house.notes)


def test_sigterm_lets_the_demo_clean_up_and_is_a_failure(house: House) -> None:
    command = house.command("demo", "--json")
    process = subprocess.Popen(command, env=house.environment(), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    eventually((house.root / "started").exists, what="the demo to start")
    process.terminate()
    _, said = process.communicate(timeout=120)
    assert process.returncode == 1
    assert said.splitlines()[-1] == "cleaned up ['--json']"


def test_an_end_by_a_signal_is_told_as_shells_do(house: House) -> None:
    (house.root / "deploy" / "demo.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert house.run("demo").returncode == 128 + signal.SIGKILL


def test_an_unknown_verb_is_refused_with_the_known_ones(house: House) -> None:
    done = house.run("tests")
    assert (done.returncode, done.stdout) == (2, "")
    assert "accepted are demo, check, fix, test, chaos, lock" in done.stderr
    assert house.notes == []


def test_help_is_there_before_anything_is_installed(house: House) -> None:
    for arguments in ([], ["--help"], ["-h"], ["demo", "--help"]):
        done = house.run(*arguments)
        assert (done.returncode, "usage: python3 deploy/dev.py demo" in done.stdout) == (0, True)
    assert house.notes == []
