"""Hosts on one machine: network namespaces of Linux, joined to a hub by a cable each.

hub  10.77.1.1 ── 10.77.1.2  east          what runs in a namespace sees its own addresses only;
     10.77.2.1 ── 10.77.2.2  west          a cable that is pulled takes no process with it
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

HUB = "hub"
CABLES = {"east": 1, "west": 2}


def why_not() -> str:
    """Why namespaces cannot be had here; "" = they can."""
    if shutil.which("ip") is None:
        return "network namespaces need the command `ip`"
    probe = f"queuecast-probe-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", probe], capture_output=True, text=True, check=False)
    if made.returncode:
        return f"network namespaces are not allowed here: {made.stderr.strip()}"
    subprocess.run(["ip", "netns", "delete", probe], check=True)
    return ""


@dataclass
class Hosts:
    """The hub and its two neighbours; processes run in one of them."""

    folder: Path
    tag: str = field(default_factory=lambda: f"q{os.getpid()}")
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def hub_for(self, host: str) -> str:
        """The hub's address as this host knows it."""
        return "127.0.0.1" if host == HUB else f"10.77.{CABLES[host]}.1"

    def inside(self, host: str, *command: str) -> list[str]:
        """The command, to be run on that host."""
        return ["ip", "netns", "exec", f"{self.tag}-{host}", *command]

    def start(self, host: str, *command: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start a process there; what it says is in `{folder}/{host}.log`."""
        with (self.folder / f"{host}.log").open("ab") as log:
            process = subprocess.Popen(self.inside(host, *command), stdout=log, stderr=log, env=os.environ | environment)
        self.processes.append(process)
        return process

    def ask(self, host: str, *command: str, **environment: str) -> str:
        """What a command says there; it must succeed."""
        done = subprocess.run(
            self.inside(host, *command), capture_output=True, text=True, check=False, env=os.environ | environment, timeout=180
        )
        assert done.returncode == 0, (done.stdout, done.stderr)
        return done.stdout

    def said(self, host: str) -> str:
        """Everything that was said there."""
        return (self.folder / f"{host}.log").read_text(errors="replace")

    def pull_cable(self, host: str) -> None:
        """Nothing goes between this host and the hub any more; its processes run on."""
        self._ip("-n", f"{self.tag}-{HUB}", "link", "set", f"to-{host}", "down")

    def make(self) -> None:
        """The namespaces and their cables."""
        for host in (HUB, *CABLES):
            self._ip("netns", "add", f"{self.tag}-{host}")
            self._ip("-n", f"{self.tag}-{host}", "link", "set", "lo", "up")
        for host, number in CABLES.items():
            ends = {HUB: (f"to-{host}", f"10.77.{number}.1/24"), host: ("to-hub", f"10.77.{number}.2/24")}
            self._ip(
                *("-n", f"{self.tag}-{HUB}", "link", "add", ends[HUB][0], "type", "veth"),
                *("peer", "name", ends[host][0], "netns", f"{self.tag}-{host}"),
            )
            for place, (name, address) in ends.items():
                self._ip("-n", f"{self.tag}-{place}", "address", "add", address, "dev", name)
                self._ip("-n", f"{self.tag}-{place}", "link", "set", name, "up")

    def remove(self) -> None:
        """End every process, then the namespaces with their cables."""
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:  # a worker that waits for a broker that it cannot reach
                process.kill()
                process.wait(60)
        for host in (HUB, *CABLES):
            subprocess.run(["ip", "netns", "delete", f"{self.tag}-{host}"], check=False, capture_output=True)

    def _ip(self, *arguments: str) -> None:
        done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, (arguments, done.stderr)


@contextmanager
def three_hosts(folder: Path) -> Iterator[Hosts]:
    """A hub with two neighbours, and nothing left of them afterwards."""
    hosts = Hosts(folder)
    try:
        hosts.make()
        yield hosts
    finally:
        hosts.remove()
