"""What a worker promises its children fits into its container, and what cannot fit is refused in words."""

from __future__ import annotations

import pytest

from deploy.stack import HEAVY_LANES, WORKER_LANES
from shared.config.machine import Machine
from shared.config.settings import Settings
from shared.errors import InvalidSettings, UsageError
from worker.fleet.allotment import IMPORTS_MB, MAIN_MB, MAX_MB, allot, child_of_stack, slots_of_stack

PLAIN = Settings()
LARGE = Machine(cores=8, memory_mb=64_000)


def of(memory_mb: int, cores: int = 4) -> Machine:
    return Machine(cores=cores, memory_mb=memory_mb)


@pytest.mark.parametrize(("memory", "slots"), [(600, 1), (1_024, 4), (3_072, 2), (3_072, 20)])
def test_all_children_together_stay_within_the_container(memory: int, slots: int) -> None:
    allotted = allot(PLAIN, of(memory), WORKER_LANES, slots)
    assert allotted.slots == slots
    assert MAIN_MB + slots * (allotted.child_mb - IMPORTS_MB) <= memory


def test_a_large_machine_does_not_let_a_leak_grow_for_ever() -> None:
    assert allot(PLAIN, LARGE, WORKER_LANES, None).child_mb == MAX_MB
    assert child_of_stack(LARGE, HEAVY_LANES, 8) == MAX_MB


@pytest.mark.parametrize(("machine", "slots"), [(LARGE, 8), (of(1_024), 4), (of(700), 2), (of(600, 16), 1)])
def test_there_are_as_many_slots_as_cores_and_memory_allow(machine: Machine, slots: int) -> None:
    assert allot(PLAIN, machine, WORKER_LANES, None).slots == slots


def test_more_than_fits_is_refused_with_what_would() -> None:
    with pytest.raises(UsageError, match=r"--concurrency 8 takes 1,422 MB, and there are 1,024 here: accepted is at most 4"):
        allot(PLAIN, of(1_024), WORKER_LANES, 8)
    with pytest.raises(UsageError, match="no worker of these lanes fits in there"):
        allot(PLAIN, of(700), HEAVY_LANES, None)
    with pytest.raises(InvalidSettings, match=r"QUEUECAST_CHILD_MEMORY_MB: 1500 for each of 4 .* at most 460, or a smaller"):
        allot(Settings(child_memory_mb=1_500), of(1_024), WORKER_LANES, 4)
    assert allot(Settings(child_memory_mb=450), of(1_024), WORKER_LANES, 4).child_mb == 450


@pytest.mark.parametrize(("machine", "slots"), [(LARGE, 8), (of(4_096), 4), (of(2_900), 3), (of(1_500), 1)])
def test_one_machine_is_shared_by_all_workers_of_a_stack(machine: Machine, slots: int) -> None:
    assert slots_of_stack(machine) == slots
    for lanes in (WORKER_LANES, HEAVY_LANES):
        started = Settings(child_memory_mb=child_of_stack(machine, lanes, slots))
        assert allot(started, machine, lanes, 1).child_mb == started.child_memory_mb
