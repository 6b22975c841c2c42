"""Runs between two searches: values are kept, issued forecasts verified, and a winner is fitted again unless it has drifted.

refit    read ──▶ actual values, verification ──▶ drifted, or no winner? ──▶ a search
                                               └─▶ else the winner, fitted on the newest history
actuals  read ──▶ actual values, verification ──▶ the end
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import structlog

from shared.domain.accuracy import AccuracyFilter
from shared.domain.drift import DRIFTED, drift, looked_at_since
from shared.domain.forecasts import Failure, Forecast, ForecastSpec
from shared.domain.jobs import Job, JobRequest, QueueState
from shared.domain.recipes import Winner, search_of
from shared.domain.reports import QualityReport, QueueReport
from shared.domain.runs import Run
from shared.store import Store
from worker.job.catalogue import model_cards
from worker.job.resources import Resources
from worker.job.verification import verify_anyhow
from worker.pipeline.folds import MANY
from worker.pipeline.newest import actual_points
from worker.pipeline.queue import PreparedQueue, prepare_queue
from worker.pipeline.refit import are_enough, folds_of, selection_of, winner_of
from worker.pipeline.selection.choose import Selection
from worker.pipeline.snapshot import Snapshot
from worker.sources.base import Reading

Result = TypeVar("Result")

READ = "new actual values were read; nothing was forecast"
NO_WINNER = "no earlier search has a winner of this queue that can be fitted again, so all candidates compete"
FORGOTTEN = "too little is left of what the winner's intervals were made from, so all candidates compete again"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What a refit run does with a queue: the winner that it fits again, None = it searches; and what is to be said of that."""

    winner: Winner | None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def told(self, quality: QualityReport) -> QualityReport:
        """The report on the data, with that."""
        return replace(quality, notes=(*self.notes, *quality.notes), warnings=(*self.warnings, *quality.warnings))


SEARCHED = Course(winner=None)


def keep_actuals(resources: Resources, job: Job, queue: str, reading: Reading, issued_at: datetime) -> None:
    """Keep what was read of the queue, and compare earlier forecasts with it; raises what `actual_points` does."""
    points = actual_points(job.request, reading, queue=queue, issued_at=issued_at)
    resources.store.actuals.save(job.request.series(queue), points)
    verify_anyhow(resources.store, job.request, queue, issued_at, resources.settings)


def end_read(resources: Resources, job: Job, queue: str) -> None:
    """End a queue of which nothing is forecast."""
    resources.store.reports.save(QueueReport(job_id=job.job_id, queue=queue, state=QueueState.SUCCEEDED, explanation=READ))
    resources.run_state.end_queue(job.job_id, queue)


def prepared_for(store: Store, job: Job, request: JobRequest, reading: Reading, queue: str) -> PreparedQueue:
    """The queue as it is searched, or as its last winner is fitted again; raises what `prepare_queue` does.

    Args:
        request: that of the job, with all of its events.
    """
    issued_at = job.issued_at or job.created_at
    prepare = partial(prepare_queue, request, reading, queue=queue, issued_at=issued_at, cards=model_cards())
    course = course_of(store, job, queue, issued_at) if job.run is Run.REFIT else SEARCHED
    if course.winner is not None:
        prepared = prepare(is_refit=True)
        if _can_tell(store, job, course.winner, prepared):
            return prepared
        course = Course(winner=None, notes=(FORGOTTEN,))
    prepared = prepare()
    return replace(prepared, quality=course.told(prepared.quality))


def course_of(store: Store, job: Job, queue: str, issued_at: datetime) -> Course:
    """What a refit run does with a queue whose newest values are kept and whose forecasts are verified."""
    request, winner = job.request, store.winners.get(search_of(job.request), queue)
    if winner is None:
        return Course(winner=None, notes=(NO_WINNER,))
    horizon = timedelta(seconds=request.horizon_steps(issued_at) * request.step_seconds)
    since = looked_at_since(winner.searched_at, issued_at, horizon)
    series_id = request.series(queue).series_id
    asked = AccuracyFilter(since=since, until=issued_at, job=request.job_name)
    verified = store.accuracy.by_series([series_id], asked).get(series_id)
    drifted = drift(verified, winner.score, request.step_seconds, winner.searched_at)
    return Course(winner=None, notes=(drifted,), warnings=(DRIFTED,)) if drifted else Course(winner=winner)


def _can_tell(store: Store, job: Job, winner: Winner, prepared: PreparedQueue) -> bool:
    """Whether enough is known of how far off the winner may be."""
    folds = partial(folds_of, winner, snapshot=prepared.snapshot, spec=prepared.work.spec)
    return are_enough(folds([]), winner) or are_enough(folds(_issued(store, job, winner, prepared.snapshot)), winner)


def fit_again(
    resources: Resources, job: Job, snapshot: Snapshot, spec: ForecastSpec, fit: Callable[[Selection], Result | Failure]
) -> tuple[Selection, Result] | None:
    """The winner of the queue's last search, and what became of fitting it again.

    None = it is gone or cannot be fitted: it is forgotten, and the queue is to be ingested anew, as a search.
    """
    queue, store = snapshot.queue, resources.store
    winner, reason = store.winners.get(search_of(job.request), queue), "it is gone"
    if winner is not None:
        selection = selection_of(winner, _issued(store, job, winner, snapshot), snapshot, spec)
        result = fit(selection)
        if not isinstance(result, Failure):
            return selection, result
        store.winners.forget(winner)
        reason = result.reason
    log.info("the winner could not be fitted again", reason=reason)
    resources.run_state.forget_refit(job.job_id, queue)
    return None


def keep_winner(store: Store, job: Job, queue: str, selection: Selection, issued_at: datetime) -> None:
    """Keep who has won a search, where a later run of the schedule will ask for it."""
    if job.keeps_winners and selection.searched_at is None:
        store.winners.save(winner_of(selection, job, queue=queue, issued_at=issued_at))


def _issued(store: Store, job: Job, winner: Winner, snapshot: Snapshot) -> Sequence[Forecast]:
    series = job.request.series(winner.queue)
    issued = store.forecasts.issued(series, since=winner.searched_at, before=snapshot.end_at, limit=MANY)
    return [forecast for forecast in issued if forecast.job == job.request.job_name]
