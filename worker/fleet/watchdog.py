"""The parent process of a worker: starts Celery in a session of its own, and kills the session when its pulse stops.

Restarting is the supervisor's business; the watchdog ends when its worker does. A pulse that is old proves nothing while the
broker is away, because the worker's event loop does not turn while it reconnects.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from types import FrameType

import structlog

from shared.config.settings import Settings
from shared.errors import ServiceError
from shared.fleet.membership import Membership, membership
from shared.fleet.runstate import RunState
from worker.fleet.allotment import Allotment
from worker.fleet.liveness import SILENCE_SECONDS, pulse_file

MAX_START_SECONDS = 180.0  # until the first pulse: killed any earlier, a worker would never come up on a loaded machine
CELERY = [sys.executable, "-m", "celery", "--quiet", "--app"]
WORKER = ["worker", "-E", "--without-mingle", "--without-gossip"]

# What the libraries read: OpenMP (torch and Arrow's pool of the CPU too), two kinds of BLAS, Numba under statsforecast.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")

log = structlog.get_logger(__name__)


def run_worker(
    settings: Settings,
    *,
    lanes: tuple[str, ...],
    allotted: Allotment,
    name: str,
    silence: float = SILENCE_SECONDS,
    app: str = "worker.app",
) -> int:
    """Run a worker until it ends or falls silent; returns its exit code: 1 when it had to be killed, 137 when others did.

    Args:
        settings: of this process; the worker reads them again from the same environment.
        lanes: most urgent first.
        allotted: tasks at the same time, and memory of each child: one that had more when its task ended is replaced.
        name: unlike that of every other worker on this machine.
        silence: seconds without a pulse; before the first one, MAX_START_SECONDS are allowed.
        app: module of the Celery application; tests add models to ours.
    """
    room = ["-c", str(allotted.slots), "--max-memory-per-child", str(allotted.child_mb * 1_024)]
    command = [*CELERY, app, *WORKER, *room, "-n", f"{name}@%h", "-Q", ",".join(lanes), "-l", settings.log_level]
    with membership(settings, name) as mine:
        worker = subprocess.Popen(command, env=_environment(settings), start_new_session=True)  # noqa: S603 - our own command
        _forward_signals(worker)
        try:
            return _watch(mine, settings, worker, name, silence)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(worker.pid, signal.SIGKILL)  # whoever is left of the session


def _forward_signals(worker: subprocess.Popen[bytes]) -> None:
    def forward(number: int, _frame: FrameType | None) -> None:
        worker.send_signal(signal.SIGTERM if number == signal.SIGINT else number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, forward)


def _watch(mine: Membership, settings: Settings, worker: subprocess.Popen[bytes], name: str, silence: float) -> int:
    run_state = mine.run_state
    quiet_since = time.monotonic()  # since when the broker has answered and no pulse was seen
    last_beat = beat_before = _beat(settings, name)
    while True:
        with suppress(subprocess.TimeoutExpired):
            return _ended(worker.wait(timeout=1.0), name)
        with suppress(ServiceError):
            mine.beat()
        beat = _beat(settings, name)
        limit = silence if beat != beat_before else MAX_START_SECONDS
        if beat != last_beat or not _answers(run_state):
            quiet_since, last_beat = time.monotonic(), beat
        elif time.monotonic() - quiet_since > limit:
            log.error("worker has no pulse and is killed", worker=name, silent_seconds=round(limit))
            return 1


def _ended(code: int, name: str) -> int:
    """The exit code, as shells count it; who was killed from outside, as for want of memory, could not say so itself."""
    if code >= 0:
        return code
    log.error("worker was killed", worker=name, by=signal.Signals(-code).name)
    return 128 - code


def _beat(settings: Settings, name: str) -> float:
    """When the worker's pulse was last seen, of this process or the one before; 0.0 = never."""
    with suppress(FileNotFoundError):
        return pulse_file(settings, name).stat().st_mtime
    return 0.0


def _answers(run_state: RunState) -> bool:
    try:
        run_state.ping()
    except ServiceError:
        return False
    return True


def _environment(settings: Settings) -> dict[str, str]:
    """One thread per process unless told otherwise: the workers are the parallelism, and threads would fight for the cores."""
    threads = dict.fromkeys(THREADS, str(settings.threads))
    return os.environ | threads | {"QUEUECAST_DATA_DIR": str(settings.data_dir)}
