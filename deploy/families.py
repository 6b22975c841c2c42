"""A program and all that it starts: they end with their supervisor, and nothing of a program outlives it (Linux only).

A program gets a session of its own, and the kernel ends it when this process ends, however that ends. What a program has started
becomes our child when its parent ends, so that it can be found, whatever session it has.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from worker.fleet.parent_death import die_with_parent

_PR_SET_CHILD_SUBREAPER = 36  # prctl(2)
_PAUSE_SECONDS = 0.05
_LOOKS = 100  # bounded: a process inside a broken file system cannot die

_programs: set[int] = set()  # process ids of those that have been begun and not ended


def begin(command: Sequence[str], environment: Mapping[str, str], log: BinaryIO) -> subprocess.Popen[bytes]:
    """Start a program that writes to `log`; raises OSError."""
    _adopt_orphans(is_wanted=True)
    process = subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,  # a Ctrl-C at the terminal is for us; the order of the end is ours
        preexec_fn=die_with_parent,  # noqa: PLW1509 - one call to the kernel, which needs no lock that another thread may hold
    )
    _programs.add(process.pid)
    return process


def end(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL a program, should it still run, and all that it has started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(_LOOKS * _PAUSE_SECONDS)
    _programs.discard(process.pid)
    for _ in range(_LOOKS):
        orphans = [pid for pid in _children() if pid not in _programs and _is_elsewhere(pid)]
        for pid in orphans:
            with suppress(ProcessLookupError, ChildProcessError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, os.WNOHANG)
        if not orphans:
            break
        time.sleep(_PAUSE_SECONDS)
    _adopt_orphans(is_wanted=bool(_programs))


def _children() -> list[int]:
    """Processes whose parent this process is."""
    return [int(pid) for file in Path("/proc/self/task").glob("*/children") for pid in file.read_text().split()]


def _is_elsewhere(pid: int) -> bool:
    """Whether the process has another session than we have: only programs and what they have started do."""
    with suppress(ProcessLookupError):
        return os.getsid(pid) != os.getsid(0)
    return False


def _adopt_orphans(*, is_wanted: bool) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, int(is_wanted))
