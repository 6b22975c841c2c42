"""Queues of a job that are read together: as each would be by itself, by few looks, and by itself where that goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import celery
import pytest

from shared.config.settings import Settings
from shared.domain.jobs import DataPlaces, Place
from shared.drivers.redis_server import redis_server
from shared.errors import SourceAway
from shared.fleet.broker import PatientTask, make_celery
from shared.fleet.runstate import RunState
from shared.fleet.runstate.values import Reads
from tests.factories import DEADLINE, MONDAY, a_job, a_load, a_request, let_in
from tests.scraping import counted_here
from worker.fleet import tasks
from worker.job import blocks, steps
from worker.job.blocks import read_block
from worker.job.ingestion import usage_query
from worker.job.resources import Resources
from worker.job.together import Together
from worker.sources import base
from worker.sources.file_source import FileSource
from worker.sources.files import layout, scan

QUEUES = ("root.adhoc", "root.etl")
MANY = [f"root.q{number:03}" for number in range(150)]


@pytest.fixture
def sender(settings: Settings) -> Iterator[None]:
    """Messages are sent by the application of this process."""
    before = celery.current_app._get_current_object()
    app = make_celery(redis_server(settings), "api")
    app.set_current()
    yield
    app.close()
    before.set_current()


def begun(here: Resources, **changes: Any) -> str:
    """A planned job whose queues are let in."""
    values = {"model": ("hour_mean",), "deadline": a_request().deadline} | changes
    job = here.store.jobs.add(a_job(request=a_request(**values), created_at=datetime.now(UTC)))
    here.run_state.begin_job(job.job_id, job.deadline_at)
    steps.plan(job.job_id)
    let_in(here.run_state, job.job_id)
    return job.job_id


def work_of(here: Resources, job_id: str) -> dict[str, object]:
    """What is to be done for each queue, and of what."""
    for queue in QUEUES:
        steps.ingest(job_id, queue)
    return {queue: here.run_state.work_and_snapshot(job_id, queue) for queue in QUEUES}


def test_queues_that_are_read_together_are_ingested_as_each_by_itself(here: Resources) -> None:
    job_id = begun(here)
    alone = work_of(here, job_id)
    here.run_state.drop_job(job_id)
    here.run_state.begin_job(job_id, DEADLINE)
    steps.plan(job_id)
    let_in(here.run_state, job_id)
    assert read_block(job_id, 0) == list(QUEUES)
    assert here.run_state.readings.get(job_id, "root.etl") is not None
    assert work_of(here, job_id) == alone
    assert here.run_state.readings.get(job_id, "root.etl") is None


def test_covariates_are_read_together_with_the_usage(here: Resources) -> None:
    assert here.settings.files_dir is not None
    more = here.settings.files_dir / "more"
    more.mkdir()
    a_load(seed=3).rename("memory").rename_axis("timestamp").to_csv(more / "root.etl.csv")
    usage, covariates = Place(name="files", path="*.csv"), Place(name="files", path="more/*.csv")
    places = DataPlaces(source=(usage, covariates), destination=Place(name="files"))
    job_id = begun(here, data=places)
    read_block(job_id, 0)
    frames = {queue: blocks.kept_reading(here, job_id, queue) for queue in QUEUES}
    assert {queue: list(reading.frame) for queue, reading in frames.items() if reading} == {
        "root.adhoc": ["used_capacity"],
        "root.etl": ["used_capacity", "memory"],
    }


def test_a_queue_that_cannot_be_read_fails_alone(here: Resources) -> None:
    assert here.settings.files_dir is not None
    (here.settings.files_dir / "root.etl.csv").write_text("timestamp,used_capacity\n2026-01-05,text\n")
    job_id = begun(here)
    read_block(job_id, 0)
    assert steps.ingest(job_id, "root.adhoc") is not None
    with pytest.raises(steps.DataError, match="found string such as 'text'"):
        steps.ingest(job_id, "root.etl")


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("a bug"), OSError()])
def test_queues_are_read_one_by_one_where_their_block_cannot_be(
    here: Resources, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    job_id = begun(here)

    def fail(*_: object) -> None:
        raise error

    with monkeypatch.context() as broken:
        broken.setattr(FileSource, "scan", fail)
        assert read_block(job_id, 0) == list(QUEUES)
    assert here.run_state.readings.is_read(job_id, 0)
    assert all(steps.ingest(job_id, queue) for queue in QUEUES)


def test_a_source_that_stays_away_for_a_block_is_waited_for_by_each_queue_in_the_end(
    here: Resources, sender: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be away for one of them only, which takes too long."""
    job_id = begun(here)

    def away(*_: object) -> None:
        raise SourceAway("it does not answer")

    monkeypatch.setattr(FileSource, "scan", away)
    with pytest.raises(SourceAway):
        tasks.read(job_id, 0)
    assert set(here.run_state.waiting_for(job_id)) == set(QUEUES)
    assert not here.run_state.readings.is_read(job_id, 0)
    tasks.read.apply((job_id, 0), retries=PatientTask.max_retries, throw=True)
    assert here.run_state.readings.is_read(job_id, 0)


