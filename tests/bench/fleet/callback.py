"""(f) From the last candidate's record to the callback, by the broker's own clock."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median, quantiles

from shared.config.settings import Settings
from shared.drivers.redis_server import redis_client, redis_server
from tests.bench.fleet.figures import Figure, Say
from tests.bench.fleet.stage import request_of, stage_over, write_files

QUEUES, VARIANTS, MILLISECONDS = 40, 12, 15.0  # as in (a): all slots are busy
HOLD = 100.0
RECORDED = re.compile(r"^HSETNX outcome:(\S+) ")
SELECTED = re.compile(r"^HGETALL outcome:(\S+)$")  # what `select` reads first that nobody else reads


@dataclass
class Times:
    """Job and queue → time of the last record, and of the callback's first look at the outcomes."""

    recorded: dict[str, float] = field(default_factory=dict)
    selected: dict[str, float] = field(default_factory=dict)


def measure(say: Say, repeat: int) -> None:
    """Watch what the broker is asked while a job runs on busy slots."""
    with stage_over(write_files, QUEUES) as here, watched(here.settings) as times:
        for _ in range(repeat):
            here.run(**request_of("busy", VARIANTS, MILLISECONDS))
        sent_again = here.actions()
    delays = [1e3 * (times.selected[queue] - at) for queue, at in times.recorded.items()]
    assert len(delays) >= repeat * QUEUES
    say(Figure(part="f", what=f"callback of {len(delays)} queues, median", value=median(delays), unit="ms", hold=("≤", HOLD)))
    say(Figure(part="f", what="callback, 95th percentile", value=quantiles(delays, n=20)[-1], unit="ms"))
    say(Figure(part="f", what="sent again by the reaper, though nothing was lost", value=sent_again, hold=("≤", 0)))
    say(Figure(part="f", what="callback, worst", value=max(delays), unit="ms"))


@contextmanager
def watched(settings: Settings) -> Iterator[Times]:
    """Follow MONITOR meanwhile."""
    client, times = redis_client(redis_server(settings).run_state, is_patient=True), Times()
    ended = threading.Event()

    def follow() -> None:
        with client.monitor() as monitor:  # type: ignore[no-untyped-call] # it has no types
            while not ended.is_set():
                said = monitor.next_command()
                if found := RECORDED.match(said["command"]):
                    times.recorded[found[1]] = said["time"]
                elif found := SELECTED.match(said["command"]):
                    times.selected.setdefault(found[1], said["time"])

    thread = threading.Thread(target=follow)
    thread.start()
    try:
        yield times
    finally:
        ended.set()
        redis_client(redis_server(settings).run_state, is_patient=True).ping()  # so that there is something to hear
        thread.join()
