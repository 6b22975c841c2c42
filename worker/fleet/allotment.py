"""How many tasks a worker runs at a time, and how much memory a child of it may take: within what its machine or container has.

Measured by tests/bench/worker_memory.py. A child's memory is what the system says of it: with the pages of the libraries, which
its main process has loaded and all children share.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from shared.config.machine import Machine
from shared.config.settings import PREFIX, Settings
from shared.domain.lanes import Lane
from shared.errors import InvalidSettings, UsageError

MAX_MB = 1_500  # of a child, however large the machine: what takes more has a leak
USABLE = 0.9
MAIN_MB = 400  # the main process, with the pages that its children share
IMPORTS_MB = 330  # of these pages, what each child is said to have
OWN_MB, OWN_HEAVY_MB = 110, 350  # what a child has for itself at its largest moment; heavy ones train networks
STACK_MB, STACK_WORKERS = 600, 3  # of `queuecast up`: API, reaper, Flower, broker, watchdogs · worker, control and heavy


@dataclass(frozen=True, slots=True, kw_only=True)
class Allotment:
    """Of one worker."""

    slots: int
    child_mb: int


def allot(settings: Settings, machine: Machine, lanes: Collection[str], slots: int | None) -> Allotment:
    """Of a worker that has the machine or container for itself; `slots` None = as many as it has cores and memory for.

    Raises:
        UsageError: it has not the memory for so many slots. InvalidSettings: nor for what a child of these may take.
    """
    own = _own(lanes)
    free = machine.memory_mb * USABLE - MAIN_MB
    fitting = max(0, int(free // own))
    slots = slots or max(1, min(machine.cores, fitting))
    if slots > fitting:
        needed = round((MAIN_MB + slots * own) / USABLE)
        accepted = f"accepted is at most {fitting}" if fitting else "no worker of these lanes fits in there"
        raise UsageError(f"--concurrency {slots} takes {needed:,} MB, and there are {machine.memory_mb:,} here: {accepted}")
    most = int(IMPORTS_MB + free / slots)
    if settings.child_memory_mb is not None and settings.child_memory_mb > most:
        raise InvalidSettings(
            f"{PREFIX}CHILD_MEMORY_MB: {settings.child_memory_mb} for each of {slots} is more than the {machine.memory_mb:,} MB "
            f"here: accepted is at most {most}, or a smaller --concurrency"
        )
    return Allotment(slots=slots, child_mb=settings.child_memory_mb or min(MAX_MB, most))


def slots_of_stack(machine: Machine) -> int:
    """How many candidates `queuecast up` scores at a time: as there are cores, and memory beside all its other processes."""
    return max(1, min(machine.cores, int((_left_by_stack(machine) - OWN_MB - OWN_HEAVY_MB) // OWN_MB)))


def child_of_stack(machine: Machine, lanes: Collection[str], slots: int) -> int:
    """What a child of a worker for these lanes may take under `queuecast up`, beside `slots` that score, control and heavy."""
    share = max(float(_own(lanes)), _left_by_stack(machine) / (slots + STACK_WORKERS - 1))
    return min(MAX_MB, int(IMPORTS_MB + share))


def _left_by_stack(machine: Machine) -> float:
    return machine.memory_mb * USABLE - STACK_MB - STACK_WORKERS * MAIN_MB


def _own(lanes: Collection[str]) -> int:
    return OWN_HEAVY_MB if Lane.HEAVY in lanes else OWN_MB
