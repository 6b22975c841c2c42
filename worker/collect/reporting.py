"""The program that makes the reports of a cluster's queues: `python -m worker.collect.reporting`, and of what."""

from __future__ import annotations

import sys
from contextlib import closing
from datetime import datetime

import structlog

from shared.command.reading import load_settings
from shared.errors import QueuecastError
from shared.store import open_store
from shared.telemetry.logs import configure_logs
from worker.collect.apart import step_back
from worker.collect.reports import Reports
from worker.collect.sinks.opened import open_samples

log = structlog.get_logger("worker.collect.reporting")


def main(samples: str, cluster: str, now: str) -> int:
    """Make them of what the connection `samples` has; returns the exit status."""
    step_back()
    try:
        settings = load_settings()
        configure_logs(settings.log_level)
        with closing(open_store(settings.store_location)) as store:
            Reports(store, open_samples(settings, samples), cluster).make(datetime.fromisoformat(now))
    except QueuecastError as error:
        log.warning("the process that makes reports gives up", cluster=cluster, reason=str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
