"""A whole job over a cluster, from samples that the real sampler has taken of a made-up one to its forecasts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deploy.fake_cluster import FakeCluster, simulated
from shared.config.settings import Settings
from shared.connections.files import FilesConnection
from shared.connections.yarn import YarnConnection
from shared.domain.collected import QueueSample
from shared.domain.durations import Duration
from shared.domain.jobs import DataPlaces, JobRequest, JobState, QueueState
from shared.domain.places import Place
from shared.domain.queue_tree import State
from shared.domain.runs import Run
from shared.domain.samples import Aggregation
from shared.domain.units import Unit
from shared.fleet.runstate import RunState
from tests.factories import MONDAY, a_job, a_request, let_in
from tests.worker.collect.days import write_days
from worker.collect.rollups import rollups
from worker.collect.sampler import queue_samples
from worker.collect.tables import QUEUES, ROLLUPS
from worker.job import steps
from worker.job.blocks import read_block
from worker.job.ingestion import first_query
from worker.job.resources import Resources, use
from worker.job.validation import validate

DAYS, EVERY = 10, timedelta(minutes=10)
QUEUE, STOPPED = "root.etl", "root.adhoc"
STOPPED_AT = MONDAY - timedelta(days=2)


def samples() -> Iterator[QueueSample]:
    """Ten days of three queues, of which an administrator stops one."""
    cluster = FakeCluster(simulated(3))
    for number in range(int(timedelta(days=DAYS) / EVERY)):
        at = MONDAY - timedelta(days=DAYS) + number * EVERY
        tree = cluster.tree(at.timestamp())
        if at >= STOPPED_AT:
            tree = replace(
                tree, queues=tuple(replace(each, state=State.STOPPED) if each.path == STOPPED else each for each in tree.queues)
            )
        yield from queue_samples(tree, "prod", at)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, taken = tmp_path_factory.mktemp("samples"), list(samples())
    write_days(folder, QUEUES, taken)
    write_days(folder, ROLLUPS, rollups(taken))
    return folder


@pytest.fixture
def here(settings: Settings, run_state: RunState, kept: Path) -> Iterator[Resources]:
    """The connection that keeps the samples is another project's."""
    yarn = YarnConnection(cluster="prod", addresses=("http://rm:8088",), samples="lake", projects=("capacity",))
    lake = FilesConnection(path=kept, projects=("nobody",))
    with use(Resources(settings.model_copy(update={"connections": {"prod": yarn, "lake": lake}}))) as given:
        yield given
        given.store.close()


def a_request_of(**changes: object) -> JobRequest:
    data = DataPlaces(source=Place(name="prod"), destination=Place(name="files"))
    meant = {"target": "demand_memory_mb", "aggregation": Aggregation.P95, "cluster": "prod", "project": "capacity"}
    span = {"data_ingestion_time_period": Duration(DAYS, "d"), "model": ("hour_mean",), "as_of": MONDAY}
    return a_request(data=data, **(meant | span | changes))


def test_a_job_forecasts_demand_and_tells_which_queue_is_stopped(here: Resources, run_state: RunState) -> None:
    job = here.store.jobs.add(a_job(request=a_request_of(), created_at=datetime.now(UTC)))
    run_state.begin_job(job.job_id, job.deadline_at)
    steps.plan(job.job_id)
    queues = let_in(run_state, job.job_id, 30)
    assert {"root", QUEUE, STOPPED} <= set(queues)
    read_block(job.job_id, 0)
    for queue in queues:
        work = steps.ingest(job.job_id, queue)
        if work is not None:
            steps.score(job.job_id, queue, range(len(work.candidates)))
            steps.select(job.job_id, queue, is_heavy=True)
    here.lifecycle.finish(job.job_id, datetime.now(UTC))
    assert here.store.jobs.get(job.job_id).state is JobState.SUCCEEDED
    report = here.store.reports.get(job.job_id, STOPPED)
    assert (report.state, report.reason) == (QueueState.SKIPPED, f"stopped since {STOPPED_AT:%Y-%m-%d %H:%M} UTC")
    [forecast] = here.store.forecasts.newest_of_each(QUEUE, metric="demand_memory_mb")
    newest = max((each for each in samples() if each.queue == QUEUE), key=lambda each: each.timestamp)
    assert (forecast.unit, forecast.guaranteed, forecast.cluster) == (Unit.MEGABYTES, newest.guaranteed_memory_mb, "prod")
    quality = here.store.reports.get(job.job_id, QUEUE).quality
    assert quality is not None
    assert forecast.basis is not None
    assert (forecast.basis.p95_to_mean or 0) >= 1
    assert quality.notes[0].startswith("read from five minutes (yarn_queue_5m), as the history begins")


def test_a_look_before_says_the_same(here: Resources) -> None:
    found = validate(a_request_of(queues=(QUEUE,)), datetime.now(UTC))
    assert found.problems == ()
    assert any("read from five minutes" in warning for warning in found.warnings)
    [problem] = validate(a_request_of(queues=(STOPPED,)), datetime.now(UTC)).problems
    assert "stopped since" in problem.message
    [refused] = validate(replace(a_request_of(), project="sales"), datetime.now(UTC)).problems
    assert "prod" not in refused.message.replace("'prod'", "")


@pytest.mark.parametrize("aggregation", [Aggregation.P95, Aggregation.MEAN])
def test_actual_values_are_what_was_wanted_in_every_kind_of_run(
    here: Resources, run_state: RunState, aggregation: Aggregation
) -> None:
    """A run that reads the newest days alone knows what lies before them, too."""
    request, kept = a_request_of(aggregation=aggregation, data_ingestion_time_period=Duration(9, "d")), {}
    span = (MONDAY - timedelta(days=DAYS), MONDAY)
    for run in (Run.SEARCH, Run.ACTUALS):
        job = here.store.jobs.add(a_job(job_id=f"{aggregation}-{run}", request=request, run=run, created_at=datetime.now(UTC)))
        run_state.begin_job(job.job_id, job.deadline_at)
        steps.plan(job.job_id)
        for queue in let_in(run_state, job.job_id, 30):
            steps.ingest(job.job_id, queue)
        names = {report.queue for report in here.store.reports.of_job(job.job_id)} - {STOPPED}
        kept[run] = {name: here.store.actuals.get(request.series(name).series_id, *span) for name in names}
    assert len(kept[Run.SEARCH]) >= 4
    assert kept[Run.ACTUALS] == kept[Run.SEARCH]


def test_the_newest_demand_is_read_with_the_four_weeks_that_say_what_it_is_taken_for() -> None:
    job = a_job(request=a_request_of(data_ingestion_time_period=Duration(90, "d")), run=Run.ACTUALS)
    query = first_query(job, QUEUE, MONDAY)
    assert (MONDAY - query.start, query.columns) == (timedelta(days=31), None)
    assert query.history_start == MONDAY - timedelta(days=90)
    used = first_query(replace(job, request=replace(job.request, target="used_memory_mb")), QUEUE, MONDAY)
    assert (MONDAY - used.start, used.columns) == (timedelta(days=3), ())
