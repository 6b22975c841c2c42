"""Start a worker as `queuecast work` does, with the benchmark's models: `python -m tests.bench.fleet.work LANES SLOTS`."""

from __future__ import annotations

import sys

from shared.config.settings import load_settings
from worker.fleet.allotment import MAX_MB, Allotment
from worker.fleet.watchdog import run_worker

if __name__ == "__main__":
    lanes, slots = sys.argv[1:]
    sys.exit(
        run_worker(
            load_settings(),
            lanes=tuple(lanes.split(",")),
            allotted=Allotment(slots=int(slots), child_mb=MAX_MB),
            name="bench",
            app="tests.bench.worker_app",
        )
    )
