"""(d) The broker's memory while jobs of three sizes run."""

from __future__ import annotations

from typing import Any, cast

import redis

from shared.drivers.redis_server import redis_client, redis_server
from tests.bench.fleet.figures import Figure, Say, meanwhile
from tests.bench.fleet.stage import BASELINES, request_of, stage_over, write_table

PER_QUEUE = 20
SIZES = (600, 6_000, 60_000)
HOLD = 5.0  # MB, whatever the size
GROWTH = 1.0  # KB for each further queue: its name, when it was let in, how it ended
MB = 1e6


def measure(say: Say, repeat: int) -> None:
    """Jobs of 20 candidates of 0 ms a queue; peak and what is left behind, each less what the broker used before."""
    peaks = {}
    for size in SIZES:
        with stage_over(write_table, size // PER_QUEUE) as here:
            client = redis_client(redis_server(here.settings).run_state, is_patient=True)
            empty, seen = used(client), [0.0]
            with meanwhile(lambda: seen.append(used(client)), 0.02):  # noqa: B023 - ended with the block
                ran = here.run(**request_of("quick", PER_QUEUE - BASELINES))
            assert ran.candidates == size
            peaks[size], left = max(seen) - empty, used(client) - empty
        what = f"{size:,} candidates on {size // PER_QUEUE:,} queues in {ran.wall:.0f} s: "
        say(Figure(part="d", what=f"{what}peak", value=peaks[size], unit="MB", hold=("≤", HOLD)))
        say(Figure(part="d", what=f"{what}left behind", value=left, unit="MB"))
    growth = 1e3 * (peaks[SIZES[-1]] - peaks[SIZES[0]]) / ((SIZES[-1] - SIZES[0]) / PER_QUEUE)
    say(Figure(part="d", what="growth of the peak with each further queue of a job", value=growth, unit="KB", hold=("≤", GROWTH)))


def used(client: redis.Redis) -> float:
    """MB that the broker uses now."""
    return float(cast("dict[str, Any]", client.info("memory"))["used_memory"]) / MB
