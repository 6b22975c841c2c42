"""One run of one queue, from what was read of it to its forecast and report. No broker, no database, no clock.

    reading ──▶ prepare_queue ──▶ score_candidates ──▶ choose_fitted ──▶ queue_report
                snapshot, work       outcomes         selection, forecast

A job takes these steps in tasks of its own, each with attempts and messages around it; `run_queue` is all of them in one go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TypeVar

import pandas as pd

from shared.domain.choice import Ranking
from shared.domain.forecasts import Failure, Forecast, ForecastSpec, Outcome, QueueWork
from shared.domain.jobs import Job, JobRequest, QueueState
from shared.domain.model_cards import ModelCard
from shared.domain.reports import QualityReport, QueueReport, ReportedScore
from shared.domain.series_kind import SeriesKind
from shared.errors import DataError
from worker.pipeline.backtest import backtest, known_steps
from worker.pipeline.doubts import level_change
from worker.pipeline.ensembles.names import requested_composites
from worker.pipeline.forecast import forecast_queue
from worker.pipeline.gain import is_worth_more, thorough
from worker.pipeline.history import Known, known_at_issue
from worker.pipeline.limits import capacity_of, without_limits
from worker.pipeline.lost import caused_by_losses, check_losses, without_lost_columns
from worker.pipeline.more_history import more_history
from worker.pipeline.ordinary import as_ordinary
from worker.pipeline.plan import queue_work
from worker.pipeline.quality import quality_report
from worker.pipeline.regressors import said_of_regressors, with_known_columns
from worker.pipeline.said import said_of_calendar, said_of_occasions, said_of_shift
from worker.pipeline.saturation import as_demand
from worker.pipeline.score import guarded, score
from worker.pipeline.selection.choose import Selection, Terms, choose, with_failure
from worker.pipeline.shaping import shaped
from worker.pipeline.snapshot import Snapshot, make_snapshot
from worker.pipeline.wholeness import whole_steps
from worker.prepare.kind import kind_of
from worker.sources.base import Reading

Result = TypeVar("Result")
Texts = tuple[str, ...]
Planned = tuple[QueueWork, Texts]
Shape = Callable[..., tuple[QueueWork, Texts, Texts]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedQueue:
    """All that is fixed before anything is scored."""

    snapshot: Snapshot
    work: QueueWork
    quality: QualityReport


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRun:
    """Everything that came of a run."""

    prepared: PreparedQueue
    outcomes: tuple[Outcome, ...]
    selection: Selection
    forecast: Forecast


def prepare_queue(
    request: JobRequest, reading: Reading, *, queue: str, issued_at: datetime, cards: Sequence[ModelCard], is_refit: bool = False
) -> PreparedQueue:
    """The queue's series up to `issued_at`, how it is backtested and with which candidates, and what is to be said of it.

    Args:
        is_refit: whether the winner of an earlier search is fitted again, so that there are no candidates.

    Raises:
        EmptySeries, SeriesTooShort: there is nothing to learn from. DataLost: too much was lost, and the request does not accept
            it. RequestError: as `candidates_of` does.
    """
    check_losses(request, reading, queue)
    demand = as_demand(request, reading)
    prepare = partial(_prepare_read, request, demand.reading, queue=queue, issued_at=issued_at, cards=cards)
    prepared = prepare(_for_refit if is_refit else _for_search)
    spec, quality = replace(prepared.work.spec, basis=demand.basis), prepared.quality
    notes, warnings = (*quality.notes, *demand.notes), (*demand.warnings, *quality.warnings)
    quality = replace(quality, notes=notes, warnings=warnings)
    return replace(prepared, work=replace(prepared.work, spec=spec), quality=quality)


def _prepare_read(
    request: JobRequest,
    reading: Reading,
    shape: Shape,
    *,
    queue: str,
    issued_at: datetime,
    cards: Sequence[ModelCard],
) -> PreparedQueue:
    """The same of a reading that says what was wanted."""
    before = reading.frame.iloc[: reading.frame.index.searchsorted(pd.Timestamp(issued_at))]
    reading, lost = without_lost_columns(request, reading)
    reading = whole_steps(reading, request.target, grid=request.grid, aggregation=request.aggregation)
    snapshot, notes, uncovered = _snapshot(request, reading, queue, issued_at)
    capacity, of_limits = capacity_of(request, before)
    plan = partial(queue_work, snapshot=snapshot, issued_at=issued_at, cards=cards, capacity=capacity)
    planned = plan(request)
    known, _ = known_at_issue(snapshot, planned[0].spec)
    further, about_known = _said_of_known(known, snapshot, request)
    kind = kind_of(known.history.target, known.history.steps_per_day)
    work, warnings, about_kind = shape(request, planned, known, plan, kind=kind, cards=cards, steps=known_steps(snapshot))
    notes = (*about_kind, *said_of_calendar(work.candidates, known.history), *notes, *capacity.notes, *further)
    quality = _quality(snapshot, reading, known, work.spec, notes)
    said = (*uncovered, *about_known, *quality.warnings, *of_limits, *warnings, *reading.advice)
    quality = replace(quality, kind=kind, warnings=said, dropped_columns={**quality.dropped_columns, **lost})
    return PreparedQueue(snapshot=snapshot, work=work, quality=quality)


def _for_search(
    request: JobRequest,
    planned: Planned,
    known: Known,
    plan: Callable[[JobRequest], Planned],
    *,
    kind: SeriesKind | None,
    cards: Sequence[ModelCard],
    steps: int,
) -> tuple[QueueWork, Texts, Texts]:
    """The candidates that a series of this kind is worth, with warnings and notes."""
    is_worth = is_worth_more(request, kind, known.history, planned[0].spec, cards)
    work, warnings = plan(thorough(request)) if is_worth else planned
    work, about_kind = shaped(work, kind, request, cards, steps)
    return work, warnings, about_kind


def _for_refit(_request: JobRequest, planned: Planned, *_more: object, **_further: object) -> tuple[QueueWork, Texts, Texts]:
    """No candidates, and nothing to be said of those that there might be."""
    return QueueWork(spec=planned[0].spec, candidates=(), blocks=(), is_refit=True), (), ()


def _quality(snapshot: Snapshot, reading: Reading, known: Known, spec: ForecastSpec, notes: Texts) -> QualityReport:
    """What is to be said of the data themselves."""
    longer = filter(None, [more_history(snapshot, reading, spec)])
    shifted = said_of_shift(known) or level_change(as_ordinary(snapshot, spec)) or ""
    quality = quality_report(snapshot, reading, (*notes, *longer), spec=spec, shifted=shifted)
    return replace(quality, losses=reading.losses)


def _snapshot(request: JobRequest, reading: Reading, queue: str, issued_at: datetime) -> tuple[Snapshot, Texts, Texts]:
    """The series, notes on it and warnings; where there is none, losses come first among the reasons."""
    try:
        snapshot, notes = make_snapshot(
            without_limits(request, reading.frame),
            queue=queue,
            target=request.target,
            grid=request.grid,
            issued_at=issued_at,
            fill=request.fill,
            bad=request.exclude,
        )
    except DataError as error:
        raise caused_by_losses(request, reading, error, queue) from error
    snapshot, warnings = with_known_columns(request, snapshot, reading)
    return snapshot, notes, warnings


def _said_of_known(known: Known, snapshot: Snapshot, request: JobRequest) -> tuple[Texts, Texts]:
    """Notes and warnings on regressors and occasions."""
    notes, warnings = said_of_regressors(known, snapshot)
    further, about_occasions = said_of_occasions(known, snapshot, request.exclude)
    return (*notes, *further), (*warnings, *about_occasions)


def score_candidates(prepared: PreparedQueue) -> list[Outcome]:
    """The outcome of every candidate, in their order."""
    spec, folds = prepared.work.spec, backtest(prepared.snapshot, prepared.work.spec)
    return [guarded(candidate, partial(score, candidate, folds, spec)) for candidate in prepared.work.candidates]


def choose_fitted(
    request: JobRequest,
    work: QueueWork,
    outcomes: Sequence[Outcome],
    cards: Sequence[ModelCard],
    fit: Callable[[Selection], Result | Failure],
) -> tuple[Selection, Result]:
    """The winner, and what became of fitting it again; one that cannot be leaves its place to the next.

    Args:
        fit: gives the Failure of a winner that cannot be fitted again; whatever else it gives is the end of the search.

    Raises:
        UndefinedScore: no candidate is left.
    """
    terms = Terms(
        costs={card.name: card.cost for card in cards},
        composites=requested_composites(request),
        unranked=work.unranked,
        every_steps=work.spec.stride,
        step_seconds=request.step_seconds,
        rule=request.selection,
        metric=Ranking(request.metric),
    )
    while True:
        selection = choose(outcomes, terms)
        result = fit(selection)
        if not isinstance(result, Failure):
            return selection, result
        outcomes = with_failure(outcomes, result)


def queue_report(forecast: Forecast, selection: Selection, quality: QualityReport | None) -> QueueReport:
    """What is kept and shown of a queue that has its forecast."""
    return QueueReport(
        job_id=forecast.job_id,
        queue=forecast.queue,
        state=QueueState.SUCCEEDED,
        quality=quality,
        outcomes=selection.leaderboard,
        winner=selection.winner.candidate,
        explanation=selection.explanation,
        selected_on=ReportedScore.MEDIAN_WINDOW if len(selection.winner.windows) > 1 else ReportedScore.SELECTED_ON,
        ranked_by=selection.ranked_by,
        seconds=forecast.seconds,
    )


def run_queue(
    job: Job, reading: Reading, *, queue: str, issued_at: datetime, created_at: datetime, cards: Sequence[ModelCard]
) -> QueueRun:
    """All of it in this process; raises what `prepare_queue` and `choose_fitted` raise."""
    prepared = prepare_queue(job.request, reading, queue=queue, issued_at=issued_at, cards=cards)
    outcomes = score_candidates(prepared)
    snapshot, spec = prepared.snapshot, prepared.work.spec

    def fit(selection: Selection) -> Forecast | Failure:
        work = partial(forecast_queue, selection, snapshot, spec, job=job, created_at=created_at)
        return guarded(selection.winner.candidate, work)

    selection, forecast = choose_fitted(job.request, prepared.work, outcomes, cards, fit)
    return QueueRun(prepared=prepared, outcomes=tuple(outcomes), selection=selection, forecast=forecast)
