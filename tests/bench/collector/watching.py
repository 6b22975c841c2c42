"""A collector's process, whose clock goes on with each look: what 30 s cost, without waiting for them."""

from __future__ import annotations

import json
import resource
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
from worker.collect.keeping import Keeping
from worker.collect.sinks.opened import open_samples
from worker.collect.watch import Watch

STEP = timedelta(seconds=30)
DAY_SECONDS = 300.0


def watch(url: str, begin: datetime, looks: int) -> dict[str, object]:
    """Look so often; returns CPU seconds a look, and the largest memory in MB."""
    settings = load_settings()
    run_state, clock = RunState.open(settings, is_patient=False), Clock(at=begin)
    connection = MovedConnection(cluster=CLUSTER, addresses=(url,), samples="samples", interval_seconds=30)
    connection._clock = clock
    outcomes, spent = Counter[str](), []
    with closing(open_store(settings.store_location)) as store:
        sink = open_samples(settings, "samples")
        keeping = Keeping(connection, sink, store)
        watching = Watch("hadoop", connection, keeping, run_state, threading.Event())
        before = memory()
        for _ in range(looks):
            run_state.client.delete(f"asked:{CLUSTER}")
            began = time.process_time()
            outcomes[watching.look()] += 1
            spent.append(time.process_time() - began)
            clock.at += STEP
    peak, maker = memory("VmHWM"), getattr(sink, "day_maker", None)
    if maker is not None:
        maker.wait(DAY_SECONDS)
    beside = resource.getrusage(resource.RUSAGE_CHILDREN)
    apart = {"apart": beside.ru_maxrss / 1024, "apart_cpu": beside.ru_utime + beside.ru_stime}
    return {"cpu": sum(spent) / looks, "largest": max(spent), "begins": before, "peak": peak, "outcomes": outcomes} | apart


def memory(name: str = "VmRSS") -> float:
    """Of this process, in MB."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(lines[name].split()[0]) / 1024


if __name__ == "__main__":
    print(json.dumps(watch(sys.argv[1], datetime.fromisoformat(sys.argv[2]), int(sys.argv[3]))))
