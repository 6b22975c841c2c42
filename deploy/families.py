"""Families of processes: all that a program has started, found by a mark in the environment that they inherit (Linux only)."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

MARK = "SUPERVISED_IN"  # in the environment of every process of a family: <folder>:<program>
_PAUSE_SECONDS = 0.05


def family(mark: str) -> list[int]:
    """Ids of the processes whose mark begins like this; those of other users and those that have ended are not among them."""
    wanted, found = f"{MARK}={mark}".encode(), []
    for environment in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if any((entry + b"\0").startswith(wanted) for entry in environment.read_bytes().split(b"\0")):
                found.append(int(environment.parent.name))
    return found


def kill_family(mark: str) -> None:
    """SIGKILL every process whose mark begins like this, until none is left."""
    for _ in range(100):  # bounded: a process inside a broken file system cannot die
        members = family(mark)
        for pid in members:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if not members:
            return
        time.sleep(_PAUSE_SECONDS)
