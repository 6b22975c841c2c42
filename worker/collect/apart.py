"""Programs of ours in processes of their own: no look waits for them, and the memory that they need ends with them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping

from shared.telemetry.metrics_folder import FOLDER

NICE = 10  # others go first
LIMIT_SECONDS = 4 * 3_600.0  # after which one hangs: of hundreds of queues it takes less than a minute
END_SECONDS = 5.0


class Apart:
    """One process at a time. Cut off it leaves what there was."""

    def __init__(self, program: str, environment: Mapping[str, str] | None = None) -> None:
        """program: a module whose main part is run. environment: added to ours."""
        self._program, self._environment = program, dict(environment or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._began = 0.0

    @property
    def is_at_work(self) -> bool:
        """Whether one runs; one that hangs is killed."""
        if self._process is None or self._process.poll() is not None:
            return False
        if time.monotonic() - self._began > LIMIT_SECONDS:
            self._process.kill()
        return True

    def ended(self) -> int | None:
        """The exit status of one that has ended, told once; None = there is none."""
        code = None if self._process is None else self._process.poll()
        if code is not None:
            self._process = None
        return code

    def begin(self, *told: str) -> None:
        """Begin with these arguments; it counts nothing, since what counts in a folder leaves files there."""
        environment = {name: value for name, value in os.environ.items() if name != FOLDER} | self._environment
        command = [sys.executable, "-m", self._program, *told]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, env=environment)  # noqa: S603 - ours
        self._began = time.monotonic()

    def wait(self, seconds: float) -> int:
        """Until it has ended; returns its exit status, 0 where there is none."""
        return self._process.wait(seconds) if self._process is not None else 0

    def end(self) -> None:
        """Cut it off, if one runs."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


def step_back() -> None:
    """Of such a program: let others go first, and end without a word when the terminal asks all."""
    os.nice(NICE)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
