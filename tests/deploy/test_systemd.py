"""The units for plain machines: systemd accepts them, they are closed as tightly as the containers, and start what exists."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.stack import _DRAIN_SECONDS
from shared.domain.lanes import MAX_TASK_SECONDS, Lane
from tests.architecture.house import ROOT, fail_on, mistakes
from tests.deploy.manifests import OURS, lanes_in
from tests.servers import missing

FOLDER = ROOT / "deploy/systemd"
UNITS = sorted(FOLDER.glob("*.service"))
MAX_EXPOSED = 2.0  # of 10, by systemd's own measure; a unit without any option has 9.6


def value(path: Path, name: str) -> str:
    """What a unit file says of a name, once."""
    [text] = re.findall(rf"(?m)^{name}=(.*)$", path.read_text())
    return str(text)


def command(unit: Path) -> list[str]:
    """What a unit starts."""
    return shlex.split(value(unit, "ExecStart"))


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The units as they lie on a machine, where their program is there."""
    if shutil.which("systemd-analyze") is None:
        missing("systemd-analyze")
    folder = tmp_path_factory.mktemp("units") / "systemd"
    shutil.copytree(FOLDER, folder)
    for unit in folder.glob("*.service"):
        unit.write_text(unit.read_text().replace("/opt/queuecast/bin/", f"{Path(sys.executable).parent}/"))
    return folder


def analysed(*arguments: str) -> str:
    """What systemd-analyze says; it must be content."""
    done = subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_systemd_finds_no_fault_in_any_unit(installed: Path) -> None:
    assert analysed("verify", "--man=no", *map(str, [*installed.glob("*.service"), *installed.glob("*.target")])) == ""


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_is_closed_as_tightly_as_a_container(unit: Path, installed: Path) -> None:
    said = analysed("security", "--offline=true", "--no-pager", str(installed / unit.name))
    [exposure] = re.findall(r"Overall exposure level for \S+: ([\d.]+)", said)
    print(f"{unit.stem}: exposure {exposure} of 10")
    assert float(exposure) <= MAX_EXPOSED


def test_there_is_a_unit_for_every_process_of_the_fleet() -> None:
    assert {unit.stem.removeprefix("queuecast-") for unit in UNITS} == OURS


def test_every_lane_is_served_and_every_port_and_name_is_used_once() -> None:
    assert set().union(*(lanes_in(command(unit)) for unit in UNITS)) == {lane.value for lane in Lane}
    for option in ("--metrics-port", "--name"):
        given = [words[words.index(option) + 1] for words in map(command, UNITS) if option in words]
        assert len(given) == len(set(given))


def test_every_command_exists_with_its_options() -> None:
    assert {command(unit)[0] for unit in UNITS} == {"/opt/queuecast/bin/queuecast"}
    fail_on(mistakes(value(unit, "ExecStart") for unit in UNITS))


@pytest.mark.parametrize("name", ["worker", "control", "heavy"])
def test_a_worker_may_end_its_longest_task_and_outlives_a_child_that_memory_killed(name: str) -> None:
    unit = FOLDER / f"queuecast-{name}.service"
    assert int(value(unit, "TimeoutStopSec")) > MAX_TASK_SECONDS + _DRAIN_SECONDS
    assert value(unit, "OOMPolicy") == "continue"


def test_only_wrong_usage_and_settings_end_a_service_for_good() -> None:
    common = FOLDER / "queuecast-.service.d/common.conf"
    assert (value(common, "Restart"), value(common, "RestartPreventExitStatus")) == ("always", "2 5")
    assert (value(common, "UMask"), value(common, "StateDirectoryMode")) == ("0077", "0700")
    assert value(common, "KillMode") == "mixed"  # a worker's children would die in the middle of their tasks


def test_nothing_listens_beyond_this_machine() -> None:
    started = "\n".join(value(unit, "ExecStart") for unit in UNITS)
    assert set(re.findall(r"--(?:host|address|metrics-host)[ =](\S+)", started)) == {"127.0.0.1"}
