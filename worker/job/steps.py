"""The steps of a job: load, call the pipeline, save. No Celery here; worker/fleet/tasks.py says which message follows.

    plan ──▶ ingest ──▶ score ──▶ select          sink first, store second, `done` last: each of them may be repeated

Truth is in run state and store. A step may run twice, at once or later, and finds out by itself whether there is anything to do.
Errors leave a step as they are; shared/lifecycle.py says what they end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from enum import Enum, auto
from functools import lru_cache, partial

import structlog

from shared.domain.forecasts import Candidate, Failure, Forecast, ForecastSpec, QueueWork, Score
from shared.domain.jobs import Job, JobState, QueueState
from shared.domain.lanes import Lane
from shared.domain.reports import QualityReport, QueueReport
from shared.domain.runs import Run
from shared.errors import DataError, JobNotFound, ProcessLost
from shared.telemetry import metrics
from worker.job.attempts import MAX_ATTEMPTS, OnFailure, attempt, score_each, tried
from worker.job.blocks import kept_reading
from worker.job.catalogue import model_cards
from worker.job.cold_start import cold_start, is_cold, waits_for_parent
from worker.job.delivery import Delivery
from worker.job.departures import check_there, gone_or
from worker.job.former_names import with_former_names
from worker.job.ingestion import read_for
from worker.job.planning import name_queues
from worker.job.refits import end_read, fit_again, keep_actuals, keep_winner, prepared_for
from worker.job.resources import Resources, current_resources
from worker.job.snapshots import KEPT, snapshot_of, to_content
from worker.job.whereabouts import check_unmoved
from worker.pipeline.backtest import Fold, backtest
from worker.pipeline.backtested_quantiles import with_crps
from worker.pipeline.ensembles.recipe import candidates_in
from worker.pipeline.forecast import forecast_queue
from worker.pipeline.lost import why_skipped
from worker.pipeline.newest import snapshot_points
from worker.pipeline.queue import choose_fitted, queue_report
from worker.pipeline.score import score as score_candidate
from worker.pipeline.selection.choose import Selection
from worker.pipeline.snapshot import Snapshot
from worker.sources.base import Reading

log = structlog.get_logger(__name__)


class Selecting(Enum):
    """What came of a call of `select`."""

    HAS_ENDED = auto()  # the queue, now or earlier
    STARTS_OVER = auto()  # what was to be fitted again cannot be: the queue is searched
    IS_EARLY = auto()  # outcomes are missing: somebody will call again
    NEEDS_HEAVY_LANE = auto()


def plan(job_id: str) -> None:
    """Name the job's queues, once, and set it running."""
    resources = current_resources()
    try:
        job = resources.store.jobs.get(job_id)
    except JobNotFound:
        return
    if job.state.is_terminal or resources.run_state.running_job(job_id) is None:
        return
    with attempt(resources.run_state, job_id, "", "plan") as number:
        if number > MAX_ATTEMPTS:
            raise ProcessLost(job_id=job_id)
        if number:
            name_queues(resources, job)
            resources.store.jobs.move(job_id, {JobState.QUEUED}, JobState.RUNNING, None, datetime.now(UTC), seen=job)


def ingest(job_id: str, queue: str) -> QueueWork | None:
    """Read the queue and fix its candidates, once; returns its work, None when it does not run: job or queue has ended.

    A message of an earlier run of the job may come before the queue is let in, or for one that is none of this run's.
    """
    resources = current_resources()
    run_state = resources.run_state
    work = run_state.work(job_id, queue)
    if work is not None or not run_state.is_released(job_id, queue):
        return work
    with attempt(run_state, job_id, queue, "ingest") as number:
        if number > MAX_ATTEMPTS:
            raise ProcessLost(job_id=job_id, queue=queue)
        return _read_queue(resources, resources.store.jobs.get(job_id), queue) if number else None


def score(
    job_id: str, queue: str, indices: Iterable[int], on_failure: OnFailure = lambda _index, _failure: None
) -> list[tuple[int, Lane]]:
    """Score candidates; returns those left over, with their lane, when the time limit struck before their turn."""
    run_state = current_resources().run_state
    kept = run_state.work_and_snapshot(job_id, queue)
    if kept is None:
        return []
    work, content = kept

    def evaluate(candidate: Candidate) -> Score:  # folds are prepared inside the first candidate's guard
        return score_candidate(candidate, _folds(content, work.spec), work.spec)

    known = [index for index in indices if index < len(work.candidates)]  # an earlier run of the job may have had more
    left = score_each(run_state, job_id, queue, known, candidates=work.candidates, evaluate=evaluate, on_failure=on_failure)
    return [(index, _lane(work, index)) for index in left]


def is_scored(job_id: str, queue: str) -> bool:
    """Whether every candidate of a running queue has its outcome."""
    run_state = current_resources().run_state
    work = run_state.work(job_id, queue)
    return work is not None and len(run_state.attempts.outcomes(job_id, queue)) == len(work.candidates)


