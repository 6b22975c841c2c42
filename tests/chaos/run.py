"""Chaos for as long as one likes: `python3 deploy/dev.py chaos [--minutes N] [--seed S] [--random-only] [--json]`.

First the rows of the fault table that take too long for every test run (about six minutes). Then every fault by itself, in an
order that the seed decides, for half of N minutes at most; then all of them mixed, on two workers, again and again until N
minutes are over. Every round is a fleet of its own with three jobs, one of them poisoned; of its
queues one fails by design. Exit code 1 when anything came to a wrong end.
"""

from __future__ import annotations

import argparse
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from random import Random

from shared.command.tables import print_table
from shared.command.terminal import notice, print_json
from tests.chaos import faults
from tests.chaos.faults import Fault
from tests.chaos.fleet import LANES, chaos_fleet
from tests.chaos.scenario import Outcome, start_over, under_fire

QUEUES = 16
WORKERS = (("worker", LANES, 2), ("second", LANES, 1))
Round = tuple[int, tuple[float, float]]  # faults at most, seconds between them

ALONE: dict[Fault, Round] = {
    faults.child_killed: (40, (0.5, 1.5)),
    faults.main_killed: (15, (2.0, 4.0)),
    faults.tree_killed: (15, (2.0, 4.0)),
    faults.worker_terminated: (15, (2.0, 4.0)),
    faults.worker_quit: (15, (2.0, 4.0)),
    faults.worker_frozen_for_a_while: (4, (2.0, 4.0)),
    faults.worker_frozen: (4, (10.0, 20.0)),
    faults.broker_killed: (12, (2.0, 4.0)),
    faults.broker_terminated: (12, (2.0, 4.0)),
    faults.broker_frozen: (4, (2.0, 4.0)),
    faults.broker_full: (7, (2.0, 4.0)),
    faults.reaper_killed: (15, (1.0, 3.0)),
    faults.reaper_frozen: (4, (1.0, 3.0)),
    faults.api_killed: (6, (2.0, 4.0)),
    faults.message_lost: (40, (0.1, 0.5)),
    faults.messages_doubled: (20, (0.2, 1.0)),
}
LIMITS = "8,10"  # seconds: a broker that is frozen for 3 while a job is planned on a busy machine is one fault, not two
MIXED: Round = (40, (1.0, 3.0))


def main(arguments: Sequence[str]) -> int:
    """Run until the time is over; returns the exit code."""
    options = _parse(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: the fleet of the moment is ended
    notice(f"seed {options.seed}, {options.minutes:g} minutes")
    rows_are_right = options.random_only or _rows()
    rng, until = Random(options.seed), time.monotonic() + 60 * options.minutes
    half = time.monotonic() + 30 * options.minutes
    table: dict[str, Outcome] = {}
    for fault in rng.sample(list(ALONE), len(ALONE)):
        if time.monotonic() < half:
            _add(table, fault.__name__, [fault], ALONE[fault], rng)
    while time.monotonic() < until:
        _add(table, "mixed", list(ALONE), MIXED, rng)
    _show(table, as_json=options.json)
    return 0 if rows_are_right and all(outcome.is_right for outcome in table.values()) else 1


def _rows() -> bool:
    """Whether the long rows of the fault table end right; pytest says more on stderr."""
    command = [sys.executable, "-m", "pytest", "-q", "-m", "nightly", str(Path(__file__).parent)]
    return subprocess.run(command, check=False, stdout=sys.stderr).returncode == 0


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="dev.py chaos", description="Break a fleet at random and check what comes of its jobs.")
    parser.add_argument("--minutes", type=float, default=10.0, help="how long, about (default: 10)")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10_000), help="decides what is hit when (default: drawn)")
    parser.add_argument("--random-only", action="store_true", help="leave the rows of the fault table out")
    parser.add_argument("--json", action="store_true", help="one JSON object in place of the table")
    return parser.parse_args(arguments)


def _add(table: dict[str, Outcome], name: str, wanted: Sequence[Fault], limits: Round, rng: Random) -> None:
    """One round with a fleet of its own, added to its line of the table."""
    times, pause = limits
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    with chaos_fleet(folder) as fleet:
        fleet.environment["CHAOS_LIMITS"] = LIMITS
        *queues, cursed = start_over(fleet, QUEUES, WORKERS, cursed=1, api=True)
        outcome = under_fire(fleet, wanted, rng=rng, times=times, pause=pause, queues=queues, cursed=[cursed])
    line = table.setdefault(name, Outcome())
    for count in ("injected", "jobs", "right", "expected", "found"):
        setattr(line, count, getattr(line, count) + getattr(outcome, count))
    line.wrongs += outcome.wrongs
    line.recovery_seconds = max(line.recovery_seconds, outcome.recovery_seconds)
    notice(f"{name}: {outcome.injected} times, {outcome.right} of {outcome.jobs} jobs right, {outcome.recovery_seconds:.1f} s")
    for wrong in outcome.wrongs:
        notice(f"  {wrong}; logs in {folder}", style="red")
    if outcome.is_right:
        shutil.rmtree(folder)


def _show(table: dict[str, Outcome], *, as_json: bool) -> None:
    if as_json:
        print_json({name: asdict(outcome) for name, outcome in table.items()})
        return
    columns = ("fault", "injected", "jobs", "ended right", "forecast rows expected", "found", "worst recovery, s")
    rows = (
        (name.replace("_", " "), line.injected, line.jobs, line.right, line.expected, line.found, round(line.recovery_seconds, 1))
        for name, line in table.items()
    )
    print_table(columns, rows)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
