"""A worker that hangs is killed by its watchdog; one that waits for the broker is not."""

from __future__ import annotations

import signal
import sys

from shared.config.settings import Settings
from tests.integration.fleet import Fleet
from tests.polling import eventually
from worker.fleet.liveness import is_alive

PROGRAM = (
    "import sys; from shared.config.settings import load_settings; from worker.fleet.watchdog import Allotment, run_worker;"
    "sys.exit(run_worker(load_settings(), lanes=('plan',), allotted=Allotment(slots=1, child_mb=1_500), name='hung', silence=8))"
)


def test_a_worker_whose_loop_stands_still_is_killed_with_all_its_processes(fleet: Fleet) -> None:
    worker = fleet.spawn([sys.executable, "-c", PROGRAM])
    eventually(lambda: is_alive(fleet.settings, "hung") and fleet.run_state.members.workers(), what="the first pulse")
    main, *pool = eventually(lambda: fleet.children(worker)[1:] and fleet.children(worker), what="its pool")
    main.send_signal(signal.SIGSTOP)
    assert worker.wait(60) == 1
    eventually(lambda: not any(process.is_running() for process in (main, *pool)), what="the end of its processes")


def test_a_worker_ends_with_its_watchdog(fleet: Fleet) -> None:
    worker = fleet.worker("orphan")
    processes = fleet.children(worker)
    worker.kill()
    assert worker.wait(60) == -signal.SIGKILL
    eventually(lambda: not any(process.is_running() for process in processes), what="the end of its processes")


def test_a_worker_that_is_killed_from_outside_is_told_by_its_watchdog(fleet: Fleet) -> None:
    worker = fleet.spawn([sys.executable, "-c", PROGRAM])
    main, *_ = eventually(lambda: fleet.children(worker)[1:] and fleet.children(worker), what="its pool")
    main.kill()
    assert worker.wait(60) == 128 + signal.SIGKILL


def test_a_worker_that_was_never_there_is_not_alive(settings: Settings) -> None:
    assert not is_alive(settings, "nobody")