def test_a_block_whose_readers_die_is_given_up_after_three_attempts(here: Resources, run_state: RunState) -> None:
    job_id = begun(here)
    for _ in range(3):
        run_state.attempts.begin(job_id, "", "read.0")
    assert read_block(job_id, 0) == list(QUEUES)
    assert run_state.readings.get(job_id, "root.etl") is None


def test_a_block_that_is_read_twice_reads_only_what_is_not_kept(here: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = begun(here)
    here.run_state.readings.keep(job_id, {"root.adhoc": b"kept"})
    scanned: list[list[str]] = []
    every = here.scan
    monkeypatch.setattr(here, "scan", lambda query, names, **more: scanned.append(list(names)) or every(query, names, **more))
    here.run_state.end_queue(job_id, "root.etl", "failed")
    assert read_block(job_id, 0) == ["root.adhoc"]
    assert scanned == []


def test_queues_of_which_one_fills_a_block_are_no_blocks(here: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "MAX_STEPS_BYTES", 1_000)
    job_id = begun(here)
    assert here.run_state.readings.upon(job_id, "root.adhoc") == Reads()


def test_who_stops_early_has_read_no_further_file(here: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    open_table = scan.open_table
    monkeypatch.setattr(scan, "open_table", lambda files, name, *more: read.append(name) or open_table(files, name, *more))
    before = counted_here("queuecast_source_seconds_count", kind="files")
    together = Together(here, "", QUEUES)
    assert together.read(usage_query(a_request(), "root.adhoc", MONDAY)).rows
    assert read == ["root.adhoc.csv"]
    assert together.read(usage_query(a_request(), "root.etl", MONDAY)).rows
    assert read == ["root.adhoc.csv", "root.etl.csv"]
    del together  # the look is over
    assert counted_here("queuecast_source_seconds_count", kind="files") == before + 1


def test_a_job_that_has_ended_reads_nothing(here: Resources) -> None:
    job_id = begun(here)
    here.run_state.drop_job(job_id)
    assert read_block(job_id, 0) == []
    assert here.run_state.client.keys("*") == []


def test_many_files_are_read_in_several_blocks_and_opened_once_by_a_look(
    here: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert here.settings.files_dir is not None
    text = (here.settings.files_dir / "root.etl.csv").read_text()
    for name in MANY:
        (here.settings.files_dir / f"{name}.csv").write_text(text)
    looks: list[str] = []
    open_table = layout.open_table
    monkeypatch.setattr(layout, "open_table", lambda files, name, *more: looks.append(name) or open_table(files, name, *more))
    job_id = begun(here)
    for block in range(3):
        read_block(job_id, block)
    assert len(looks) == len(set(looks)) == len(MANY) + len(QUEUES)
    assert all(here.run_state.readings.get(job_id, name) for name in (*QUEUES, *MANY))
