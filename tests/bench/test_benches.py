"""Benchmarks are run rarely: that they still run is seen here, at a tiny size."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.bench.carry.costs import MEASURED
from tests.bench.carry.simulate import Fleet
from tests.bench.chance_days import tasks_of
from tests.bench.chance_figures import Told, printed
from tests.bench.chances import blocks_and_week, published
from tests.bench.cold_start import AHEAD, KNOWN, POOLS, misses
from tests.bench.decisions.__main__ import printed as decisions_printed
from tests.bench.decisions.joint import families, replayed, told
from tests.bench.decisions.pasts import past_of
from tests.bench.fleet.bare import run_bare
from tests.bench.fleet.stage import BASELINES, request_of, write_files
from tests.bench.plans import DEFAULT, a_tree, line, measured
from tests.bench.series import DataSet
from tests.factories import a_load, a_request
from worker.decisions.objective import Demand
from worker.decisions.replay import Cutoff, Past
from worker.decisions.terms import Terms


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


def test_chances_are_measured_on_what_the_product_makes_of_each_day(tmp_path: Path) -> None:
    load = a_load(9 * 24).rename("y").rename_axis("ds").reset_index().assign(unique_id="etl")
    load.to_parquet(tmp_path / "made.parquet")
    for _ in range(2):  # the second time from the cache
        [task] = tasks_of(DataSet("made", "made.parquet"), "etl", tmp_path, tmp_path)
        assert task.actual == pytest.approx(load["y"].tail(24), rel=1e-6)
        told = published(task)
        assert told.paths.shape == (64, 24)
        assert told.blocks == blocks_and_week(task).blocks


def test_decisions_are_measured_on_what_the_product_makes_of_each_day(tmp_path: Path) -> None:
    load = a_load(10 * 24).rename("y").rename_axis("ds").reset_index().assign(unique_id="etl")
    load.to_parquet(tmp_path / "made.parquet")
    past = past_of(DataSet("made", "made.parquet"), "etl", tmp_path, tmp_path)
    assert [cutoff.at for cutoff in past.cutoffs] == [8 * 24, 9 * 24]
    table = [*decisions_printed([past], "VM pools")]
    assert [line[:10] for line in table[1:3]] == ["do nothing", "trailing 7"]
    assert " 1.000 / 1.000 / 1.000 " in table[1]


def test_of_two_pools_that_want_at_other_hours_a_joint_plan_shares_what_they_have() -> None:
    days = np.arange(24 * 21) // 24
    wanted = [np.where(days < 14, first, 10.0 - first) + np.arange(24.0 * 21) % 2 for first in (2.0, 8.0)]
    pasts = [
        Past(
            queue=name,
            values=values,
            cutoffs=tuple(Cutoff(at=24 * day, demand=Demand.of(values[24 * day :][np.newaxis, :24])) for day in range(14, 20)),
        )
        for name, values in zip("ab", wanted, strict=True)
    ]
    found = replayed(next(families(pasts)), Terms())
    assert (found.ratio < 1, found.shortfall < 1, found.changes_a_day > 0) == (True, True, True)
    assert told([*pasts, pasts[0]], 10.0).startswith("joint plans of 1 family: J 0.")
    assert told(pasts[:1], 10.0) == "joint plans: no two series have the same days"


def test_what_is_drawn_from_the_very_paths_is_found_calibrated() -> None:
    dice = np.random.default_rng(5)
    told = [Told(paths=dice.gamma(2, 10, (64, 24)), mass=np.full(64, 1 / 64), blocks=14, made_from=21) for _ in range(300)]
    actual = [each.paths[dice.integers(64)] for each in told]
    first, *_ = printed(told, actual, [np.array([40.0, 60.0, 80.0])] * 300).splitlines()
    assert first.startswith("300 of 300 days")
    assert float(first.partition("calibration error ")[2][:5]) < 0.04


def test_a_new_queue_that_stays_the_same_part_of_its_parent_is_never_off(tmp_path: Path) -> None:
    times = pd.date_range("2026-01-01", periods=KNOWN + AHEAD + 5, freq="h")
    load = pd.Series(range(1, len(times) + 1), index=times)
    names = [f"pool{number}" for number in range(8)]
    frames = [pd.DataFrame({"unique_id": name, "ds": times, "y": load.to_numpy() * (1 + at)}) for at, name in enumerate(names)]
    pd.concat(frames).to_parquet(tmp_path / POOLS[2].file)
    found = [each for half in ("tune", "check") for each in misses(POOLS[2], tmp_path, half)]
    assert len(found) == len(names)
    assert all(np.abs(each).max() < 1e-9 for each in found)


def test_plans_of_a_made_up_tree_are_made_and_timed() -> None:
    seconds, found = measured(a_tree((4, 3), np.random.default_rng(1)), DEFAULT, 2)
    assert {each.parent for each in found.plans if not each.refused} == {"root", *(f"root.q{place}" for place in range(4))}
    assert "5 plans" in line("small", seconds, found, limit=0.0)
