"""Worker and reaper with short times: `python -m tests.chaos.process work NAME LANES SLOTS [SILENCE]` or `… reap`."""

from __future__ import annotations

import sys

from shared.config.settings import load_settings
from shared.telemetry.logs import configure_logs
from worker.fleet.allotment import MAX_MB, Allotment
from worker.fleet.watchdog import run_worker
from worker.reaper.reaper import run_reaper

SILENCE_SECONDS = 15.0
PERIOD_SECONDS, AGREE_SECONDS = 1.0, 3.0


def main(verb: str, *arguments: str) -> int:
    """Run one of the two until SIGTERM; returns its exit code."""
    settings = load_settings()
    configure_logs(settings.log_level)
    if verb == "reap":
        run_reaper(settings, period=PERIOD_SECONDS, agree=AGREE_SECONDS)
        return 0
    name, lanes, slots, *silence = arguments
    return run_worker(
        settings,
        lanes=tuple(lanes.split(",")),
        allotted=Allotment(slots=int(slots), child_mb=MAX_MB),
        name=name,
        silence=float(silence[0]) if silence else SILENCE_SECONDS,
        app="tests.chaos.app",
    )


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
