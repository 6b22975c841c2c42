"""A collector's process, whose clock goes on with each look: what 30 s cost, without waiting for them."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import Counter
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from shared.command.reading import load_settings
from shared.fleet.runstate import RunState
from shared.store import open_store
from tests.worker.collect.moved_clock import CLUSTER, Clock, MovedConnection
from worker.collect.daily_reports import DailyReports
from worker.collect.keeping import Keeping
from worker.collect.sinks.opened import open_samples
from worker.collect.watch import Watch

STEP = timedelta(seconds=30)
APART_SECONDS = 600.0


def watch(url: str, begin: datetime, looks: int) -> dict[str, object]:
    """Look so often; returns CPU seconds a look, and the largest memory in MB.

    After each look it waits for what runs beside it, as there is time for in 30 s.
    """
    settings = load_settings()
    run_state, clock = RunState.open(settings, is_patient=False), Clock(at=begin)
    connection = MovedConnection(cluster=CLUSTER, addresses=(url,), samples="samples", interval_seconds=30)
    connection._clock = clock
    outcomes, spent, ended = Counter[str](), [], Counter[str]()
    with closing(open_store(settings.store_location)) as store:
        sink = open_samples(settings, "samples")
        reports = DailyReports(settings, store, "samples", CLUSTER)
        watching = Watch("hadoop", connection, Keeping(connection, sink, store, reports), run_state, threading.Event())
        apart = [each for each in (reports, getattr(sink, "day_maker", None)) if each is not None]
        before = memory()
        for _ in range(looks):
            run_state.client.delete(f"asked:{CLUSTER}")
            began = time.process_time()
            outcomes[watching.look()] += 1
            spent.append(time.process_time() - began)
            ended.update(f"ended with {each.wait(APART_SECONDS)}" for each in apart)
            clock.at += STEP
        made = len(store.usages.find([CLUSTER]))
    told = {"cpu": sum(spent) / looks, "largest": max(spent), "begins": before, "peak": memory("VmHWM"), "reports": made}
    return told | {"outcomes": outcomes | ended}


def memory(name: str = "VmRSS") -> float:
    """Of this process, in MB."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(lines[name].split()[0]) / 1024


if __name__ == "__main__":
    print(json.dumps(watch(sys.argv[1], datetime.fromisoformat(sys.argv[2]), int(sys.argv[3]))))
