"""Benchmarks are run rarely: that they still run is seen here, at a tiny size."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.bench.carry.costs import MEASURED
from tests.bench.carry.simulate import Fleet
from tests.bench.fleet.bare import run_bare
from tests.bench.fleet.stage import BASELINES, request_of, write_files
from tests.factories import a_request


def test_the_bare_process_that_the_fleet_is_compared_with_still_runs(tmp_path: Path) -> None:
    write_files(tmp_path / "files", 2)
    wanted = request_of("hour_mean", 1) | {"hyperparameters": {}}  # the benchmark's own models would be registered for all tests
    bare = run_bare(a_request(**wanted), tmp_path / "files")
    assert bare.candidates == 2 * BASELINES  # it is one of them
    assert 0 < bare.scoring <= bare.everything


@pytest.mark.parametrize(("workers", "wall"), [(2, "workers"), (400, "broker")])
def test_a_simulated_fleet_does_all_its_queues_and_names_what_is_used_up(workers: int, wall: str) -> None:
    found = Fleet(MEASURED, 1_000, workers, MEASURED.sqlite_ms).run()
    assert found.wall == wall
    assert found.seconds >= 1_000 * max(MEASURED.worker_seconds / workers, MEASURED.broker_ms / 1e3)


def test_where_nothing_but_computing_costs_anything_every_slot_is_used() -> None:
    free = replace(MEASURED, broker_ms=0.0, idle_ms=0.0, let_in_ms=0.0)
    for workers in (2, 9, 50):
        assert Fleet(free, 2_000, workers, 0.0).run().slots > 0.95
