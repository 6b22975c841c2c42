"""The made-up cluster looks like one: hours, weekdays, loans, waiting, idleness, gaps; and it is the same every time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from deploy.habits import CLUSTER_MB, CONTAINER_MB, habits_of
from deploy.simulate import granted, simulate, write
from tests.worker.sources import files

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
STEP = timedelta(minutes=5)
COLUMNS = (
    *("timestamp", "queue", "used_capacity", "absolute_used_capacity", "capacity", "absolute_capacity", "absolute_max_capacity"),
    *("used_memory_mb", "used_vcores", "allocated_containers", "pending_containers", "num_applications"),
)


def a_cluster(*, queues: int = 12, days: int = 28, step: timedelta = STEP, seed: int = 7) -> dict[str, pd.DataFrame]:
    return dict(simulate(queues=queues, days=days, step_seconds=int(step.total_seconds()), seed=seed, end=MONDAY))


@pytest.fixture(scope="module")
def cluster() -> dict[str, pd.DataFrame]:
    return a_cluster()


def usage(frame: pd.DataFrame) -> pd.Series:
    return frame.set_index("timestamp")["used_capacity"]


def test_the_same_seed_gives_the_same_cluster(cluster: dict[str, pd.DataFrame]) -> None:
    for queue, frame in a_cluster().items():
        pd.testing.assert_frame_equal(frame, cluster[queue])


def test_another_seed_gives_another_cluster(cluster: dict[str, pd.DataFrame]) -> None:
    assert not a_cluster(seed=8)["root.adhoc"].equals(cluster["root.adhoc"])


def test_columns_speak_in_words_of_yarn(cluster: dict[str, pd.DataFrame]) -> None:
    assert {tuple(frame.columns) for frame in cluster.values()} == {COLUMNS}
    assert all((frame["queue"] == queue).all() for queue, frame in cluster.items())
    assert not any(frame.isna().to_numpy().any() for frame in cluster.values())


def test_samples_lie_on_the_grid_and_end_before_the_end(cluster: dict[str, pd.DataFrame]) -> None:
    for frame in cluster.values():
        times = frame["timestamp"]
        assert times.is_monotonic_increasing
        assert times.is_unique
        assert str(times.dt.tz) == "UTC"
        assert ((times - pd.Timestamp(MONDAY)) % pd.Timedelta(STEP) == pd.Timedelta(0)).all()
        assert MONDAY - timedelta(days=28) <= times.min()
        assert times.max() < MONDAY


def test_scrapes_are_missing_and_their_gaps_are_shorter_than_half_a_day(cluster: dict[str, pd.DataFrame]) -> None:
    for frame in cluster.values():
        gaps = frame["timestamp"].diff().dropna()
        assert (gaps > 2 * STEP).sum() >= 3
        assert gaps.max() < pd.Timedelta(hours=12)


def test_a_queue_borrows_above_its_guarantee_but_never_above_its_ceiling(cluster: dict[str, pd.DataFrame]) -> None:
    assert (usage(cluster["root.adhoc"]) > 100).mean() > 0.05
    for frame in cluster.values():
        assert (frame["absolute_used_capacity"] <= frame["absolute_max_capacity"] + 0.01).all()
    assert usage(cluster["root.llap"]).max() <= 100  # its ceiling is its guarantee


def test_work_waits_where_a_queue_has_met_its_ceiling(cluster: dict[str, pd.DataFrame]) -> None:
    waiting = cluster["root.llap"]["pending_containers"] > 0
    assert 0.01 < waiting.mean() < 0.5
    assert (usage(cluster["root.llap"])[waiting.to_numpy()] > 99).all()


def test_the_cluster_is_never_overfull(cluster: dict[str, pd.DataFrame]) -> None:
    together = pd.concat([frame.set_index("timestamp")["used_memory_mb"] for frame in cluster.values()], axis=1).sum(axis=1)
    assert together.max() <= CLUSTER_MB
    assert together.max() > CLUSTER_MB / 2


def test_some_queues_are_idle_most_of_the_time_but_not_always(cluster: dict[str, pd.DataFrame]) -> None:
    for queue in ("root.archive", "root.sandbox"):
        assert 0.5 < (usage(cluster[queue]) == 0).mean() < 1


def test_people_come_by_day_and_stay_away_at_weekends(cluster: dict[str, pd.DataFrame]) -> None:
    adhoc = usage(cluster["root.adhoc"])
    working = adhoc[adhoc.index.dayofweek < 5]
    noon, night = working[working.index.hour == 14].mean(), working[working.index.hour == 3].mean()
    assert noon > 3 * night
    assert working.mean() > 2 * adhoc[adhoc.index.dayofweek >= 5].mean()


def test_percentages_memory_and_containers_agree(cluster: dict[str, pd.DataFrame]) -> None:
    for frame in cluster.values():
        assert (frame["used_memory_mb"] == frame["allocated_containers"] * CONTAINER_MB).all()
        np.testing.assert_allclose(frame["absolute_used_capacity"], frame["used_memory_mb"] / CLUSTER_MB * 100, atol=0.001)
        own = frame["used_capacity"] * frame["absolute_capacity"] / 100
        np.testing.assert_allclose(own, frame["absolute_used_capacity"], atol=0.01)


def test_guarantees_fill_the_cluster_and_children_fill_their_parent(cluster: dict[str, pd.DataFrame]) -> None:
    assert sum(frame["absolute_capacity"].iloc[0] for frame in cluster.values()) == pytest.approx(100, abs=0.01)
    assert sum(cluster[f"root.etl.{leaf}"]["capacity"].iloc[0] for leaf in ("daily", "hourly")) == pytest.approx(100, abs=0.01)


def test_further_queues_have_names_of_their_own() -> None:
    names = [habit.queue for habit in habits_of(40)]
    assert len(set(names)) == 40
    assert names[-1] == "root.teams.team028"


def test_loans_are_shared_in_proportion_to_what_is_wanted() -> None:
    demand = np.array([[10.0], [130.0], [160.0]], np.float32)
    guarantees, ceilings = np.full(3, 100, np.float32), np.full(3, 1_000, np.float32)
    assert granted(demand, guarantees, ceilings).ravel().tolist() == pytest.approx([10, 130, 160])  # all that is wanted is idle
    demand[0] = 70
    assert granted(demand, guarantees, ceilings).ravel().tolist() == pytest.approx([70, 110, 120])


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_what_is_written_reads_back_the_same_also_for_a_job(tmp_path: Path, suffix: str) -> None:
    made = a_cluster(queues=2, days=1)
    assert write(tmp_path, suffix, iter(made.items())) == {queue: len(frame) for queue, frame in made.items()}
    assert files.queues(tmp_path) == sorted(made)
    for queue, frame in made.items():
        path = tmp_path / f"{queue}.{suffix}"
        read = pd.read_parquet(path) if suffix == "parquet" else pd.read_csv(path, parse_dates=["timestamp"])
        pd.testing.assert_frame_equal(read, frame.reset_index(drop=True))
        reading = files.read(tmp_path, queue=queue, start=MONDAY - timedelta(days=1), end=MONDAY)
        assert (reading.rows, reading.duplicates, reading.non_finite) == (len(frame), 0, 0)
        hourly = usage(frame).resample("1h").mean().dropna()  # an outage is a gap
        pd.testing.assert_series_equal(reading.frame["used_capacity"], hourly, check_freq=False, check_names=False)
