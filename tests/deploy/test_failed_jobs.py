"""Jobs that fail while a stack runs, on its terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deploy import failed_jobs
from deploy.failed_jobs import FailedJobs
from shared.domain.jobs import JobState
from shared.store import Store, open_store
from tests.factories import a_job


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(f"sqlite:///{tmp_path / 'store.db'}")) as opened:
        yield opened


def test_each_is_told_once_with_its_reason(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failed_jobs, "LOOK_SECONDS", 0.0)
    told: list[str] = []
    fail(store, "before")
    watch = FailedJobs(store, told.append)
    assert not watch.look()
    assert told == []
    fail(store, "one")
    fail(store, "two")
    watch.look()
    watch.look()
    assert [line.split(": ")[0] for line in told] == [
        "job one (Resource Forecasting) failed",
        "job two (Resource Forecasting) failed",
    ]
    assert "no data" in told[0]


def fail(store: Store, job_id: str) -> None:
    store.jobs.add(a_job(job_id=job_id))
    store.jobs.move(job_id, {JobState.QUEUED}, JobState.FAILED, "no data", datetime.now(UTC))
