"""The processes that a collector starts beside itself: what each needs, read of them while they run.

`ru_maxrss` of a child is no less than what its parent had when it was started, so that the kernel's own mark of each is read.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

PERIOD_SECONDS = 0.02
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Process:
    """One of them. peak: MB; cpu: seconds; program: the module that it runs."""

    program: str = ""
    peak: float = 0.0
    cpu: float = 0.0


class Beside:
    """Those of one process, as long as the block lasts."""

    def __init__(self, parent: int) -> None:
        self.found: dict[int, Process] = {}
        self._parent, self._ended = parent, threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_told: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(PERIOD_SECONDS):
            with suppress(OSError):
                for number in Path(f"/proc/{self._parent}/task/{self._parent}/children").read_text().split():
                    with suppress(OSError, KeyError):  # it has just ended
                        self._look(int(number))

    def _look(self, number: int) -> None:
        command = Path(f"/proc/{number}/cmdline").read_bytes().split(b"\0")
        if b"-m" not in command or (program := command[command.index(b"-m") + 1].decode()).startswith("tests."):
            return  # not begun yet: a copy of its parent
        status = dict(line.split(":", 1) for line in Path(f"/proc/{number}/status").read_text().splitlines())
        one = self.found.setdefault(number, Process(program))
        one.peak = max(one.peak, int(status["VmHWM"].split()[0]) / 1024)
        *_, user, system = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[:13]
        one.cpu = (int(user) + int(system)) / TICKS
