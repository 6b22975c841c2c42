"""The locks are whole: installed from an index that serves newer versions of everything, they change nothing and succeed."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import subprocess
import sys
import sysconfig
from importlib.metadata import distribution
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement

from deploy.environment import TORCH
from deploy.locks import LOCKS
from tests.architecture.house import ROOT

INSTALLED = Path(sysconfig.get_path("purelib"))
UV = Path(sys.executable).with_name("uv")


def locked(lock: str) -> dict[str, str]:
    """Name → version of what the lock holds for this Python."""
    lines = re.findall(r"^([\w.-]+==.+?) *\\?$", (ROOT / "deploy" / lock).read_text(), re.MULTILINE)
    requirements = [Requirement(line) for line in lines]
    return {
        requirement.name: str(requirement.specifier)[2:]
        for requirement in requirements
        if requirement.marker is None or requirement.marker.evaluate()
    }


def newer_version(name: str) -> str:
    """The metadata of a release to come; it needs something that nobody has."""
    return f"Metadata-Version: 2.1\nName: {name}\nVersion: 99999\nRequires-Dist: queuecast-has-no-such-thing>=2\n"


def publish(name: str, folder: Path) -> None:
    """A wheel of the release to come."""
    stem = f"{name.replace('-', '_')}-99999"
    files = {
        f"{stem}.dist-info/METADATA": newer_version(name),
        f"{stem}.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = f"{stem}.dist-info/RECORD"
    rows = [f"{path},sha256={_digest(text)},{len(text)}" for path, text in files.items()]
    with ZipFile(folder / f"{stem}-py3-none-any.whl", "w") as wheel:
        for path, text in {**files, record: "\n".join([*rows, f"{record},,"])}.items():
            wheel.writestr(path, text)


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


@pytest.fixture(scope="module")
def later_day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of a later day: a folder with a newer version of everything that is locked."""
    folder = tmp_path_factory.mktemp("index")
    for name in {name for lock in LOCKS for name in locked(lock)} | {"torch"}:
        publish(name, folder)
    return folder


@pytest.fixture(params=[name for name in LOCKS if name != "requirements-uv.lock"])
def scratch(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path]:
    """A lock, and an environment that holds what it names, by its metadata, and torch where the lock is one of workers."""
    lock, environment = str(request.param), tmp_path / "scratch"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    [packages] = environment.glob("lib/python3*/site-packages")
    has_torch = "setuptools" in locked(lock)
    for name in [*locked(lock), *(["torch"] if has_torch else [])]:
        metadata = Path(str(distribution(name)._path))  # type: ignore[attr-defined] # there is no public way to the folder
        shutil.copytree(metadata, packages / metadata.name, ignore=shutil.ignore_patterns("RECORD", "licenses", "sboms"))
        (packages / metadata.name / "RECORD").touch()
    return lock, environment


def pip(environment: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Our pip, working on the scratch environment."""
    command = [sys.executable, "-m", "pip", "--python", str(environment / "bin" / "python"), "--disable-pip-version-check"]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)


def names(environment: Path) -> set[str]:
    """What is installed there."""
    return {path.name for path in environment.glob("lib/python3*/site-packages/*")}


@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_a_lock_is_installed_on_a_later_day_without_changing_anything(
    scratch: tuple[str, Path], later_day: Path, installer: str
) -> None:
    lock, environment = scratch
    before = names(environment)
    only = ["--no-deps", "--require-hashes", "--no-index", "--find-links", str(later_day), "-r", str(ROOT / "deploy" / lock)]
    if installer == "pip":
        done = pip(environment, "install", *only)
    elif UV.exists():
        command = [UV, "pip", "install", "--no-config", "--python", environment / "bin" / "python", *only]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    else:
        pytest.skip("uv could not be had when the environment was made; pip's part of this test has run")
    assert (done.returncode, names(environment)) == (0, before), done.stderr
    assert "99999" not in done.stdout


def test_a_lock_holds_everything_that_its_packages_need(scratch: tuple[str, Path]) -> None:
    checked = pip(scratch[1], "check")
    assert checked.returncode == 0, checked.stdout


def test_what_torch_needs_is_in_the_locks_of_those_who_have_it() -> None:
    said = (ROOT / "deploy/requirements-torch.in").read_text().splitlines()
    ours = {Requirement(line).name for line in said if line and not line.startswith("#")}
    needed = [Requirement(line) for line in distribution("torch").requires or ()]
    plain = {lock.name for lock in needed if lock.marker is None or lock.marker.evaluate({"extra": ""})}
    assert plain <= ours, "torch needs more than deploy/requirements-torch.in says"
    assert distribution("torch").version.partition("+")[0] == TORCH.partition("==")[2]


def test_the_image_s_locks_are_parts_of_the_whole_one() -> None:
    whole = locked("requirements.lock")
    for lock in ("requirements-api.lock", "requirements-worker.lock"):
        assert locked(lock).items() <= whole.items()


def test_the_weekly_install_takes_the_same_torch() -> None:
    assert f" {TORCH}\n" in (ROOT / ".github/workflows/weekly.yml").read_text()
