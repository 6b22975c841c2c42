"""Verification: issued forecasts against what happened since, once a job has ended whose queues were read anew.

What comes of it is kept by lead time, and shown to people and Prometheus. It never decides over a job, which has its
forecasts by then: whatever goes wrong here is in the log. What is not verified today is verified with the next job.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import structlog

from shared.config.settings import Settings
from shared.domain.accuracy import MONTH_DAYS, AccuracyFilter, worse_than_reference
from shared.domain.calibration import verdict as verdict_of
from shared.domain.forecasts import Forecast
from shared.domain.jobs import Job, JobRequest
from shared.domain.notices import notice_of_calibration
from shared.domain.occasions import Excluded
from shared.domain.runs import Run
from shared.errors import ServiceError
from shared.store import Store
from worker.job.former_names import former_of
from worker.pipeline.accuracy import actuals_of, reference_start, score_forecast
from worker.pipeline.claims import score_claims

REACH = timedelta(days=35)  # of the look back; what is older has been verified, or will never be
MAX_FORECASTS = 100  # of a queue in one go
MAX_QUEUES = 200  # of one task, far below its time limit: a queue takes some milliseconds

log = structlog.get_logger(__name__)


def verify_job(store: Store, job: Job, first: int, settings: Settings | None = None) -> int | None:
    """Verify earlier forecasts of the job's queues, from the one at place `first` on; the place to go on at, None = that was all.

    At the end the job's warnings tell which queues were forecast worse in the last month than by the same hour of the day before.
    """
    if job.issued_at is None:
        return None
    if job.run is Run.ACTUALS:  # which has verified each queue as it was read
        watch_calibration(store, job.issued_at)
        return None
    queues = [report.queue for report in store.reports.of_job(job.job_id)]
    for queue in queues[first : first + MAX_QUEUES]:
        verify_anyhow(store, job.request, queue, job.issued_at, settings)
    if first + MAX_QUEUES < len(queues):
        return first + MAX_QUEUES
    watch_calibration(store, job.issued_at)
    own = {job.request.series(queue).series_id: queue for queue in queues}
    last_month = AccuracyFilter.last_month(job.issued_at, job.request.job_name)
    past = store.accuracy.by_series(list(own), last_month)
    worse = worse_than_reference({own[series_id]: sums for series_id, sums in past.items()})
    if worse is not None:
        store.jobs.update(job.job_id, seen=job, warnings=[worse])
    return None


def verify_anyhow(store: Store, request: JobRequest, queue: str, issued_at: datetime, settings: Settings | None = None) -> None:
    """As `verify_queue` does; what goes wrong about the queue is in the log."""
    try:
        verify_queue(store, request, queue, issued_at, settings)
    except ServiceError:
        raise
    except Exception:
        log.exception("earlier forecasts could not be verified", queue=queue)


def verify_queue(store: Store, request: JobRequest, queue: str, issued_at: datetime, settings: Settings | None = None) -> None:
    """Verify the queue's forecasts whose steps have become actual values until `issued_at`.

    Those over a time that the request excludes are verified again, since it may have become known to be bad only now.
    settings: say whose clusters are whose; None = what queues were called before counts for everybody.
    """
    series, since = request.series(queue), issued_at - REACH
    former = former_of(store, settings, request, queue) if settings else store.aliases.former(series.cluster, queue)
    names = [queue, *(alias.old for alias in former)]
    own = [request.series(name) for name in names]  # what was forecast under a former name comes true under that of now
    waiting = [
        forecast
        for each in own
        for forecast in store.forecasts.unverified(each, since=since, before=issued_at, limit=MAX_FORECASTS)
    ]
    again = [forecast for each in request.exclude for forecast in _verified_over(store, request, queue, issued_at, each)]
    forecasts = list({(each.queue, each.issued_at, each.job, each.job_id): each for each in (*waiting, *again)}.values())
    if not forecasts:
        return
    actuals = actuals_of(store.actuals.get(series.series_id, min(map(reference_start, forecasts)), issued_at))
    if not actuals:
        return
    scored = (score_forecast(forecast, actuals, request.exclude) for forecast in forecasts)
    store.accuracy.save([record for records in scored for record in records])
    claims = [score for forecast in forecasts for score in score_claims(forecast, actuals, request.exclude)]
    store.calibrations.save([*{(score.day, score.job, score.about): score for score in claims}.values()])


def watch_calibration(store: Store, now: datetime) -> None:
    """Whether what forecasts of the last month told as likely has happened that often; where not, whoever is to be told is."""
    before = store.calibrations.verdict()
    since = now - timedelta(days=MONTH_DAYS)
    verdict = verdict_of(store.calibrations.by_cell(since, now), before, now, dates=store.calibrations.dates(since, now))
    if before is None and not verdict.days:
        return
    if verdict.lost_at is not None and (before is None or before.lost_at is None):
        store.notices.add(notice_of_calibration(verdict, datetime.now(UTC)))
        log.warning("chances have not held: they are told in words", calibration_error=verdict.error, queue_days=verdict.days)
    store.calibrations.tell(verdict)


def _verified_over(store: Store, request: JobRequest, queue: str, issued_at: datetime, bad: Excluded) -> list[Forecast]:
    """Forecasts over a time that is known to be bad, as far ahead as the request's own, whose actual values are still kept."""
    reach = request.future_prediction_time_period.before(bad.start)
    since, before = max(reach, issued_at - REACH), min(bad.end, issued_at)
    return (
        store.forecasts.issued(request.series(queue), since=since, before=before, limit=MAX_FORECASTS) if since < before else []
    )