def select(job_id: str, queue: str, *, is_heavy: bool) -> Selecting:
    """Choose the winner, fit it again, deliver. A winner that cannot be fitted again leaves its place to the next one.

    Raises UndefinedScore: no candidate is left.
    """
    resources = current_resources()
    run_state = resources.run_state
    kept, recorded = run_state.work_and_snapshot(job_id, queue), run_state.attempts.outcomes(job_id, queue)
    if kept is None or run_state.queue_end(job_id, queue) is not None:
        return Selecting.HAS_ENDED
    work, content = kept
    if len(recorded) < len(work.candidates):
        return Selecting.IS_EARLY
    job, snapshot = resources.store.jobs.get(job_id), snapshot_of(content)
    fit = partial(_fit, resources, job, work, snapshot, is_heavy=is_heavy)
    outcomes = [recorded[index] for index in range(len(work.candidates))]
    ended: tuple[Selection, Forecast | Selecting] | None
    if work.is_refit:
        ended = fit_again(resources, job, snapshot, work.spec, fit)
    else:
        ended = choose_fitted(job.request, work, outcomes, model_cards(), fit)
    if ended is None:
        return Selecting.STARTS_OVER
    selection, forecast = ended
    if isinstance(forecast, Selecting):
        return forecast
    selection = with_crps(selection, snapshot, work.spec)
    keep_winner(resources.store, job, queue, selection, _issued_at(job))
    _deliver(resources, job, forecast, partial(queue_report, forecast, selection))
    return Selecting.HAS_ENDED


def _fit(
    resources: Resources, job: Job, work: QueueWork, snapshot: Snapshot, selection: Selection, *, is_heavy: bool
) -> Forecast | Failure | Selecting:
    """The winner's forecast from all of the history, or what is in its way."""
    members, lanes = candidates_in(selection.recipe), {card.name: card.lane for card in model_cards()}
    if not is_heavy and Lane.HEAVY in {lanes.get(candidate.model) for candidate in members}:
        return Selecting.NEEDS_HEAVY_LANE
    refit = partial(forecast_queue, selection, snapshot, work.spec, job=job, created_at=datetime.now(UTC))
    places = [work.candidates.index(each) for each in members if each in work.candidates]
    with attempt(resources.run_state, job.job_id, snapshot.queue, ".".join(["select", *map(str, places)])) as number:
        return tried(selection.winner.candidate, number, refit) if number else Selecting.HAS_ENDED


def _read_queue(resources: Resources, job: Job, queue: str) -> QueueWork | None:
    issued_at = _issued_at(job)
    request = resources.with_file_events(job.request, issued_at)
    report = QueueReport(job_id=job.job_id, queue=queue, state=QueueState.RUNNING)
    reading: Reading | None = None
    try:
        check_unmoved(resources, job)
        alone = with_former_names(resources, request, queue, partial(resources.read, project=request.project))
        reading = kept_reading(resources, job.job_id, queue) or read_for(job, queue, issued_at, alone)
        if reading.losses:  # they are kept, whatever becomes of the queue
            resources.store.reports.save(replace(report, quality=QualityReport(rows=reading.rows, losses=reading.losses)))
        if job.run is not Run.SEARCH:
            keep_actuals(resources, job, queue, reading, issued_at)
        if job.run is Run.ACTUALS:
            end_read(resources, job, queue)
            return None
        check_there(resources, request, queue, issued_at)
        prepared = prepared_for(resources.store, job, request, reading, queue)
    except DataError as raised:
        error = gone_or(resources, request, queue, issued_at, raised)
        if is_cold(job, queue, error) and _starts_cold(resources, job, queue, reading, error):
            return None
        if why := why_skipped(request, queue, error, issued_at):
            resources.lifecycle.fail_queue(job.job_id, queue, why, QueueState.SKIPPED)
            return None
        raise error from None
    resources.store.reports.save(replace(report, quality=prepared.quality))
    if job.run is Run.SEARCH:
        resources.store.actuals.save(request.series(queue), snapshot_points(prepared.snapshot))
    return resources.run_state.keep_work(job.job_id, queue, to_content(prepared.snapshot), prepared.work)


def _starts_cold(resources: Resources, job: Job, queue: str, reading: Reading | None, error: DataError) -> bool:
    """Whether a queue that is too new waits for its parent's forecast, or has got one from that."""
    if waits_for_parent(resources.run_state, job.job_id, queue):
        return True
    if (found := cold_start(resources, job, queue, reading, error)) is None:
        return False
    resources.store.reports.save(replace(found.report, state=QueueState.RUNNING))
    _deliver(resources, job, found.forecast, lambda _: found.report)
    return True


def _deliver(resources: Resources, job: Job, forecast: Forecast, report: Callable[[QualityReport | None], QueueReport]) -> None:
    with resources.lifecycle.delivery(job.job_id, forecast.queue) as is_wanted:
        if not is_wanted:
            log.info("forecast not delivered, the job has ended")
            return
        check_unmoved(resources, job)
        Delivery(resources, job.request).write(forecast)
        metrics.forecast_delivered(forecast, resources.kind(job.request.data.destination))
        quality = resources.store.reports.get(job.job_id, forecast.queue).quality
        resources.store.reports.save(report(quality))
        resources.run_state.end_queue(job.job_id, forecast.queue)
    mape = {"mape": round(forecast.mape, 2)} if forecast.mape is not None else {}
    log.info("forecast delivered", model=forecast.model, **mape, seconds=round(forecast.seconds, 3))


@lru_cache(maxsize=KEPT)
def _folds(content: bytes, spec: ForecastSpec) -> list[Fold]:
    """The folds of a snapshot. The tasks of a queue often meet in one process, and preparing costs as much as a cheap model."""
    return backtest(snapshot_of(content), spec)


def _issued_at(job: Job) -> datetime:
    if job.issued_at is None:
        raise RuntimeError(f"job {job.job_id} runs without having been planned")
    return job.issued_at


def _lane(work: QueueWork, index: int) -> Lane:
    return next(block.lane for block in work.blocks if block.first <= index <= block.last)
