"""How far one broker carries: `python -m tests.bench.carry [--measure] [--check]`.

A simulation (simulate.py) of 1,000 to 100,000 queues of `auto` on 2 to 1,000 workers, each a slot on a core of its own, told what
was measured (`MEASURED`; anew with --measure). What is used up first is the wall. --check runs a real job of QUEUES queues on
this machine and compares what it takes with what the simulation says.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from tests.bench.carry.costs import MEASURED, Costs
from tests.bench.carry.measuring import idleness, measure, spent_on
from tests.bench.carry.simulate import SLOTS, Fleet, Outcome
from tests.bench.fleet.figures import circumstances
from tests.bench.fleet.stage import stage_over, write_table

SIZES, WORKERS = (1_000, 10_000, 100_000), (2, 50, 1_000)
QUEUES, WITHIN = 200, 1.25
MONGOD_CORES = 8


def main() -> None:
    """Print a line for each fleet, and what one of each resource carries."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.carry", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--measure", action="store_true", help="what everything costs, on this machine")
    parser.add_argument("--check", action="store_true", help="against a real run")
    wanted = parser.parse_args()
    print(json.dumps(circumstances()), flush=True)
    costs = measure() if wanted.measure else MEASURED
    print(json.dumps(asdict(costs)), flush=True)
    if wanted.check:
        check(costs)
        return
    for store, price in (("SQLite", costs.sqlite_ms), (f"MongoDB on {MONGOD_CORES} cores", costs.mongodb_ms / MONGOD_CORES)):
        print(f"{store}:")
        for workers in WORKERS:
            for queues in SIZES:
                print(line(Fleet(costs, queues, workers, price).run()), flush=True)
    for what, rate in carried(costs).items():
        print(f"{what:10} {rate:8.0f} queues/s at most, which {rate * costs.worker_seconds:6.0f} workers do")


def line(found: Outcome) -> str:
    """What came of a fleet."""
    return (
        f"{found.queues:7,} queues {found.workers:5,} workers {found.seconds:6.0f} s  slots {found.slots:4.0%}  "
        f"broker {found.broker:4.0%} {found.commands:6,.0f} commands/s {found.messages:4,.0f} messages/s  "
        f"{found.megabytes:4.0f} MB  store {found.store:4.0%} {found.rows:6,.0f} rows/s  look {found.look:4.2f} s  "
        f"{found.polls:.0f} polls/s {found.api:3.0%} of an API  first: {found.wall}"
    )


def carried(costs: Costs) -> dict[str, float]:
    """Queues a second at which each is used up, by itself; of the broker, where the idle workers' part is that of those busy."""
    broker = costs.broker_ms + costs.idle_ms * costs.worker_seconds / SLOTS
    mongod = costs.mongodb_ms / MONGOD_CORES
    return {"broker": 1e3 / broker, "SQLite": 1e3 / costs.sqlite_ms, "mongod": 1e3 / mongod}


def check(costs: Costs) -> None:
    """Commands, messages and workers' seconds of a real job, beside those that the simulation says."""
    with stage_over(write_table, QUEUES) as here:
        real = spent_on(here, QUEUES, idleness(here))
    said = Fleet(costs, QUEUES, 2, costs.sqlite_ms, jobs=1).run()
    pairs = {
        "commands": (real.commands, said.commands * said.seconds - costs.idle_commands * said.seconds),
        "messages": (real.messages, said.messages * said.seconds),
        "CPU seconds of workers": (real.worker, said.slots * said.seconds * said.workers),
        "CPU seconds of the broker": (real.broker, (said.broker - costs.idle_ms / 1e3) * said.seconds),
    }
    for what, (ours, theirs) in pairs.items():
        ratio = theirs / ours
        held = "held" if 1 / WITHIN <= ratio <= WITHIN else "MISSED"
        print(f"{what:28} {ours:10,.1f} real {theirs:10,.1f} simulated  ÷ {ratio:5.2f}  hold to within {WITHIN:g}  {held}")


if __name__ == "__main__":
    main()
