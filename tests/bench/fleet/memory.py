"""(d) The broker's memory while jobs of three sizes run."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

from shared.config.settings import Settings
from shared.drivers.redis_server import redis_client, redis_server
from tests.bench.fleet.figures import Figure, Say
from tests.bench.fleet.stage import BASELINES, broker, request_of, stage, write_table

PER_QUEUE = 20
SIZES = (600, 6_000, 60_000)
HOLD = 5.0  # MB, whatever the size
GROWTH = 1.0  # KB for each further queue: its name, when it was let in, how it ended
MB = 1e6


@dataclass
class Samples:
    """`used_memory` in MB, looked at 50 times a second."""

    seen: list[float] = field(default_factory=list)


def measure(say: Say, repeat: int) -> None:
    """Jobs of 20 candidates of 0 ms a queue; peak and what is left behind, each less what the broker used before."""
    peaks = {}
    for size in SIZES:
        with broker() as settings:
            assert settings.files_dir is not None
            write_table(settings.files_dir, size // PER_QUEUE)
            with stage(settings) as here:
                empty = used(settings)
                with sampled(settings) as samples:
                    ran = here.run(**request_of("quick", PER_QUEUE - BASELINES))
                assert ran.candidates == size
                peaks[size], left = max(samples.seen) - empty, used(settings) - empty
        what = f"{size:,} candidates on {size // PER_QUEUE:,} queues in {ran.wall:.0f} s: "
        say(Figure(part="d", what=f"{what}peak", value=peaks[size], unit="MB", hold=("≤", HOLD)))
        say(Figure(part="d", what=f"{what}left behind", value=left, unit="MB"))
    growth = 1e3 * (peaks[SIZES[-1]] - peaks[SIZES[0]]) / ((SIZES[-1] - SIZES[0]) / PER_QUEUE)
    say(Figure(part="d", what="growth of the peak with each further queue of a job", value=growth, unit="KB", hold=("≤", GROWTH)))


def used(settings: Settings) -> float:
    """MB that the broker uses now."""
    info = cast("dict[str, Any]", redis_client(redis_server(settings).run_state, is_patient=True).info("memory"))
    return float(info["used_memory"]) / MB


@contextmanager
def sampled(settings: Settings) -> Iterator[Samples]:
    """Look at the broker's memory meanwhile."""
    client = redis_client(redis_server(settings).run_state, is_patient=True)
    samples, stopped = Samples(), threading.Event()

    def look() -> None:
        while not stopped.wait(0.02):
            samples.seen.append(float(cast("dict[str, Any]", client.info("memory"))["used_memory"]) / MB)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield samples
    finally:
        stopped.set()
        thread.join()
