"""Earlier forecasts against what happened since: scored when a job has just read the actual values of their queue.

What comes of it is kept by lead time, shown to people, and told to Prometheus. It never decides over the job: whatever goes wrong
here is in the log, and the forecast goes on.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from functools import reduce
from operator import add

import structlog

from shared import metrics
from shared.accuracy import MONTH_DAYS, AccuracyFilter, ErrorSums
from shared.errors import ServiceError
from shared.jobs import JobRequest
from shared.names import first_of
from worker.pipeline.accuracy import actuals_of, score_forecast
from worker.resources import resources

REACH = timedelta(days=35)  # of the look back; what is older has been scored, or will never be
DAY = timedelta(days=1)
MOST_FORECASTS = 100  # scored in one go
FEWEST_STEPS = 48  # before that a comparison with the seasonal naive is luck
SHOWN_QUEUES = 3

log = structlog.get_logger(__name__)


def look_back(request: JobRequest, queue: str, issued_at: datetime) -> None:
    """Score the queue's earlier forecasts whose steps have become actual values until `issued_at`."""
    try:
        _score(request, queue, issued_at)
    except ServiceError:
        raise
    except Exception:  # the past must not cost the future
        log.exception("earlier forecasts could not be scored", queue=queue)


def warning(request: JobRequest, queues: Collection[str], issued_at: datetime) -> str | None:
    """Which of these queues were forecast worse than by the same hour of the day before, in the last month; None = none."""
    found = resources().store.accuracy.by_queue(_last_month(request, issued_at))
    worse = {
        queue: sums.compared_error - sums.naive_error
        for queue, sums in found.items()
        if queue in queues and sums.compared_steps >= FEWEST_STEPS and sums.compared_error > sums.naive_error
    }
    if not worse:
        return None
    worst = sorted(worse, key=worse.__getitem__, reverse=True)
    told = first_of(worst, SHOWN_QUEUES, say=lambda queue: _told(queue, found[queue]))
    return f"forecasts of the last {MONTH_DAYS} days were worse than the same hour of the day before: {told}"


def _score(request: JobRequest, queue: str, issued_at: datetime) -> None:
    store, step = resources().store, request.step_seconds
    since = issued_at - REACH
    waiting = store.forecasts.unverified(queue, request.target, step, since=since, before=issued_at, limit=MOST_FORECASTS)
    if not waiting:
        return
    actuals = actuals_of(store.actuals.get(queue, request.target, step, waiting[0].issued_at - DAY, issued_at), step)
    if actuals is None:
        return
    store.accuracy.save([record for forecast in waiting for record in score_forecast(forecast, actuals)])
    leads = store.accuracy.by_lead(queue, _last_month(request, issued_at))
    if leads:
        metrics.looked_back(queue, reduce(add, leads.values()))


def _last_month(request: JobRequest, issued_at: datetime) -> AccuracyFilter:
    return AccuracyFilter(
        metric=request.target,
        step_seconds=request.step_seconds,
        since=issued_at - timedelta(days=MONTH_DAYS),
        until=issued_at,
        job=request.job_name,
    )


def _told(queue: str, sums: ErrorSums) -> str:
    return f"{queue} ({sums.wape:.0f} % off against {sums.naive_wape:.0f} %)"
