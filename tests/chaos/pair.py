"""A pair of workers and a reaper, with a model that pauses, so that a failover happens in the middle of their job."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from tests.chaos.fleet import LANES
from tests.integration.fleet import Fleet
from tests.polling import eventually

WORK: dict[str, Any] = {"model": ("pausing",), "hyperparameters": {"pausing": {"milliseconds": (400,)}}}
PATIENCE_SECONDS = "120"  # of the watchdogs, on a machine that has other things to do


def start(fleet: Fleet) -> list[subprocess.Popen[bytes]]:
    """Two workers and a reaper."""
    fleet.environment["CHAOS_LIMITS"] = "90,120"  # as in production: a queue must not fail because it waited
    work = [sys.executable, "-m", "tests.chaos.process", "work"]
    processes = [fleet.spawn([*work, name, LANES, "1", PATIENCE_SECONDS]) for name in ("first", "second")]
    eventually(lambda: len(fleet.run_state.members.workers()) == 2, what="two workers")
    return [*processes, fleet.spawn([sys.executable, "-m", "tests.chaos.process", "reap"])]
