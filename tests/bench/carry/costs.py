"""What the simulation is told of one queue, one worker and one look: numbers that `measuring.py` takes on a machine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Costs:
    """A queue is one of `auto` with 14 days of hours. Commands are those that INFO commandstats counts, within scripts too.

    blocks: tasks between `ingest` and `select`. worker_seconds: CPU of workers a queue. shares: of that, in ingest, in all blocks
        together, in select. broker_ms, commands, messages: a queue, less what the same time costs when idle.
    idle_ms, idle_commands: of the broker, a second and worker process of SLOTS slots.
    let_in_ms: of the broker, each job that is open, whenever a queue ends.
    named_ms, look_ms: of the broker and of the reaper itself, a queue that a running job has named, each look.
    running_ms: of both together, a queue that runs, each look.
    poll_ms: of the API's look at the run state, a queue of the job that is polled.
    queue_kb, name_kb: of the run state, a queue that runs, and one that is only named.
    rows: of the store a queue. sqlite_ms: of its one writer a queue. mongodb_ms: likewise, of mongod's CPU.
    """

    blocks: int
    worker_seconds: float
    shares: tuple[float, float, float]
    broker_ms: float
    commands: float
    messages: float
    idle_ms: float
    idle_commands: float
    let_in_ms: float
    named_ms: float
    look_ms: float
    running_ms: float
    poll_ms: float
    queue_kb: float
    name_kb: float
    rows: float
    sqlite_ms: float
    mongodb_ms: float


# Of `python -m tests.bench.carry --measure` on 2026-11-30: 2 cores, Valkey 9.1, SQLite, mongod 6.0, other work beside it.
MEASURED = Costs(
    blocks=1,
    worker_seconds=0.192,
    shares=(0.163, 0.413, 0.424),
    broker_ms=8.6,
    commands=329.0,
    messages=3.0,
    idle_ms=0.47,
    idle_commands=9.0,
    let_in_ms=0.0052,
    named_ms=0.000063,
    look_ms=0.0022,
    running_ms=0.019,
    poll_ms=0.0018,
    queue_kb=106.0,
    name_kb=0.066,
    rows=359.0,
    sqlite_ms=7.2,
    mongodb_ms=30.8,
)
