"""Two days of a cluster, as its collector sees them: failover, lost nodes, changes, outages and restarts, and nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from shared.fleet.runstate import RunState
from shared.store import open_store
from tests.worker.collect.moved_clock import days
from tests.worker.collect.story import (
    assert_all_was_kept,
    assert_changes_are_told,
    assert_gaps_are_no_zeros,
    assert_lost_nodes_change_limits_alone,
    two_days,
)
from worker.collect.sinks.parquet import ParquetSamples
from worker.collect.tables import QUEUES
from worker.collect.watch import Outcome

STEP = timedelta(minutes=10)
LATER = datetime(2040, 1, 2, tzinfo=UTC)  # than now, since files are old by the machine's clock


def test_two_days_of_a_cluster_are_kept_as_they_were(run_state: RunState, in_memory: Path) -> None:
    samples, aside = in_memory / QUEUES.name, in_memory / "aside"

    @contextmanager
    def away() -> Iterator[None]:
        samples.rename(aside)
        samples.write_text("a file where a folder should be")
        yield
        samples.unlink()
        aside.rename(samples)

    store = open_store(f"sqlite://{in_memory / 'queuecast.db'}")
    with days(LATER, STEP, ParquetSamples(in_memory), store, run_state) as passed:
        two_days(passed, away)
        assert set(passed.outcomes) == {Outcome.COLLECTED, Outcome.FAILED, Outcome.NOT_KEPT}
        assert_all_was_kept(passed)
        assert_gaps_are_no_zeros(passed)
        assert_changes_are_told(passed)
        assert_lost_nodes_change_limits_alone(passed)
    store.close()
